"""Sentences that claim a state, each read beside that state and beside its opposite."""

from decimal import Decimal

import pytest

from accounts.consent import consent, purposes
from accounts.people import tokens
from notifications import delivery, links
from orders import cancellation, order_access
from orders.models import Order, Payment, Refund
from orders.payments import checkout_sessions, refunds
from shop.catalog import listing
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.acts import Kind
from tests.notifications.conftest import sink
from tests.paying import check_out, fill, pay, standin, standin_process
from tests.storefront.test_asks import GPC

pytestmark = pytest.mark.django_db
__all__ = ["sink", "standin", "standin_process"]
HISTORY = purposes.VISITOR_HISTORY.key
PAGE = "/account/preferences/"
WAITING_NEWS = purposes.MAIL_ORDER_DELIVERED


@pytest.fixture
def boots():
    builders.shipping_method()
    made = builders.product("Boots", slug="boots")
    listing.refresh_listings()
    return made


def look(client) -> None:
    client.post("/visitors/history/", {HISTORY: "on"})
    client.get("/product/boots/")


def test_a_visit_that_holds_nothing_says_so(client, boots):
    assert "we remember nothing." in client.get(PAGE).text


def test_a_visit_names_what_it_remembers(client, boots):
    look(client)
    page = client.get(PAGE).text
    assert "the 1 thing you looked at" in page
    assert "we remember nothing" not in page
    order = builders.paid_order()
    client.get(order_access.build_order_link(order))
    assert "that you may see 1 order from here" in client.get(PAGE).text


def test_turned_off_the_list_goes_with_the_switch(client, boots):
    look(client)
    assert "Boots" in client.get(PAGE).text
    answer = client.post("/visitors/history/", {}, headers={"HX-Request": "true"}).text
    assert "what we had is deleted" in answer
    assert '<div id="looked-at" hx-swap-oob="true"></div>' in answer
    assert "thing you looked at" not in answer
    assert 'id="remembered" hx-swap-oob="true"' in answer


def test_a_browser_that_says_no_has_nothing_left_when_the_page_says_so(client, boots):
    look(client)
    page = client.get(PAGE, headers=GPC).text
    assert "nothing you look at is remembered" in page
    assert "looked_at" not in client.session


def test_the_account_does_not_say_never_to_whoever_ticked_an_orders_news(client):
    bob = cast.bob()
    client.force_login(bob.user)
    assert "ticked for a single order" not in client.get("/account/consents/").text + client.get("/account/").text
    acts.tick(builders.paid_order(customer=bob), WAITING_NEWS)
    page = client.get("/account/consents/").text
    assert "never turned one on" not in page
    assert "ticked for a single order" in page
    assert "News you ticked for a single order still comes" in client.get("/account/").text


def test_the_account_tells_resting_from_off(client):
    alice = cast.alice()
    client.force_login(alice.user)
    for purpose in purposes.NEWS_OF_ORDERS:
        consent.set_consent(alice, purpose, granted=False, source="test")
    assert "switches are on" in client.get("/account/").text
    consent.set_master(alice, on=False, source="test")
    page = client.get("/account/").text
    assert "Every switch is off" not in page


@pytest.mark.parametrize("method", ["get", "less"])
def test_what_is_off_is_not_offered_to_be_turned_off_or_said_to_come(client, method):
    bob = cast.bob()
    url = f"/mail/unsubscribe/{tokens.sign_token(links.UNSUBSCRIBE, customer=bob.pk, purpose=purposes.NEWSLETTER)}/"
    page = client.get(url).text if method == "get" else client.post(url, {"less": "monthly"}).text
    assert "That is off already" in page
    assert "Turn it off" not in page
    assert "now comes" not in page
    assert not bob.consents.exists()


