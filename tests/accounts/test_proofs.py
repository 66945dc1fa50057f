import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes, receipts, verification
from accounts.consent.purposes import Purpose
from accounts.models import ConsentPayload, Wording
from tests import builders, cast

pytestmark = pytest.mark.django_db

PURPOSE = purposes.NEWSLETTER


def answered(customer, day, granted, key=PURPOSE):
    consent.import_consents([(customer.pk, key, granted, day)], source="preferences")


def on(customer, moment):
    return {standing.title: standing.granted for standing in receipts.get_switch_states_at(customer, moment)}


def test_any_past_moment_can_be_answered():
    bob, now = cast.bob(), timezone.now()
    title = purposes.get_purpose(PURPOSE).title
    for days, granted in ((30, True), (20, False), (10, True)):
        answered(bob, now - timedelta(days=days), granted)
    assert [on(bob, now - timedelta(days=days))[title] for days in (31, 25, 15, 5)] == [False, True, False, True]


def test_a_day_shows_every_switch_there_is():
    assert set(on(cast.bob(), timezone.now())) == {purpose.title for purpose in purposes.PURPOSES}


def test_the_words_answered_stay_readable_when_they_change(monkeypatch):
    bob = cast.bob()
    consent.set_consent(bob, PURPOSE, granted=True, source="preferences")
    old = purposes.get_purpose(PURPOSE)
    new = Purpose(PURPOSE, "Letters", "Other words.", "Your address.", "Letters.", old.group, wording_version=2)
    monkeypatch.setitem(purposes._by_key, PURPOSE, new)
    consent.set_consent(bob, PURPOSE, granted=True, source="preferences")
    words = receipts.get_wordings_by_hash(ConsentPayload.objects.all())
    assert [words[row.wording_hash].title for row in receipts.get_consent_answers(bob)] == ["Letters", old.title]
    assert Wording.objects.count() == 2
    verification.verify_ledger()


def test_the_receipt_holds_every_answer_and_the_head_that_seals_them(client):
    bob = cast.bob()
    for granted in (True, False):
        consent.set_consent(bob, PURPOSE, granted=granted, source="checkout")
    client.force_login(bob.user)
    answer = client.get("/account/consents/receipt.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    made = json.loads(answer.content)
    assert made["schema_version"] == "ISO/IEC TS 27560:2023"
    assert made["pii_principal_id"] == "bob@example.com"
    assert [event["event_state"] for event in made["events"]] == ["given", "withdrawn"]
    assert made["events"][0]["pii_information"] == purposes.get_purpose(PURPOSE).reads
    assert made["chain_head"] == bytes(bob.consent_payloads.latest("record__sequence").record.head).hex()


def test_the_page_shows_each_answer_in_its_words_and_a_day(client):
    bob = cast.bob()
    answered(bob, timezone.now() - timedelta(days=10), True)
    client.force_login(bob.user)
    day = timezone.localdate() - timedelta(days=5)
    page = client.get("/account/consents/", {"on": day.isoformat()}).content.decode()
    assert f"On: {purposes.get_purpose(PURPOSE).title}" in page
    assert purposes.get_purpose(PURPOSE).explanation in page
    assert f"When {day:%-d %B %Y} ended" in page


def test_nobody_sees_the_answers_of_another(client):
    alice = builders.customer(ticks=(PURPOSE,))
    client.force_login(cast.bob().user)
    assert "No answers yet" in client.get("/account/consents/").content.decode()
    assert alice.email not in client.get("/account/consents/receipt.json").content.decode()
    client.logout()
    assert client.get("/account/consents/receipt.json").status_code == 302


@pytest.mark.parametrize("day", ["yesterday", "9999-99-99", ""])
def test_a_day_that_cannot_be_read_does_no_harm(client, day):
    client.force_login(cast.bob().user)
    assert client.get("/account/consents/", {"on": day}).status_code == 200


def test_the_page_does_not_ask_more_for_more_answers(client, django_assert_max_num_queries):
    bob, now = cast.bob(), timezone.now()
    for days in range(20):
        answered(bob, now - timedelta(days=40 - days), days % 2 == 0)
    client.force_login(bob.user)
    client.get("/account/consents/")
    with django_assert_max_num_queries(7):
        client.get("/account/consents/")
