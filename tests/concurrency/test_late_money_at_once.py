"""Money that comes late, told by several at once while somebody else buys the last of its goods. And unlocked."""

import time

import pytest
from django.db import IntegrityError, transaction

from orders.models import Order, OrderEvent, Payment, Refund
from orders.payments import checkout_sessions
from shop.catalog import stock
from shop.catalog.stock import OutOfStock
from tests import builders
from tests.concurrency.racing import at_once
from tests.orders.test_late_payments import close
from tests.patience import stretched
from tests.paying import check_books, check_out, fill

pytestmark = pytest.mark.django_db(transaction=True)


def come_late(client, standin, *, on_hand: int) -> None:
    """Four hear of it, and one takes the last mug: the order goes on, or its money goes back, never both or neither."""
    mug = builders.variant(price="20.00", on_hand=on_hand)
    fill(client, mug)
    payment = check_out(client)
    standin.pay(payment.provider_reference)
    close(payment)

    def hear() -> str:
        return str(checkout_sessions.settle_payment(payment.pk).status)

    def take() -> str:
        try:
            with transaction.atomic():
                stock.allocate_stock({mug.pk: 1})
        except OutOfStock:
            return "gone"
        return "taken"

    *heard, took = at_once([hear, hear, hear, hear, take], slowed_ms=15)
    order = Order.objects.get()
    is_honoured = order.status == Order.Status.CONFIRMED
    assert set(heard) == {Payment.Status.CAPTURED if is_honoured else Payment.Status.FLAGGED}
    assert is_honoured or on_hand == 1
    assert took == ("gone" if is_honoured and on_hand == 1 else "taken")
    assert order.events.filter(kind=OrderEvent.Kind.PLACED).count() == int(is_honoured)
    assert Refund.objects.count() == int(not is_honoured)
    assert mug.stock.get().allocated == min(on_hand, 2)
    if is_honoured:
        check_books(standin)


@pytest.mark.parametrize("on_hand", [1, 9])
def test_late_money_meets_who_buys_the_last_of_it(client, standin, on_hand):
    come_late(client, standin, on_hand=on_hand)


def test_without_the_payments_lock_it_is_taken_in_again_and_again(client, standin, monkeypatch):
    def unlocked(payment_id: int) -> Payment:
        found = Payment.objects.select_related("order").get(pk=payment_id)
        time.sleep(stretched(0.1))
        return found

    monkeypatch.setattr(checkout_sessions, "lock_payment", unlocked)
    monkeypatch.setattr(checkout_sessions, "_lock_cart_of_payment", lambda payment_id: None)
    with pytest.raises((AssertionError, IntegrityError)):
        come_late(client, standin, on_hand=9)
