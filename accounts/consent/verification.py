"""Walking the consent ledger: every link, every payload still held, and the live state rebuilt from them.

The words that were answered and the staff's access log are walked with it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from accounts.consent import purposes
from accounts.consent.ledger import CONSENT_SEAL, GENESIS, WORDING_SEAL, compute_head, digest_payload
from accounts.consent.purposes import PERSONAL_SHOPPER, UNDER_MASTER
from accounts.models import Consent, ConsentPayload, ConsentRecord, Customer, Erasure, Wording
from accounts.privacy import journal
from accounts.privacy.access_verification import AccessLogDigest, LedgerBroken, verify_access_log
from shop.sealing import is_seal

ChainMarks = dict[UUID, tuple[int, str]]  # chain -> the sequence and head a checkpoint saw
CHUNK = 2000
NOT_SEALED = "Not sealed by this shop (or LEDGER_KEY is another)"
IMPORTED_SOURCES = frozenset({"import", "sample store"})  # sources whose answers are older than their coming here
COMMIT_DELAY = timedelta(minutes=2)  # an answer given while a checkpoint was made may be committed after it


@dataclass(frozen=True)
class Checkpoint:
    """What the ledger, the words answered (hash and seal) and the log of looks were at a moment."""

    taken_at: datetime
    chains: ChainMarks = field(default_factory=dict)
    wordings: dict[str, str] = field(default_factory=dict)
    looks: AccessLogDigest = field(default_factory=AccessLogDigest)


class LedgerAnswer(NamedTuple):
    """The last answer to a switch, as the ledger tells it."""

    record: int
    granted: bool
    answered_at: datetime
    wording_version: int
    source: str


class LiveAnswer(NamedTuple):
    """The current answer to a switch, as the shop acts on it."""

    record: int
    chosen: bool
    granted: bool
    changed_at: datetime
    wording_version: int
    source: str


SwitchAnswer = tuple[int, str, LedgerAnswer | LiveAnswer]  # of which customer and which switch


@dataclass
class CustomerAnswers:
    """One customer's switches: what the ledger tells of each, and what the shop acts on."""

    told: dict[str, LedgerAnswer] = field(default_factory=dict)
    live: dict[str, LiveAnswer] = field(default_factory=dict)


def verify_ledger(checkpoint: Checkpoint | None = None, *, journal_path: Path | None = None) -> tuple[int, int]:
    """How many chains and links were walked. Raises `LedgerBroken` at the first break.

    Seals show what was written by anybody but the shop. A chain without its answers needs its erasure in the journal.
    With a checkpoint it finds whatever happened to anything written before it: a change, however well the rest was made
    to fit it, a deletion, at the end too, another order, an answer or a look dated back to before it.
    """
    chain_count = link_count = 0
    links = ConsentRecord.objects.select_related("payload").annotate(owner=F("payload__customer__chain"))
    with read_in_snapshot():
        walk = _LedgerWalk(
            checkpoint, ErasedChains(journal_path), words=verify_wordings(checkpoint.wordings if checkpoint else None)
        )
        with _stream_rows(links.order_by("chain", "sequence")) as in_order:
            for chain, group in groupby(in_order, key=lambda link: link.chain):
                link_count += walk.follow(chain, group)
                chain_count += 1
        walk.finish()
        _compare_live_state()
        verify_access_log(checkpoint.looks if checkpoint else None, walk.erased.chains)
    return chain_count, link_count


@contextmanager
def read_in_snapshot() -> Iterator[None]:
    """Chain and live state as they stood at one moment, while the shop goes on answering."""
    is_inside = connection.in_atomic_block
    with transaction.atomic():
        if not is_inside:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def _stream_rows(rows: Any) -> Iterator[Any]:
    """Row by row, because a large shop's answers do not fit in memory."""
    with closing(rows.iterator(chunk_size=CHUNK)) as stream:
        yield stream


