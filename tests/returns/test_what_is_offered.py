"""What an order's page offers for goods that came, by what became of them and of their money; what it then tells."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from orders import order_access
from orders.events import record_order_event
from orders.fulfilment import denials
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Refund, Withdrawal
from orders.payments.refunds import refund_order
from orders.returns import handling, steps
from orders.returns.declaring import Declaration, declare_withdrawal
from orders.returns.refusal import ReturnRefused
from orders.status import recalculate
from orders.timeline import build_timelines
from tests.returns.selling import Kind, Wanted, came, exchanged, returned, take_back

pytestmark = pytest.mark.django_db

DENY, RETURN, FAULT = "It did not come", "Return or exchange something", "Something is wrong with it"
WITHDRAW = "/withdrawal/"  # of this order; the foot of each page leads to one for any
OFFERS = (DENY, RETURN, FAULT, WITHDRAW)
SAM = "Sam"


def kept(order: Order) -> None:
    """Nothing became of it."""


def withdraw(order: Order) -> Withdrawal:
    said = Declaration("Pat Reader", "pat@example.com")
    return declare_withdrawal(order.pk, said, way=Withdrawal.Way.ORDER).withdrawal


def withdrawn_and_back(order: Order) -> None:
    handling.mark_goods_back(withdraw(order).pk, actor=SAM)


def withdrawn_and_refunded(order: Order) -> None:
    made = withdraw(order)
    handling.refund_withdrawal(made.pk, amount=made.owed, actor=SAM)


def withdrawn_and_settled(order: Order) -> None:
    handling.settle_withdrawal(withdraw(order).pk, actor=SAM)


def withdrawal_set_aside(order: Order) -> None:
    handling.set_withdrawal_aside(withdraw(order).pk, actor=SAM, reason="Somebody else’s.")


def refunded(order: Order) -> None:
    refund_order(order.pk, amount=None, actor=SAM)


def given_something(order: Order) -> None:
    refund_order(order.pk, amount=order.subtotal / 2, actor=SAM)


def paid_back_by_bank(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(payment_status=Order.PaymentStatus.CHARGED_BACK)


def cancelled(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(status=Order.Status.CANCELLED)


def returned_and_refunded(order: Order) -> None:
    made = returned(order)
    steps.receive_return(made.pk, actor=SAM)
    steps.refund_return(made.pk, amount=None, actor=SAM)


def return_refused(order: Order) -> None:
    steps.refuse_return(returned(order).pk, actor=SAM, reason="Worn.")


def other_size_sent(order: Order) -> None:
    made = exchanged(order)
    steps.receive_return(made.pk, actor=SAM)
    steps.send_exchange(made.pk, actor=SAM)


def replaced(order: Order) -> None:
    made = returned(order, kind=Kind.FAULTY, wanted=Wanted.REPLACEMENT)
    steps.receive_return(made.pk, actor=SAM)
    steps.send_exchange(made.pk, actor=SAM)


def repaired(order: Order) -> None:
    made = returned(order, kind=Kind.FAULTY)
    steps.receive_return(made.pk, actor=SAM)
    steps.mark_repaired(made.pk, actor=SAM)


def on_its_way_back(order: Order) -> None:
    order.shipments.update(stage="returned", delivered_at=None)


def back_with_us(order: Order) -> None:
    order.shipments.update(stage="back", delivered_at=None)


EVERYTHING, NOTHING = set(OFFERS), set[str]()
# Whoever withdrew may have done so because it never came; whoever sends something back has had it. A right by law
# stays in sight until it was used.
FAMILY: dict[Callable[[Order], object], set[str]] = {
    kept: EVERYTHING,
    given_something: EVERYTHING,
    cancelled: NOTHING,
    on_its_way_back: {WITHDRAW},
    back_with_us: {WITHDRAW},
    refunded: {WITHDRAW},
    paid_back_by_bank: {WITHDRAW},
    withdraw: {DENY},
    withdrawn_and_back: NOTHING,
    withdrawn_and_refunded: NOTHING,
    withdrawn_and_settled: NOTHING,
    withdrawal_set_aside: EVERYTHING,
    returned: NOTHING,
    returned_and_refunded: NOTHING,
    return_refused: EVERYTHING,
    other_size_sent: NOTHING,
    replaced: NOTHING,
    repaired: {RETURN, FAULT, WITHDRAW},
}


@pytest.fixture(autouse=True)
def _shop():
    cache.clear()
    take_back()


def pay_back(order: Order) -> None:
    """As Stripe tells it of all that was asked for."""
    Refund.objects.filter(payment__order=order, status=Refund.Status.REQUESTED).update(status=Refund.Status.SUCCEEDED)
    order.refresh_from_db()
    recalculate(order)


def order_that_came(happens: Callable[[Order], object]) -> Order:
    order = came()
    happens(order)
    if happens not in (cancelled, paid_back_by_bank):
        pay_back(order)
    return Order.objects.get(pk=order.pk)


def read_page(order: Order) -> str:
    client = Client()
    client.get(order_access.build_order_link(order).removeprefix("http://localhost:8000"))
    return " ".join(client.get(f"/orders/{order.number}/").text.split())


def list_offers(order: Order) -> set[str]:
    page = read_page(order)
    return {offer for offer in OFFERS if (f"{order.number}{offer}" if offer == WITHDRAW else offer) in page}


@pytest.mark.parametrize(("happens", "offered"), FAMILY.items(), ids=[each.__name__ for each in FAMILY])
def test_the_page_offers_what_still_fits_and_no_more(happens, offered):
    order = order_that_came(happens)
    assert list_offers(order) == offered


@pytest.mark.parametrize("happens", [each for each in FAMILY if DENY not in FAMILY[each] and each is not cancelled])
def test_what_is_not_offered_is_refused_too(happens):
    order = order_that_came(happens)
    parcel = order.shipments.get()
    with pytest.raises(TransitionRefused):
        denials.deny_delivery(parcel.pk, actor="Pat")
    parcel.refresh_from_db()
    assert parcel.denied_at is None
    if RETURN not in FAMILY[happens]:
        before = order.returns.count()
        with pytest.raises(ReturnRefused):
            returned(order, words="Once more.")
        assert order.returns.count() == before


def test_of_two_pieces_the_one_that_is_kept_keeps_its_offers():
    order = came(quantity=2)
    made = returned(order)
    steps.receive_return(made.pk, actor=SAM)
    steps.refund_return(made.pk, amount=None, actor=SAM)
    pay_back(order)
    assert list_offers(Order.objects.get()) == EVERYTHING


def list_titles(order: Order) -> list[str]:
    [story] = build_timelines(Order.objects.get(pk=order.pk))
    return [step.title for step in story.steps]


def test_money_goes_back_after_the_withdrawal_it_is_for():
    order = order_that_came(withdrawn_and_refunded)
    record_order_event(order, OrderEvent.Kind.REFUNDED, amount="14.00")
    titles = list_titles(order)
    [paid_back] = [title for title in titles if "refunded" in title]
    assert titles.index("You withdrew") < titles.index(paid_back)


def test_each_thing_that_came_of_an_order_stands_where_it_happened():
    order = came(days_ago=5)
    now = timezone.now()
    events = [order.events.create(kind=OrderEvent.Kind.REFUNDED, data={"amount": f"{days}.00"}) for days in (6, 4, 1)]
    for event, days in zip(events, (6, 4, 1), strict=True):
        OrderEvent.objects.filter(pk=event.pk).update(created_at=now - timedelta(days=days))
    made = withdraw(order)
    Withdrawal.objects.filter(pk=made.pk).update(
        declared_at=now - timedelta(days=3), goods_back_at=now - timedelta(days=2)
    )
    order.shipments.update(denied_at=now - timedelta(hours=1))
    recalculate(order)
    Order.objects.update(placed_at=now - timedelta(days=7))
    told = [
        "Placed and paid",
        "£6.00 refunded",
        "At your door",
        "£4.00 refunded",
        "You withdrew",
        "Your goods are back with us",
        "£1.00 refunded",
        "You say it did not come",
    ]
    titles = list_titles(order)
    assert [title for title in titles if title in told] == told
    assert "back with you" in titles[-1]
