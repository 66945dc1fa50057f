"""One cart in two tabs: the same thing added as a gift and not, and marked, at once. Also run without its lock."""

import time
from http import HTTPStatus

import pytest
from django.db import DatabaseError
from django.test import Client

from orders import cart_lines, carts
from orders.models import Cart, CartLine
from tests import builders
from tests.concurrency.racing import at_once, buyer
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


def add_as_gift_and_not_at_once() -> None:
    """Five are there, and one visitor asks for five of either kind in two tabs: the cart holds five."""
    mug = builders.product("Tin mug", on_hand=5).variants.get()
    other = builders.variant(on_hand=5)
    first = buyer(other)
    tabs = [Client() for _ in range(2)]
    for tab in tabs:
        tab.cookies = first.cookies
    fields = {"variant": mug.pk, "quantity": 5}
    jobs = [
        lambda: tabs[0].post("/cart/lines/", fields),
        lambda: tabs[1].post("/cart/lines/", {**fields, "is_gift": "on"}),
    ]
    assert {answer.status_code for answer in at_once(jobs, slowed_ms=20)} == {HTTPStatus.SEE_OTHER}
    assert sum(CartLine.objects.filter(variant=mug).values_list("quantity", flat=True)) == 5


def test_two_tabs_of_a_visitor_never_put_in_more_than_there_is():
    add_as_gift_and_not_at_once()


def test_without_the_lock_of_the_visitors_cart_they_do(monkeypatch):
    monkeypatch.setattr(cart_lines, "lock_cart_of_visitor", lambda token: Cart.objects.get(token=token).pk)
    with pytest.raises(AssertionError):
        add_as_gift_and_not_at_once()