class ErasedChains:
    """Whose chains may be empty: those the journal says were erased, in a line this shop sealed."""

    def __init__(self, journal_path: Path | None) -> None:
        self.path = journal_path or Path(settings.JOURNAL_PATH)
        self.chains = frozenset(self._read()) if self.path.exists() else frozenset[UUID]()
        under_way = Erasure.objects.filter(state=Erasure.State.ERASING)
        self.under_way = frozenset(under_way.values_list("chain", flat=True))
        self.living = frozenset(Customer.objects.filter(chain__in=self.chains).values_list("chain", flat=True))

    def _read(self) -> Iterator[UUID]:
        for entry in journal.read_journal(self.path):
            if entry.what == journal.ERASED and entry.chain and entry.is_sealed:
                yield entry.chain

    def check(self, chain: UUID, *, is_empty: bool) -> None:
        """Raises `LedgerBroken` where a chain's answers are gone without an erasure, or there in spite of one."""
        if chain in self.under_way and chain in self.chains:
            return
        if is_empty and chain not in self.chains:
            raise LedgerBroken(f"The answers of chain {chain} are gone, and {self.path} has no erasure of it.")
        if not is_empty and chain in self.chains:
            raise LedgerBroken(f"Chain {chain} was erased, and its answers are here. Was a backup restored?")
        if chain in self.living:
            raise LedgerBroken(f"Chain {chain} was erased, and its customer is here. Was a backup restored?")


class _LedgerWalk:
    """One walk over all chains, held against a checkpoint."""

    def __init__(self, checkpoint: Checkpoint | None, erased: ErasedChains, *, words: frozenset[str]) -> None:
        self.taken_at = checkpoint.taken_at if checkpoint else None
        self.awaited = dict(checkpoint.chains) if checkpoint else {}
        self.erased = erased
        self.words = words
        self.held_count = 0

    def follow(self, chain: UUID, links: Iterator[Any]) -> int:
        """How many links the chain has."""
        mark_sequence, mark_head = self.awaited.pop(chain, (0, ""))
        head, sequence, held = GENESIS, 0, 0
        for link in links:
            sequence += 1
            place = f"chain {chain}, link {sequence}"
            head = _check_link(link, sequence, head, place)
            held += self._check_answer(link, place, is_new=sequence > mark_sequence)
            if mark_sequence == sequence and mark_head != head.hex():
                raise LedgerBroken(f"Not what the checkpoint saw: {place}.")
        if mark_sequence > sequence:
            raise LedgerBroken(f"Shorter than the checkpoint: chain {chain} ends at link {sequence}.")
        if 0 < held < sequence:  # an erasure takes all of them
            raise LedgerBroken(f"Of chain {chain} some answers are gone and others are not.")
        self.erased.check(chain, is_empty=held == 0)
        self.held_count += held
        return sequence

    def _check_answer(self, link: Any, place: str, *, is_new: bool) -> bool:
        """Whether the answer is held. `is_new`: the checkpoint did not see it."""
        payload: ConsentPayload | None = getattr(link, "payload", None)
        if payload is None:
            return False
        if digest_payload(payload) != bytes(link.digest):
            raise LedgerBroken(f"The words behind it were changed: {place}.")
        if link.owner != link.chain:
            raise LedgerBroken(f"Not its customer's own chain: {place}.")
        if payload.wording_hash not in self.words:
            raise LedgerBroken(f"The words that were answered are gone: {place}.")
        is_dated_back = is_new and self.taken_at is not None and payload.answered_at < self.taken_at - COMMIT_DELAY
        if is_dated_back and payload.source not in IMPORTED_SOURCES:
            raise LedgerBroken(f"Dated before the checkpoint, which does not hold it: {place}.")
        return True

    def finish(self) -> None:
        if self.awaited:
            raise LedgerBroken(f"Chain {next(iter(self.awaited))} is in the checkpoint and gone from the ledger.")
        if ConsentPayload.objects.count() != self.held_count:
            raise LedgerBroken("There are answers without a link in the ledger.")


