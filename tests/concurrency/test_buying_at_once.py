"""Many buyers at once. Each race is also run with its guard off, and must fail there, or it would prove nothing."""

from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus

import pytest

from orders import checkout
from orders.models import Order, OrderEvent, Payment
from orders.payments import checkout_sessions
from shop.catalog import stock
from shop.catalog.models import StockRecord
from shop.local.stripe.testing import StandIn
from tests import builders
from tests.concurrency.racing import at_once, buyer, oversell
from tests.paying import check_books, check_out, check_stock, fill, form

pytestmark = pytest.mark.django_db(transaction=True)

HOME = "http://localhost:8000"


def race_for(units: int, *, buyers: int, standin: StandIn, slowed_ms: int = 0) -> None:
    """So many buyers for so few: exactly the stock is sold, the rest hear it politely, all charges have an order."""
    mug = builders.product("Tin mug", on_hand=units).variants.get()
    fields = form()
    clients = [buyer(mug) for _ in range(buyers)]
    answers = at_once([lambda each=each: each.post("/checkout/", fields) for each in clients], slowed_ms=slowed_ms)
    assert Counter(answer.status_code for answer in answers) == {
        HTTPStatus.SEE_OTHER: units,
        HTTPStatus.CONFLICT: buyers - units,
    }
    assert all("sold out" in answer.text for answer in answers if answer.status_code == HTTPStatus.CONFLICT)
    assert Order.objects.count() == units
    winners = [(each, answer.url) for each, answer in zip(clients, answers, strict=True) if answer.status_code == 303]
    at_once([lambda each=each, url=url: _pay(each, url, standin) for each, url in winners])
    assert Order.objects.filter(status=Order.Status.CONFIRMED).count() == units
    assert len(standin.charges()) == units
    assert mug.stock.get().allocated == units
    check_stock()
    check_books(standin)


def _pay(client, url: str, standin: StandIn) -> None:
    location = standin.pay(Payment.objects.get(redirect_url=url).provider_reference)
    assert client.get(location.removeprefix(HOME)).status_code == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize("slowed_ms", [0, 20, 100])
def test_the_last_unit_goes_to_one_of_two_buyers(standin, slowed_ms):
    race_for(1, buyers=2, standin=standin, slowed_ms=slowed_ms)


@pytest.mark.parametrize("slowed_ms", [0, 20, 100])
def test_without_the_stock_guard_the_last_unit_is_sold_twice(standin, slowed_ms, monkeypatch):
    monkeypatch.setattr(stock, "_allocate_variant", oversell)
    with pytest.raises(AssertionError):
        race_for(1, buyers=2, standin=standin, slowed_ms=slowed_ms)


def test_fifty_units_go_to_fifty_of_two_hundred_buyers(standin):
    race_for(50, buyers=200, standin=standin)


def test_without_the_stock_guard_more_is_sold_than_there_is(standin, monkeypatch):
    monkeypatch.setattr(stock, "_allocate_variant", oversell)
    with pytest.raises(AssertionError):
        race_for(5, buyers=25, standin=standin)


# -- The same form, twenty times ---------------------------------------------------------------------------


def press_twenty_times(standin: StandIn, *, slowed_ms: int = 0) -> None:
    mug = builders.variant(on_hand=30)
    client, fields = buyer(mug), form()
    pressed = [client, *(type(client)(raise_request_exception=False) for _ in range(19))]
    for each in pressed:
        each.cookies = client.cookies
    answers = at_once([lambda each=each: each.post("/checkout/", fields) for each in pressed], slowed_ms=slowed_ms)
    assert {answer.status_code for answer in answers} == {HTTPStatus.SEE_OTHER}
    assert len({answer.url for answer in answers}) == 1
    assert Order.objects.count() == Payment.objects.count() == 1
    assert standin.control("GET", "state")["objects"]["checkout.session"] == 1
    _pay(client, answers[0].url, standin)
    assert len(standin.charges()) == 1
    assert mug.stock.get().allocated == 1
    check_stock()
    check_books(standin)


@pytest.mark.parametrize("slowed_ms", [0, 20])
def test_the_same_form_twenty_times_at_once_is_one_order_one_session_and_one_charge(standin, slowed_ms):
    press_twenty_times(standin, slowed_ms=slowed_ms)


def test_without_the_carts_lock_the_same_form_is_several_orders(standin, monkeypatch):
    monkeypatch.setattr(checkout, "_lock_cart_for_checkout", lambda cart: None)
    with pytest.raises(AssertionError):
        press_twenty_times(standin, slowed_ms=20)


# -- Return page, webhook and reconciler, all at the same moment -------------------------------------------


def settle_ten_times(client, standin: StandIn) -> None:
    fill(client)
    payment = check_out(client)
    standin.pay(payment.provider_reference)
    at_once([lambda: checkout_sessions.settle_payment(payment.pk)] * 10, slowed_ms=20)
    order = Order.objects.get()
    assert order.status == Order.Status.CONFIRMED
    assert order.events.filter(kind=OrderEvent.Kind.PLACED).count() == 1
    check_books(standin)


def test_however_many_hear_of_a_payment_at_once_it_is_placed_once(client, standin):
    settle_ten_times(client, standin)


def test_without_the_payments_lock_it_is_placed_again_and_again(client, standin, monkeypatch):
    def unlocked(payment_id: int) -> Payment:
        return Payment.objects.select_related("order").get(pk=payment_id)

    monkeypatch.setattr(checkout_sessions, "lock_payment", unlocked)
    monkeypatch.setattr(checkout_sessions, "_lock_cart_of_payment", lambda payment_id: None)
    with pytest.raises(AssertionError):
        settle_ten_times(client, standin)


# -- Carts that hold the same things in another order ------------------------------------------------------


def cross(standin: StandIn) -> None:
    """Half the buyers have socks before mugs, half mugs before socks."""
    first, second = builders.variant(on_hand=100), builders.variant(on_hand=100)
    fields = form()
    clients = [buyer(first, second) if number % 2 else buyer(second, first) for number in range(12)]
    answers = at_once([lambda each=each: each.post("/checkout/", fields) for each in clients], slowed_ms=20)
    assert {answer.status_code for answer in answers} == {HTTPStatus.SEE_OTHER}
    check_stock()


def test_buyers_of_the_same_things_never_lock_each_other_out(standin):
    cross(standin)


def test_without_an_order_of_locks_they_do(standin, monkeypatch):
    def as_they_come(wanted: Mapping[int, int], *, store_id: int | None) -> dict[int, int]:
        records = dict(StockRecord.objects.filter(variant_id__in=list(wanted)).values_list("variant_id", "id"))
        for variant_id, quantity in wanted.items():
            stock._allocate_variant(variant_id, quantity, [records[variant_id]], stock._ALLOCATE)
        return records

    monkeypatch.setattr(stock, "allocate_stock", as_they_come)
    with pytest.raises(AssertionError):
        cross(standin)
