"""A buyer has what is here sent first while staff divide it too, cancel it, or pick and ship it. And unlocked."""

import time
from functools import partial

import pytest
from django.db import IntegrityError

from orders import cancellation
from orders.delays import answering
from orders.delays.finding import see_to_delays
from orders.fulfilment import transitions
from orders.models import DelayNotice, Order, OrderEvent, Shipment
from orders.payments import checkout_sessions
from shop.catalog.models import Product
from tests.concurrency.racing import at_once
from tests.concurrency.test_splitting_at_once import attempt, check_parcels, list_contents, split
from tests.delays.late import DAY, TODAY, fresh, ship
from tests.delays.two_parcels import approve
from tests.orders.test_splitting import together
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = (AssertionError, IntegrityError)
Kind = OrderEvent.Kind


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(checkout_sessions, "try_send_refund", lambda refund_id: None)


def unlock(monkeypatch) -> None:
    """Whoever answers reads the order, thinks for a moment, and locks nothing."""

    def read(order_id: int) -> Order:
        found = Order.objects.get(pk=order_id)
        time.sleep(stretched(0.02))
        return found

    monkeypatch.setattr(answering, "lock_order", read)


def asked(*, is_unreleased: bool = False) -> Order:
    """Its buyer was told. `is_unreleased`: the kettle lies on the shelf, and is not out yet."""
    Product.objects.all().update(title="Old")
    order = together(TODAY() + 2 * DAY, kettles_here=5 if is_unreleased else 0)
    if is_unreleased:
        Product.objects.filter(title="Kettle").update(released_on=TODAY() + 9 * DAY)
    approve(order)
    see_to_delays()
    assert order.delay_notices.get().answer == ""
    return order


def choose(order: Order) -> str:
    return attempt(partial(answering.send_ahead, order.pk, number=1))


def choose_several_while_staff_divide() -> None:
    """One of them divides it; the buyer's yes stands either way."""
    for _ in range(4):
        order = asked()
        chosen, _ = at_once([partial(choose, order), partial(split, order)], slowed_ms=15)
        assert chosen == "done"
        assert order.delay_notices.get().answer == DelayNotice.Answer.WAIT
        assert order.events.filter(kind=Kind.SPLIT).count() == 1
        assert order.shipments.count() == 2
        check_parcels(order)


def choose_several_while_it_is_cancelled() -> None:
    """What is cancelled has no parcel that waits, and was divided before or not at all."""
    for _ in range(4):
        order = asked()
        call_off = partial(cancellation.cancel_order, order.pk, actor="Kit")
        chosen, cancelled = at_once([partial(choose, order), partial(attempt, call_off)], slowed_ms=15)
        assert (cancelled, fresh(order).status) == ("done", Order.Status.CANCELLED)
        assert not Shipment.objects.filter(order=order).exclude(stage=Shipment.Stage.CANCELLED).exists()
        kinds = list(order.events.values_list("kind", flat=True))
        assert (Kind.SPLIT in kinds) == (chosen == "done")
        assert kinds[-1] == Kind.CANCELLED


def choose_several_while_it_is_shipped() -> None:
    """What is fetched for a parcel is what leaves in it: both things, or the one that goes first."""
    for _ in range(4):
        order = asked(is_unreleased=True)
        parcel, fetched = order.shipments.get(), []

        def send(parcel=parcel, fetched=fetched) -> str:
            transitions.mark_shipment_picked(parcel.pk, actor="Kit")
            fetched.extend(list_contents(parcel))
            transitions.mark_shipment_packed(parcel.pk, actor="Kit")
            ship(parcel.pk)
            return "done"

        chosen, _ = at_once([partial(choose, order), send], slowed_ms=15)
        assert fetched == list_contents(parcel)
        assert len(fetched) == (1 if chosen == "done" else 2)
        check_parcels(order)


def test_chosen_while_staff_divide_it_too_it_is_divided_once():
    choose_several_while_staff_divide()


def test_without_the_orders_lock_it_is_divided_by_both(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        choose_several_while_staff_divide()


def test_chosen_while_it_is_cancelled_no_parcel_of_it_waits():
    choose_several_while_it_is_cancelled()


def test_without_the_orders_lock_a_parcel_of_a_cancelled_order_waits(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        choose_several_while_it_is_cancelled()


def test_chosen_while_it_is_shipped_what_is_fetched_is_what_leaves():
    choose_several_while_it_is_shipped()


def test_without_the_orders_lock_something_fetched_does_not_leave(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(WRONG):
        choose_several_while_it_is_shipped()
