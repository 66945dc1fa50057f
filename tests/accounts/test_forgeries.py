"""What somebody with the database's own password could do to the ledger, in SQL and past the triggers; and that
`verify_consents` finds it. The database is all they have: neither the files beside it nor the keys of the shop.
"""

import hashlib
import hmac
import json
from datetime import UTC, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.consent import consent, ledger, purposes, requests
from accounts.models import Consent, ConsentRecord, Customer, Erasure, Wording
from accounts.privacy import erasure, journal
from tests import builders
from tests.privacy.test_erasure import notice_left

pytestmark = pytest.mark.django_db

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


# -- The forgeries ----------------------------------------------------------------------------------------------------


def a_new_life(alice):
    """The chain emptied as if by an erasure, a new chain in its place, the old days told again without the no."""
    empty(alice)
    new_chain(alice)
    forge_link(alice, True, at=timezone.now() - timedelta(days=300))


def a_new_life_by_own_code(alice):
    empty(alice)
    new_chain(alice)
    forge_with_the_shops_own_code(alice, True, at=timezone.now() - timedelta(days=300))


def an_emptied_chain(alice):
    empty(alice)


def an_emptied_chain_with_a_made_up_erasure(alice):
    empty(alice)
    Erasure.objects.create(customer_number=alice.pk, chain=alice.chain, due_at=timezone.now(), state="done")
    sql("DELETE FROM accounts_customer WHERE id = %s", alice.pk)


def an_erasure_that_was_called_off(alice):
    erasure.cancel_erasure(erasure.request_erasure(alice, at_once=False))
    empty(alice)


def a_customer_taken_away(alice):
    sql("DELETE FROM accounts_customer WHERE id = %s", alice.pk)


def a_customer_taken_away_with_the_answers(alice):
    empty(alice)
    sql("DELETE FROM accounts_customer WHERE id = %s", alice.pk)


def a_yes_of_a_year_ago(alice):
    forge_link(alice, True, at=timezone.now() - timedelta(days=365))


def a_yes_of_a_year_ago_by_own_code(alice):
    forge_with_the_shops_own_code(alice, True, at=timezone.now() - timedelta(days=365))


def a_yes_of_today(alice):
    forge_link(alice, True, at=timezone.now())


def a_yes_as_if_imported(alice):
    forge_link(alice, True, at=timezone.now() - timedelta(days=365), source="import")


def a_yes_for_somebody_without_a_chain(alice):
    forge_link(builders.customer(), True, at=timezone.now())


def a_no_turned_into_a_yes(alice):
    last = ConsentRecord.objects.filter(chain=alice.chain).latest("sequence")
    sql("UPDATE accounts_consentpayload SET granted = true WHERE record_id = %s", last.pk)
    recompute(alice)
    sql("UPDATE accounts_consent SET granted = true, chosen = true WHERE customer_id = %s", alice.pk)


def a_no_moved_to_a_later_day(alice):
    sql("UPDATE accounts_consentpayload SET answered_at = answered_at + interval '9 days' WHERE NOT granted")
    recompute(alice)
    sql("UPDATE accounts_consent SET changed_at = changed_at + interval '9 days' WHERE NOT chosen")


def a_no_taken_out(alice):
    last = ConsentRecord.objects.filter(chain=alice.chain).latest("sequence")
    before = ConsentRecord.objects.get(chain=alice.chain, sequence=last.sequence - 1)
    sql("DELETE FROM accounts_consentpayload WHERE record_id = %s", last.pk)
    sql("DELETE FROM accounts_consentrecord WHERE id = %s", last.pk)
    set_live(alice, True, before.pk, before.payload.answered_at, "preferences", NEWSLETTER)


def a_chain_taken_away_whole(alice):
    empty(alice)
    sql("DELETE FROM accounts_consentrecord WHERE chain = %s", alice.chain)


def a_live_yes_without_a_link(alice):
    sql("UPDATE accounts_consent SET granted = true, chosen = true WHERE customer_id = %s", alice.pk)


