"""The consent ledger: one hash chain per customer, sealed so that erasure forgets and the chain still verifies.

A link's digest is HMAC-SHA256(key, payload) under a random key; key and payload sit in an erasable table. Its head is
SHA-256(previous head ‖ sequence ‖ digest). The customer's row lock orders the links.
"""

import hashlib
import hmac
import json
import secrets
from datetime import datetime

from accounts.models import ConsentPayload, ConsentRecord, Customer
from accounts.purposes import Purpose

GENESIS = bytes(32)


def append(customer: Customer, purpose: Purpose, *, granted: bool, source: str, answered_at: datetime) -> ConsentRecord:
    """Adds a link to the customer's chain. The caller holds the lock on the customer's row."""
    last = ConsentRecord.objects.filter(chain=customer.chain).order_by("-sequence").first()
    sequence = last.sequence + 1 if last else 1
    previous = bytes(last.head) if last else GENESIS
    key = secrets.token_bytes(32)
    payload = ConsentPayload(
        customer=customer,
        key=key,
        purpose=purpose.key,
        granted=granted,
        wording_version=purpose.wording_version,
        wording_hash=purpose.wording_hash,
        source=source,
        answered_at=answered_at,
    )
    digest = seal(payload)
    payload.record = ConsentRecord.objects.create(
        chain=customer.chain, sequence=sequence, digest=digest, head=next_head(previous, sequence, digest)
    )
    payload.save()
    return payload.record


def seal(payload: ConsentPayload) -> bytes:
    """The digest of a payload under its own key."""
    facts = {
        "customer": payload.customer_id,
        "purpose": payload.purpose,
        "granted": payload.granted,
        "wording_version": payload.wording_version,
        "wording_hash": payload.wording_hash,
        "source": payload.source,
        "answered_at": payload.answered_at.isoformat(),
    }
    message = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(bytes(payload.key), message, hashlib.sha256).digest()


def next_head(previous: bytes, sequence: int, digest: bytes) -> bytes:
    return hashlib.sha256(previous + sequence.to_bytes(8, "big") + digest).digest()
