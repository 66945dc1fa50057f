"""Some of an order has left and the rest will be late: its buyer chooses for the rest, and only that can end."""

import pytest
from django.core.cache import cache

from orders import line_cancellation
from orders.delays import announcing
from orders.delays.answering import accept_delay, cancel_for_delay
from orders.delays.delay_words import describe_silence, list_told_delays
from orders.delays.finding import see_to_delays
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import DelayNotice, Order, OrderEvent, Refund, Shipment
from shop.catalog.models import StockRecord
from tests.delays.late import DAY, TODAY, fresh, half_gone, open_by_mail, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standin")]

Kind, Answer, Rule, Stage = OrderEvent.Kind, DelayNotice.Answer, DelayNotice.Rule, Shipment.Stage


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


def stages(order: Order) -> list[str]:
    return list(order.shipments.order_by("pk").values_list("stage", flat=True))


def rest_has_ended(order: Order) -> bool:
    """The kettle is called off and paid back, the scarf goes on."""
    assert fresh(order).status == Order.Status.CONFIRMED
    assert sorted(stages(order)) == sorted([Stage.DISPATCHED, Stage.CANCELLED])
    assert Refund.objects.get().amount == 25
    assert StockRecord.objects.filter(allocated__gt=0).count() == 0
    assert not order.events.filter(kind=Kind.CANCELLED).exists()
    return order.events.filter(kind=Kind.LINES_CANCELLED).count() == 1


def nothing_ended(order: Order) -> bool:
    parcels = sorted([Stage.DISPATCHED, Stage.WAITING])
    return not Refund.objects.exists() and sorted(stages(order)) == parcels


def test_the_rest_is_asked_about_like_an_order():
    order = half_gone()
    notice = told(order)
    assert (notice.rule, notice.deadline_on) == (Rule.SILENCE_CANCELS, TODAY() + 2 * DAY)
    assert list(DelayNotice.objects.unanswered()) == [notice]
    assert nothing_ended(order)


def test_who_waits_for_the_rest_waits():
    order = half_gone()
    assert accept_delay(order.pk, number=told(order).number).answer == Answer.WAIT
    assert nothing_ended(order)


def test_who_does_not_want_to_wait_gets_the_money_for_the_rest():
    order = half_gone()
    cancel_for_delay(order.pk, number=told(order).number)
    assert rest_has_ended(order)
    assert order.delay_notices.get().answer == Answer.CANCEL
    transitions.mark_shipment_delivered(order.shipments.get(stage=Stage.DISPATCHED).pk, actor="Sam")
    assert fresh(order).status == Order.Status.COMPLETED


def test_silence_after_the_last_day_ends_the_rest():
    order = half_gone()
    DelayNotice.objects.filter(pk=told(order).pk).update(deadline_on=TODAY() - DAY)
    for _ in range(2):
        see_to_delays()
    assert rest_has_ended(order)
    assert order.delay_notices.filter(ended_at__isnull=False).count() == 1


def test_where_the_day_was_essential_the_rest_ends_at_once():
    order = half_gone()
    announcing.set_date_essential(order.pk, is_essential=True, actor="Sam")
    assert told(order).rule == Rule.ENDS
    assert rest_has_ended(order)


def test_once_the_rest_has_left_too_nothing_ends():
    order = half_gone()
    number = told(order).number
    Shipment.objects.filter(order=order).update(stage=Stage.DISPATCHED)
    Order.objects.filter(pk=order.pk).update(fulfilment_status=Order.FulfilmentStatus.DISPATCHED)
    with pytest.raises(TransitionRefused, match="has left"):
        cancel_for_delay(order.pk, number=number)
    assert not Refund.objects.exists()


def test_what_was_called_off_before_is_not_called_off_again():
    order = half_gone()
    number = told(order).number
    pieces = {line.pk: count for line, count in line_cancellation.count_cancellable_pieces(order).items()}
    line_cancellation.cancel_lines(order.pk, pieces, actor="Sam", seen_cancelled=0)
    with pytest.raises(TransitionRefused, match="has left"):
        cancel_for_delay(order.pk, number=number)
    assert rest_has_ended(order)


def test_the_page_speaks_of_the_rest_and_ends_it():
    order = half_gone()
    told(order)
    [said] = list_told_delays(order.events.all())
    silence = describe_silence(said, TODAY(), is_rest=True)
    assert "we cancel what has not left yet and give the money for it back" in silence
    person = open_by_mail(order)
    assert person.sees("The rest of your order is late")
    assert person.sees(silence)
    person.press("Cancel the rest and refund it")
    assert person.sees("What had not left is cancelled.")
    assert rest_has_ended(order)
