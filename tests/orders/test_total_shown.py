"""Nothing is charged but the sum that the page showed: what changed meanwhile is shown first."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Allocation, Order, Payment, ShippingMethod
from shop.catalog.models import Variant
from tests import builders
from tests.page import Page, read_words
from tests.paying import BUYER, check_stock, fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def post() -> ShippingMethod:
    return builders.shipping_method(price="3.50", extra_parcel_price="2.00")


@pytest.fixture
def courier() -> ShippingMethod:
    return builders.shipping_method("Courier", price="9.00", position=1)


@pytest.fixture
def goods(client) -> tuple[Variant, Variant]:
    """In the cart: one that is here, for 10.00, and one that is to come, for 3.90."""
    here, later = builders.variant(price="10.00"), builders.variant(price="3.90", on_hand=0)
    later.stock.update(backorder_limit=9, restock_on=timezone.localdate() + timedelta(days=40))
    fill(client, here, later)
    return here, later


def look(client, **choice: str) -> dict[str, str]:
    """All that the page would send, once it has worked out what was chosen."""
    page = client.post("/checkout/", BUYER | choice | {"reprice": "1"}).text
    return BUYER | choice | {"total": read_total(page)}


def read_total(page: str) -> str:
    return re.search(r'name="total" value="([^"]*)"', page)[1]


def read_button(page: str) -> str:
    [name] = [each.text for form in Page(page).forms for each in form.buttons if each.text.startswith("Continue")]
    return name


def nothing_was_ordered(standin) -> None:
    assert not Order.objects.exists()
    assert not Allocation.objects.exists()
    assert not standin.requests(method="POST", path="/v1/")
    check_stock()


CHANGES = {
    "a price": (Variant, {"price": "11.00"}, {}, "£18.40"),
    "the postage": (ShippingMethod, {"price": "4.25"}, {}, "£18.15"),
    "a second parcel": (ShippingMethod, {"extra_parcel_price": "5.00"}, {"parcels": "two"}, "£22.40"),
    "free delivery from a sum": (ShippingMethod, {"free_from": "12.00"}, {}, "£13.90"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_since_the_page_was_opened_is_shown_before_it_is_charged(client, standin, post, goods, change):
    model, fields, choice, now = CHANGES[change]
    sent = look(client, method=str(post.pk), **choice)
    model.objects.filter(pk={Variant: goods[0], ShippingMethod: post}[model].pk).update(**fields)
    answer = client.post("/checkout/", sent)
    assert answer.status_code == 409
    assert f"All of it comes to {now} now" in read_words(answer.text)
    assert f"order and pay {now}" in read_button(answer.text)
    nothing_was_ordered(standin)
    assert client.post("/checkout/", sent | {"total": read_total(answer.text)}).status_code == 303
    payment = Payment.objects.get()
    assert (payment.order.total_text, payment.amount) == (now, payment.order.total)


def test_another_way_chosen_without_a_new_look_is_shown_before_it_is_charged(client, standin, post, courier, goods):
    sent = look(client, method=str(post.pk))
    answer = client.post("/checkout/", sent | {"method": str(courier.pk)})
    assert answer.status_code == 409
    assert "order and pay £22.90" in read_button(answer.text)
    nothing_was_ordered(standin)


def test_a_way_that_is_gone_is_named_and_the_page_has_the_sum_of_another(client, standin, post, courier, goods):
    sent = look(client, method=str(post.pk))
    ShippingMethod.objects.filter(pk=post.pk).update(is_active=False)
    answer = client.post("/checkout/", sent)
    assert "That one does not go there" in answer.text
    assert "order and pay £22.90" in read_button(answer.text)
    nothing_was_ordered(standin)


@pytest.mark.parametrize("choice", [{}, {"parcels": "two"}], ids=["one parcel", "two parcels"])
def test_what_the_page_showed_is_what_is_charged(client, standin, post, goods, choice):
    sent = look(client, method=str(post.pk), **choice)
    assert client.post("/checkout/", sent).status_code == 303
    assert str(Payment.objects.get().amount) == sent["total"]
