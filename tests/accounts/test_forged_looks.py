"""The staff's access log, emptied or rewritten in SQL: refused by the database, and found past its triggers."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import AccessKind, AccessLogEntry, AccessLogRecord, Erasure, User
from accounts.people.customers import get_or_create_proved_customer
from accounts.privacy import access_log, access_verification, erasure, journal
from accounts.privacy.access_log import DataSubject
from tests import builders, cast
from tests.accounts.forging import found, lawfully_erased, mark, path, sql

__all__ = ["mark", "path"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob():
    """Bob was looked at twice, Eve once, and a guest's order once."""
    sam, bob, eve = cast.sam(), cast.bob(), builders.customer("eve@example.com")
    for subject in (bob, eve, bob):
        access_log.log_access(sam, subject.pk, what=AccessKind.SHOWN, detail="They called")
    access_log.log_access_to_subjects(sam, [DataSubject(None, "SW-GUEST", "Order SW-GUEST")], what=AccessKind.LOOK)
    connection.check_constraints()  # a table with checks still to come cannot be truncated
    before = transaction.savepoint()
    yield bob
    transaction.savepoint_rollback(before)


def kept():
    return list(AccessLogEntry.objects.order_by("pk").values()), AccessLogRecord.objects.count()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts_accesslogentry",
        "DELETE FROM accounts_accesslogentry WHERE customer_id IS NULL",
        "TRUNCATE accounts_accesslogentry",
        "TRUNCATE accounts_accesslogentry, accounts_accesslogrecord",
        "UPDATE accounts_accesslogentry SET at = now() - interval '3 years'",
        "UPDATE accounts_accesslogentry SET salt = gen_random_uuid()",
        "UPDATE accounts_accesslogentry SET customer_id = NULL WHERE customer_id IS NOT NULL",
        "DELETE FROM accounts_accesslogrecord",
        "TRUNCATE accounts_accesslogrecord",
        "UPDATE accounts_accesslogrecord SET at = now() - interval '3 years'",
        "UPDATE accounts_accesslogrecord SET chain = gen_random_uuid()",
    ],
)
def test_the_database_itself_refuses_to_change_the_log(bob, statement):
    before = kept()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert kept() == before


def test_an_erasure_that_was_only_asked_for_lets_nothing_go(bob):
    numbers = {"customer_number": bob.pk, "chain": bob.chain, "due_at": timezone.now()}
    asked = Erasure.objects.create(customer=bob, state=Erasure.State.SCHEDULED, **numbers)
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
        access_log.get_access_log(bob).delete()
    Erasure.objects.filter(pk=asked.pk).update(state=Erasure.State.ERASING)
    assert access_log.get_access_log(bob).delete()[0] == 2
    assert AccessLogEntry.objects.count() == 2


# -- Past the triggers ------------------------------------------------------------------------------------------------


def the_log_emptied(bob):
    sql("DELETE FROM accounts_accesslogentry")


def the_log_truncated(bob):
    sql("TRUNCATE accounts_accesslogentry")


def one_look_taken_away(bob):
    sql("DELETE FROM accounts_accesslogentry WHERE id = %s", access_log.get_access_log(bob).latest("pk").pk)


def a_guests_look_taken_away(bob):
    sql("DELETE FROM accounts_accesslogentry WHERE customer_id IS NULL")


def another_name_in_a_look(bob):
    sql("UPDATE accounts_accesslogentry SET staff_name = 'Kit' WHERE customer_id = %s", bob.pk)


def another_reason(bob):
    sql("UPDATE accounts_accesslogentry SET detail = 'They asked for it'")


def another_day(bob):
    sql("UPDATE accounts_accesslogentry SET at = at - interval '3 years'")


def looks_of_long_ago(bob):
    """So old that the nightly job takes them away."""
    for table in ("entry", "record"):
        sql(f"UPDATE accounts_accesslog{table} SET at = at - interval '3 years'")  # noqa: S608


def a_look_moved_to_somebody_else(bob):
    sql("UPDATE accounts_accesslogentry SET customer_id = (SELECT id FROM accounts_customer WHERE email LIKE 'eve%%')")


def a_look_taken_from_its_customer(bob):
    sql("UPDATE accounts_accesslogentry SET customer_id = NULL WHERE customer_id = %s", bob.pk)


def a_look_made_up(bob):
    sql(
        "INSERT INTO accounts_accesslogentry (staff_id, staff_name, staff_role, customer_id, order_number, kind, about,"
        " detail, at) SELECT staff_id, 'Kit', 'orders', customer_id, '', 'look', about, '', now()"
        " FROM accounts_accesslogentry LIMIT 1"
    )


