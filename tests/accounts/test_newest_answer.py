"""The newest answer by its own date stands, whatever door it comes through."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.consent import consent, purposes, receipts, requests, verification
from accounts.models import Consent, ConsentRecord
from accounts.people import tokens
from accounts.preferences import undo
from accounts.privacy import journal, restoring
from notifications import audience, links
from notifications.models import OutgoingEmail
from tests import builders, cast

pytestmark = pytest.mark.django_db

NEWSLETTER = purposes.NEWSLETTER
ORDERS = "order_number,placed_at,customer,sku,title,quantity,unit_price,gift\n"


@pytest.fixture(autouse=True)
def path(settings, tmp_path):
    settings.JOURNAL_PATH = tmp_path / "journal"
    return settings.JOURNAL_PATH


def ago(**span):
    return timezone.now() - timedelta(**span)


def answered(customer, granted, at, key=NEWSLETTER):
    return consent.import_consents([(customer.pk, key, granted, at)], source="import")


def taken_in(tmp_path, capsys, *rows, **options):
    """What `import_orders --consents` says of some rows: its last line, and the rows it left out."""
    orders, consents = tmp_path / "orders.csv", tmp_path / "consents.csv"
    orders.write_text(ORDERS)
    consents.write_text("customer,purpose,granted,at\n" + "".join(f"{row}\n" for row in rows))
    call_command("import_orders", str(orders), consents=consents, **options)
    said = capsys.readouterr()
    return said.out.splitlines()[-1], re.findall(r"Row (\d+): (.*)", said.err)


def test_an_old_yes_from_a_file_never_overrules_a_newer_no(tmp_path, capsys):
    alice = builders.customer("alice@example.com", ticks=(NEWSLETTER,))
    consent.set_consent(alice, NEWSLETTER, granted=False, source="unsubscribe_link")
    before = ConsentRecord.objects.count()
    for _ in range(2):
        said, left_out = taken_in(tmp_path, capsys, "alice@example.com,newsletter,yes,2025-06-01")
        assert left_out == [("2", "a newer answer stands")]
        assert "0 of them new, 1 left out" in said
    assert not consent.allows(alice, NEWSLETTER)
    assert ConsentRecord.objects.count() == before
    audience.fan_out_released_issues()
    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
@pytest.mark.parametrize("is_one_file", [True, False])
def test_rows_in_any_order_and_over_any_number_of_files_end_at_the_newest(tmp_path, capsys, first, second, is_one_file):
    alice = builders.customer("alice@example.com")
    rows = [
        f"alice@example.com,newsletter,{'yes' if second else 'no'},2025-06-02",
        f"alice@example.com,newsletter,{'yes' if first else 'no'},2025-06-01",
    ]
    for file in [rows] if is_one_file else [[row] for row in rows]:
        taken_in(tmp_path, capsys, *file)
    assert consent.allows(alice, NEWSLETTER) is second
    verification.verify_ledger()


def test_an_answer_said_again_is_as_new_as_it_was_said_last(tmp_path, capsys):
    """No in May, no again in July: a yes of June is older than the newest no."""
    alice, bob = (builders.customer(f"{name}@example.com") for name in ("alice", "bob"))
    answered(alice, False, ago(days=90))
    consent.set_consent(alice, NEWSLETTER, granted=False, source="mail_link")
    for day in (90, 30):
        answered(bob, False, ago(days=day))
    for person in (alice, bob):
        assert answered(person, True, ago(days=60)) == 0
        assert not consent.allows(person, NEWSLETTER)
    verification.verify_ledger()


def test_a_no_and_a_yes_of_the_same_moment_are_a_no(tmp_path, capsys):
    alice, at = builders.customer(), ago(days=9)
    for granted in (True, False, True):
        answered(alice, granted, at)
    assert not consent.allows(alice, NEWSLETTER)


def test_an_answer_of_tomorrow_is_refused_and_named(tmp_path, capsys):
    builders.customer("alice@example.com")
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    for at in (tomorrow, "2099-01-01"):
        _, left_out = taken_in(tmp_path, capsys, f"alice@example.com,newsletter,yes,{at}")
        assert left_out == [("2", "its date is still to come")]
    assert not Consent.objects.exists()
    assert not ConsentRecord.objects.exists()


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path, capsys, path):
    alice = builders.customer("alice@example.com", ticks=(NEWSLETTER,))
    before = ConsentRecord.objects.count()
    rows = (
        f"alice@example.com,newsletter,no,{timezone.now().isoformat()}",
        "alice@example.com,receipt_offer,yes,2025-06-01",
        "alice@example.com,newsletter,no,2025-06-01",
    )
    dry = taken_in(tmp_path, capsys, *rows, dry_run=True)
    assert consent.allows(alice, NEWSLETTER)
    assert (ConsentRecord.objects.count(), path.exists()) == (before, False)
    assert taken_in(tmp_path, capsys, *rows) == dry
    assert dry[1] == [("4", "a newer answer stands")]
    assert [(entry.chain, entry.purpose) for entry in journal.read_journal(path)] == [(alice.chain, NEWSLETTER)]


def test_the_master_switch_makes_no_answer_newer_than_it_is():
    """Off and on again moves the day a yes counts from, not the day it was said."""
    alice = builders.customer()
    answered(alice, True, ago(days=90))
    for on in (False, True):
        consent.set_master(alice, on=on, source="preferences")
    assert answered(alice, False, ago(days=30)) == 1
    assert not consent.allows(alice, NEWSLETTER)
    verification.verify_ledger()


def test_a_no_from_a_file_survives_a_restore(path):
    alice = builders.customer()
    answered(alice, True, ago(days=90))
    answered(alice, False, ago(days=30))
    Consent.objects.update(granted=True, chosen=True)  # the backup knows only the yes
    alice.consent_payloads.filter(granted=False).delete()
    assert "1 answers" in restoring.redo_withdrawals(list(journal.read_journal(path)))
    assert not consent.allows(alice, NEWSLETTER)


def test_past_days_show_what_stood_then():
    alice = builders.customer()
    for granted, days in ((True, 90), (False, 30), (True, 60)):
        answered(alice, granted, ago(days=days))
    title = purposes.get_purpose(NEWSLETTER).title
    on = [
        {each.title: each.granted for each in receipts.get_switch_states_at(alice, ago(days=days))}[title]
        for days in (70, 20)
    ]
    assert on == [True, False]


# -- Other doors ----------------------------------------------------------------------------------------------------


def test_a_link_to_confirm_does_not_undo_a_no_said_since_it_was_asked_for(client):
    bob = cast.bob()
    asked = requests.request_consent(bob.email, NEWSLETTER, source="checkout")
    consent.set_consent(bob, NEWSLETTER, granted=False, source="mail_link")
    link = reverse("confirm_consent", args=[requests.make_confirmation_token(asked)])
    assert "It stays off" in client.get(link).text
    assert "It stays off" in client.post(link).text
    assert not consent.allows(bob, NEWSLETTER)


def test_asking_again_after_a_no_is_a_new_asking(client):
    bob = cast.bob()
    requests.request_consent(bob.email, NEWSLETTER, source="checkout")
    consent.set_consent(bob, NEWSLETTER, granted=False, source="mail_link")
    asked = requests.request_consent(bob.email, NEWSLETTER, source="checkout")
    assert "Thank you" in client.post(reverse("confirm_consent", args=[requests.make_confirmation_token(asked)])).text
    assert consent.allows(bob, NEWSLETTER)


def test_an_old_undo_brings_back_no_yes_after_a_newer_no(client):
    alice = builders.customer(ticks=(NEWSLETTER,))
    client.force_login(alice.user)
    url, take_back = reverse("preference", args=[NEWSLETTER]), reverse("undo")
    client.post(url)  # off
    offered = undo.make_undo_token(alice, [undo.PreferenceChoice(undo.ChoiceKind.SWITCH, True, NEWSLETTER)])
    client.post(url, {NEWSLETTER: "on"})
    told = tokens.sign_token(links.UNSUBSCRIBE, customer=alice.pk, purpose=NEWSLETTER)
    assert client.post(reverse("unsubscribe", args=[told])).status_code == 200
    client.post(take_back, {"undo": offered})
    assert not consent.allows(alice, NEWSLETTER)
    client.post(url, {NEWSLETTER: "on"})
    offered = undo.make_undo_token(alice, [undo.PreferenceChoice(undo.ChoiceKind.SWITCH, False, NEWSLETTER)])
    client.post(take_back, {"undo": offered})
    assert not consent.allows(alice, NEWSLETTER)  # nothing newer: it does as it says


def test_an_old_undo_of_the_master_switch_changes_nothing_after_it_was_moved_again():
    alice = builders.customer(ticks=(NEWSLETTER,))
    offered = undo.make_undo_token(alice, [undo.PreferenceChoice(undo.ChoiceKind.MASTER, True)])
    consent.set_master(alice, on=False, source="preferences")
    assert undo.undo_choices(alice, offered) == []
    assert not consent.is_master_on(alice)


def test_a_page_that_was_open_for_long_answers_only_what_was_moved_on_it(client):
    """Without scripts the whole page is sent: a switch turned off elsewhere meanwhile is not turned on again by it."""
    alice = builders.customer(ticks=(NEWSLETTER, purposes.RECEIPT_OFFER))
    client.force_login(alice.user)
    page = client.get("/account/preferences/").text
    form = {
        name: re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page) for name in ("asked", "shown")
    }
    ticked = dict.fromkeys((NEWSLETTER, purposes.RECEIPT_OFFER, purposes.MAIL_ORDER_PACKED), "on")
    consent.set_consent(alice, NEWSLETTER, granted=False, source="mail_link")
    client.post("/account/preferences/", {**form, **ticked})
    assert consent.get_granted_purposes(alice) == {purposes.RECEIPT_OFFER, purposes.MAIL_ORDER_PACKED}
