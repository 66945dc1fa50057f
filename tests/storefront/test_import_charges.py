"""Who pays tax and duty where a parcel passes customs: said in the cart, on the order's page and in its mails."""

import pytest
from django.utils import timezone

from orders import order_access, staff_orders
from orders.models import Order
from orders.shop_terms import load_terms
from orders.staff_orders import Channel, DraftLine, OrderDraft
from shop.storefront import page_cache
from tests import builders
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words
from tests.paying import BUYER

__all__ = ["sink"]

pytestmark = pytest.mark.django_db

BESIDE_ALL = "Tax and duty may be asked there of whoever receives it; they are not in the price."
DUTY_ALONE = "is in the price; duty may be asked there of whoever receives it."


def words_of(client, address: str) -> str:
    page_cache.clear()
    return " ".join(read_words(client.get(address).text).split())


def order_page(client, order: Order) -> str:
    client.get(order_access.build_order_link(order).removeprefix("http://localhost:8000"))
    return words_of(client, order.get_absolute_url())


@pytest.mark.parametrize(("countries", "is_said"), [([], True), (["GB", "IE"], True), (["GB", "JE"], False)])
def test_the_cart_says_so_where_a_way_of_delivery_leads_over_a_customs_border(client, countries, is_said):
    builders.shipping_method(countries=countries)
    client.post("/cart/lines/", {"variant": builders.variant().pk})
    assert ("Sent over a customs border, a parcel may cost tax or duty" in words_of(client, "/cart/")) is is_said


@pytest.mark.parametrize(("country", "is_said"), [("IE", True), ("JE", False)])
def test_the_cart_of_a_chosen_country_says_what_that_border_asks(client, country, is_said):
    """Measured from the shop's own country, also where the chosen one has none to its neighbour."""
    builders.shipping_method(countries=["GB", "IE", "JE", "FR"])
    client.post("/cart/lines/", {"variant": builders.variant().pk})
    client.post("/cart/country/", {"country": country})
    words = words_of(client, "/cart/")
    assert ("Going to Ireland, the parcel passes customs." in words) is is_said
    assert "customs border" not in words


@pytest.mark.parametrize(
    ("country", "tax", "said"),
    [("US", "0", BESIDE_ALL), ("CI", "0", BESIDE_ALL), ("IE", "2.33", DUTY_ALONE), ("GB", "2.33", ""), ("JE", "0", "")],
)
def test_order_page_and_receipt_say_the_same_to_whoever_bought(client, sink, country, tax, said):
    order = builders.placed_order(country=country, tax_total=tax)
    relay_and_deliver()
    [receipt] = sink.received
    for words in (order_page(client, order), " ".join(receipt.text.split()), " ".join(receipt.html.split())):
        assert ("the parcel passes customs" in words) is bool(said)
        assert said in words


@pytest.mark.parametrize("ended", [{"status": "cancelled"}, {"fulfilment_status": "delivered"}])
def test_of_what_travels_no_more_the_order_page_says_nothing(client, ended):
    order = builders.placed_order(country="US")
    assert BESIDE_ALL in order_page(client, order)
    Order.objects.filter(pk=order.pk).update(cancelled_at=timezone.now(), **ended)
    assert "passes customs" not in order_page(client, order)


def test_who_ordered_by_phone_reads_it_before_paying(client, sink):
    address = {name: value for name, value in BUYER.items() if name != "email"} | {"country": "US", "region": "NY"}
    draft = OrderDraft(
        lines=[DraftLine(builders.variant(), 1)],
        address=address,
        method=builders.shipping_method(),
        channel=Channel.PHONE,
        email="pat@example.com",
    )
    order = staff_orders.create_draft_order(draft, actor="Sam", terms=load_terms())
    relay_and_deliver()
    [mail] = sink.received
    assert mail.topic == "order_to_pay"
    for words in (mail.text, mail.html, order_page(client, order)):
        assert BESIDE_ALL in " ".join(words.split())
