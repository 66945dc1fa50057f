"""Walking the consent ledger: every link, every payload still held, and the live state rebuilt from them."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from accounts import purposes
from accounts.ledger import GENESIS, next_head, seal
from accounts.models import Consent, ConsentPayload, ConsentRecord
from accounts.purposes import PERSONAL_SHOPPER, UNDER_MASTER

Marks = dict[UUID, tuple[int, str]]  # chain -> the sequence and head a checkpoint saw
CHUNK = 2000


class LedgerBroken(Exception):  # noqa: N818  (a finding, not an error)
    """The first place where the ledger is not what it should be."""


class Told(NamedTuple):
    """The last answer to a switch, as the ledger tells it."""

    record: int
    granted: bool
    answered_at: datetime
    wording_version: int
    source: str


class Live(NamedTuple):
    """The current answer to a switch, as the shop acts on it."""

    record: int
    chosen: bool
    granted: bool
    changed_at: datetime
    wording_version: int
    source: str


Said = tuple[int, str, Told | Live]  # of which customer and which switch


@dataclass
class Person:
    """One customer's switches: what the ledger tells of each, and what the shop acts on."""

    told: dict[str, Told] = field(default_factory=dict)
    live: dict[str, Live] = field(default_factory=dict)


def verify(marks: Marks | None = None) -> tuple[int, int]:
    """How many chains and links were walked. Raises `LedgerBroken` at the first break.

    With the marks of a checkpoint it finds whatever happened to anything written before it: a change, however well the
    rest of the chain was made to fit it, a deletion, at the end too, another order.
    """
    awaited = dict(marks or {})
    chain_count = link_count = 0
    links = ConsentRecord.objects.select_related("payload").annotate(owner=F("payload__customer__chain"))
    with _one_moment(), _streamed(links.order_by("chain", "sequence")) as in_order:
        for chain, group in groupby(in_order, key=lambda link: link.chain):
            link_count += _walk(chain, group, awaited.pop(chain, None))
            chain_count += 1
        if awaited:
            raise LedgerBroken(f"Chain {next(iter(awaited))} is in the checkpoint and gone from the ledger.")
        _compare_live_state()
    return chain_count, link_count


@contextmanager
def _one_moment() -> Iterator[None]:
    """Chain and live state as they stood at one moment, while the shop goes on answering."""
    is_inside = connection.in_atomic_block
    with transaction.atomic():
        if not is_inside:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def _streamed(rows: Any) -> Iterator[Any]:
    """Row by row, because a large shop's answers do not fit in memory."""
    with closing(rows.iterator(chunk_size=CHUNK)) as stream:
        yield stream


def _walk(chain: UUID, links: Iterator[ConsentRecord], mark: tuple[int, str] | None) -> int:
    head, sequence, held = GENESIS, 0, 0
    for link in links:
        sequence += 1
        place = f"chain {chain}, link {sequence}"
        if link.sequence != sequence:
            raise LedgerBroken(f"Missing or out of order: {place}.")
        head = next_head(head, sequence, bytes(link.digest))
        if head != bytes(link.head):
            raise LedgerBroken(f"Changed: {place}.")
        held += _has_payload(link, place)
        if mark and mark[0] == sequence and mark[1] != head.hex():
            raise LedgerBroken(f"Not what the checkpoint saw: {place}.")
    if mark and mark[0] > sequence:
        raise LedgerBroken(f"Shorter than the checkpoint: chain {chain} ends at link {sequence}, not {mark[0]}.")
    if 0 < held < sequence:  # an erasure takes all of them
        raise LedgerBroken(f"Of chain {chain} some answers are gone and others are not.")
    return sequence


def _has_payload(link: Any, place: str) -> bool:
    payload: ConsentPayload | None = getattr(link, "payload", None)
    if payload is None:
        return False
    if seal(payload) != bytes(link.digest):
        raise LedgerBroken(f"The words behind it were changed: {place}.")
    if link.owner != link.chain:
        raise LedgerBroken(f"Not its customer's own chain: {place}.")
    return True


def _compare_live_state() -> None:
    """Every current answer must be what the customer's payloads lead to, and the other way round."""
    last = ConsentPayload.objects.order_by("customer", "purpose", "-record__sequence").distinct("customer", "purpose")
    told = last.values_list("customer", "purpose", *Told._fields)
    live = Consent.objects.order_by("customer", "purpose").values_list("customer", "purpose", *Live._fields)
    with _streamed(told) as ledger_says, _streamed(live) as shop_says:
        both = merge(_each(ledger_says, Told), _each(shop_says, Live), key=lambda row: row[0])
        for customer, rows in groupby(both, key=lambda row: row[0]):
            _compare(customer, _person(rows))


def _each(rows: Iterable[tuple[Any, ...]], kind: type[Told] | type[Live]) -> Iterator[Said]:
    return ((row[0], row[1], kind(*row[2:])) for row in rows)


def _person(rows: Iterable[Said]) -> Person:
    person = Person()
    for _, purpose, says in rows:
        if isinstance(says, Told):
            person.told[purpose] = says
        else:
            person.live[purpose] = says
    return person


def _compare(customer: int, person: Person) -> None:
    master = person.told.get(PERSONAL_SHOPPER.key)
    for purpose in person.told.keys() | person.live.keys():
        told, live = person.told.get(purpose), person.live.get(purpose)
        if told is None or live not in _rebuilt(purpose, told, master):
            raise LedgerBroken(f"The live answer of customer {customer} for {purpose} is not the ledger's.")


def _rebuilt(purpose: str, told: Told, master: Told | None) -> list[Live]:
    """The live answer that the last answers to a switch and to the master switch lead to.

    A yes rests while the master is off. Once the master has moved after it, it stands on the master's answer. Of a
    switch there is no more, nobody knows whether the master had moved it.
    """
    own = Live(told.record, told.granted, told.granted, told.answered_at, told.wording_version, told.source)
    is_known = purpose == PERSONAL_SHOPPER.key or purposes.exists(purpose)
    if master is None or purpose == PERSONAL_SHOPPER.key or not told.granted:
        return [own]
    resting = own._replace(granted=master.granted)
    moved = resting._replace(record=master.record, changed_at=master.answered_at)
    if not is_known:
        return [own, resting, moved]
    if purpose not in UNDER_MASTER:
        return [own]
    return [moved if master.record > told.record else resting]
