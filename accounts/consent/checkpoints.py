"""Checkpoints of the consent ledger: where every chain ended on a day, in a file outside the database.

A file says when it was taken; it holds one line per chain, `chain sequence head`, one per wording, one per day of the
staff's access log, and its own seal. It names nobody. Whoever could rewrite the whole database could not rewrite these,
nor the receipts in customers' hands that quote their hashes.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from accounts.consent.verification import Checkpoint, read_in_snapshot, verify_ledger
from accounts.models import ConsentCheckpoint, ConsentRecord, Wording
from accounts.privacy import access_verification
from accounts.privacy.access_verification import AccessLogDigest, LedgerBroken
from shop import durable_files, sealing
from shop.periods import Period

FILE_RETENTION = Period(days=400)
FILE_NAME = re.compile(r"consents-(\d{4}-\d{2}-\d{2})\.txt")

FILE_SEAL = "checkpoint"

logger = logging.getLogger(__name__)


def write_checkpoint(path: Path) -> str:
    """Writes a checkpoint and returns the SHA-256 of the file. It is there whole or not at all.

    Raises OSError when it cannot be written.
    """
    digest = hashlib.sha256()

    def noted() -> Iterator[bytes]:
        for line in _build_checkpoint_lines():
            digest.update(line.encode())
            yield line.encode()
        seal = f"end {sealing.seal_facts(FILE_SEAL, digest.hexdigest()).hex()}\n".encode()
        digest.update(seal)
        yield seal

    durable_files.write_file(path, noted())
    return digest.hexdigest()


def _build_checkpoint_lines() -> Iterator[str]:
    """All but the last line, as things stood at one moment."""
    last_id, taken_at = access_verification.get_last_record_id(), timezone.now()
    with read_in_snapshot():
        yield f"taken {taken_at.isoformat()}\n"
        ends = ConsentRecord.objects.order_by("chain", "-sequence").distinct("chain")
        for end in ends.iterator():
            yield f"{end.chain} {end.sequence} {bytes(end.head).hex()}\n"
        for wording in Wording.objects.order_by("hash"):
            yield f"wording {wording.hash} {bytes(wording.seal).hex()}\n"
        yield f"looks {last_id}\n"
        for day, (count, over) in access_verification.digest_access_log(last_id, taken_at=taken_at).days.items():
            yield f"look {day.isoformat()} {count} {over}\n"


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint file. Raises ValueError naming the line that cannot be read, or that it is not as it was written."""
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    checkpoint = Checkpoint(datetime.min.replace(tzinfo=UTC))
    for number, line in enumerate(lines[:-1] or [""], start=1):
        try:
            checkpoint = _parse_checkpoint_line(checkpoint, line.split())
        except (ValueError, KeyError, IndexError):
            raise ValueError(f"{path}, line {number} is not a checkpoint line.") from None
    body = hashlib.sha256("".join(lines[:-1]).encode()).hexdigest()
    kind, _, seal = lines[-1].strip().partition(" ")
    if kind != "end" or not sealing.is_hex_seal(seal, FILE_SEAL, body):
        raise ValueError(f"{path} is not as this shop wrote it (or LEDGER_KEY is another).")
    return checkpoint


def _parse_checkpoint_line(checkpoint: Checkpoint, words: list[str]) -> Checkpoint:
    match words:
        case ["taken", moment]:
            taken_at = datetime.fromisoformat(moment)
            return replace(checkpoint, taken_at=taken_at, looks=AccessLogDigest(taken_at=taken_at))
        case ["wording", words_hash, seal]:
            checkpoint.wordings[words_hash] = seal
        case ["looks", last_id]:
            checkpoint.looks.last_id = int(last_id)
        case ["look", day, count, over]:
            checkpoint.looks.days[date.fromisoformat(day)] = (int(count), over)
        case [chain, sequence, head]:
            checkpoint.chains[UUID(chain)] = (int(sequence), head)
        case _:
            raise ValueError
    return checkpoint


def save_daily_checkpoint(folder: Path, *, today: date) -> ConsentCheckpoint:
    """Today's checkpoint, written once the ledger has stood up against the one before it. Safe to run twice.

    Raises `LedgerBroken` and writes nothing when it has not: a new checkpoint would bless the break.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"consents-{today.isoformat()}.txt"
    if not path.exists():
        _verify_against_file(_find_latest_file(folder))
        write_checkpoint(path)
        path.chmod(0o400)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    made, is_new = ConsentCheckpoint.objects.get_or_create(
        file_name=path.name, defaults={"sha256": digest, "made_at": timezone.now()}
    )
    if not is_new and made.sha256 != digest:
        raise LedgerBroken(f"{path.name} is not the file that was written.")
    logger.info("consent checkpoint %s sha256=%s", path.name, digest)
    _delete_old_files(folder, today)
    return made


def get_latest_checkpoint() -> ConsentCheckpoint | None:
    return ConsentCheckpoint.objects.order_by("-made_at").first()


def _find_latest_file(folder: Path) -> Path | None:
    return max((path for path in folder.iterdir() if FILE_NAME.fullmatch(path.name)), default=None)


def _verify_against_file(previous: Path | None) -> None:
    if previous is None:
        verify_ledger()
        return
    known = ConsentCheckpoint.objects.filter(file_name=previous.name).first()
    if known and known.sha256 != hashlib.sha256(previous.read_bytes()).hexdigest():
        raise LedgerBroken(f"{previous.name} is not the file that was written.")
    try:
        checkpoint = read_checkpoint(previous)
    except ValueError as problem:
        raise LedgerBroken(str(problem)) from problem
    verify_ledger(checkpoint)


def _delete_old_files(folder: Path, today: date) -> None:
    oldest = today - FILE_RETENTION
    for path in folder.iterdir():
        found = FILE_NAME.fullmatch(path.name)
        if found and date.fromisoformat(found[1]) < oldest:
            path.unlink()
