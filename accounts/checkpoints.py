"""Checkpoints of the consent ledger: where every chain ended on a day, in a file outside the database.

A file holds one line per chain, `chain sequence head`, and names nobody. Whoever could rewrite the whole database could
not rewrite these, nor the receipts in customers' hands that quote their hashes.
"""

import hashlib
import logging
import re
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from accounts.models import ConsentCheckpoint, ConsentRecord
from accounts.verification import LedgerBroken, Marks, verify
from shop import durable_files

KEPT_FOR = timedelta(days=400)
FILE_NAME = re.compile(r"consents-(\d{4}-\d{2}-\d{2})\.txt")

logger = logging.getLogger(__name__)


def write(path: Path) -> str:
    """Writes a checkpoint and returns the SHA-256 of the file. It is there whole or not at all."""
    ends = ConsentRecord.objects.order_by("chain", "-sequence").distinct("chain")
    text = "".join(f"{end.chain} {end.sequence} {bytes(end.head).hex()}\n" for end in ends.iterator())
    durable_files.write_file(path, [text.encode()])
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: Path) -> Marks:
    """The marks of a checkpoint file. Raises ValueError naming the line that cannot be read."""
    marks: Marks = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            chain, sequence, head = line.split()
            marks[UUID(chain)] = (int(sequence), head)
        except ValueError:
            raise ValueError(f"{path}, line {number} is not a checkpoint line.") from None
    return marks


def keep(folder: Path, *, today: date) -> ConsentCheckpoint:
    """Today's checkpoint, written once the ledger has stood up against the one before it. Safe to run twice.

    Raises `LedgerBroken` and writes nothing when it has not: a new checkpoint would bless the break.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"consents-{today.isoformat()}.txt"
    if not path.exists():
        _check_against(_latest(folder))
        write(path)
        path.chmod(0o400)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    made, is_new = ConsentCheckpoint.objects.get_or_create(
        file_name=path.name, defaults={"sha256": digest, "made_at": timezone.now()}
    )
    if not is_new and made.sha256 != digest:
        raise LedgerBroken(f"{path.name} is not the file that was written.")
    logger.info("consent checkpoint %s sha256=%s", path.name, digest)
    _drop_old(folder, today)
    return made


def latest() -> ConsentCheckpoint | None:
    return ConsentCheckpoint.objects.order_by("-made_at").first()


def _latest(folder: Path) -> Path | None:
    return max((path for path in folder.iterdir() if FILE_NAME.fullmatch(path.name)), default=None)


def _check_against(previous: Path | None) -> None:
    if previous is None:
        verify()
        return
    known = ConsentCheckpoint.objects.filter(file_name=previous.name).first()
    if known and known.sha256 != hashlib.sha256(previous.read_bytes()).hexdigest():
        raise LedgerBroken(f"{previous.name} is not the file that was written.")
    verify(read(previous))


def _drop_old(folder: Path, today: date) -> None:
    oldest = today - KEPT_FOR
    for path in folder.iterdir():
        found = FILE_NAME.fullmatch(path.name)
        if found and date.fromisoformat(found[1]) < oldest:
            path.unlink()
