"""Checkout over HTTP, with the Stripe stand-in behind it."""

import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.contrib.messages import get_messages

from accounts.consent import consent, purposes
from accounts.models import Address, Consent, ConsentRequest, Customer
from orders import rate_limits
from orders.models import Allocation, Cart, CartLine, Order, OrderEvent, OrderTick, Payment, ShopSettings
from tests import builders
from tests.page import Page, read_words
from tests.paying import check_books, check_out, check_stock, fill, form, pay

pytestmark = pytest.mark.django_db

NUMBER = re.compile(r"SW-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{2}")


def questions(context) -> list[str]:
    """What was asked of the database; opening and closing a transaction is no question."""
    control = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")
    return [query["sql"] for query in context.captured_queries if not query["sql"].startswith(control)]


def nothing_was_ordered(standin) -> None:
    assert not Order.objects.exists()
    assert not Allocation.objects.exists()
    assert not standin.requests(method="POST", path="/v1/")
    check_stock()


def test_a_guest_buys_and_nothing_but_an_order_is_made(client, standin):
    builders.tax_rate()
    socks = builders.product("Rag wool socks", price="14.00", on_hand=5, sizes=("13",)).variants.get()
    fill(client, socks, quantity=2)
    payment = check_out(client, email="Pat@Example.com")
    order = payment.order
    assert order.status == Order.Status.PENDING
    assert (order.email, order.customer) == ("pat@example.com", None)
    assert (order.subtotal, order.shipping_total, order.total) == (28, 3.50, 31.50)
    assert (order.tax_total, order.lines.get().tax_amount) == (Decimal("5.25"), Decimal("4.67"))
    assert (socks.stock.get().allocated, CartLine.objects.count()) == (2, 1)

    order = pay(client, standin, payment)
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert order.placed_at
    assert list(order.events.values_list("kind", flat=True)) == [OrderEvent.Kind.PLACED]
    assert not CartLine.objects.exists()
    assert client.session["cart_count"] == 0
    assert NUMBER.fullmatch(order.number)
    page = client.get(f"/orders/{order.number}/")
    assert "Placed and paid" in page.text
    assert "Rag wool socks" in page.text
    assert not Customer.objects.exists()
    assert not Consent.objects.exists()
    check_stock()
    check_books(standin)


def test_the_page_names_its_fields_and_preselects_country_and_delivery(client, standin):
    builders.shipping_method()
    fill(client)
    page = client.get("/checkout/")
    for label in ("E-mail", "Full name", "Address", "City", "Postcode", "Country"):
        assert re.search(rf"<label[^>]*>{label}( <span|</label>)", page.text), label
    assert '<option value="GB" selected>' in page.text
    assert re.search(r'type="radio" name="method" value="\d+" checked', page.text)
    assert find_order_button(page.text) == "Continue to payment – order and pay £17.50"
    assert "no-store" in page.headers["Cache-Control"]
    ticked = re.findall(r'<input type="checkbox"[^>]*checked', page.text)
    assert ticked == []


def find_order_button(page: str) -> str:
    [name] = [each.text for form in Page(page).forms for each in form.buttons if each.text.startswith("Continue")]
    return name


def test_goods_total_and_dates_stand_directly_above_the_button_that_orders_and_says_that_one_pays(client):
    builders.shipping_method(days_min=2, days_max=3)
    fill(client, builders.product("Rag wool socks", sizes=("13",)).variants.get(), quantity=2)
    page = client.get("/checkout/").text
    before = page[page.index('id="summary"') : page.index("Continue to payment")]
    words = " ".join(read_words(before).replace("&nbsp;", " ").split())
    goods, total, dates = (
        words.index("2 × Rag wool socks, size 13"),
        words.index("Total £31.50"),
        words.index("arrives"),
    )
    assert goods < total < dates
    assert "<section" not in before
    assert "<input" not in before[before.index("arrives") :].replace('<input type="hidden"', "")
    assert find_order_button(page) == "Continue to payment – order and pay £31.50"