def a_live_yes_for_another_switch(alice):
    record = ConsentRecord.objects.filter(chain=alice.chain).latest("sequence")
    set_live(alice, True, record.pk, timezone.now(), "preferences", OFFER)


def live_answers_taken_away(alice):
    sql("DELETE FROM accounts_consent WHERE customer_id = %s", alice.pk)


def links_taken_away_and_answers_left(alice):
    sql("DELETE FROM accounts_consentrecord WHERE chain = %s", alice.chain)


def two_chains_swapped(alice):
    eve = Customer.objects.get(email="eve@example.com")
    for person, chain in ((eve, uuid4()), (alice, eve.chain), (eve, alice.chain)):
        sql("UPDATE accounts_customer SET chain = %s WHERE id = %s", chain, person.pk)


def two_chains_swapped_with_all_that_hangs_on_them(alice):
    """Eve's yes becomes Alice's: payloads and live answers change hands, every digest is made anew."""
    eve = Customer.objects.get(email="eve@example.com")
    two_chains_swapped(alice)
    for table in ("accounts_consentpayload", "accounts_consent"):
        for old, new in ((alice.pk, 0), (eve.pk, alice.pk), (0, eve.pk)):
            sql(f"UPDATE {table} SET customer_id = %s WHERE customer_id = %s", new, old)  # noqa: S608
    for person in (alice, eve):
        person.refresh_from_db()
        recompute(person)


def a_chain_given_another_name(alice):
    """The links of the chain under a new id, the customer along; the old one looks as if it had never been."""
    old = alice.chain
    new_chain(alice)
    sql("UPDATE accounts_consentrecord SET chain = %s WHERE chain = %s", alice.chain, old)


def other_words_under_the_old_hash(alice):
    sql("UPDATE accounts_wording SET explanation = 'We may do as we like.' WHERE purpose = %s", NEWSLETTER)


def other_words_with_a_hash_that_fits(alice):
    sql("UPDATE accounts_wording SET explanation = 'We may do as we like.' WHERE purpose = %s", NEWSLETTER)
    wording = Wording.objects.get(purpose=NEWSLETTER)
    new = hashlib.sha256(wording.words.encode()).hexdigest()
    sql("UPDATE accounts_wording SET hash = %s WHERE purpose = %s", new, NEWSLETTER)
    sql("UPDATE accounts_consentpayload SET wording_hash = %s WHERE purpose = %s", new, NEWSLETTER)
    recompute(alice)


def words_said_to_be_of_another_switch(alice):
    sql("UPDATE accounts_wording SET purpose = %s WHERE purpose = %s", OFFER, NEWSLETTER)


def words_said_to_be_another_version(alice):
    sql("UPDATE accounts_wording SET version = 9, first_used_at = now() - interval '2 years'")


def words_taken_away(alice):
    sql("DELETE FROM accounts_wording WHERE purpose = %s", NEWSLETTER)


def words_made_up(alice):
    words = "Title\nAll of it.\nReads.\nGives."
    sql(
        "INSERT INTO accounts_wording (hash, purpose, version, title, explanation, reads, gives, first_used_at, seal)"
        " SELECT %s, %s, 7, 'Title', 'All of it.', 'Reads.', 'Gives.', now(), seal FROM accounts_wording LIMIT 1",
        *(hashlib.sha256(words.encode()).hexdigest(), NEWSLETTER),
    )