def _check_link(link: Any, sequence: int, previous: bytes, place: str) -> bytes:
    """The link's head, which follows from the one before it and bears the shop's seal."""
    if link.sequence != sequence:
        raise LedgerBroken(f"Missing or out of order: {place}.")
    head = compute_head(previous, sequence, bytes(link.digest))
    if head != bytes(link.head):
        raise LedgerBroken(f"Changed: {place}.")
    if not is_seal(bytes(link.seal), CONSENT_SEAL, *link.facts):
        raise LedgerBroken(f"{NOT_SEALED}: {place}.")
    return head


def verify_wordings(seen: dict[str, str] | None = None) -> frozenset[str]:
    """The hashes of the words that were answered. Raises `LedgerBroken` where some were changed, made up or taken away.

    `seen`: hashes and seals, as a checkpoint saw them.
    """
    there = {}
    for wording in Wording.objects.all():
        place = f"“{wording.title}” ({wording.purpose}, version {wording.version})"
        if hashlib.sha256(wording.words.encode()).hexdigest() != wording.hash:
            raise LedgerBroken(f"The words are not those that were answered: {place}.")
        if not is_seal(bytes(wording.seal), WORDING_SEAL, *wording.facts):
            raise LedgerBroken(f"{NOT_SEALED}: {place}.")
        there[wording.hash] = bytes(wording.seal).hex()
    for words_hash, words_seal in (seen or {}).items():
        if there.get(words_hash) != words_seal:
            raise LedgerBroken(f"Not the words the checkpoint saw, or gone: {words_hash}.")
    return frozenset(there)


def _compare_live_state() -> None:
    """Every current answer must be what the customer's payloads lead to, and the other way round."""
    last = ConsentPayload.objects.order_by("customer", "purpose", "-record__sequence").distinct("customer", "purpose")
    told = last.values_list("customer", "purpose", *LedgerAnswer._fields)
    live = Consent.objects.order_by("customer", "purpose").values_list("customer", "purpose", *LiveAnswer._fields)
    with _stream_rows(told) as ledger_says, _stream_rows(live) as shop_says:
        both = merge(_parse_rows(ledger_says, LedgerAnswer), _parse_rows(shop_says, LiveAnswer), key=lambda row: row[0])
        for customer, rows in groupby(both, key=lambda row: row[0]):
            _check_answers(customer, _collect_answers(rows))


def _parse_rows(rows: Iterable[tuple[Any, ...]], kind: type[LedgerAnswer] | type[LiveAnswer]) -> Iterator[SwitchAnswer]:
    return ((row[0], row[1], kind(*row[2:])) for row in rows)


def _collect_answers(rows: Iterable[SwitchAnswer]) -> CustomerAnswers:
    person = CustomerAnswers()
    for _, purpose, says in rows:
        if isinstance(says, LedgerAnswer):
            person.told[purpose] = says
        else:
            person.live[purpose] = says
    return person


def _check_answers(customer: int, person: CustomerAnswers) -> None:
    master = person.told.get(PERSONAL_SHOPPER.key)
    for purpose in person.told.keys() | person.live.keys():
        told, live = person.told.get(purpose), person.live.get(purpose)
        if told is None or live not in _rebuild_live_answers(purpose, told, master):
            raise LedgerBroken(f"The live answer of customer {customer} for {purpose} is not the ledger's.")


def _rebuild_live_answers(purpose: str, told: LedgerAnswer, master: LedgerAnswer | None) -> list[LiveAnswer]:
    """The live answer that the last answers to a switch and to the master switch lead to.

    A yes rests while the master is off. Once the master has moved after it, it stands on the master's answer. Of a
    switch there is no more, nobody knows whether the master had moved it.
    """
    own = LiveAnswer(told.record, told.granted, told.granted, told.answered_at, told.wording_version, told.source)
    is_known = purpose == PERSONAL_SHOPPER.key or purposes.is_purpose(purpose)
    if master is None or purpose == PERSONAL_SHOPPER.key or not told.granted:
        return [own]
    resting = own._replace(granted=master.granted)
    moved = resting._replace(record=master.record, changed_at=master.answered_at)
    if not is_known:
        return [own, resting, moved]
    if purpose not in UNDER_MASTER:
        return [own]
    return [moved if master.record > told.record else resting]
