"""Somebody with an account: what they tick comes, what they untick stops, and a guest cannot change either."""

import re

from accounts.consent import consent, purposes
from accounts.models import Consent, ConsentRecord, ConsentRequest, Customer
from orders.models import Order
from tests import builders, cast
from tests.journeys.walks import STAGES, TOPIC_OF, buy, choose, fill_in, pay, put_in_cart, sign_up, steps_between, work
from tests.person import Person

EMAIL = "ada@example.com"
LEAVES, DELIVERED = "Tell me when my order leaves", "Tell me when my order is delivered"


def test_sign_up_tick_buy_and_exactly_the_ticked_mail_comes(guest, staff, mailbox):
    ada = sign_up(guest, mailbox, EMAIL)
    choose(ada, LEAVES)
    assert ada.is_ticked(LEAVES)
    assert not ada.is_ticked(DELIVERED)
    put_in_cart(ada)
    assert fill_in(ada, EMAIL).is_ticked(LEAVES)
    number = pay(ada)
    work(staff, number)
    assert [topic for topic in mailbox.topics(EMAIL) if topic in ("receipt", *TOPIC_OF.values())] == [
        "receipt",
        "order_dispatched",
    ]
    assert ada.open("/account/orders/").sees(number)


def test_what_is_unticked_before_it_happens_does_not_come(guest, staff, mailbox):
    ada = sign_up(guest, mailbox, EMAIL)
    choose(ada, *TOPIC_OF)
    number = buy(ada, email=EMAIL, ticks=())
    work(staff, number, *steps_between("Approve", "Mark picked"))
    mailbox.collect()
    choose(ada)
    work(staff, number, *STAGES[STAGES.index("Mark picked") + 1 :])
    stages = [topic for topic in mailbox.topics(EMAIL) if topic.startswith("order_")]
    assert stages == ["order_approved", "order_picked"]


def test_a_switch_flipped_at_checkout_is_the_accounts_own(guest, mailbox):
    ada = sign_up(guest, mailbox, EMAIL)
    choose(ada, LEAVES)
    put_in_cart(ada)
    fill_in(ada, EMAIL).untick(LEAVES).tick(DELIVERED)
    pay(ada)
    ada.open("/account/preferences/")
    assert not ada.is_ticked(LEAVES)
    assert ada.is_ticked(DELIVERED)


def test_joining_ticks_nothing_and_brings_the_orders_bought_before(guest, mailbox):
    number = buy(guest, email=EMAIL)
    assert Order.objects.get().customer is None
    ada = sign_up(Person(), mailbox, EMAIL)
    assert ada.open("/account/orders/").sees(number)
    assert not Consent.objects.exists()


def test_a_cart_filled_before_signing_in_is_still_there_after(guest, mailbox):
    ada = sign_up(Person(), mailbox, EMAIL)
    put_in_cart(ada, "tin-mug")
    put_in_cart(guest, "harbour-blanket")
    guest.open("/accounts/login/").write("E-mail", EMAIL).write("Password", builders.PASSWORD).press("Sign in")
    guest.open("/cart/")
    assert guest.sees("Tin mug")
    assert guest.sees("Harbour blanket")


def test_a_guest_with_alices_address_neither_reads_nor_changes_what_alice_allows(guest, staff, mailbox):
    alice = cast.alice()
    answers = list(Consent.objects.order_by("pk").values())
    ledger = ConsentRecord.objects.count()
    put_in_cart(guest)
    fill_in(guest, "alice@example.com")
    assert not any(each.is_on for each in guest.page.fields if each.kind == "checkbox")
    number = pay(guest)
    work(staff, number)
    # Alice ticked every stage for her own orders; this one is nobody's until the address is proved by its own link.
    assert mailbox.topics("alice@example.com") == ["receipt"]
    assert Order.objects.get().customer is None
    assert not Person().open("/account/orders/").sees(number)
    assert list(Consent.objects.order_by("pk").values()) == answers
    assert ConsentRecord.objects.count() == ledger
    assert consent.allows(alice, purposes.NEWSLETTER)
    assert Customer.objects.filter(email="alice@example.com").count() == 1


def test_a_guests_newsletter_tick_with_alices_address_asks_alice_and_changes_nothing(guest, mailbox):
    builders.customer("alice@example.com")
    buy(guest, email="alice@example.com", ticks=("The newsletter",))
    assert sorted(mailbox.topics("alice@example.com")) == ["consent_confirmation", "receipt"]
    assert not Consent.objects.exists()


def test_a_confirmed_reader_who_ticks_again_is_not_asked_again_and_no_stranger_learns_it(guest, mailbox):
    builders.customer("alice@example.com", ticks=("newsletter",))
    buy(guest, email="alice@example.com", ticks=("The newsletter",))
    shown_to_one_who_knows_alice = re.sub(r"SW-[\w-]+|\d\d:\d\d", "", guest.words)
    assert sorted(mailbox.topics("alice@example.com")) == ["receipt"]
    assert not ConsentRequest.objects.exists()
    assert Consent.objects.get().granted
    buy(guest, email="nobody@example.com", ticks=("The newsletter",))
    assert sorted(mailbox.topics("nobody@example.com")) == ["consent_confirmation", "receipt"]
    assert re.sub(r"SW-[\w-]+|\d\d:\d\d", "", guest.words).replace("nobody@", "alice@") == shown_to_one_who_knows_alice
