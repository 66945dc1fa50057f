"""The receipt's offer at a guest's checkout: off until ticked, from that order alone, and over when they say so."""

import pytest

from accounts.consent import consent, purposes
from accounts.models import Consent, Customer
from accounts.people import tokens
from notifications import delivery, links, relay
from notifications.models import OutgoingItem, SkipReason
from orders.models import OrderTick
from shop.catalog import listing
from tests import builders
from tests.notifications.conftest import sink
from tests.page import Page
from tests.paying import check_out, fill, form, pay

__all__ = ["sink"]

OFFER = purposes.RECEIPT_OFFER
TITLE = purposes.get_purpose(OFFER).title


@pytest.fixture
def socks():
    """Soap goes with socks, and salt with what the guest bought before."""
    made = {title: builders.product(title).variants.get() for title in ("Socks", "Soap", "Salt", "Pepper")}
    made["Socks"].product.goes_with.add(made["Soap"].product)
    made["Pepper"].product.goes_with.add(made["Salt"].product)
    listing.refresh_listings()
    return made


def bought(client, standin, variant, **ticks):
    fill(client, variant)
    return pay(client, standin, check_out(client, **ticks))


def read_receipts(sink) -> str:
    relay.relay_all_events()
    delivery.deliver_due_mail()
    return " ".join(mail.words for mail in sink.received)


def test_a_guest_is_asked_in_the_switchs_own_words_and_nothing_is_ticked_before(client, socks):
    fill(client, socks["Socks"])
    [box] = Page(client.get("/checkout/").text).labelled(TITLE)
    assert (box.kind, box.is_on) == ("checkbox", False)
    assert purposes.get_purpose(OFFER).explanation in client.get("/checkout/").text
    [kept] = Page(client.post("/checkout/", form(reprice="1") | {OFFER: "on"}).text).labelled(TITLE)
    assert kept.is_on


def test_a_ticked_offer_comes_from_this_order_alone_and_keeps_the_wording_it_answered(client, standin, sink, socks):
    builders.paid_order(socks["Pepper"], email="pat@example.com")  # theirs, as they say, but not this order
    order = bought(client, standin, socks["Socks"], **{OFFER: "on"})
    tick = order.ticks.get()
    assert (tick.purpose, tick.granted) == (OFFER, True)
    assert tick.wording_version == purposes.get_purpose(OFFER).wording_version
    words = read_receipts(sink)
    assert "Goes with Socks" in words
    assert "Salt" not in words
    assert f"You ticked “{TITLE}” for this order" in words
    assert OutgoingItem.objects.get(block="offer").order_tick == tick
    assert not Customer.objects.exists()
    assert not Consent.objects.exists()


def test_without_the_tick_nothing_is_picked(client, standin, sink, socks):
    bought(client, standin, socks["Socks"], **{purposes.MAIL_ORDER_PACKED: "on"})
    assert "Goes with" not in read_receipts(sink)
    assert OutgoingItem.objects.get(block="offer").drop_reason == SkipReason.NOT_OPTED_IN
    assert OrderTick.objects.get().purpose == purposes.MAIL_ORDER_PACKED


def test_it_is_turned_off_on_the_orders_page_before_the_receipt_has_left(client, standin, sink, socks):
    order = bought(client, standin, socks["Socks"], **{OFFER: "on"})
    relay.relay_all_events()
    page = client.get(f"/orders/{order.number}/")
    assert f"{TITLE}: <strong>on</strong>" in page.text
    client.post(f"/orders/{order.number}/news/{OFFER}/removal/")
    assert f"{TITLE}: <strong>off</strong>" in client.get(f"/orders/{order.number}/").text
    words = read_receipts(sink)
    assert order.number in words
    assert "Goes with" not in words


def test_a_stranger_turns_nothing_off(client, standin, socks):
    order = bought(client, standin, socks["Socks"], **{OFFER: "on"})
    client.logout()
    assert client.post(f"/orders/{order.number}/news/{OFFER}/removal/").status_code == 404
    assert order.ticks.get().granted


def test_the_link_in_the_receipt_turns_it_off_for_this_order(client, standin, sink, socks):
    order = bought(client, standin, socks["Socks"], **{OFFER: "on"})
    url = f"/mail/unsubscribe/{tokens.sign_token(links.UNSUBSCRIBE, order=order.pk, purpose=OFFER)}/"
    assert "Turn it off" in client.get(url).text
    assert order.ticks.get().granted
    assert "is off for order" in client.post(url).text
    assert not order.ticks.get().granted
    assert "That is off already" in client.get(url).text
    assert "Goes with" not in read_receipts(sink)


def test_a_customer_sees_their_own_switch_and_changes_that(client, socks):
    customer = builders.customer(ticks=(OFFER,))
    client.force_login(customer.user)
    fill(client, socks["Socks"])
    [box] = Page(client.get("/checkout/").text).labelled(TITLE)
    assert box.is_on
    client.post("/checkout/", form(shown=OFFER))
    assert not consent.allows(customer, OFFER)
    assert not OrderTick.objects.exists()


def test_a_gift_and_what_is_kept_out_of_suggestions_bring_no_offer(client, standin, sink, socks):
    order = bought(client, standin, socks["Socks"], **{OFFER: "on"})
    order.lines.update(is_excluded=True)
    assert "Goes with" not in read_receipts(sink)