def test_an_order_that_costs_nothing_says_so_on_its_button(client):
    builders.shipping_method(price="0.00")
    fill(client, builders.variant(price="0.00"))
    assert find_order_button(client.get("/checkout/").text) == "Continue to payment – order, with nothing to pay"


def test_an_empty_cart_leads_back_to_the_cart(client):
    response = client.get("/checkout/")
    assert (response.status_code, response.url) == (303, "/cart/")


def test_a_mistake_keeps_everything_typed_and_orders_nothing(client, standin):
    fill(client)
    response = client.post(
        "/checkout/", form(email="pat@", full_name="Pat <b>", city="Leeds", mail_order_packed="on", gift_note="Hello")
    )
    assert response.status_code == 200
    assert 'value="pat@"' in response.text
    assert "Pat &lt;b&gt;" in response.text
    assert "Hello" in response.text
    assert re.search(r'name="mail_order_packed"[^>]*checked', response.text)
    nothing_was_ordered(standin)


@pytest.mark.parametrize(
    "fields",
    [
        {"email": ""},
        {"email": "a@localhost"},
        {"full_name": ""},
        {"line1": "x" * 500},
        {"country": "XX"},
        {"method": "999999"},
        {"method": "x"},
        {"postcode": ""},
        {"gift_note": "x" * 281},
        {"total": "NaN"},
    ],
)
def test_malformed_details_are_refused_in_words(client, standin, fields):
    fill(client)
    response = client.post("/checkout/", form(**fields))
    assert response.status_code == 200
    assert "errorlist" in response.text
    nothing_was_ordered(standin)


def test_reworking_the_page_orders_nothing_and_complains_about_nothing(client, standin):
    far = builders.shipping_method("Air mail", price="12.00", countries=["FR"])
    fill(client, builders.variant(price="10.00"))
    response = client.post("/checkout/", form(country="FR", email="", method="", reprice="1", city="Lyon"))
    assert response.status_code == 200
    assert "errorlist" not in response.text
    assert far.name in response.text
    assert 'value="Lyon"' in response.text
    nothing_was_ordered(standin)


def test_a_method_that_does_not_go_there_is_refused(client, standin):
    home = builders.shipping_method("Bicycle", countries=["GB"])
    builders.shipping_method("Air mail", countries=["FR"])
    fill(client)
    response = client.post("/checkout/", form(country="FR", method=str(home.pk)))
    assert "That one does not go there" in response.text
    nothing_was_ordered(standin)


def test_a_guests_ticks_belong_to_the_order_alone(client, standin):
    builders.customer("pat@example.com")  # somebody has an account with that address
    fill(client)
    payment = check_out(client, mail_order_dispatched="on")
    tick = OrderTick.objects.get()
    assert (tick.order, tick.purpose, tick.granted) == (payment.order, purposes.MAIL_ORDER_DISPATCHED, True)
    assert payment.order.customer is None
    assert not Consent.objects.exists()


def test_a_guests_newsletter_tick_asks_the_address_once_the_order_is_paid(client, standin):
    fill(client)
    payment = check_out(client, newsletter="on")
    assert not ConsentRequest.objects.exists()
    pay(client, standin, payment)
    assert ConsentRequest.objects.get().email == "pat@example.com"
    assert not Consent.objects.exists()


def test_a_customer_sees_and_changes_their_own_switches(client, standin):
    customer = builders.customer("ada@example.com", ticks=(purposes.MAIL_ORDER_PACKED, purposes.NEWSLETTER))
    client.force_login(customer.user)
    fill(client)
    page = client.get("/checkout/").text
    assert re.search(r'name="mail_order_packed"[^>]*checked', page)
    shown = re.search(r'name="shown" value="([^"]*)"', page)[1]
    payment = check_out(client, email="ada@example.com", shown=shown, newsletter="on", mail_order_dispatched="on")
    assert consent.get_granted_purposes(customer) == {purposes.NEWSLETTER, purposes.MAIL_ORDER_DISPATCHED}
    assert payment.order.customer == customer
    assert not OrderTick.objects.exists()


