"""Seals that nobody can make who has the database alone: HMAC-SHA256 under a key that stays outside it."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from django.conf import settings


def seal_facts(kind: str, *facts: Any) -> bytes:
    """The seal of some facts (what JSON can hold). `kind` keeps a seal of one thing from passing for another's.

    The key is `LEDGER_KEY`, which stays when `SECRET_KEY` changes.
    """
    return _compute_seal(settings.LEDGER_KEY, kind, facts)


def is_seal(claimed: bytes, kind: str, *facts: Any) -> bool:
    """Whether that is the seal of these facts, made under the key of today or one in `SECRET_KEY_FALLBACKS`."""
    keys = (settings.LEDGER_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(claimed, _compute_seal(key, kind, facts)) for key in keys)


def is_hex_seal(claimed: str, kind: str, *facts: Any) -> bool:
    """The same for a seal written in hexadecimal; anything else is none."""
    try:
        return is_seal(bytes.fromhex(claimed), kind, *facts)
    except ValueError:
        return False


def _compute_seal(key: str, kind: str, facts: tuple[Any, ...]) -> bytes:
    message = json.dumps([kind, *facts], separators=(",", ":"), sort_keys=True)
    derived = hashlib.sha256(b"say-when.ledger" + key.encode()).digest()
    return hmac.new(derived, message.encode(), hashlib.sha256).digest()


def format_sealed_moment(moment: datetime) -> str:
    """A moment as seals know it, the same in every time zone."""
    return moment.astimezone(UTC).isoformat()
