"""Pictures as the shop keeps them: re-encoded, bounded in size, named by what is in them."""

import hashlib
import io
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps, UnidentifiedImageError

LARGEST_FILE = 20 * 1024 * 1024  # bytes, as uploaded
MOST_PIXELS = 50_000_000
LONGEST_EDGE = 1200  # pixels, as kept
QUALITY = 82
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
FOLDER = "products"


class UnusablePictureError(Exception):
    """Says, for people, what is wrong with it."""


def save_picture(uploaded: BinaryIO) -> str:
    """Stores the picture as WebP without any of its metadata; gives its name. The same picture is stored once."""
    raw = uploaded.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise UnusablePictureError(f"The picture is larger than {LARGEST_FILE // 1024 // 1024} MB.")
    name = make_picture_name(raw)
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(encode_webp(raw)))
    return name


def make_picture_name(raw: bytes) -> str:
    return f"{FOLDER}/{hashlib.sha256(raw).hexdigest()[:20]}.webp"


def encode_webp(raw: bytes) -> bytes:
    """Told by what is in it, whatever it is called; without any of its metadata. Raises `UnusablePictureError`."""
    try:
        picture = Image.open(io.BytesIO(raw), formats=KINDS)
        if picture.width * picture.height > MOST_PIXELS:
            raise UnusablePictureError("The picture has more than 50 million pixels.")
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
        kept = io.BytesIO()
        upright.convert("RGBA" if _has_alpha(upright) else "RGB").save(kept, "WEBP", quality=QUALITY, method=4)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise UnusablePictureError("This is not a picture we can read (JPEG, PNG, WebP, GIF, TIFF or BMP).") from error
    return kept.getvalue()


def _has_alpha(picture: Image.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info
