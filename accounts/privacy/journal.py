"""The journal: what was erased, withdrawn or forgotten, ids only, one JSON line each, in a file outside the database.

A backup knows nothing of what was said after it was made. `after_restore` reads this file and says it again.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from shop import durable_files, sealing

logger = logging.getLogger(__name__)

ERASED, ERASURE_ASKED, ERASURE_UNDONE = "erased", "erasure_asked", "erasure_undone"
WITHDRAWN, UNTICKED = "withdrawn", "unticked"
FORGOTTEN, FORGETTING_UNDONE = "forgotten", "forgetting_undone"
LINE_MARKED, LINE_UNMARKED = "line_marked", "line_unmarked"
_START = re.compile(r'(?={"at":\s*")')
_CHAIN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class JournalEntry:
    """`chain` names a customer (ids are given out anew after a restore, chains never); `order` an order's number.

    `line` is the id of a line of that order, `mark` what its buyer said of it, or took back.
    `erasure` and `due_at` are of an erasure that was asked for. `until`: which forgetting was taken back.
    `is_sealed`: this shop wrote the line, and nobody changed it.
    """

    what: str
    at: datetime
    chain: UUID | None = None
    purpose: str = ""
    order: str = ""
    line: int = 0
    mark: str = ""
    erasure: UUID | None = None
    due_at: datetime | None = None
    until: datetime | None = None
    is_sealed: bool = False


def record_erasure(chain: UUID) -> None:
    """Raises OSError when it cannot be written: an erasure waits for its line, without which a backup undoes it."""
    _append_lines(_make_sealed_line(what=ERASED, chain=str(chain)))


def record_erasure_request(chain: UUID, *, erasure: UUID, due_at: datetime) -> None:
    _append_or_log(
        _make_sealed_line(what=ERASURE_ASKED, chain=str(chain), erasure=str(erasure), due=due_at.isoformat())
    )


def record_erasure_undone(chain: UUID, *, erasure: UUID) -> None:
    _append_or_log(_make_sealed_line(what=ERASURE_UNDONE, chain=str(chain), erasure=str(erasure)))


def record_withdrawal(chain: UUID, purpose_key: str) -> None:
    _append_or_log(_make_sealed_line(what=WITHDRAWN, chain=str(chain), purpose=purpose_key))


def record_withdrawals(answers: Iterable[tuple[UUID, str, datetime]]) -> None:
    """Many at once: (chain, purpose, when it was said)."""
    lines = [
        _make_sealed_line(at=at, what=WITHDRAWN, chain=str(chain), purpose=purpose) for chain, purpose, at in answers
    ]
    if lines:
        _append_or_log(*lines)


def record_forgetting(chain: UUID, purpose_key: str, *, until: datetime) -> None:
    """What was recorded for a purpose until then was deleted, or is never read again."""
    _append_or_log(_make_sealed_line(at=until, what=FORGOTTEN, chain=str(chain), purpose=purpose_key))


def forgetting_undone(chain: UUID, purpose_key: str, *, until: datetime) -> None:
    """What was forgotten for a purpose until then may be read again."""
    _append_or_log(
        _make_sealed_line(what=FORGETTING_UNDONE, chain=str(chain), purpose=purpose_key, until=until.isoformat())
    )


def record_optin_withdrawal(order_number: str, purpose_key: str) -> None:
    _append_or_log(_make_sealed_line(what=UNTICKED, order=order_number, purpose=purpose_key))


def line_marked(order_number: str, line_id: int, mark: str, *, is_set: bool) -> None:
    what = LINE_MARKED if is_set else LINE_UNMARKED
    _append_or_log(_make_sealed_line(what=what, order=order_number, line=str(line_id), mark=mark))


def _make_sealed_line(*, at: datetime | None = None, **ids: str) -> str:
    facts = {"at": (at or timezone.now()).isoformat(), **ids}
    sealed = {**facts, "seal": sealing.seal_facts("journal", facts).hex()}
    return json.dumps(sealed, separators=(",", ":")) + "\n"


def _append_lines(*lines: str) -> None:
    durable_files.append_lines(Path(settings.JOURNAL_PATH), "".join(lines).encode())


def _append_or_log(*lines: str) -> None:
    """On the disk before the caller commits. A full disk never stands in the way of a no."""
    try:
        _append_lines(*lines)
    except OSError:
        logger.exception("The journal could not be written: a restore would not know of this")


def _log_torn_line(words: str) -> None:
    logger.warning("%s", words)


def read_journal(path: Path, *, on_torn: Callable[[str], None] = _log_torn_line) -> Iterator[JournalEntry]:
    """The entries in their order. Raises ValueError naming a line that no journal wrote.

    A line that was cut off, by a full disk or a machine that died, is handed to `on_torn` in words that name it and,
    where it still shows, whom it was about; the lines after it count, one glued to it too.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            yield from _parse_line(line, place=f"{path}, line {number}", on_torn=on_torn)


def _parse_line(line: bytes, *, place: str, on_torn: Callable[[str], None]) -> Iterator[JournalEntry]:
    text = line.decode(errors="replace").strip("\0\r\n ")
    for piece in _START.split(text):
        if not piece:
            continue
        if (ids := _parse_json(piece)) is not None:
            yield _make_entry(ids, place=place)
        elif piece.startswith("{"):
            on_torn(f"{place} was cut off{_describe_customer(piece)}.")
        else:
            raise ValueError(f"{place} is not a line of the journal.")


def _parse_json(piece: str) -> Any:
    try:
        return json.loads(piece)
    except ValueError:
        return None


def _describe_customer(piece: str) -> str:
    about = _CHAIN.search(piece)
    return f"; it was about the customer of chain {about[0]}" if about else "; it does not say whom it was about"


def _make_entry(ids: Any, *, place: str) -> JournalEntry:
    try:
        return JournalEntry(
            what=ids["what"],
            at=datetime.fromisoformat(ids["at"]),
            chain=UUID(ids["chain"]) if "chain" in ids else None,
            purpose=ids.get("purpose", ""),
            order=ids.get("order", ""),
            line=int(ids.get("line", 0)),
            mark=ids.get("mark", ""),
            erasure=UUID(ids["erasure"]) if "erasure" in ids else None,
            due_at=datetime.fromisoformat(ids["due"]) if "due" in ids else None,
            until=datetime.fromisoformat(ids["until"]) if "until" in ids else None,
            is_sealed=_is_sealed(ids),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{place} is not a line of the journal.") from None


def _is_sealed(ids: dict[str, Any]) -> bool:
    facts = {name: value for name, value in ids.items() if name != "seal"}
    return sealing.is_hex_seal(str(ids.get("seal", "")), "journal", facts)
