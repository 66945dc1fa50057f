"""The checkout's shelf: a few things that go with the order, added in one press that loses nothing of what is typed."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Address
from orders.models import CartLine, Order, Payment, ShopSettings
from recommendations import training
from shop.catalog import listing
from shop.catalog.models import Product
from tests import builders
from tests.paying import check_out, fill, form, pay, standin, standin_process
from tests.recommendations.test_training import buyers
from tests.storefront.swapping import cut_out

__all__ = ["standin", "standin_process"]  # fixtures

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
TITLES = {"Boots": 60, "Laces": 4, "Polish": 7, "Brush": 9, "Jug": 12, "Plate": 8}


@pytest.fixture
def goods():
    """Boots with laces, polish and a brush bought beside them, a jug with a plate."""
    builders.shipping_method()
    builders.tax_rate()
    ShopSettings.current().save()
    made = {
        title: builders.product(title, price=f"{price}.00", category=builders.category(title), maker=None)
        for title, price in TITLES.items()
    }
    listing.refresh_listings()
    found = {title: product.variants.get() for title, product in made.items()}
    for title in ("Laces", "Polish", "Brush"):
        buyers(5, found["Boots"], found[title])
    buyers(5, found["Jug"], found["Plate"])
    training.train_epoch()
    return found


def put_in(client, *variants) -> None:
    """Into the cart, whose page has said so already."""
    fill(client, *variants)
    client.get("/cart/")


def cut_shelf(html: str) -> str:
    found = re.search(r'<section class="additions".*?</section>', html, re.DOTALL)
    return found[0] if found else ""


def shown(html: str) -> set[str]:
    return set(re.findall(r'<h3 class="title"><a[^>]*>([^<]*)<', cut_shelf(html)))


def shown_in_cart(client) -> set[str]:
    found = re.search(
        r'<section aria-label="Goes with what is in it".*?</section>', client.get("/cart/").text, re.DOTALL
    )
    return set(re.findall(r'<h3 class="title"><a[^>]*>([^<]*)<', found[0])) if found else set()


def in_cart() -> dict[str, int]:
    return dict(CartLine.objects.values_list("variant__product__title", "quantity"))


def slug(title: str) -> str:
    return Product.objects.get(title=title).slug


def typed(**fields: str) -> dict[str, str]:
    """A form half filled in, as it is sent with a press on a button of the shelf."""
    return form(
        email="pat@", full_name="Pat <b>", line1="", city="Leeds", gift_note="Hello", mail_order_packed="on", **fields
    )


def kept(html: str) -> bool:
    return (
        all(each in html for each in ('value="pat@"', "Pat &lt;b&gt;", 'value="Leeds"', ">\nHello</textarea>"))
        and re.search(r'name="mail_order_packed"[^>]*checked', html) is not None
        and "errorlist" not in html
    )


# -- What stands on it -------------------------------------------------------------------------------------


def test_a_guest_finds_what_goes_with_the_cart_below_the_button_that_pays(client, goods):
    put_in(client, goods["Boots"])
    page = client.get("/checkout/").text
    assert shown(page) == {"Laces", "Polish", "Brush"} == shown_in_cart(client)
    assert page.index("Continue to payment") < page.index("</form><div") < page.index('class="additions"')
    assert 'data-purpose="count_in_also_bought"' in cut_shelf(page)


@pytest.mark.parametrize("ticks", [(), tuple(each.key for each in purposes.PURPOSES)], ids=["all off", "all on"])
def test_whatever_a_customers_switches_say_it_is_advice_as_the_carts_shelf_is(client, goods, ticks):
    customer = builders.customer(ticks=ticks)
    builders.paid_order(goods["Jug"], customer=customer)
    client.force_login(customer.user)
    put_in(client, goods["Boots"])
    assert shown(client.get("/checkout/").text) == {"Laces", "Polish", "Brush"} == shown_in_cart(client)


def test_nothing_stands_there_where_nothing_goes_with_it(client, goods):
    put_in(client, goods["Laces"], goods["Boots"], goods["Polish"], goods["Brush"])
    page = client.get("/checkout/").text
    assert cut_shelf(page) == ""
    assert "Goes with your order" not in page


def test_what_rests_on_withdrawn_purchases_is_gone_at_once(client, goods):
    from accounts.consent import consent
    from accounts.models import Customer

    put_in(client, goods["Jug"])
    assert shown(client.get("/checkout/").text) == {"Plate"}
    for customer in Customer.objects.filter(orders__lines__variant=goods["Jug"]):
        consent.set_consent(customer, purposes.COUNT_IN_ALSO_BOUGHT, granted=False, source="test")
    assert cut_shelf(client.get("/checkout/").text) == ""


def test_a_gift_feeds_no_shelf_and_is_on_none(client, goods):
    client.post("/cart/lines/", {"variant": goods["Boots"].pk, "is_gift": "on"})
    assert cut_shelf(client.get("/checkout/").text) == ""
    client.post("/cart/lines/", {"variant": goods["Jug"].pk})
    client.post("/cart/lines/", {"variant": goods["Plate"].pk, "is_gift": "on"})
    assert cut_shelf(client.get("/checkout/").text) == ""


def bring_out_another_size(variant):
    builders.variant(variant.product, size="9")


def sell_out(variant):
    variant.stock.update(allocated=10)


def keep_on_order(variant):
    variant.stock.update(allocated=10, backorder_limit=50)


def release_later(variant):
    Product.objects.filter(pk=variant.product_id).update(released_on=timezone.localdate() + timedelta(days=20))


def take_off_sale(variant):
    Product.objects.filter(pk=variant.product_id).update(is_published=False)


def price_in_dollars(variant):
    type(variant).objects.filter(pk=variant.pk).update(currency="USD")
    Product.objects.filter(pk=variant.product_id).update(currency="USD")


@pytest.mark.parametrize(
    "change", [bring_out_another_size, sell_out, keep_on_order, release_later, take_off_sale, price_in_dollars]
)
def test_only_what_can_be_had_at_once_and_without_a_choice_stands_there(client, goods, change):
    put_in(client, goods["Boots"])
    assert "Laces" in shown(client.get("/checkout/").text)
    change(goods["Laces"])
    assert shown(client.get("/checkout/").text) == {"Polish", "Brush"}


def test_it_is_modest_and_asks_the_database_at_most_three_times(client, goods, monkeypatch):
    from shop.storefront import shelves

    customer = builders.customer(ticks=tuple(each.key for each in purposes.PURPOSES))
    client.force_login(customer.user)
    put_in(client, goods["Boots"], goods["Jug"])
    assert len(shown(client.get("/checkout/").text)) == 3
    counts = []
    for beside in (shelves.beside_checkout, lambda lines, *, customer: shelves.FilledShelf("", [])):
        monkeypatch.setattr(shelves, "beside_checkout", beside)
        with CaptureQueriesContext(connection) as queries:
            client.get("/checkout/")
        counts.append(len(queries))
    assert 0 < counts[0] - counts[1] <= 3


# -- Adding ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["no JavaScript", "JavaScript"])
def test_adding_keeps_all_that_was_typed_and_the_sums_follow(client, goods, headers):
    far = builders.shipping_method("Courier", price="9.00")
    put_in(client, goods["Boots"])
    page = client.post("/checkout/", typed(add=slug("Laces"), method=str(far.pk)), headers=headers)
    assert page.status_code == 200
    assert in_cart() == {"Boots": 1, "Laces": 1}
    assert kept(page.text)
    assert re.search(rf'value="{far.pk}" checked', page.text)
    assert "Added: Laces. The total is £73.00 now." in page.text
    assert '<dd class="total">£73.00</dd>' in page.text
    assert 'name="total" value="73.00"' in page.text
    assert '<span class="count">2<' in page.text
    assert shown(page.text) == {"Polish", "Brush"}
    assert not Order.objects.filter(status=Order.Status.PENDING).exists()


def test_what_htmx_swaps_is_all_that_an_addition_changes(client, goods):
    """The rest of the page, where people type, is left as it is on the screen."""
    put_in(client, goods["Boots"])
    before = client.get("/checkout/").text
    button = re.search(r'<button[^>]*name="add"[^>]*>', before)[0]
    swapped = (
        re.search(r'hx-target="#([^"]*)"', button)[1],
        *re.search(r'hx-select-oob="([^"]*)"', button)[1].split(","),
    )
    after = client.post("/checkout/", form(add=slug("Laces"), email="", line1="", full_name="", city="", postcode=""))
    pages = []
    for html in (before, after.text):
        rest = re.sub(r'(name="csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", html)
        for name in swapped:
            piece = cut_out(rest, name.strip("#"))
            rest = piece.before + piece.after
        pages.append(rest)
    assert pages[0] == pages[1]


def test_an_addition_that_keeps_the_parcel_no_longer_keeps_its_date(client, goods):
    put_in(client, goods["Boots"])
    dated = re.search(r'<p class="promise">.*?</p>', client.get("/checkout/").text)[0]
    page = client.post("/checkout/", form(add=slug("Laces"))).text
    assert dated in page


@pytest.mark.parametrize("is_gift", [False, True])
def test_what_is_in_the_cart_already_is_not_added_again(client, goods, is_gift):
    put_in(client, goods["Boots"])
    CartLine.objects.create(cart=CartLine.objects.get().cart, variant=goods["Laces"], is_gift=is_gift, quantity=1)
    page = client.post("/checkout/", typed(add=slug("Laces")))
    assert in_cart() == {"Boots": 1, "Laces": 1}
    assert "Laces is in your cart already." in page.text
    assert kept(page.text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (sell_out, "Laces is out of stock just now, so it is not in your cart."),
        (take_off_sale, "That can no longer be added from here. Nothing was changed."),
        (bring_out_another_size, "That can no longer be added from here. Nothing was changed."),
        (price_in_dollars, "That can no longer be added from here. Nothing was changed."),
    ],
)
def test_what_cannot_be_had_any_more_says_so_and_nothing_is_lost(client, goods, change, words):
    put_in(client, goods["Boots"])
    value = slug("Laces")
    change(goods["Laces"])
    page = client.post("/checkout/", typed(add=value), headers=HTMX)
    assert page.status_code == 200
    assert words in page.text
    assert "Added:" not in page.text
    assert in_cart() == {"Boots": 1}
    assert kept(page.text)
    assert '<dd class="total">£63.50</dd>' in page.text


@pytest.mark.parametrize("value", ["", "no-such-thing", "<b>", "\x00", "x" * 5000, "1' OR '1'='1"])
def test_nonsense_adds_nothing(client, goods, value):
    put_in(client, goods["Boots"])
    page = client.post("/checkout/", {**form(), "add": value})
    assert page.status_code in (200, 400)
    assert in_cart() == {"Boots": 1}
    assert not Order.objects.filter(status=Order.Status.PENDING).exists()


def test_looking_at_an_address_adds_nothing(client, goods):
    put_in(client, goods["Boots"])
    client.get("/checkout/", {"add": slug("Laces")})
    assert in_cart() == {"Boots": 1}


@pytest.mark.parametrize(("headers", "status"), [({}, 303), (HTMX, 200)], ids=["no JavaScript", "JavaScript"])
@pytest.mark.parametrize("act", ["add", "reprice"])
def test_a_cart_that_is_gone_leads_to_the_whole_cart_page(client, goods, headers, status, act):
    put_in(client, goods["Boots"])
    CartLine.objects.get().cart.delete()
    answer = client.post("/checkout/", form(**{act: "1"}), headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("HX-Redirect" if headers else "Location") == "/cart/"
    assert not CartLine.objects.exists()


def test_who_turned_back_from_paying_adds_and_pays_once_for_all_of_it(client, goods, standin):
    put_in(client, goods["Boots"])
    first = check_out(client, full_name="Nick O'Time")
    page = client.get("/checkout/").text
    assert "Nick O&#x27;Time" in page
    page = client.post("/checkout/", form(add=slug("Laces"), full_name="Nick O'Time")).text
    first.refresh_from_db()
    assert first.status == Payment.Status.OPEN, "left to the next press of the button that pays"
    total_now = re.search(r'name="total" value="([^"]*)"', page)[1]
    second = check_out(client, full_name="Nick O'Time", total=total_now)
    first.refresh_from_db()
    assert (first.status, first.order.status) == ("expired", "cancelled")
    assert (second.order_id != first.order_id, second.amount) == (True, 67.5)
    order = pay(client, standin, second)
    assert set(order.lines.values_list("title", flat=True)) == {"Boots", "Laces"}
    assert order.payments.filter(status=Payment.Status.CAPTURED).count() == 1


# -- Enter -------------------------------------------------------------------------------------------------


def test_enter_in_a_field_goes_on_to_payment_and_presses_nothing_else(client, goods):
    customer = builders.customer()
    for street in ("1 High Street", "9 Mill Lane"):
        Address.objects.create(
            customer=customer, full_name="Ada", line1=street, city="York", postcode="YO1 1AA", country="GB"
        )
    client.force_login(customer.user)
    put_in(client, goods["Boots"])
    page = client.get("/checkout/").text
    page = page[page.index('id="checkout"') :]
    buttons = re.findall(r"<button[^>]*>", page)
    assert "use_address" in str(buttons)
    assert 'name="add"' in str(buttons)
    assert not re.search(r"\b(name|type|formaction|disabled|form)\b", buttons[0].replace('class="hush"', ""))
    assert 'tabindex="-1" aria-hidden="true"' in buttons[0]
    assert page.index(buttons[0]) < min(page.index(f"<{tag} ") for tag in ("section", "select"))
    assert all("formnovalidate" in each for each in buttons if "name=" in each)
    assert all(page.index(one) < page.index(other) for one, other in pairwise(dict.fromkeys(buttons)))
