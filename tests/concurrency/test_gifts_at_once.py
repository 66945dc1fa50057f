"""One cart in two tabs: the same thing added as a gift and not, and marked, at once. Also run without its lock."""

import time

import pytest
from django.db import DatabaseError

from orders import carts
from orders.models import Cart
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)


def add_and_mark_at_once() -> None:
    """Twelve things go in, whichever line they end on; there is at most one line of either kind."""
    mug, cart = builders.variant(on_hand=100), Cart.objects.create()
    carts.add_to_cart(cart, mug, quantity=1)
    carts.add_to_cart(cart, mug, quantity=1, is_gift=True)
    first = cart.lines.first().pk
    jobs = [lambda gift=bool(n % 2): carts.add_to_cart(cart, mug, is_gift=gift) for n in range(10)]
    jobs += [lambda gift=bool(n % 2): carts.set_gift(cart, first, is_gift=gift) for n in range(6)]
    at_once(jobs, slowed_ms=10)
    assert sum(cart.lines.values_list("quantity", flat=True)) == 12
    assert len(set(cart.lines.values_list("is_gift", flat=True))) == cart.lines.count()


def test_adding_and_marking_at_once_loses_nothing():
    add_and_mark_at_once()


def test_without_the_carts_lock_something_is_lost(monkeypatch):
    def unlocked(cart: Cart) -> None:
        time.sleep(stretched(0.05))

    monkeypatch.setattr(carts, "_lock_cart", unlocked)
    with pytest.raises((AssertionError, DatabaseError)):  # a count that is lost, or a line of a kind twice
        add_and_mark_at_once()
