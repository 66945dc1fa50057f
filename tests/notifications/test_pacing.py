"""As often as they asked: news told together, one letter a month, one ceiling over all that is not essential."""

import threading
import uuid
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from notifications import audience, claims, delivery, frequency_caps, permissions, relay
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem, SkipReason
from notifications.permissions import ClaimPermissions, SendPermission
from notifications.render_batch import load_email_contexts
from notifications.topics.definition import EmailContext
from orders.models import Order, OrderEvent
from recommendations import picks
from tests import builders
from tests.notifications import acts
from tests.notifications.acts import Kind
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db

APPROVED, PACKED = purposes.MAIL_ORDER_APPROVED, purposes.MAIL_ORDER_PACKED
LETTER, NEWSLETTER = purposes.MAIL_RECOMMENDATIONS, purposes.NEWSLETTER
THURSDAY = datetime(2026, 11, 26, 9, tzinfo=UTC)


def reader(*ticks: str, ceiling: int | None = None, **paces: Cadence) -> Customer:
    customer = builders.customer(ticks=ticks)
    cadence.set_weekly_ceiling(customer, ceiling)
    for purpose, pace in paces.items():
        cadence.set_cadence(customer, purpose, pace)
    return customer


def daily(*ticks: str) -> Customer:
    return reader(*ticks, **dict.fromkeys(ticks, Cadence.DAILY))


def happened(customer: Customer, *kinds: Kind, order: Order | None = None) -> Order:
    order = order or builders.paid_order(customer=customer)
    for kind in kinds:
        acts.happened(order, kind)
    relay.relay_all_events()
    return order


def issue(subject: str = "The mugs are back") -> None:
    NewsletterIssue.objects.create(subject=subject, body="Come and see.", released_at=timezone.now())
    audience.fan_out_released_issues()


def time_passes(**by: int) -> None:
    """All that waits has waited that much longer, and what was sent was sent that much earlier."""
    for mail in OutgoingEmail.objects.all():
        mail.due_at -= timedelta(**by)
        mail.created_at -= timedelta(**by)
        mail.sent_at = mail.sent_at and mail.sent_at - timedelta(**by)
        mail.save()


def digest_time() -> None:
    OutgoingEmail.objects.filter(topic="digest", state="queued").update(due_at=timezone.now())


def reasons(topic: str) -> list[str]:
    return [mail.skip_reason or mail.state for mail in OutgoingEmail.objects.filter(topic=topic).order_by("created_at")]


# -- Told together -------------------------------------------------------------------------------------------


def test_news_wanted_daily_is_told_together_the_next_morning(sink):
    customer = daily(APPROVED, PACKED)
    first = happened(customer, Kind.APPROVED, Kind.PACKED)
    second = happened(customer, Kind.APPROVED)
    assert delivery.deliver_due_mail() == 0
    [waiting] = OutgoingEmail.objects.filter(topic="digest")
    assert waiting.due_at == cadence.get_next_digest_time(Cadence.DAILY, timezone.now())
    digest_time()
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert mail.topic == "digest"
    assert mail.message["Subject"] == "News of 2 orders"
    for words in (first.number, second.number, "We have started on it.", "Packed, and by the door."):
        assert words in mail.text
        assert words in mail.html
    assert reasons("order_approved") == [SkipReason.GATHERED] * 2


def test_each_cadence_has_its_own_moment_and_a_mail_as_it_happens_goes_at_once(sink):
    customer = reader(
        APPROVED, PACKED, purposes.MAIL_ORDER_PICKED, **{APPROVED: Cadence.WEEKLY, PACKED: Cadence.MONTHLY}
    )
    happened(customer, Kind.APPROVED, Kind.PICKED, Kind.PACKED)
    assert delivery.deliver_due_mail() == 1
    assert sink.topics == ["order_picked"]
    due = set(OutgoingEmail.objects.filter(topic="digest").values_list("due_at", flat=True))
    now = timezone.now()
    assert due == {
        cadence.get_next_digest_time(Cadence.WEEKLY, now),
        cadence.get_next_digest_time(Cadence.MONTHLY, now),
    }


