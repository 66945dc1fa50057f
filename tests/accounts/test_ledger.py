import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.consent import consent, purposes, verification
from accounts.models import Consent, ConsentPayload, ConsentRecord
from accounts.privacy import journal
from tests import builders, cast

pytestmark = pytest.mark.django_db

PURPOSE = purposes.NEWSLETTER


def answers(customer, *granted):
    for answer in granted:
        consent.set_consent(customer, PURPOSE, granted=answer, source="preferences")


def tamper(sql, *parameters):
    """What somebody with the database's own password could do: the triggers do not stop them."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_whole_ledger_verifies():
    answers(cast.bob(), True, False, True)
    cast.alice()
    chains, links = verification.verify_ledger()
    assert (chains, links) == (2, 3 + len(purposes.PURPOSES))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_consentrecord SET sequence = sequence + 10",
        "DELETE FROM accounts_consentrecord",
        "TRUNCATE accounts_consentrecord CASCADE",
    ],
)
def test_the_database_itself_refuses_to_change_the_ledger(statement):
    answers(cast.bob(), True)
    connection.check_constraints()
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert ConsentRecord.objects.get().sequence == 1


def test_a_changed_link_is_found():
    answers(cast.bob(), True, False)
    tamper("UPDATE accounts_consentrecord SET digest = %s WHERE sequence = 1", bytes(32))
    with pytest.raises(verification.LedgerBroken, match="link 1"):
        verification.verify_ledger()


def test_a_changed_answer_is_found():
    answers(cast.bob(), True)
    ConsentPayload.objects.update(source="checkout")
    with pytest.raises(verification.LedgerBroken, match="words behind it"):
        verification.verify_ledger()


def test_a_link_taken_out_of_the_middle_is_found():
    answers(cast.bob(), True, False, True)
    ConsentPayload.objects.filter(record__sequence=2).delete()
    tamper("DELETE FROM accounts_consentrecord WHERE sequence = 2")
    with pytest.raises(verification.LedgerBroken, match="Missing or out of order"):
        verification.verify_ledger()


def test_a_live_answer_the_ledger_does_not_know_is_found():
    answers(cast.bob(), True, False)
    Consent.objects.update(granted=True, chosen=True)
    with pytest.raises(verification.LedgerBroken, match="live answer"):
        verification.verify_ledger()


def test_a_checkpoint_shows_a_deletion_at_the_end(tmp_path):
    bob = cast.bob()
    answers(bob, True, False)
    mark = tmp_path / "marks"
    call_command("checkpoint_consents", str(mark))
    call_command("verify_consents", checkpoint=mark)

    first = ConsentRecord.objects.get(sequence=1)
    Consent.objects.update(granted=True, chosen=True, record=first, changed_at=first.payload.answered_at)
    ConsentPayload.objects.filter(record__sequence=2).delete()
    tamper("DELETE FROM accounts_consentrecord WHERE sequence = 2")

    call_command("verify_consents")  # the chain alone cannot tell
    with pytest.raises(CommandError, match="Shorter than the checkpoint"):
        call_command("verify_consents", checkpoint=mark)


def test_the_chain_still_verifies_after_its_words_are_erased():
    bob = cast.bob()
    answers(bob, True, False)
    journal.record_erasure(bob.chain)
    bob.consents.all().delete()
    ConsentPayload.objects.filter(customer=bob).delete()
    bob.delete()
    assert verification.verify_ledger() == (1, 2)


def test_a_checkpoint_that_cannot_be_read_names_its_line(tmp_path):
    mark = tmp_path / "marks"
    mark.write_text("not a checkpoint\n")
    with pytest.raises(CommandError, match="line 1"):
        call_command("verify_consents", checkpoint=mark)


def test_the_same_seed_makes_the_same_consents(tmp_path):
    for number in range(40):
        builders.customer(with_login=False, external_reference=f"C{number:03d}")
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    call_command("make_consents", str(first), share=0.6, seed=1)
    call_command("make_consents", str(second), share=0.6, seed=1)
    assert first.read_text() == second.read_text()
    rows = first.read_text().splitlines()
    assert rows[0] == "customer,purpose,granted,at"
    assert len(rows) == 1 + 40 * 2
    assert 0 < sum(row.split(",")[2] == "1" for row in rows[1:]) < 80