def an_erasure_made_up_for_the_log(bob):
    sql(
        "INSERT INTO accounts_erasure (id, customer_id, customer_number, chain, state, erased, due_at, created_at)"
        " VALUES (gen_random_uuid(), %s, %s, %s, 'erasing', '[]', now(), now())",
        *(bob.pk, bob.pk, bob.chain),
    )
    access_log.get_access_log(bob).delete()  # the triggers let it


def looks_and_records_taken_away(bob):
    for table in ("entry", "record"):
        sql(f"DELETE FROM accounts_accesslog{table} WHERE id IN (SELECT max(id) FROM accounts_accesslogrecord)")  # noqa: S608


def the_log_and_its_record_emptied(bob):
    for table in ("entry", "record"):
        sql(f"TRUNCATE accounts_accesslog{table}")


def another_name_with_a_digest_that_fits(bob):
    another_name_in_a_look(bob)
    for entry in access_log.get_access_log(bob):
        sql(
            "UPDATE accounts_accesslogrecord SET digest = %s WHERE id = %s",
            access_verification.hash_access_entry(entry),
            entry.pk,
        )


def looks_given_to_somebody_erased(bob):
    eve = access_log.Customer.objects.get(email="eve@example.com")
    chain = eve.chain
    lawfully_erased(eve)
    sql("UPDATE accounts_accesslogrecord SET chain = %s WHERE chain = %s", chain, bob.chain)
    sql("DELETE FROM accounts_accesslogentry WHERE customer_id = %s", bob.pk)


def a_look_dated_back(bob):
    sam = User.objects.get(is_superuser=True)
    entry = AccessLogEntry(staff=sam, staff_name="Kit", customer=bob, kind="look", about="Your account")
    entry.at = timezone.now() - timedelta(days=40)
    entry.save()  # by the shop's own code, so that it has its record


ANYWHERE = (
    *(the_log_emptied, the_log_truncated, one_look_taken_away, a_guests_look_taken_away, another_name_in_a_look),
    *(another_reason, another_day, a_look_moved_to_somebody_else, a_look_taken_from_its_customer, a_look_made_up),
    *(an_erasure_made_up_for_the_log, looks_of_long_ago),
)
WITH_A_CHECKPOINT = (
    *(looks_and_records_taken_away, the_log_and_its_record_emptied, another_name_with_a_digest_that_fits),
    *(looks_given_to_somebody_erased, a_look_dated_back),
)


@pytest.mark.parametrize("forgery", ANYWHERE)
def test_what_is_done_to_the_log_is_found_without_a_checkpoint(bob, forgery):
    assert found() == ""
    forgery(bob)
    assert "look" in found().lower()


@pytest.mark.parametrize("forgery", [*ANYWHERE, *WITH_A_CHECKPOINT])
def test_whatever_is_done_to_looks_before_a_checkpoint_is_found(bob, mark, forgery):
    call_command("checkpoint_consents", str(mark))
    assert found(checkpoint=mark) == ""
    forgery(bob)
    assert "look" in found(checkpoint=mark).lower()


@pytest.mark.parametrize("forgery", WITH_A_CHECKPOINT)
def test_what_only_a_checkpoint_tells_of_the_log_is_as_the_documents_say(bob, forgery):
    forgery(bob)
    assert found() == ""


# -- What is lawful ---------------------------------------------------------------------------------------------------


def test_looks_go_with_their_customer_and_by_age_and_the_checkpoint_agrees(bob, mark):
    old = AccessLogEntry.objects.filter(customer=bob).first()
    old.pk, old.at = None, timezone.now() - timedelta(days=731)
    old.save()
    call_command("checkpoint_consents", str(mark))
    assert access_log.retire_access_log() == 1
    access_log.log_access(User.objects.get(is_superuser=True), bob.pk, what=AccessKind.LOOK)
    lawfully_erased(bob)
    assert not access_log.get_access_log(bob).exists()
    assert found(checkpoint=mark) == ""
    assert AccessLogRecord.objects.count() == 5  # without words or salt: it tells nothing of whom


def test_a_guests_looks_that_joined_an_account_go_with_it(bob, mark, path):
    order = builders.paid_order(email="guest@example.com")
    access_log.log_access_to_subjects(
        User.objects.get(is_superuser=True), [DataSubject(None, order.number, "Order")], what=AccessKind.LOOK
    )
    call_command("checkpoint_consents", str(mark))
    guest = get_or_create_proved_customer("guest@example.com")
    assert access_log.get_access_log(guest).count() == 1
    assert found(checkpoint=mark) == ""
    erasure.repeat_erasure(guest.chain, at=timezone.now())
    assert found(checkpoint=mark) == ""
    assert [entry.what for entry in journal.read_journal(path)] == ["erased"]