ANYWHERE = (  # found without any checkpoint
    *(a_new_life, an_emptied_chain, an_emptied_chain_with_a_made_up_erasure, an_erasure_that_was_called_off),
    *(a_new_life_by_own_code, a_customer_taken_away, a_customer_taken_away_with_the_answers),
    *(a_yes_of_a_year_ago, a_yes_of_today, a_yes_as_if_imported, a_yes_for_somebody_without_a_chain),
    *(a_no_turned_into_a_yes, a_no_moved_to_a_later_day, a_live_yes_without_a_link, a_live_yes_for_another_switch),
    *(live_answers_taken_away, links_taken_away_and_answers_left, two_chains_swapped, a_chain_given_another_name),
    *(two_chains_swapped_with_all_that_hangs_on_them, other_words_under_the_old_hash, words_taken_away, words_made_up),
    *(other_words_with_a_hash_that_fits, words_said_to_be_of_another_switch, words_said_to_be_another_version),
)
WITH_A_CHECKPOINT = (a_no_taken_out, a_chain_taken_away_whole, a_yes_of_a_year_ago_by_own_code)


@pytest.fixture
def alice():
    """Alice said yes and then no; Eve said yes to all of it."""
    builders.customer("eve@example.com", ticks=(NEWSLETTER, OFFER))
    before = transaction.savepoint()
    yield refused()
    transaction.savepoint_rollback(before)  # some forgeries leave keys that lead nowhere


@pytest.mark.parametrize("forgery", ANYWHERE)
def test_what_whoever_has_sql_writes_is_found_without_a_checkpoint(alice, forgery):
    assert found() == ""
    forgery(alice)
    assert found() != ""


@pytest.mark.parametrize("forgery", [*ANYWHERE, *WITH_A_CHECKPOINT])
def test_whatever_is_done_after_a_checkpoint_to_what_was_before_it_is_found(alice, mark, forgery):
    call_command("checkpoint_consents", str(mark))
    assert found(checkpoint=mark) == ""
    forgery(alice)
    assert found(checkpoint=mark) != ""


@pytest.mark.parametrize("forgery", WITH_A_CHECKPOINT)
def test_what_only_a_checkpoint_can_tell_is_as_the_documents_say(alice, forgery):
    forgery(alice)
    assert found() == ""


def test_words_that_nobody_holds_answers_to_any_more_are_missed_too(alice, mark):
    call_command("checkpoint_consents", str(mark))
    lawfully_erased(alice)
    lawfully_erased(Customer.objects.get(email="eve@example.com"))
    assert found(checkpoint=mark) == ""
    words_taken_away(alice)
    assert found() == ""
    assert "Not the words the checkpoint saw" in found(checkpoint=mark)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_wording SET explanation = 'x'",
        "DELETE FROM accounts_wording",
        "TRUNCATE accounts_wording",
    ],
)
def test_the_database_itself_refuses_to_change_the_words(alice, statement):
    before = set(Wording.objects.values_list("hash", "explanation"))
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert set(Wording.objects.values_list("hash", "explanation")) == before


# -- What is lawful stays unremarked ----------------------------------------------------------------------------------


def lawfully_erased(customer):
    asked = erasure.request_erasure(customer, at_once=True)
    notice_left()
    assert erasure.run_erasure(Erasure.objects.get(pk=asked.pk))


def test_an_erasure_an_import_and_new_answers_are_no_break(alice, mark):
    call_command("checkpoint_consents", str(mark))
    bob = builders.customer()
    consent.import_consents([(bob.pk, NEWSLETTER, True, timezone.now() - timedelta(days=700))], source="import")
    said(bob, False, True)
    consent.set_master(bob, on=False, source="preferences")
    lawfully_erased(alice)
    assert found(checkpoint=mark) == ""


def test_an_erasure_under_way_is_no_break(alice, mark):
    call_command("checkpoint_consents", str(mark))
    Erasure.objects.create(
        customer=alice, customer_number=alice.pk, chain=alice.chain, due_at=timezone.now(), state="erasing"
    )
    journal.record_erasure(alice.chain)
    assert found(checkpoint=mark) == ""
    empty(alice)
    assert found(checkpoint=mark) == ""


