"""Walking the consent ledger: every link, every payload still held, and the live state rebuilt from them.

A checkpoint is a text file: per chain one line `chain sequence head`. Kept outside the database, it shows a change,
deletion or reordering of anything written before it, even at the end of a chain.
"""

import hashlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from uuid import UUID

from accounts.ledger import GENESIS, next_head, seal
from accounts.models import Consent, ConsentPayload, ConsentRecord
from accounts.purposes import PERSONAL_SHOPPER, UNDER_MASTER

Marks = dict[UUID, tuple[int, str]]
Told = tuple[bool, int]  # an answer and its record


class LedgerBroken(Exception):  # noqa: N818  (a finding, not an error)
    """The first place where the ledger is not what it should be."""


def write_checkpoint(path: Path) -> str:
    """Writes the checkpoint and returns the SHA-256 of the file, for the log."""
    ends = ConsentRecord.objects.order_by("chain", "-sequence").distinct("chain")
    text = "".join(f"{end.chain} {end.sequence} {bytes(end.head).hex()}\n" for end in ends.iterator())
    path.write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def read_checkpoint(path: Path) -> Marks:
    """The marks of a checkpoint file. Raises ValueError naming the line that cannot be read."""
    marks: Marks = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            chain, sequence, head = line.split()
            marks[UUID(chain)] = (int(sequence), head)
        except ValueError:
            raise ValueError(f"{path}, line {number} is not a checkpoint line.") from None
    return marks


def verify(marks: Marks | None = None) -> tuple[int, int]:
    """How many chains and links were walked. Raises `LedgerBroken` at the first break."""
    awaited = dict(marks or {})
    chain_count = link_count = 0
    links = ConsentRecord.objects.select_related("payload").order_by("chain", "sequence")
    for chain, group in groupby(links.iterator(chunk_size=2000), key=lambda link: link.chain):
        link_count += _walk(chain, group, awaited.pop(chain, None))
        chain_count += 1
    if awaited:
        raise LedgerBroken(f"Chain {next(iter(awaited))} is in the checkpoint and gone from the ledger.")
    _compare_live_state()
    return chain_count, link_count


def _walk(chain: UUID, links: Iterator[ConsentRecord], mark: tuple[int, str] | None) -> int:
    head, sequence = GENESIS, 0
    for link in links:
        sequence += 1
        place = f"chain {chain}, link {sequence}"
        if link.sequence != sequence:
            raise LedgerBroken(f"Missing or out of order: {place}.")
        head = next_head(head, sequence, bytes(link.digest))
        if head != bytes(link.head):
            raise LedgerBroken(f"Changed: {place}.")
        _check_payload(link, place)
        if mark and mark[0] == sequence and mark[1] != head.hex():
            raise LedgerBroken(f"Not what the checkpoint saw: {place}.")
    if mark and mark[0] > sequence:
        raise LedgerBroken(f"Shorter than the checkpoint: chain {chain} ends at link {sequence}, not {mark[0]}.")
    return sequence


def _check_payload(link: ConsentRecord, place: str) -> None:
    payload: ConsentPayload | None = getattr(link, "payload", None)
    if payload is not None and seal(payload) != bytes(link.digest):
        raise LedgerBroken(f"The words behind it were changed: {place}.")


def _compare_live_state() -> None:
    """Every current answer must be the last one its customer's payloads tell, and the other way round."""
    last = ConsentPayload.objects.order_by("customer", "purpose", "-record__sequence").distinct("customer", "purpose")
    told = {row[:2]: row[2:] for row in last.values_list("customer", "purpose", "granted", "record").iterator()}
    live = Consent.objects.values_list("customer", "purpose", "chosen", "granted", "record")
    found = {row[:2]: row[2:] for row in live.iterator()}
    for customer, purpose in told.keys() | found.keys():
        master = told.get((customer, PERSONAL_SHOPPER.key))
        if found.get((customer, purpose)) not in _allowed(purpose, told.get((customer, purpose)), master):
            raise LedgerBroken(f"The live answer of customer {customer} for {purpose} is not the ledger's.")


def _allowed(purpose: str, answer: Told | None, master: Told | None) -> list[tuple[bool, bool, int]]:
    """How a live answer (chosen, granted, record) may look, from the last answers to it and to the master switch.

    A yes rests while the master is off, and stands on the master's answer once that brought it back.
    """
    if answer is None:
        return []
    chosen, record = answer
    if master is None or purpose not in UNDER_MASTER:
        return [(chosen, chosen, record)]
    is_on, master_record = master
    return [(chosen, chosen and is_on, record), (chosen, chosen and is_on, master_record)]
