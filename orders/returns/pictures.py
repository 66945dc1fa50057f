"""Pictures of what is wrong: told by what is in them, re-encoded without metadata, kept in private."""

import io
import secrets
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from orders.models import ReturnAuthorization, ReturnPicture
from shop.catalog import pictures

MOST_PICTURES = 3
LARGEST_UPLOAD = 10 * 1024 * 1024  # bytes


def get_private_storage() -> Storage:
    return storages["private"]


def encode_upload(uploaded: BinaryIO) -> bytes:
    """WebP of at most 1,200 pixels. Raises `UnusablePictureError`, which says what is wrong, for people."""
    raw = uploaded.read(LARGEST_UPLOAD + 1)
    if len(raw) > LARGEST_UPLOAD:
        raise pictures.UnusablePictureError(f"The picture is larger than {LARGEST_UPLOAD // 1024 // 1024} MB.")
    return pictures.encode_webp(raw)


def keep_pictures(made: ReturnAuthorization, encoded: list[bytes]) -> None:
    """Stores them, up to so many for a return."""
    for content in encoded[:MOST_PICTURES]:
        name = get_private_storage().save(f"returns/{secrets.token_hex(16)}.webp", ContentFile(content))
        ReturnPicture.objects.create(return_authorization=made, file=name)


def read_picture(picture: ReturnPicture) -> io.BytesIO | None:
    """None where the file is gone."""
    try:
        with get_private_storage().open(picture.file) as stored:
            return io.BytesIO(stored.read())
    except FileNotFoundError:
        return None


def delete_pictures(found: list[ReturnPicture]) -> int:
    """Rows and files. Returns how many rows."""
    for picture in found:
        get_private_storage().delete(picture.file)
    return ReturnPicture.objects.filter(pk__in=[picture.pk for picture in found]).delete()[0]