def test_the_same_news_is_gathered_once(sink):
    customer = daily(APPROVED)
    happened(customer, Kind.APPROVED)
    OrderEvent.objects.update(relayed_at=None)
    relay.relay_all_events()
    assert OutgoingItem.objects.filter(block="news").count() == 1


def test_each_news_stands_on_its_own_yes_and_falls_alone(sink):
    customer = daily(APPROVED, PACKED)
    happened(customer, Kind.APPROVED, Kind.PACKED)
    acts.say_no(customer, PACKED)
    acts.say_yes(customer, PACKED)  # a new yes releases nothing old
    digest_time()
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert "started on it" in mail.text
    assert "Packed" not in mail.text + mail.html
    fallen = OutgoingItem.objects.get(purpose=PACKED)
    assert (fallen.is_dropped, fallen.drop_reason) == (True, SkipReason.WITHDRAWN)


def test_a_digest_with_nothing_left_does_not_go(sink):
    customer = daily(APPROVED)
    happened(customer, Kind.APPROVED)
    acts.say_no(customer, APPROVED)
    digest_time()
    assert delivery.deliver_due_mail() == 0
    assert reasons("digest") == [SkipReason.WITHDRAWN]
    assert sink.begun == []


def test_news_of_an_order_called_off_falls_out_of_the_digest(sink):
    customer = daily(APPROVED)
    kept = happened(customer, Kind.APPROVED)
    called_off = happened(customer, Kind.APPROVED)
    Order.objects.filter(pk=called_off.pk).update(status=Order.Status.CANCELLED)
    digest_time()
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert kept.number in mail.text
    assert called_off.number not in mail.text
    assert OutgoingItem.objects.get(order=called_off).drop_reason == SkipReason.ORDER_CHANGED


def test_a_tick_on_an_order_is_withdrawn_in_the_digest_too(sink, client):
    customer = reader(**{APPROVED: Cadence.DAILY})
    order, other = builders.paid_order(customer=customer), builders.paid_order(customer=customer)
    for each in (order, other):
        acts.tick(each, APPROVED)
        happened(customer, Kind.APPROVED, order=each)
    acts.untick(order, APPROVED)
    digest_time()
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert order.number not in mail.text
    assert f"for order {other.number} on" in mail.text


def test_the_receipt_and_other_essential_mail_is_never_gathered_counted_or_held(sink):
    customer = reader(APPROVED, ceiling=1, **{APPROVED: Cadence.WEEKLY})
    for _ in range(3):
        happened(customer, Kind.PLACED, Kind.CANCELLED)
    assert delivery.deliver_due_mail() == 6
    assert frequency_caps.find_customers_over_ceiling([customer.pk]) == set()


def test_a_guests_order_has_no_cadence(sink):
    order = builders.paid_order(email="guest@example.com")
    acts.tick(order, APPROVED)
    acts.queued(order, Kind.APPROVED)
    assert delivery.deliver_due_mail() == 1
    assert sink.topics == ["order_approved"]


def test_gathering_takes_as_many_questions_for_many_as_for_few(django_assert_max_num_queries):
    for _ in range(5):
        acts.happened(builders.paid_order(customer=daily(APPROVED)), Kind.APPROVED)
    with django_assert_max_num_queries(18 + 5 * 7):
        relay.relay_batch(relay.SOURCES[0])


# -- One ceiling ---------------------------------------------------------------------------------------------


def test_over_the_ceiling_news_waits_for_the_digest_and_a_letter_does_not_come(sink):
    customer = reader(APPROVED, NEWSLETTER, ceiling=2)
    for _ in range(4):
        happened(customer, Kind.APPROVED)
    issue()
    assert delivery.deliver_due_mail() == 2
    assert sink.topics == ["order_approved"] * 2
    assert reasons("order_approved") == ["sent", "sent", SkipReason.GATHERED, SkipReason.GATHERED]
    assert reasons("newsletter") == [SkipReason.OVER_CEILING]
    assert OutgoingItem.objects.filter(block="news", email__topic="digest").count() == 2


