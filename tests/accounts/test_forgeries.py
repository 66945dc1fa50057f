"""What somebody with the database's own password could do to the ledger, in SQL and past the triggers; and that
`verify_consents` finds it. The database is all they have: neither the files beside it nor the keys of the shop.
"""

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import ConsentRecord, Customer, Erasure, Wording
from accounts.privacy import erasure
from tests import builders
from tests.accounts.forging import (
    NEWSLETTER,
    OFFER,
    alice,
    empty,
    forge_link,
    forge_with_the_shops_own_code,
    found,
    lawfully_erased,
    mark,
    new_chain,
    path,
    recompute,
    set_live,
    sql,
)

__all__ = ["alice", "mark", "path"]

pytestmark = pytest.mark.django_db


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