def test_an_orders_news_that_is_off_says_so_and_one_that_is_on_asks(client):
    order = builders.paid_order()
    acts.tick(order, WAITING_NEWS)
    url = f"/mail/unsubscribe/{tokens.sign_token(links.UNSUBSCRIBE, order=order.pk, purpose=WAITING_NEWS)}/"
    assert "Turn it off" in client.get(url).text
    assert "off already" not in client.post(url).text
    assert "That is off already" in client.get(url).text


def test_resting_news_can_still_be_left(client):
    alice = cast.alice()
    consent.set_master(alice, on=False, source="test")
    url = f"/mail/unsubscribe/{tokens.sign_token(links.UNSUBSCRIBE, customer=alice.pk, purpose=purposes.NEWSLETTER)}/"
    assert "Turn it off" in client.get(url).text


def cancelled_mail(sink, order) -> tuple[str, str]:
    acts.relay_and_deliver()
    delivery.deliver_due_mail()
    [mail] = [each for each in sink.received if each.topic == "order_cancelled"]
    return mail.text, mail.html


@pytest.fixture
def bought(client, standin) -> Order:
    fill(client, builders.variant(price="20.00"))
    return pay(client, standin, check_out(client))


def test_a_cancellation_names_its_reason_and_the_money(sink, standin, bought):
    order = bought
    cancellation.cancel_order(order.pk, actor="Sam", reason="The dye came out wrong.")
    for part in cancelled_mail(sink, order):
        assert "The dye came out wrong." in part
        assert f"The {order.total_text} you paid goes back" in part
    assert standin.charges()[0]["amount_refunded"] == 2350


def test_after_a_part_refund_a_cancellation_names_only_the_rest(sink, standin, bought):
    order = bought
    checkout_sessions.refund_order(order.pk, amount=Decimal("4.00"), actor="Sam")
    cancellation.cancel_order(order.pk, actor="Sam")
    assert standin.charges()[0]["amount_refunded"] == 2350
    for part in cancelled_mail(sink, order):
        assert "The rest of your money, £19.50, goes back" in part
        assert order.total_text not in part


def test_a_disputed_order_that_is_cancelled_is_promised_no_money(sink):
    order = builders.paid_order()
    type(order).objects.filter(pk=order.pk).update(status="cancelled", payment_status="disputed")
    acts.happened(order, Kind.CANCELLED, reason="")
    for part in cancelled_mail(sink, order):
        assert "goes back" not in part
        assert "it is the bank that decides" in part


@pytest.mark.parametrize(("state", "words"), [("delivered", "Your order"), ("in_progress", "A parcel of your order")])
def test_no_mail_quotes_a_carrier_nor_says_that_all_has_arrived_when_a_part_has(sink, state, words):
    order = builders.paid_order(fulfilment_status=state)
    acts.tick(order, purposes.MAIL_ORDER_DELIVERED)
    acts.happened(order, Kind.DELIVERED, shipment=acts.parcel(order), actor="Sam")
    acts.relay_and_deliver()
    [mail] = sink.received
    for part in (mail.text, mail.html):
        assert words in part
        assert "carrier" not in part.lower()


def given_back(order, amount: str) -> None:
    payment = order.payments.get(status=Payment.Status.CAPTURED)
    Refund.objects.create(payment=payment, amount=Decimal(amount), currency="GBP", status=Refund.Status.SUCCEEDED)
    type(order).objects.filter(pk=order.pk).update(payment_status="partially_refunded")


def test_after_a_part_refund_the_order_shows_what_it_comes_to(client):
    order = builders.placed_order()
    client.get(order_access.build_order_link(order))
    assert "Comes to" not in client.get(f"/orders/{order.number}/").text
    given_back(order, "4.00")
    page = client.get(f"/orders/{order.number}/").text
    assert "Given back</dt><dd>−£4.00" in page
    assert 'Comes to</dt><dd class="total">£10.00' in page
    assert "the rest of your money back" in page
    assert refunds.find_refundable_payment(order)[1] == Decimal("10.00")
