"""Tools of whoever has the database's own password: SQL past the triggers, and links as the shop makes them."""

import hashlib
import hmac
import json
from datetime import UTC

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.consent import consent, ledger, purposes
from accounts.models import ConsentRecord, Erasure
from accounts.privacy import erasure
from tests import builders
from tests.privacy.test_erasure import notice_left

NEWSLETTER, OFFER = purposes.NEWSLETTER, purposes.RECEIPT_OFFER


@pytest.fixture(autouse=True)
def path(settings, tmp_path):
    settings.JOURNAL_PATH = tmp_path / "journal"
    return settings.JOURNAL_PATH


@pytest.fixture
def mark(tmp_path):
    return tmp_path / "checkpoint"


def sql(statement, *parameters):
    """Past every trigger and constraint, as a superuser can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, parameters)
        found = cursor.fetchall() if cursor.description else []
        cursor.execute("SET LOCAL session_replication_role = origin")
    return found


def found(**options):
    """What `verify_consents` says is wrong; empty when it says the ledger holds."""
    try:
        call_command("verify_consents", **options)
    except CommandError as problem:
        return str(problem)
    return ""


def said(customer, *granted, purpose=NEWSLETTER):
    for answer in granted:
        consent.set_consent(customer, purpose, granted=answer, source="preferences")


def refused():
    """Somebody who said yes and then no."""
    alice = builders.customer("alice@example.com")
    said(alice, True, False)
    return alice


@pytest.fixture
def alice():
    """Alice said yes and then no; Eve said yes to all of it."""
    builders.customer("eve@example.com", ticks=(NEWSLETTER, OFFER))
    before = transaction.savepoint()
    yield refused()
    transaction.savepoint_rollback(before)  # some forgeries leave keys that lead nowhere


def lawfully_erased(customer):
    asked = erasure.request_erasure(customer, at_once=True)
    notice_left()
    assert erasure.run_erasure(Erasure.objects.get(pk=asked.pk))


# -- Making a link as the shop does, with what the database and the published code give -------------------------------


def forge_link(customer, granted, *, at, chain=None, source="preferences", purpose=NEWSLETTER):
    """A new last link with payload and live state, digest and head as they should be; the seal copied or made up."""
    chain = chain or customer.chain
    last = sql(
        "SELECT sequence, head, seal FROM accounts_consentrecord WHERE chain = %s ORDER BY sequence DESC LIMIT 1", chain
    )
    sequence, head, seal = last[0] if last else (0, bytes(32), bytes(32))
    key, words = b"k" * 32, purposes.get_purpose(purpose)
    facts = {
        "customer": customer.pk,
        "purpose": purpose,
        "granted": granted,
        "wording_version": words.wording_version,
        "wording_hash": words.wording_hash,
        "source": source,
        "answered_at": at.astimezone(UTC).isoformat(),
    }
    message = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    digest = hmac.new(key, message, hashlib.sha256).digest()
    head = hashlib.sha256(bytes(head) + (sequence + 1).to_bytes(8, "big") + digest).digest()
    [(record,)] = sql(
        "INSERT INTO accounts_consentrecord (chain, sequence, digest, head, seal)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id",
        *(chain, sequence + 1, digest, head, bytes(seal)),
    )
    sql(
        "INSERT INTO accounts_consentpayload (record_id, customer_id, key, purpose, granted, wording_version,"
        " wording_hash, source, answered_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        *(record, customer.pk, key, purpose, granted, words.wording_version, words.wording_hash, source, at),
    )
    set_live(customer, granted, record, at, source, purpose)
    return record


def set_live(customer, granted, record, at, source, purpose):
    sql("DELETE FROM accounts_consent WHERE customer_id = %s AND purpose = %s", customer.pk, purpose)
    sql(
        "INSERT INTO accounts_consent (customer_id, purpose, granted, chosen, wording_version, source, record_id,"
        " changed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        *(customer.pk, purpose, granted, granted, purposes.get_purpose(purpose).wording_version, source, record, at),
    )


def forge_with_the_shops_own_code(customer, granted, *, at):
    """Worse than SQL: sealed with the shop's key. Only a checkpoint tells."""
    told = ledger.ConsentAnswer(purposes.get_purpose(NEWSLETTER), granted, "preferences", at)
    record = ledger.append_answer(customer, told)
    set_live(customer, granted, record.pk, at, "preferences", NEWSLETTER)


def empty(customer):
    sql("DELETE FROM accounts_consent WHERE customer_id = %s", customer.pk)
    sql("DELETE FROM accounts_consentpayload WHERE customer_id = %s", customer.pk)


def new_chain(customer):
    sql("UPDATE accounts_customer SET chain = gen_random_uuid() WHERE id = %s", customer.pk)
    customer.refresh_from_db()


def recompute(customer):
    """Every digest and head of the chain made to fit its payloads."""
    head = bytes(32)
    for record in ConsentRecord.objects.filter(chain=customer.chain).order_by("sequence").select_related("payload"):
        digest = ledger.digest_payload(record.payload)
        head = ledger.compute_head(head, record.sequence, digest)
        sql("UPDATE accounts_consentrecord SET digest = %s, head = %s WHERE id = %s", digest, head, record.pk)
