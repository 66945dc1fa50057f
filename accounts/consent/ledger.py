"""The consent ledger: one hash chain per customer, sealed so that erasure forgets and the chain still verifies.

A link's digest is HMAC-SHA256(key, payload) under a random key; key and payload sit in an erasable table. Its head is
SHA-256(previous head ‖ sequence ‖ digest), and its seal is made of chain, sequence and head under `LEDGER_KEY`, which
the database never sees: whoever has SQL alone can take links away, and make none. The customer's row lock orders them.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from accounts.consent.purposes import Purpose
from accounts.models import ConsentPayload, ConsentRecord, Customer, Wording
from shop.sealing import seal_facts

GENESIS = bytes(32)
CONSENT_SEAL, WORDING_SEAL = "consent", "wording"  # the kinds of seal of a link, and of the words answered


@dataclass(frozen=True)
class ConsentAnswer:
    """A yes or a no to a purpose in its present words, where it was given and when."""

    purpose: Purpose
    granted: bool
    source: str
    answered_at: datetime


def append_answer(customer: Customer, answer: ConsentAnswer) -> ConsentRecord:
    """Adds a link to the customer's chain. The caller holds the lock on the customer's row."""
    return append_answers([(customer, answer)])[0]


def append_answers(answers: Sequence[tuple[Customer, ConsentAnswer]]) -> list[ConsentRecord]:
    """Adds links in the order given, to as many chains as there are customers, all of whose rows are locked."""
    _save_wordings({answer.purpose for _, answer in answers})
    ends = _find_chain_ends({customer.chain for customer, _ in answers})
    payloads, records = [], []
    for customer, answer in answers:
        sequence, previous = ends.get(customer.chain, (0, GENESIS))
        payload = _make_payload(customer, answer)
        digest = digest_payload(payload)
        head = compute_head(previous, sequence + 1, digest)
        ends[customer.chain] = (sequence + 1, head)
        record = ConsentRecord(chain=customer.chain, sequence=sequence + 1, digest=digest, head=head)
        record.seal = seal_facts(CONSENT_SEAL, *record.facts)
        records.append(record)
        payloads.append(payload)
    ConsentRecord.objects.bulk_create(records, batch_size=5000)
    for payload, record in zip(payloads, records, strict=True):
        payload.record = record
    ConsentPayload.objects.bulk_create(payloads, batch_size=5000)
    return records


def _save_wordings(answered: Iterable[Purpose]) -> None:
    """The words answered stay readable when the registry has moved on."""
    Wording.objects.bulk_create([_make_wording(purpose) for purpose in answered], ignore_conflicts=True)


def _make_wording(purpose: Purpose) -> Wording:
    wording = Wording(
        hash=purpose.wording_hash,
        purpose=purpose.key,
        version=purpose.wording_version,
        title=purpose.title,
        explanation=purpose.explanation,
        reads=purpose.reads,
        gives=purpose.gives,
    )
    wording.seal = seal_facts(WORDING_SEAL, *wording.facts)
    return wording


def _find_chain_ends(chains: Iterable[UUID]) -> dict[UUID, tuple[int, bytes]]:
    """The last sequence and head of each chain that has any link."""
    last = ConsentRecord.objects.filter(chain__in=chains).order_by("chain", "-sequence").distinct("chain")
    return {record.chain: (record.sequence, bytes(record.head)) for record in last}


def _make_payload(customer: Customer, answer: ConsentAnswer) -> ConsentPayload:
    return ConsentPayload(
        customer=customer,
        key=secrets.token_bytes(32),
        purpose=answer.purpose.key,
        granted=answer.granted,
        wording_version=answer.purpose.wording_version,
        wording_hash=answer.purpose.wording_hash,
        source=answer.source,
        answered_at=answer.answered_at,
    )


def digest_payload(payload: ConsentPayload) -> bytes:
    """The digest of a payload under its own key."""
    facts = {
        "customer": payload.customer_id,
        "purpose": payload.purpose,
        "granted": payload.granted,
        "wording_version": payload.wording_version,
        "wording_hash": payload.wording_hash,
        "source": payload.source,
        "answered_at": payload.answered_at.astimezone(UTC).isoformat(),
    }
    message = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(bytes(payload.key), message, hashlib.sha256).digest()


def compute_head(previous: bytes, sequence: int, digest: bytes) -> bytes:
    return hashlib.sha256(previous + sequence.to_bytes(8, "big") + digest).digest()