def test_a_switch_turned_off_elsewhere_is_not_turned_on_by_an_old_page(client, standin):
    customer = builders.customer("ada@example.com")
    client.force_login(customer.user)
    fill(client)
    check_out(client, email="ada@example.com", shown="newsletter", newsletter="on")
    assert consent.get_granted_purposes(customer) == frozenset()


def test_a_customers_address_book_fills_the_page_and_remembers_on_request(client, standin):
    customer = builders.customer("ada@example.com")
    client.force_login(customer.user)
    fill(client)
    check_out(client, remember="on")
    assert Address.objects.get().line1 == "1 High Street"
    other = Address.objects.create(
        customer=customer, full_name="Ada", line1="9 Mill Lane", city="York", postcode="YO1 1AA", country="GB"
    )
    page = client.get("/checkout/")
    assert 'value="1 High Street"' in page.text
    page = client.post("/checkout/", form(use_address=str(other.pk), gift_note="Keep me"))
    assert 'value="9 Mill Lane"' in page.text
    assert "Keep me" in page.text


def test_nobody_elses_address_can_be_fetched(client, standin):
    stranger = builders.customer()
    theirs = Address.objects.create(
        customer=stranger, full_name="S", line1="Secret Row", city="York", postcode="YO1", country="GB"
    )
    client.force_login(builders.customer().user)
    fill(client)
    page = client.post("/checkout/", form(use_address=str(theirs.pk)))
    assert "Secret Row" not in page.text


def test_what_sold_out_meanwhile_is_named_and_nothing_is_kept(client, standin):
    mug = builders.product("Tin mug", on_hand=2).variants.get()
    socks = builders.variant()
    fill(client, socks, mug)
    mug.stock.update(allocated=2)
    response = client.post("/checkout/", form())
    assert response.status_code == 409
    assert "Tin mug has just sold out" in response.text
    assert not Order.objects.exists()
    assert socks.stock.get().allocated == 0
    assert CartLine.objects.count() == 2


def test_going_back_from_the_payment_page_keeps_the_cart(client, standin):
    fill(client)
    payment = check_out(client)
    _, back, _ = standin.click(payment.provider_reference, "back")
    response = client.get(back.removeprefix("http://localhost:8000"))
    assert response.url == "/cart/"
    assert "Nothing was charged" in " ".join(map(str, get_messages(response.wsgi_request)))
    assert CartLine.objects.count() == 1
    assert check_out(client).pk == payment.pk


def test_the_same_form_twice_is_one_order_and_one_session(client, standin):
    fill(client)
    first, second = check_out(client), check_out(client)
    assert first.pk == second.pk
    assert Order.objects.count() == 1
    assert len(standin.requests(method="POST", path="/v1/checkout/sessions")) == 1


def test_another_address_ends_the_first_session_before_a_new_one_is_begun(client, standin):
    mug = builders.variant(on_hand=1)
    fill(client, mug)
    first = check_out(client)
    second = check_out(client, line1="2 High Street")
    first.refresh_from_db()
    assert (first.status, first.order.status) == ("expired", "cancelled")
    assert second.order_id != first.order_id
    assert mug.stock.get().allocated == 1
    assert standin.click(first.provider_reference, "pay")[0] != 303
    order = pay(client, standin, second)
    assert order.line1 == "2 High Street"
    check_books(standin)
    check_stock()


def test_an_order_with_nothing_to_pay_is_placed_without_a_payment(client, standin):
    free = builders.shipping_method("On foot", price="0.00")
    fill(client, builders.variant(price="0.00"))
    response = client.post("/checkout/", form(method=str(free.pk)))
    order = Order.objects.get()
    assert response.url == f"/orders/{order.number}/"
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert not Payment.objects.exists()
    assert not standin.requests(method="POST", path="/v1/")
    assert not CartLine.objects.exists()


