"""A guest buys. The receipt always comes; of the rest exactly what was ticked for that order."""

import pytest

from accounts.models import Consent, Customer
from orders.models import Order
from tests.journeys.walks import (
    FURTHEST,
    STAGES,
    TOPIC_OF,
    buy,
    fill_in,
    link_in,
    pay,
    put_in_cart,
    steps_between,
    work,
)
from tests.paying import check_books, check_stock
from tests.person import Person


def test_a_guest_who_ticks_nothing_gets_exactly_the_receipt(guest, staff, mailbox, standin):
    number = buy(guest, "harbour-blanket", "tin-mug")
    assert guest.sees(number)
    assert mailbox.topics() == ["receipt"]
    work(staff, number)
    assert mailbox.topics() == ["receipt"]
    assert not Customer.objects.filter(email="pat@example.com").exists()
    assert not Consent.objects.exists()
    check_books(standin)
    check_stock()


@pytest.mark.parametrize("ticked", [tuple(TOPIC_OF), tuple(TOPIC_OF)[3:], tuple(TOPIC_OF)[1::2]])
def test_ticked_stages_arrive_as_staff_take_the_steps_and_no_others(guest, staff, mailbox, ticked):
    number = buy(guest, ticks=ticked)
    for step in STAGES:
        work(staff, number, step)
        mailbox.collect()
    assert mailbox.topics("pat@example.com") == ["receipt", *(TOPIC_OF[title] for title in ticked)]


def test_the_receipt_says_what_was_bought_and_leads_to_the_order(guest, mailbox):
    number = buy(guest, "tin-mug")
    receipt = mailbox.latest("pat@example.com", "receipt")
    for part in (receipt.text, receipt.html):
        assert number in part
        assert "Tin mug" in part
        assert "£16.00" in part
    assert "List-Unsubscribe" not in dict(receipt.headers)
    elsewhere = Person().open(link_in(receipt, "/orders/"))
    assert elsewhere.status == 200
    assert elsewhere.path == f"/orders/{number}/"
    assert elsewhere.sees("Tin mug")


def test_every_link_in_the_mail_leads_to_the_shop_and_nothing_loads_from_anywhere(guest, staff, mailbox):
    number = buy(guest, ticks=tuple(TOPIC_OF))
    work(staff, number)
    for mail in mailbox.collect():
        assert "<img" not in mail.html
        assert "url(" not in mail.html.replace("url(data:", "")
        carrier = {"https://www.royalmail.com"} if mail.topic in {"order_dispatched", "order_delivered"} else set()
        found = {word.split('"')[0] for word in mail.html.split('href="')[1:]}
        assert {"/".join(link.split("/")[:3]) for link in found} <= {"http://localhost:8000"} | carrier, mail.topic


def test_staffs_steps_appear_on_the_order_page_one_by_one(guest, staff):
    number = buy(guest)
    reached = ["Placed and paid", *FURTHEST]
    for step, now in zip(("", *STAGES), reached, strict=True):
        if step:
            work(staff, number, step)
        guest.open(f"/orders/{number}/")
        road = list(dict.fromkeys(reached))
        assert [each for each in road if f"To come: {each}" in guest.words] == road[road.index(now) + 1 :], step
    assert "AB123456789GB" in guest.text


def test_a_gift_goes_as_a_gift_with_its_note(guest, mailbox):
    guest.open("/product/harbour-blanket/").press("Add as a gift")
    guest.open("/product/tin-mug/").press("Add to cart")
    guest.write("A note to go in with the gift", "With love from the harbour").press("Save the note")
    number = pay(fill_in(guest, "pat@example.com"))
    order = Order.objects.get(number=number)
    assert dict(order.lines.values_list("title", "is_gift")) == {"Harbour blanket": True, "Tin mug": False}
    assert order.gift_note == "With love from the harbour"
    assert guest.sees("With love from the harbour")
    assert "a gift" in mailbox.latest("pat@example.com", "receipt").text


def test_a_guest_cancels_and_the_money_and_the_goods_go_back(guest, mailbox, standin):
    number = buy(guest, "tin-mug", ticks=tuple(TOPIC_OF))
    guest.open(f"/orders/{number}/").press("Cancel this order")
    order = Order.objects.get(number=number)
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert sorted(mailbox.topics()) == ["order_cancelled", "order_refunded", "receipt"]
    assert "£16.00" in mailbox.latest("pat@example.com", "order_refunded").text
    assert not guest.open(f"/orders/{number}/").has_button("Cancel this order")
    [charge] = standin.charges()
    assert charge["amount_refunded"] == charge["amount"] == 1600
    check_stock()


def test_what_has_left_can_no_longer_be_cancelled(guest, staff, mailbox):
    number = buy(guest)
    page = guest.open(f"/orders/{number}/").text
    work(staff, number, *steps_between("Approve", "Ship"))
    assert page.count("Cancel this order") == 1
    guest.press("Cancel this order")
    assert guest.sees("can no longer be cancelled")
    assert Order.objects.get(number=number).status == "confirmed"
    assert mailbox.topics() == ["receipt"]


def test_turning_back_from_the_payment_page_costs_nothing_and_orders_nothing(guest, mailbox, standin):
    put_in_cart(guest)
    fill_in(guest, "pat@example.com").press("Continue to payment").press("Go back")
    assert guest.path == "/cart/"
    assert guest.sees("Nothing was charged")
    assert guest.sees("Harbour blanket")
    assert mailbox.topics() == []
    assert standin.charges() == []
    check_stock()


def test_a_declined_card_can_be_followed_by_one_that_works(guest, mailbox, standin):
    put_in_cart(guest)
    fill_in(guest, "pat@example.com").press("Continue to payment").press("Decline")
    assert not guest.is_at_shop
    guest.press("Pay")
    assert guest.path.startswith("/orders/")
    assert mailbox.topics() == ["receipt"]
    check_books(standin)


def test_a_card_that_asks_for_authentication_is_authenticated(guest, mailbox, standin):
    put_in_cart(guest)
    fill_in(guest, "pat@example.com").press("Continue to payment").press("Require authentication")
    guest.press(next(button.text for form in guest.page.forms for button in form.buttons))
    assert guest.path.startswith("/orders/"), guest.words
    assert mailbox.topics() == ["receipt"]
    check_books(standin)


def test_who_closes_the_browser_after_paying_has_ordered_all_the_same(guest, mailbox, standin):
    from orders.models import Payment
    from orders.payments import reconciliation

    put_in_cart(guest)
    fill_in(guest, "pat@example.com").press("Continue to payment")
    standin.pay(Payment.objects.get().provider_reference)
    assert mailbox.topics() == []
    Payment.objects.update(created_at=Payment.objects.get().created_at.replace(year=2025))
    reconciliation.reconcile_with_stripe()
    assert mailbox.topics() == ["receipt"]
    check_books(standin)
