"""What was said of sending back when something was bought stands, whatever staff set afterwards."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from orders import order_access
from orders.models import Order, ReturnExclusion
from orders.returns.steps import receive_return
from orders.staff_orders import DraftLine
from shop.backoffice.dispute_evidence import _describe_policy
from shop.storefront import page_cache
from tests import builders
from tests.orders.test_staff_orders import enter
from tests.person import Person
from tests.returns.selling import came, exchanged, returned, take_back
from tests.returns.test_requesting import refuse

pytestmark = pytest.mark.django_db

RETURN = "Return or exchange something"
AGREED = {"return_window_days": 30, "pays_return_postage": False, "offers_exchange": True, "return_refund_days": 14}


@pytest.fixture(autouse=True)
def _shop():
    cache.clear()


def came_as_agreed(*, is_left_out: bool = False) -> Order:
    """Twenty days ago; since then everything in the settings has become another."""
    order = came(days_ago=20, **AGREED)
    order.lines.update(is_left_out_of_returns=is_left_out)
    take_back(days=7, pays_return_postage=True, offers_exchange=False, return_refund_days=3)
    if not is_left_out:
        ReturnExclusion.objects.create(product=order.lines.get().product)
    page_cache.clear()
    return order


def open_order(order: Order) -> Person:
    return Person().open(order_access.build_order_link(order))


def test_the_buyer_is_asked_and_told_as_it_was_agreed():
    order = came_as_agreed()
    person = open_order(order).click(RETURN)
    assert person.sees("You pay for sending it back.")
    assert person.sees("Another size or colour")
    assert not person.sees("is not taken back")
    made = exchanged(order)
    page = open_order(order).open(f"/orders/{order.number}/returns/{made.number}/")
    assert page.sees("The postage back is yours to pay.")


def test_it_is_settled_in_the_days_that_were_agreed():
    noted = receive_return(returned(came_as_agreed()).pk, actor="Sam")
    assert noted.due_on == timezone.localdate() + timedelta(days=14)


def test_what_was_left_out_when_it_was_bought_stays_so():
    order = came_as_agreed(is_left_out=True)
    assert "not taken back" in refuse(order)
    assert open_order(order).click(RETURN).sees("is not taken back once it was bought")


def test_a_disputes_evidence_says_what_was_agreed():
    said = list(_describe_policy(came_as_agreed()))
    assert "Sending back by choice is paid by the buyer." in said
    assert any("within 30 days" in each for each in said)


@pytest.mark.parametrize("is_left_out", [False, True])
def test_an_order_keeps_what_is_so_when_it_is_made(is_left_out):
    take_back(days=45, pays_return_postage=True, offers_exchange=False, return_refund_days=9)
    goods = builders.product("Tin mug")
    if is_left_out:
        goods.category.parent = builders.category("Kitchen")
        goods.category.save()
        ReturnExclusion.objects.create(category=goods.category.parent)
    order = enter(DraftLine(goods.variants.get(), 1))
    kept = {name: getattr(order, name) for name in AGREED}
    assert kept == {
        "return_window_days": 45,
        "pays_return_postage": True,
        "offers_exchange": False,
        "return_refund_days": 9,
    }
    assert order.lines.get().is_left_out_of_returns is is_left_out