def test_obvious_orders_approve_themselves(client, standin):
    ShopSettings.objects.update_or_create(id=1, defaults={"approve_up_to": "50.00"})
    fill(client)
    order = pay(client, standin, check_out(client))
    assert order.approved_at
    assert order.shipments.count() == 1


def test_placing_an_order_asks_the_database_at_most_twenty_times(client, standin, django_assert_max_num_queries):
    fill(client, *[builders.variant() for _ in range(3)])
    fields = form(mail_order_packed="on")
    ShopSettings.current().save()
    with django_assert_max_num_queries(60) as captured:
        assert client.post("/checkout/", fields).status_code == 303
    assert len(questions(captured)) <= 20, "\n".join(questions(captured))


def test_what_was_added_after_paying_began_stays_in_the_cart(client, standin):
    socks, mug = builders.variant(), builders.variant()
    fill(client, socks)
    payment = check_out(client)
    fill(client, socks, mug)
    pay(client, standin, payment)
    assert dict(Cart.objects.get().lines.values_list("variant_id", "quantity")) == {socks.pk: 1, mug.pk: 1}


def test_what_is_missing_is_named_and_the_rest_kept(client, standin):
    fill(client, builders.product().variants.get())
    page = client.post("/checkout/", form(postcode="", city="", email="pat@example")).text
    assert 'Please look again at <a href="#id_email">E-mail</a>, <a href="#id_city">City</a>' in page
    assert 'and <a href="#id_postcode">Postcode</a>. The rest is as you typed it.' in page
    assert "That is not a whole address" in page
    assert 'value="pat@example"' in page
    assert '<label for="id_postcode">Postcode</label>' in page
    nothing_was_ordered(standin)


def test_a_country_without_postcodes_asks_for_none(client, standin):
    fill(client, builders.product().variants.get())
    page = client.post("/checkout/", form(postcode="", country="IE", city="")).text
    assert 'Please look again at <a href="#id_city">City</a>.' in page


@pytest.fixture
def one_minute(monkeypatch):
    """However long the test takes."""
    monkeypatch.setattr(rate_limits, "time", SimpleNamespace(time=lambda: 30.0))


@pytest.mark.usefixtures("one_minute")
def test_a_flood_from_one_address_is_asked_to_wait_and_a_forged_address_does_not_move_it(client, standin, settings):
    settings.CHECKOUTS_PER_MINUTE = 2
    fill(client)
    for _ in range(2):
        check_out(client)
    response = client.post("/checkout/", form(line1="3 High Street"), headers={"X-Forwarded-For": "203.0.113.7"})
    assert response.status_code == 429
    assert 'value="3 High Street"' in response.text
    assert Order.objects.count() == 1
    assert client.get("/cart/").status_code == 200


@pytest.mark.usefixtures("one_minute")
def test_a_flood_does_not_move_through_its_own_ipv6_network(client, standin, settings):
    settings.CHECKOUTS_PER_MINUTE = 1
    fill(client)
    first, next_door, elsewhere = "2001:db8:1:2::1", "2001:db8:1:2::9", "2001:db8:1:3::1"
    assert client.post("/checkout/", form(), REMOTE_ADDR=first).status_code == 303
    assert client.post("/checkout/", form(), REMOTE_ADDR=next_door).status_code == 429
    assert Order.objects.count() == 1
    assert client.post("/checkout/", form(), REMOTE_ADDR=elsewhere).status_code == 303


def test_who_turns_back_from_paying_finds_what_was_typed(client, standin):
    fill(client, builders.product().variants.get())
    check_out(client, full_name="Nick O'Time", mail_order_packed="on")
    page = client.get("/checkout/").text
    assert 'value="Nick O&#x27;Time"' in page
    assert re.search(r'name="mail_order_packed"[^>]*checked', page)
    assert not re.search(r'name="mail_order_approved"[^>]*checked', page)
    client.cookies.clear()
    fill(client, builders.product().variants.get())
    assert "O&#x27;Time" not in client.get("/checkout/").text, "nobody else's"