def test_the_ceiling_is_asked_about_before_anything_is_queued(sink):
    customer = reader(APPROVED, NEWSLETTER, ceiling=1)
    other = reader(NEWSLETTER)
    happened(customer, Kind.APPROVED)
    delivery.deliver_due_mail()
    happened(customer, Kind.APPROVED)
    issue()
    assert reasons("order_approved") == ["sent", SkipReason.GATHERED]
    assert {mail.customer: mail.skip_reason for mail in OutgoingEmail.objects.filter(topic="newsletter")} == {
        customer: SkipReason.OVER_CEILING,
        other: "",
    }


def test_a_digest_over_the_ceiling_waits_for_another_morning_and_takes_in_what_comes(sink):
    customer = reader(APPROVED, ceiling=1)
    happened(customer, Kind.APPROVED)
    happened(customer, Kind.APPROVED)
    assert delivery.deliver_due_mail() == 1
    digest_time()
    assert delivery.deliver_due_mail() == 0
    waiting = OutgoingEmail.objects.get(topic="digest")
    assert (waiting.state, waiting.attempt_count) == ("queued", 0)
    assert waiting.due_at == cadence.get_next_digest_time(Cadence.DAILY, timezone.now())
    happened(customer, Kind.APPROVED)
    assert OutgoingEmail.objects.get(topic="digest").items.count() == 2
    time_passes(days=8)
    assert delivery.deliver_due_mail() == 1
    assert sink.topics == ["order_approved", "digest"]


@pytest.mark.parametrize(("hours", "is_over"), [(7 * 24 - 1, True), (7 * 24 + 1, False)])
def test_the_week_is_any_seven_days(sink, hours, is_over):
    customer = reader(APPROVED, ceiling=1)
    happened(customer, Kind.APPROVED)
    delivery.deliver_due_mail()
    time_passes(hours=hours)
    assert frequency_caps.find_customers_over_ceiling([customer.pk]) == ({customer.pk} if is_over else set())


def test_raising_the_ceiling_lets_more_through(sink):
    customer = reader(APPROVED, ceiling=1)
    happened(customer, Kind.APPROVED)
    delivery.deliver_due_mail()
    cadence.set_weekly_ceiling(customer, None)
    happened(customer, Kind.APPROVED)
    assert delivery.deliver_due_mail() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_guarded", [False, True], ids=["guard off", "guard on"])
