"""Several send back pieces of one line at once: never more than were bought. And what happens unlocked."""

import time

import pytest

from orders.models import Order
from orders.returns import requesting
from orders.returns.refusal import ReturnRefused
from orders.returns.requesting import request_return
from tests.concurrency.racing import at_once
from tests.patience import stretched
from tests.returns.selling import came, take_back, wish

pytestmark = pytest.mark.django_db(transaction=True)
BOUGHT = 3


def return_at_once() -> None:
    take_back()
    order = came(quantity=BOUGHT)
    wishes = [wish(order, count=2, words=f"Number {number}") for number in range(8)]

    def ask(each: requesting.ReturnWish) -> bool:
        try:
            return request_return(order.pk, each).is_new
        except ReturnRefused:
            return False

    said = at_once([lambda each=each: ask(each) for each in wishes], slowed_ms=5)
    assert said.count(True) == 1
    assert sum(order.returns.values_list("piece_count", flat=True)) <= BOUGHT


def test_asked_for_by_eight_at_once_no_more_goes_back_than_was_bought():
    return_at_once()


def test_without_the_orders_lock_more_goes_back_than_was_bought(monkeypatch):
    def read(order_id: int) -> Order:
        time.sleep(stretched(0.02))
        return Order.objects.get(pk=order_id)

    monkeypatch.setattr(requesting, "lock_order", read)
    with pytest.raises(AssertionError):
        return_at_once()
