"""What is collected and will not lie ready on its day: told, asked and ended as what is sent, in words of its own."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone

from orders.delays import announcing
from orders.delays.answering import end_unanswered_order
from orders.delays.finding import see_to_delays
from orders.delays.prediction import OrderOutlook, Slip, predict_slip
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import DelayNotice, Order, Refund, ShippingMethod
from orders.models.order import draw_pickup_code
from orders.shop_terms import Calendar
from orders.status import get_customer_status_label
from shop.catalog.models import OpeningHours, Store
from shop.catalog.opening_hours import StoreCalendar
from tests import builders
from tests.delays.late import DAY, TODAY, fresh, nothing_is_told, open_by_mail, packed, told
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words

__all__ = ["sink"]

Reason, Rule = DelayNotice.Reason, DelayNotice.Rule
ZONE = ZoneInfo(settings.TIME_ZONE)
CALENDAR = Calendar(cutoff_hour=15, handling_days=1, ships_on_saturday=False)
TEN_TO_SIX = StoreCalendar({day: [(time(10), time(18))] for day in range(7)}, {})


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """In June 2026, of which the 8th is a Monday."""
    return datetime(2026, 6, day, hour, minute, tzinfo=ZONE)


def predict(now: datetime, *, hours: StoreCalendar = TEN_TO_SIX, **fields) -> Slip | None:
    """Of an order promised for the 8th."""
    outlook = OrderOutlook(date(2026, 6, 8), hours=hours, **fields)
    return predict_slip(outlook, calendar=CALENDAR, method=ShippingMethod(days_min=1, days_max=1), now=now)


@pytest.mark.parametrize("now", [at(8, 9), at(8, 15, 1), at(8, 17, 59)])
def test_while_the_store_is_open_on_its_day_it_can_still_lie_ready(now):
    assert predict(now) is None


@pytest.mark.parametrize(
    ("now", "ready_at"), [(at(8, 18), at(9, 15)), (at(9, 8), at(9, 15)), (at(9, 15, 30), at(9, 17))]
)
def test_once_it_shuts_it_is_late_and_the_new_moment_is_one_at_which_it_is_open(now, ready_at):
    slip = predict(now)
    assert slip is not None
    assert (slip.reason, slip.promised.ready_at) == (Reason.BEHIND, ready_at)
    assert slip.promised.ships_on == slip.promised.by_on == ready_at.date()


def test_days_on_which_the_store_stays_shut_are_left_out():
    not_on_tuesday = StoreCalendar({day: [(time(10), time(18))] for day in (0, 2, 3, 4)}, {})
    assert predict(at(8, 18), hours=not_on_tuesday).promised.ready_at == at(10, 10)


def test_goods_that_are_gone_make_it_late_by_the_day_they_come_or_by_none():
    slip = predict(at(8, 9), awaits_goods=True, goods_on=date(2026, 6, 10))
    assert (slip.reason, slip.promised.ready_at.date() > date(2026, 6, 9)) == (Reason.GOODS, True)
    assert predict(at(8, 9), awaits_goods=True) is None
    assert predict(at(9, 9), awaits_goods=True) == Slip(Reason.GOODS, None)


@pytest.fixture
def late(db, standin) -> Order:
    """It was to lie ready yesterday, in a store that is open all day."""
    builders.tax_rate()
    store = builders.store()
    Store.objects.update(welcomes_visitors=True)
    for day in range(7):
        OpeningHours.objects.create(store=store, weekday=day, opens_at=time(0), closes_at=time(23, 59))
    yesterday = timezone.now() - DAY
    day = timezone.localdate(yesterday)
    order = builders.placed_order(
        shipping_method=ShippingMethod.objects.create(name="Collect", store=store, price=0),
        email="pat@example.com",
        pickup_store=store,
        pickup_code=draw_pickup_code(),
        pickup_ready_at=yesterday,
        promised_by_on=day,
    )
    Order.objects.update(ships_on=day, promised_from_on=day)
    return fresh(order)


def test_it_is_told_once_and_carries_the_new_moment(late):
    notice = told(late)
    now = fresh(late)
    assert (notice.reason, notice.rule) == (Reason.BEHIND, Rule.SILENCE_WAITS)
    assert now.pickup_ready_at > timezone.now()
    assert notice.new_by_on == now.promised_by_on == now.ships_on == timezone.localdate(now.pickup_ready_at)
    assert (now.first_promised_by_on, get_customer_status_label(now)) == (late.promised_by_on, "Delayed")
    see_to_delays()
    assert late.delay_notices.count() == 1


def test_mail_and_pages_say_ready_to_collect_and_nothing_of_arriving(late, sink):
    told(late)
    relay_and_deliver()
    [mail] = [mail for mail in sink.received if mail.topic == "order_delayed"]
    person = open_by_mail(late)
    choice = person.open(f"/orders/{late.number}/delay/").words
    for text in (mail.text, read_words(mail.html), choice):
        words = " ".join(text.split())
        assert "We promised it ready to collect on" in words
        assert "It will be ready to collect" in words
        assert "until you collect it" in words
        assert "leaves us" not in words
        assert "with you" not in words
    assert "It will be ready to collect" in " ".join(person.open(f"/orders/{late.number}/").words.split())


def test_its_buyer_may_call_it_off_and_gets_the_money_back(late):
    told(late)
    open_by_mail(late).press("Cancel and refund")
    assert (fresh(late).status, Refund.objects.get().amount) == ("cancelled", late.total)


def test_its_buyer_may_wait(late):
    told(late)
    assert "You can still cancel until you collect it." in open_by_mail(late).press("Wait").words
    assert late.delay_notices.get().answer == "wait"


def lie_ready(order: Order) -> None:
    transitions.mark_shipment_ready(packed(order), actor="Sam")


def test_what_lies_ready_is_told_of_no_delay(late):
    lie_ready(late)
    assert nothing_is_told(late)


def test_made_ready_while_it_was_looked_at_it_is_told_nothing(late):
    lie_ready(late)
    assert announcing.announce_delay(late.pk, predict(at(9, 9)), seen_by_on=late.promised_by_on) is None
    assert not late.delay_notices.exists()


def test_made_ready_before_the_last_day_for_an_answer_it_is_not_ended(late, sink):
    notice = told(late)
    DelayNotice.objects.update(rule=Rule.SILENCE_CANCELS, deadline_on=TODAY() - DAY)
    lie_ready(late)
    assert end_unanswered_order(notice.pk) is None
    assert see_to_delays() == 0
    assert (fresh(late).status, get_customer_status_label(fresh(late))) == ("confirmed", "Ready to collect")
    relay_and_deliver()
    assert "order_delayed" not in [mail.topic for mail in sink.received]
    assert "Wait, or cancel" not in open_by_mail(late).open(f"/orders/{late.number}/").words


def test_not_ready_by_then_it_ends_as_what_is_sent(late):
    told(late)
    DelayNotice.objects.update(rule=Rule.SILENCE_CANCELS, deadline_on=TODAY() - DAY)
    see_to_delays()
    assert fresh(late).status == "cancelled"


def test_staff_name_a_day_and_it_lies_ready_then_once_the_store_opens(late):
    OpeningHours.objects.update(opens_at=time(16))
    leaves_on = TODAY() + timedelta(days=10)
    announcing.set_later_day(late.pk, leaves_on=leaves_on, words="A flood.", actor="Sam")
    now = fresh(late)
    assert timezone.localtime(now.pickup_ready_at).time() == time(16)
    assert now.promised_by_on == timezone.localdate(now.pickup_ready_at) >= leaves_on
    lie_ready(late)
    with pytest.raises(TransitionRefused, match="not an open order that is still here"):
        announcing.set_later_day(late.pk, leaves_on=leaves_on + 9 * DAY, words="", actor="Sam")
    assert late.delay_notices.count() == 1


def test_a_day_that_is_no_later_is_refused(late):
    Order.objects.update(promised_by_on=TODAY() + 30 * DAY)
    with pytest.raises(TransitionRefused, match=r"it lies ready on .* no later than was promised"):
        announcing.set_later_day(late.pk, leaves_on=TODAY() + DAY, words="", actor="Sam")
    assert not late.delay_notices.exists()
