"""Signed tokens for links in mail: they name a few ids, for one kind of thing, for a limited time."""

from datetime import timedelta
from typing import Any

from django.core import signing


def sign_token(kind: str, **ids: Any) -> str:
    """A URL-safe token; `kind` keeps a token for one thing from opening another."""
    return signing.dumps(ids, salt=f"say-when.{kind}", compress=True)


def read_token(token: str, kind: str, *, max_age: timedelta) -> dict[str, Any] | None:
    """What `sign` was given; None when forged, of another kind, or older than `max_age`."""
    try:
        ids: dict[str, Any] = signing.loads(token, salt=f"say-when.{kind}", max_age=max_age)
    except signing.BadSignature:
        return None
    return ids
