"""Who gets the shop's own letters: those who asked, found as a set, each once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer
from notifications import audience, delivery, newsletter
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem, SkipReason, Suppression
from recommendations import picks
from recommendations.picks import Pick
from shop import personal_data
from tests import builders, cast
from tests.notifications import acts

pytestmark = pytest.mark.django_db
THURSDAY = datetime(2026, 11, 26, 9, tzinfo=UTC)


def issue(**fields) -> NewsletterIssue:
    fields.setdefault("released_at", timezone.now())
    return NewsletterIssue.objects.create(subject="The mugs are back", body="Come and see.", **fields)


def reader(address: str = "", **fields) -> Customer:
    return builders.customer(address, ticks=(purposes.NEWSLETTER,), **fields)


def states() -> dict[str, str]:
    return {mail.to_address: mail.skip_reason or mail.state for mail in OutgoingEmail.objects.all()}


def test_the_newsletter_reaches_those_who_asked_and_nobody_else(sink):
    cast.alice(), cast.bob()
    left = reader("left@example.com")
    acts.say_no(left, purposes.NEWSLETTER)
    issue()
    assert audience.fan_out_released_issues() == 1
    assert delivery.deliver_due_mail() == 1
    assert [mail.to for mail in sink.received] == ["alice@example.com"]
    assert states() == {"alice@example.com": "sent"}


def test_whoever_asked_and_cannot_be_reached_is_skipped_with_the_reason(sink):
    reader("fine@example.com")
    unproved = reader("unproved@example.com")
    Customer.objects.filter(pk=unproved.pk).update(email_proved_at=None)
    nobody = reader("gone@example.com")
    Customer.objects.filter(pk=nobody.pk).update(email=None)
    reader("bounced@example.com")
    Suppression.objects.create(address="Bounced@example.com", reason=Suppression.Reason.BOUNCED)
    issue()
    assert audience.count_newsletter_readers() == 1
    assert audience.fan_out_released_issues() == 1
    assert states() == {
        "fine@example.com": "queued",
        "unproved@example.com": SkipReason.UNPROVED,
        "": SkipReason.NO_ADDRESS,
        "bounced@example.com": SkipReason.SUPPRESSED,
    }
    assert delivery.deliver_due_mail() == 1
    assert [mail.to for mail in sink.received] == ["fine@example.com"]


def test_an_issue_is_fanned_out_once_even_when_the_work_was_cut_short(monkeypatch):
    monkeypatch.setattr(audience, "CHUNK", 3)
    for _ in range(8):
        reader()
    sent = issue()
    assert audience.fan_out_released_issues() == 8
    assert audience.fan_out_released_issues() == 0
    NewsletterIssue.objects.update(fanned_out_at=None)
    assert audience.fan_out_released_issues() == 0
    assert OutgoingEmail.objects.count() == OutgoingItem.objects.count() == 8
    assert newsletter.count_issue_mails(sent) == [("Queued", 8)]


def test_fanning_out_takes_as_many_statements_for_many_as_for_one(django_assert_num_queries):
    for _ in range(12):
        reader()
    issue()
    with django_assert_num_queries(7):  # the issues and what is stuck of them; a full chunk, an empty one; the mark
        assert audience.fan_out_released_issues() == 12


def test_each_newsletter_stands_on_the_very_record_of_the_yes():
    alice = reader()
    issue()
    audience.fan_out_released_issues()
    item, consent = OutgoingItem.objects.get(), alice.consents.get()
    assert item.consent_record == consent.record
    assert item.stands_since_at == consent.changed_at
    assert (item.is_essential, item.order_tick) == (False, None)


def test_a_draft_goes_to_nobody():
    reader()
    issue(released_at=None)
    assert audience.fan_out_released_issues() == 0
    assert not OutgoingEmail.objects.exists()


def test_an_issue_is_released_once():
    draft = issue(released_at=None)
    assert newsletter.release_issue(draft.pk, actor="Sam") is True
    assert newsletter.release_issue(draft.pk, actor="Pat") is False
    draft.refresh_from_db()
    assert draft.released_by == "Sam"


# -- The weekly letter ---------------------------------------------------------------------------------------


@pytest.fixture
def picked(monkeypatch):
    """What the shop would pick: one thing from purchases where that is allowed, three that sell well."""
    from_purchases = builders.product("Darning wool")
    popular = [Pick(builders.product(title).pk, "Sells well just now") for title in ("Mug", "Bowl", "Cup")]

    def for_mail(customer: Customer, granted: frozenset[str]) -> list[Pick]:
        allowed = purposes.RECOMMEND_FROM_PURCHASES in granted
        mine = Pick(from_purchases.pk, "Goes with your socks", purposes.RECOMMEND_FROM_PURCHASES)
        return [mine] * allowed + popular

    monkeypatch.setattr(picks, "pick_for_mail", for_mail)


def letter_reader(*more: str) -> Customer:
    return builders.customer(ticks=(purposes.MAIL_RECOMMENDATIONS, *more))


def test_the_weekly_letter_goes_once_a_week_to_those_who_asked(sink, picked):
    asked = letter_reader()
    cast.bob()
    for hours in (0, 1, 8):
        audience.queue_weekly_recommendations(THURSDAY + timedelta(hours=hours))
        delivery.deliver_due_mail()
    assert [mail.to for mail in sink.received] == [asked.email]
    audience.queue_weekly_recommendations(THURSDAY + timedelta(days=7))
    delivery.deliver_due_mail()
    assert len(sink.received) == 2


def test_each_pick_stands_on_the_switch_it_came_from_and_falls_with_it(sink, picked):
    customer = letter_reader(purposes.RECOMMEND_FROM_PURCHASES)
    audience.queue_weekly_recommendations(THURSDAY)
    purpose_of = {item.product.title: item.purpose for item in OutgoingItem.objects.filter(block="pick")}
    assert purpose_of == {
        "Darning wool": purposes.RECOMMEND_FROM_PURCHASES,
        **dict.fromkeys(("Mug", "Bowl", "Cup"), purposes.MAIL_RECOMMENDATIONS),
    }
    acts.say_no(customer, purposes.RECOMMEND_FROM_PURCHASES)
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert "Mug" in mail.text
    assert "Darning wool" not in mail.text + mail.html


def test_whoever_has_nothing_picked_for_them_is_skipped_for_that(sink, monkeypatch):
    monkeypatch.setattr(picks, "pick_for_mail", lambda customer, granted: [])
    letter_reader()
    audience.queue_weekly_recommendations(THURSDAY)
    assert OutgoingEmail.objects.get().skip_reason == SkipReason.TOO_FEW
    assert delivery.deliver_due_mail() == 0
    assert sink.begun == []


def test_the_weekly_letter_waits_for_a_proved_address(sink, picked):
    customer = letter_reader()
    Customer.objects.update(email_proved_at=None)
    audience.queue_weekly_recommendations(THURSDAY)
    assert OutgoingEmail.objects.get(customer=customer).skip_reason == SkipReason.UNPROVED
    assert delivery.deliver_due_mail() == 0
    assert sink.begun == []


def test_a_pick_from_a_past_that_was_forgotten_meanwhile_is_left_out(sink, picked):
    customer = letter_reader(purposes.RECOMMEND_FROM_PURCHASES)
    audience.queue_weekly_recommendations(THURSDAY)
    personal_data.forget_for_purpose(customer, purposes.RECOMMEND_FROM_PURCHASES)
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert "Mug" in mail.text
    assert "Darning wool" not in mail.text + mail.html
