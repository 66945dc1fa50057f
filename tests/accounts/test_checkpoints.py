"""Checkpoints outside the database, and what they let the shop and its customers find."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts import tasks
from accounts.consent import checkpoints, consent, ledger, purposes, verification
from accounts.consent.verification import LedgerBroken
from accounts.models import Consent, ConsentCheckpoint, ConsentPayload, ConsentRecord
from accounts.privacy import journal
from shop.schedule import SCHEDULE
from tests import builders, cast
from tests.accounts.test_ledger import answers, tamper

pytestmark = pytest.mark.django_db

TODAY = date(2026, 5, 3)


@pytest.fixture
def folder(tmp_path, settings):
    settings.CHECKPOINT_FOLDER = str(tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def test_each_night_leaves_a_file_by_its_date_and_its_hash(folder, caplog):
    answers(cast.bob(), True)
    caplog.set_level("INFO")
    tasks.checkpoint_consents()
    [file] = folder.iterdir()
    assert file.name == f"consents-{timezone.localdate().isoformat()}.txt"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert ConsentCheckpoint.objects.get().sha256 == digest
    assert digest in caplog.text
    assert "bob" not in file.read_text()
    assert SCHEDULE["checkpoint consents"]["task"] == tasks.checkpoint_consents.name


def test_running_it_twice_writes_it_once(folder):
    bob = cast.bob()
    answers(bob, True)
    first = checkpoints.save_daily_checkpoint(folder, today=TODAY)
    answers(bob, False)
    assert checkpoints.save_daily_checkpoint(folder, today=TODAY) == first
    assert ConsentCheckpoint.objects.count() == 1


def test_files_are_kept_for_400_days(folder):
    folder.mkdir()
    kept, gone = (folder / f"consents-{TODAY - timedelta(days=age)}.txt" for age in (400, 401))
    (folder / "a note of ours").write_text("stays")
    for file in (kept, gone):
        checkpoints.write_checkpoint(file)
    checkpoints.save_daily_checkpoint(folder, today=TODAY)
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        ["a note of ours", kept.name, f"consents-{TODAY}.txt"]
    )


def test_a_night_after_somebody_rewrote_the_ledger_shouts_and_blesses_nothing(folder, caplog):
    bob = cast.bob()
    answers(bob, True, False)
    checkpoints.save_daily_checkpoint(folder, today=timezone.localdate() - timedelta(days=1))
    rewrite(bob, [True, True])
    verification.verify_ledger()  # the chain fits itself again
    tasks.checkpoint_consents()
    assert "does not verify" in caplog.text
    assert len(list(folder.iterdir())) == 1
    assert ConsentCheckpoint.objects.count() == 1


def rewrite(customer, granted):
    """Another history, made to fit from end to end: what the owner of the whole database could do."""
    Consent.objects.filter(customer=customer).delete()
    ConsentPayload.objects.filter(customer=customer).delete()
    tamper("DELETE FROM accounts_consentrecord WHERE chain = %s", customer.chain)
    answers(customer, granted[0])
    for answer in granted[1:]:
        told = ledger.ConsentAnswer(purposes.get_purpose(purposes.NEWSLETTER), answer, "preferences", timezone.now())
        record = ledger.append_answer(customer, told)
        Consent.objects.filter(customer=customer).update(
            record=record, granted=answer, chosen=answer, changed_at=told.answered_at
        )


def shorten(customer):
    last = ConsentRecord.objects.filter(chain=customer.chain).latest("sequence")
    ConsentPayload.objects.filter(record=last).delete()
    before = ConsentPayload.objects.filter(customer=customer).latest("record__sequence")
    Consent.objects.filter(customer=customer).update(
        record=before.record, granted=before.granted, chosen=before.granted, changed_at=before.answered_at
    )
    tamper("DELETE FROM accounts_consentrecord WHERE id = %s", last.pk)


def swap(customer):
    for one, other in ((1, 99), (2, 1), (99, 2)):
        tamper(
            "UPDATE accounts_consentrecord SET sequence = %s WHERE chain = %s AND sequence = %s",
            other,
            customer.chain,
            one,
        )


def remove(customer):
    Consent.objects.filter(customer=customer).delete()
    ConsentPayload.objects.filter(customer=customer).delete()
    tamper("DELETE FROM accounts_consentrecord WHERE chain = %s", customer.chain)


@pytest.mark.parametrize(
    ("crime", "found"),
    [
        (lambda customer: rewrite(customer, [True, True, True]), "Not what the checkpoint saw"),
        (shorten, "Shorter than the checkpoint"),
        (swap, "Changed|Missing or out of order"),
        (remove, "gone from the ledger"),
    ],
    ids=["rewritten whole", "cut at the end", "reordered", "a whole chain gone"],
)
def test_a_checkpoint_finds_whatever_happened_before_it(tmp_path, crime, found):
    bob, mark = cast.bob(), tmp_path / "marks"
    builders.customer(ticks=(purposes.NEWSLETTER,))
    answers(bob, True, False, True)
    call_command("checkpoint_consents", str(mark))
    answers(bob, False, True)  # what came after does not hide it
    call_command("verify_consents", checkpoint=mark)
    if crime is shorten:
        for _ in range(2):
            shorten(bob)
    crime(bob)
    with pytest.raises(CommandError, match=found):
        call_command("verify_consents", checkpoint=mark)


def test_answers_after_the_checkpoint_are_no_break(tmp_path):
    bob, mark = cast.bob(), tmp_path / "marks"
    answers(bob, True)
    call_command("checkpoint_consents", str(mark))
    answers(bob, False, True)
    builders.customer(ticks=(purposes.NEWSLETTER,))
    call_command("verify_consents", checkpoint=mark)


def test_an_old_checkpoint_still_verifies_after_an_erasure(tmp_path):
    bob, mark = cast.bob(), tmp_path / "marks"
    answers(bob, True, False)
    call_command("checkpoint_consents", str(mark))
    journal.record_erasure(bob.chain)
    Consent.objects.filter(customer=bob).delete()
    ConsentPayload.objects.filter(customer=bob).delete()
    bob.delete()
    call_command("verify_consents", checkpoint=mark)


def test_a_checkpoint_file_that_was_changed_is_found(folder):
    answers(cast.bob(), True)
    checkpoints.save_daily_checkpoint(folder, today=TODAY)
    [file] = folder.iterdir()
    file.chmod(0o600)
    file.write_text("")
    with pytest.raises(LedgerBroken, match="not the file"):
        checkpoints.save_daily_checkpoint(folder, today=TODAY + timedelta(days=1))
    with pytest.raises(LedgerBroken, match="not the file"):
        checkpoints.save_daily_checkpoint(folder, today=TODAY)


def test_a_single_answer_erased_is_found():
    bob = cast.bob()
    answers(bob, True, False, True)
    ConsentPayload.objects.filter(record__sequence=2).delete()
    with pytest.raises(LedgerBroken, match="some answers are gone"):
        verification.verify_ledger()


def test_answers_moved_to_another_persons_chain_are_found():
    bob, eve = cast.bob(), builders.customer()
    answers(bob, True)
    bob.chain, eve.chain = eve.chain, bob.chain
    type(bob).objects.filter(pk=eve.pk).delete()
    bob.save()
    with pytest.raises(LedgerBroken, match="own chain"):
        verification.verify_ledger()


# -- The live state, rebuilt ----------------------------------------------------------------------------------


def with_a_past(customer):
    """Answers before, while and after the whole personal shopper was off."""
    consent.set_consent(customer, purposes.NEWSLETTER, granted=True, source="preferences")
    consent.set_consent(customer, purposes.MAIL_ORDER_PACKED, granted=True, source="preferences")
    consent.set_master(customer, on=False, source="preferences")
    consent.set_consent(customer, purposes.RECEIPT_OFFER, granted=True, source="preferences")


@pytest.mark.parametrize("is_on_again", [False, True])
def test_the_live_state_is_rebuilt_with_the_master_switch(is_on_again):
    alice = builders.customer()
    with_a_past(alice)
    if is_on_again:
        consent.set_master(alice, on=True, source="preferences")
        consent.set_consent(alice, purposes.RECEIPT_OFFER, granted=False, source="preferences")
    verification.verify_ledger()


@pytest.mark.parametrize(
    "change",
    [
        {"granted": True},
        {"changed_at": timezone.now() - timedelta(days=9)},
        {"source": "checkout"},
        {"wording_version": 7},
        {"granted": False, "chosen": False},
    ],
)
def test_any_other_live_state_is_found(change):
    alice = builders.customer()
    with_a_past(alice)
    Consent.objects.filter(purpose=purposes.NEWSLETTER).update(**change)
    with pytest.raises(LedgerBroken, match="live answer"):
        verification.verify_ledger()


def test_a_yes_that_woke_without_the_master_is_found():
    alice = builders.customer()
    with_a_past(alice)
    own = ConsentPayload.objects.get(purpose=purposes.NEWSLETTER)
    Consent.objects.filter(purpose=purposes.NEWSLETTER).update(record=own.record, granted=True)
    with pytest.raises(LedgerBroken, match="live answer"):
        verification.verify_ledger()


# -- The receipt ----------------------------------------------------------------------------------------------


def test_receipts_quote_the_latest_checkpoint(client, folder):
    bob = cast.bob()
    answers(bob, True)
    client.force_login(bob.user)
    assert client.get("/account/consents/receipt.json").json()["latest_checkpoint"] is None
    for day in (TODAY, TODAY + timedelta(days=1)):
        made = checkpoints.save_daily_checkpoint(folder, today=day)
    quoted = client.get("/account/consents/receipt.json").json()["latest_checkpoint"]
    assert (quoted["file"], quoted["sha256"]) == ("consents-2026-05-04.txt", made.sha256)


def test_the_receipt_to_print_holds_what_the_json_holds(client, folder, django_assert_max_num_queries):
    bob = cast.bob()
    answers(bob, True, False)
    made = checkpoints.save_daily_checkpoint(folder, today=TODAY)
    client.force_login(bob.user)
    json = client.get("/account/consents/receipt.json").json()
    with django_assert_max_num_queries(10):
        page = client.get("/account/consents/receipt/")
    assert "no-store" in page["Cache-Control"]
    for words in (bob.email, json["chain_head"], json["record_id"], made.sha256, json["events"][0]["wording_sha256"]):
        assert words in page.text
    assert purposes.get_purpose(purposes.NEWSLETTER).reads in page.text
    client.force_login(builders.customer().user)
    assert bob.email not in client.get("/account/consents/receipt/").text
    client.logout()
    assert client.get("/account/consents/receipt/").status_code == 302


# -- On a shop that is open -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "guard off"])
def test_an_answer_given_while_the_ledger_is_walked_is_no_break(monkeypatch, is_guarded):
    """Ledger and live state are read one after the other, but as they stood at one moment."""
    bob, each = cast.bob(), verification._parse_rows
    answers(bob, True)

    def answered_in_between(rows, kind):
        if kind is verification.LiveAnswer:
            with ThreadPoolExecutor(1) as other:
                other.submit(_answer_elsewhere, bob).result()
        yield from each(rows, kind)

    monkeypatch.setattr(verification, "_parse_rows", answered_in_between)
    if is_guarded:
        assert verification.verify_ledger() == (1, 1)
        monkeypatch.undo()
        assert verification.verify_ledger() == (1, 2)
    else:
        monkeypatch.setattr(verification, "read_in_snapshot", transaction.atomic)
        with pytest.raises(LedgerBroken):
            verification.verify_ledger()


def _answer_elsewhere(customer):
    try:
        consent.set_consent(customer, purposes.NEWSLETTER, granted=False, source="preferences")
    finally:
        connection.close()
