"""A postcode that takes longer, costs more or is not reached: what a buyer reads before paying, and what is kept."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.fulfilment import transitions
from orders.models import Allocation, InfoPage, Order, ShopSettings
from orders.papers import issuing
from orders.papers.invoices import render_invoice
from orders.papers.packing_slips import render_packing_slips
from orders.promise import format_date_range
from shop.catalog.models import Product
from shop.storefront import page_cache
from tests import builders
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words
from tests.papers.reading import read_pdf
from tests.paying import BUYER, check_books, check_out, check_stock, fill, pay, standin, standin_process

__all__ = ["sink", "standin", "standin_process"]

pytestmark = pytest.mark.django_db

ISLAND = {"postcode": "HS1 2AA"}


def read(response) -> str:
    return " ".join(read_words(response.text).replace("\xa0", " ").split())


@pytest.fixture
def post():
    page_cache.clear()
    builders.tax_rate()
    return builders.shipping_method("Post", price="3.50", days_min=2, days_max=3)


@pytest.fixture
def cart(client, post):
    fill(client, builders.product("Tin mug", price="10.00").variants.get())
    return client


def send(post, **fields: str) -> dict[str, str]:
    return {**BUYER, "method": str(post.pk), **fields}


def nothing_was_ordered(standin) -> None:
    assert not Order.objects.exists()
    assert not Allocation.objects.exists()
    assert not standin.requests(method="POST", path="/v1/")
    check_stock()


def test_the_surcharge_has_its_own_words_before_paying_and_wherever_the_sum_is_said(
    cart, admin_client, post, standin, sink
):
    builders.delivery_zone()
    page = cart.post("/checkout/", send(post, **ISLAND, reprice="1"))
    words = read(page)
    assert "Post £3.50 Surcharge for Scottish islands £4.00 Total £17.50" in words
    assert "Scottish islands: 2 working days more and £4.00 more." in words
    assert "£2.92" in words, "the tax inside all of it"
    total = re.search(r'name="total" value="([^"]*)"', page.text)[1]
    order = pay(cart, standin, check_out(cart, **send(post, **ISLAND, total=total)))
    assert (order.total, order.zone_surcharge, order.zone_days) == (Decimal("17.50"), Decimal("4.00"), 2)
    assert (order.tax_total, order.ordinary_shipping_total) == (Decimal("2.92"), Decimal("7.50"))
    days = format_date_range(order.promised_from_on, order.promised_by_on, timezone.localdate())
    assert days in words
    mine = read(cart.get(f"/orders/{order.number}/"))
    assert "Post, Scottish islands £3.50 Surcharge for Scottish islands £4.00" in mine
    relay_and_deliver()
    [receipt] = [" ".join(mail.text.split()) for mail in sink.received if mail.topic == "receipt"]
    assert "Delivery (Post, Scottish islands): £3.50" in receipt.replace(" £", ": £").replace("::", ":")
    assert "Surcharge for Scottish islands" in receipt
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get()
    slip = " ".join(read_pdf(render_packing_slips([parcel], ShopSettings.current())).text.split())
    desk = read(admin_client.get(reverse("admin:orders_order_change", args=[order.pk])))
    for said in (mine, receipt, slip):
        assert days in said
        assert "Scottish islands" in said
    assert "£" not in slip
    assert "Surcharge for Scottish islands £4.00" in desk
    issuing.issue_for_order(order.pk)
    [invoice] = order.invoices.all()
    assert "Delivery: surcharge for Scottish islands" in " ".join(read_pdf(render_invoice(invoice)).text.split())
    check_books(standin)


def test_elsewhere_nothing_is_paid_on_top_and_nothing_takes_longer(cart, post, standin):
    builders.delivery_zone()
    order = pay(cart, standin, check_out(cart, **send(post)))
    assert (order.total, order.zone_name, order.zone_days) == (Decimal("13.50"), "", 0)
    assert "Surcharge" not in read(cart.get(f"/orders/{order.number}/"))


def test_a_refused_postcode_is_a_sentence_beside_it_and_all_that_was_typed_is_kept(cart, post, standin):
    builders.delivery_zone("HS", name="Outer Hebrides", is_refused=True)
    courier = builders.shipping_method("Courier", price="9.00", position=1)
    typed = send(courier, **ISLAND, full_name="Nick O'Time", gift_note="Hello", mail_order_packed="on")
    answer = cart.post("/checkout/", typed)
    assert answer.status_code == 200
    sentence = "We do not deliver to HS1 2AA (Outer Hebrides). Please give another address, or write to us."
    assert read(answer).count(sentence) == 1
    field = answer.context["form"]["postcode"]
    assert list(field.errors) == [sentence]
    assert [each.name for each in answer.context["form"].problems] == ["postcode"]
    assert "Nick O&#x27;Time" in answer.text
    assert "Hello" in answer.text
    assert f'value="{courier.pk}" checked' in " ".join(answer.text.split())
    assert re.search(r'name="mail_order_packed"[^>]*checked', answer.text)
    nothing_was_ordered(standin)
    assert cart.post("/checkout/", typed | {"postcode": "LS1 1AA"}).status_code == 303


def test_typed_and_not_yet_sent_the_refusal_stands_there_already_and_no_day_is_promised(cart, post):
    builders.delivery_zone("HS", name="Outer Hebrides", is_refused=True)
    words = read(cart.post("/checkout/", send(post, **ISLAND, reprice="1")))
    assert "We do not deliver to HS1 2AA (Outer Hebrides)." in words
    assert "arrives" not in words
    assert "Delivery not to this postcode" in words
    assert "Continue to payment – with another postcode" in words
    assert "Total" not in words
    assert "order and pay" not in words


def test_after_a_refused_postcode_no_sum_is_taken_as_seen_before_it_stood_on_the_page(cart, post, standin):
    builders.delivery_zone("HS", name="Outer Hebrides", is_refused=True)
    page = cart.post("/checkout/", send(post, **ISLAND, reprice="1"))
    total = re.search(r'name="total"\s+value="([^"]*)"', page.text)
    assert total
    answer = cart.post("/checkout/", send(post, postcode="LS1 1AA", total=total[1]))
    assert answer.status_code == 409
    nothing_was_ordered(standin)
    shown = re.search(r'name="total"\s+value="([^"]*)"', answer.text)
    assert cart.post("/checkout/", send(post, postcode="LS1 1AA", total=shown[1])).status_code == 303


def test_a_way_that_does_not_go_there_is_not_offered_and_another_is(cart, post, standin):
    courier = builders.shipping_method("Courier", price="9.00", position=1)
    builders.delivery_zone("HS", name="Outer Hebrides", is_refused=True, method=post)
    page = cart.post("/checkout/", send(post, **ISLAND, reprice="1"))
    assert [each.method for each in page.context["deliveries"]] == [courier]
    assert "That one does not go there" in cart.post("/checkout/", send(post, **ISLAND)).text
    nothing_was_ordered(standin)
    assert cart.post("/checkout/", send(courier, **ISLAND)).status_code == 303


def test_a_surcharge_set_while_the_page_was_open_is_shown_before_it_is_charged(cart, post, standin):
    shown = {"total": "13.50"}
    builders.delivery_zone()
    answer = cart.post("/checkout/", send(post, **ISLAND, **shown))
    assert answer.status_code == 409
    assert "All of it comes to £17.50 now" in read(answer)
    nothing_was_ordered(standin)


def test_without_a_new_look_a_postcode_that_costs_more_is_shown_before_it_is_charged(cart, post, standin):
    """Without JavaScript nothing works it out while one types."""
    builders.delivery_zone()
    total = re.search(r'name="total" value="([^"]*)"', cart.get("/checkout/").text)[1]
    assert cart.post("/checkout/", send(post, **ISLAND, total=total)).status_code == 409
    nothing_was_ordered(standin)


def test_before_an_address_is_known_pages_say_the_ordinary_days_and_that_some_take_longer(cart, post):
    pages = (Product.objects.get().get_absolute_url(), "/cart/", "/checkout/")
    before = [read(cart.get(page)) for page in pages]
    builders.delivery_zone()
    page_cache.clear()
    after = [read(cart.get(page)) for page in pages]
    for was, now in zip(before, after, strict=True):
        assert "Some postcodes" not in was
        assert "Some postcodes take longer or cost more." in now
        days = set(re.findall(r"arrives [^.]*", was))
        assert days
        assert days <= set(re.findall(r"arrives [^.]*", now))


def test_where_a_zone_is_the_postcode_has_to_be_given(cart, post, standin):
    """Where addresses do without one, leaving it out would else save the surcharge."""
    builders.delivery_zone("V94", country="IE")
    answer = cart.post("/checkout/", send(post, country="IE", postcode=""))
    assert answer.context["form"]["postcode"].errors
    nothing_was_ordered(standin)


def test_the_page_about_delivery_lists_where_it_is_different(client, post):
    builders.delivery_zone()
    builders.delivery_zone("ZE", name="Shetland", is_refused=True, method=post)
    written = {"title": "Delivery", "facts": InfoPage.Facts.DELIVERY, "is_published": True}
    InfoPage.objects.update_or_create(slug="delivery", defaults=written)
    words = read(client.get("/pages/delivery/"))
    assert "Scottish islands 2 working days more and £4.00 more United Kingdom: HS, IV, KW1-KW14" in words
    assert "Shetland we do not deliver there, by Post United Kingdom: ZE" in words


@pytest.mark.parametrize("page", ["/cart/", "/checkout/"])
def test_zones_cost_no_statement(cart, post, page, django_assert_num_queries):
    cart.get(page)
    with CaptureQueriesContext(connection) as captured:
        cart.get(page)
    builders.delivery_zone()
    with django_assert_num_queries(len(captured)):
        assert "Some postcodes" in read(cart.get(page))