def test_two_workers_do_not_pass_the_ceiling_together(sink, monkeypatch, is_guarded):
    """Both are about to begin the last mail of the week: the second asks only when the first has been written down."""
    customer = reader(APPROVED, ceiling=1)
    for _ in range(2):
        happened(customer, Kind.APPROVED)
    both_have_asked = threading.Barrier(2)
    begin = claims.begin_sending

    def begin_and_wait(*args, **more) -> bool:
        with transaction.atomic():
            may_begin = begin(*args, **more)
            with suppress(threading.BrokenBarrierError):
                both_have_asked.wait(timeout=0.2 if is_guarded else PATIENCE_SECONDS)
        return may_begin

    monkeypatch.setattr(claims, "begin_sending", begin_and_wait)
    monkeypatch.setattr(permissions, "PERMISSION_SECONDS", PATIENCE_SECONDS)  # each asks once, however slow the machine
    if not is_guarded:
        monkeypatch.setattr(claims, "customer_lock", lambda _: nullcontext())
    tokens = [uuid.uuid4(), uuid.uuid4()]
    letters = [load_email_contexts(claims.claim_due_mail(token, limit=1)) for token in tokens]
    begun: list[bool] = []

    def worker(token: uuid.UUID, claimed: list[EmailContext]) -> None:
        try:
            begun.append(SendPermission(ClaimPermissions(token, claimed), claimed[0], subject="")())
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=each) for each in zip(tokens, letters, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(begun) == ([False, True] if is_guarded else [True, True])


# -- Letters -------------------------------------------------------------------------------------------------


def test_once_a_month_brings_the_newest_issue_a_month_after_the_last(sink):
    reader(NEWSLETTER, **{NEWSLETTER: Cadence.MONTHLY})
    each = reader(NEWSLETTER)
    for subject in ("One", "Two", "Three"):
        issue(subject)
        delivery.deliver_due_mail()
        time_passes(days=5)
    subjects = [mail.message["Subject"] for mail in sink.received if mail.to != each.email]
    assert subjects == ["One"]
    time_passes(days=20)
    delivery.deliver_due_mail()
    subjects = [mail.message["Subject"] for mail in sink.received if mail.to != each.email]
    assert subjects == ["One", "Three"]
    assert len(sink.received) == 3 + 2
    assert SkipReason.OVERTAKEN in reasons("newsletter")


def test_of_issues_sent_at_once_a_monthly_reader_gets_the_newest_alone(sink):
    reader(NEWSLETTER, **{NEWSLETTER: Cadence.MONTHLY})
    issue("One")
    issue("Two")
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert mail.message["Subject"] == "Two"


def test_an_issue_that_waits_for_its_month_still_asks_for_the_yes(sink):
    customer = reader(NEWSLETTER, **{NEWSLETTER: Cadence.MONTHLY})
    issue("One")
    delivery.deliver_due_mail()
    issue("Two")
    acts.say_no(customer, NEWSLETTER)
    time_passes(days=40)
    assert delivery.deliver_due_mail() == 0
    assert reasons("newsletter") == ["sent", SkipReason.WITHDRAWN]


def test_choosing_monthly_holds_an_issue_already_queued(sink):
    customer = reader(NEWSLETTER)
    issue("One")
    delivery.deliver_due_mail()
    issue("Two")
    cadence.set_cadence(customer, NEWSLETTER, Cadence.MONTHLY)
    assert delivery.deliver_due_mail() == 0
    waiting = OutgoingEmail.objects.get(state="queued")
    assert waiting.due_at > timezone.now() + timedelta(days=27)
    time_passes(days=32)
    assert delivery.deliver_due_mail() == 1


@pytest.fixture
def picked(monkeypatch):
    popular = acts.best_sellers()
    monkeypatch.setattr(picks, "pick_for_mail", lambda customer, granted: popular)


def test_the_weekly_letter_comes_monthly_to_those_who_like_it_so(sink, picked):
    monthly, weekly = reader(LETTER, **{LETTER: Cadence.MONTHLY}), reader(LETTER)
    for week in range(6):
        audience.queue_weekly_recommendations(THURSDAY + timedelta(weeks=week))
        delivery.deliver_due_mail()
        time_passes(days=7)
    assert len(sink.to(weekly.email)) == 6
    assert len(sink.to(monthly.email)) == 2


def test_a_letter_already_queued_does_not_come_too_soon(sink, picked):
    customer = reader(LETTER)
    for week in range(2):
        audience.queue_weekly_recommendations(THURSDAY + timedelta(weeks=week))
    [first, _] = OutgoingEmail.objects.order_by("created_at")
    OutgoingEmail.objects.filter(pk=first.pk).update(state="sent", sent_at=timezone.now())
    cadence.set_cadence(customer, LETTER, Cadence.MONTHLY)
    assert delivery.deliver_due_mail() == 0
    assert reasons("recommendations") == ["sent", SkipReason.TOO_SOON]


def test_nothing_is_picked_for_whoever_has_had_enough_this_week(sink, picked, monkeypatch):
    customer = reader(LETTER, APPROVED, ceiling=1)
    happened(customer, Kind.APPROVED)
    delivery.deliver_due_mail()
    monkeypatch.setattr(picks, "pick_for_mail", lambda *_: pytest.fail("nothing is to be picked"))
    audience.queue_weekly_recommendations(THURSDAY)
    assert reasons("recommendations") == [SkipReason.OVER_CEILING]