def test_an_erasure_somebody_wrote_into_the_journal_counts_for_nothing(alice, path):
    empty(alice)
    sql("DELETE FROM accounts_customer WHERE id = %s", alice.pk)
    facts = {"at": timezone.now().isoformat(), "what": "erased", "chain": str(alice.chain)}
    other = journal._make_sealed_line(what="erased", chain=str(alice.pk).rjust(8, "0") + str(alice.chain)[8:])
    for seal in ({}, {"seal": ""}, {"seal": "no"}, {"seal": json.loads(other)["seal"]}):
        path.write_text(json.dumps({**facts, **seal}) + "\n")
        assert "has no erasure of it" in found()
    journal.record_erasure(alice.chain)
    assert found() == ""


def test_somebody_who_was_erased_and_is_back_is_named(alice):
    journal.record_erasure(alice.chain)
    assert "was erased, and its answers are here" in found()
    empty(alice)
    assert "was erased, and its customer is here" in found()


def test_the_journal_may_be_elsewhere(alice, path, tmp_path):
    lawfully_erased(alice)
    path.rename(tmp_path / "elsewhere")
    assert "has no erasure of it" in found()
    assert found(journal=tmp_path / "elsewhere") == ""


# -- A yes that waits for its address ----------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["email", "purpose"])
def test_a_request_rewritten_to_somebody_elses_address_is_not_confirmed_by_its_old_link(client, column):
    bob = builders.customer("bob@example.com")
    asked = requests.request_consent("eve@example.com", OFFER, source="checkout")
    link = reverse("confirm_consent", args=[requests.make_confirmation_token(asked)])
    values = {"email": bob.email, "purpose": NEWSLETTER}
    sql(f"UPDATE accounts_consentrequest SET {column} = %s", values[column])  # noqa: S608
    assert client.post(link).status_code == 404
    assert not Consent.objects.exists()
    assert not Customer.objects.exclude(pk=bob.pk).exists()


def test_a_request_made_out_to_be_confirmed_allows_nothing(alice):
    requests.request_consent(alice.email, OFFER, source="checkout")
    sql("UPDATE accounts_consentrequest SET confirmed_at = now()")
    assert not consent.allows(alice, OFFER)
    assert found() == ""


# -- Checkpoint files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:1] + lines[2:],  # a chain less
        lambda lines: lines[:-1],
        lambda lines: [],
        lambda lines: [*lines[:-1], "end " + "0" * 64 + "\n"],
        lambda lines: [*lines[:-1], "end no-hex\n"],
        lambda lines: ["taken 2020-01-01T00:00:00+00:00\n", *lines[1:]],
        lambda lines: [*lines[:-2], lines[-1]],
        lambda lines: [lines[0], lines[1].replace(lines[1][-9:], "00000000\n"), *lines[2:]],
    ],
)
def test_a_checkpoint_file_that_was_changed_is_refused(alice, mark, change):
    call_command("checkpoint_consents", str(mark))
    lines = mark.read_text().splitlines(keepends=True)
    mark.write_text("".join(change(lines)))
    assert "is not" in found(checkpoint=mark)


def test_an_older_checkpoint_knows_less_and_a_newer_one_more(alice, tmp_path):
    """What was said between the two is held by the newer one alone."""
    older, newer = tmp_path / "older", tmp_path / "newer"
    call_command("checkpoint_consents", str(older))
    said(alice, True, False)
    call_command("checkpoint_consents", str(newer))
    a_no_taken_out(alice)
    assert found(checkpoint=older) == ""
    assert "Shorter than the checkpoint" in found(checkpoint=newer)


def test_a_shop_with_another_key_says_so_and_the_old_key_still_counts(alice, mark, settings):
    call_command("checkpoint_consents", str(mark))
    was, settings.LEDGER_KEY = settings.LEDGER_KEY, "another"
    assert "LEDGER_KEY" in found()
    assert "LEDGER_KEY" in found(checkpoint=mark)
    settings.SECRET_KEY_FALLBACKS = [was]
    said(alice, True)
    assert found(checkpoint=mark) == ""
    assert Consent.objects.get(customer=alice).granted
