"""The journal: erasures and withdrawn consents, ids only, one JSON line each, in a file outside the database.

A backup knows nothing of what was said after it was made. `after_restore` reads this file and says it again.
"""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

logger = logging.getLogger(__name__)

ERASED, WITHDRAWN, UNTICKED = "erased", "withdrawn", "unticked"


@dataclass(frozen=True)
class Entry:
    """`chain` names a customer (ids are given out anew after a restore, chains never); `order` an order's number."""

    what: str
    at: datetime
    chain: UUID | None = None
    purpose: str = ""
    order: str = ""


def erased(chain: UUID) -> None:
    _append(what=ERASED, chain=str(chain))


def withdrawn(chain: UUID, purpose_key: str) -> None:
    _append(what=WITHDRAWN, chain=str(chain), purpose=purpose_key)


def unticked(order_number: str, purpose_key: str) -> None:
    _append(what=UNTICKED, order=order_number, purpose=purpose_key)


def _append(**ids: str) -> None:
    """One write of one line, on the disk before the caller commits. A full disk never stands in the way of a no."""
    line = json.dumps({"at": timezone.now().isoformat(), **ids}, separators=(",", ":")) + "\n"
    try:
        journal = os.open(settings.JOURNAL_PATH, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(journal, line.encode())
            os.fsync(journal)
        finally:
            os.close(journal)
    except OSError:
        logger.exception("The journal could not be written: a restore would not know of this %s", ids["what"])


def read(path: Path) -> Iterator[Entry]:
    """The entries in their order. Raises ValueError naming the line that cannot be read.

    A last line without its end was being written when the machine died; what it tells was not committed.
    """
    with path.open() as lines:
        for number, line in enumerate(lines, start=1):
            if line.endswith("\n"):
                yield _entry(line, place=f"{path}, line {number}")


def _entry(line: str, *, place: str) -> Entry:
    try:
        ids: dict[str, Any] = json.loads(line)
        chain = UUID(ids["chain"]) if "chain" in ids else None
        moment = datetime.fromisoformat(ids["at"])
        return Entry(ids["what"], moment, chain, ids.get("purpose", ""), ids.get("order", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{place} is not a line of the journal.") from None
