"""Addresses that get no mail. When the owner of one is erased, a keyed hash of it stays in its place: it tells us not
to write, should the address turn up again, and tells nobody what the address was.
"""

import hashlib
import hmac

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from notifications.models import Suppression

_BLOCK = 64  # SHA-256's, in bytes


def hash_address(address: str) -> str:
    """HMAC-SHA256 of the address under `ADDRESS_HASH_KEY`."""
    return hmac.new(_get_hash_key(), address.lower().encode(), hashlib.sha256).hexdigest()


def build_address_filter(address: str) -> Q:
    """The rows that stop mail to an address: as it is, and sealed."""
    return Q(address__iexact=address) | Q(address_hash=hash_address(address))


@transaction.atomic
def hash_suppression(address: str) -> int:
    """Puts the keyed hash in the place of an address that refuses mail. Returns how many rows."""
    plain = Suppression.objects.filter(address__iexact=address)
    if Suppression.objects.filter(address_hash=hash_address(address)).exists():
        return plain.delete()[0]
    return plain.update(address=None, address_hash=hash_address(address), detail="")


def get_hmac_pads() -> dict[str, bytes]:
    """The two halves of the key as HMAC uses them, so that SQL can seal an address by two calls of sha256."""
    key = _get_hash_key().ljust(_BLOCK, b"\0")
    return {"outer": bytes(byte ^ 0x5C for byte in key), "inner": bytes(byte ^ 0x36 for byte in key)}


def _get_hash_key() -> bytes:
    return hashlib.sha256(b"say-when.address" + settings.ADDRESS_HASH_KEY.encode()).digest()
