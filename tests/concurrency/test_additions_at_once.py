"""“Add” on the checkout page pressed many times at once puts one thing in. Also run without the cart's lock."""

import time

import pytest
from django.db import DatabaseError

from orders import carts
from orders.models import Cart
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)


def press_ten_times_at_once() -> None:
    mug, cart = builders.variant(on_hand=100), Cart.objects.create()
    at_once([lambda: carts.add_if_missing(cart, mug) for _ in range(10)], slowed_ms=10)
    assert list(cart.lines.values_list("variant_id", "quantity")) == [(mug.pk, 1)]


def test_pressed_ten_times_at_once_one_thing_is_added():
    press_ten_times_at_once()


def test_without_the_carts_lock_it_is_added_again(monkeypatch):
    def unlocked(cart: Cart) -> None:
        time.sleep(stretched(0.05))

    monkeypatch.setattr(carts, "_lock_cart", unlocked)
    with pytest.raises((AssertionError, DatabaseError)):  # several of it, or a line of a kind twice
        press_ten_times_at_once()
