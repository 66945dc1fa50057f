"""Asked in its place, once, in the switch's own words; no is as easy as yes and remembered for good."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import consent, consent_requests, purposes
from accounts.models import Ask, Consent, ConsentRecord, ConsentRequest, Customer
from orders import guests
from orders.models import Order, OrderTick
from shop.catalog import listing
from shop.storefront import asks
from tests import builders, cast

pytestmark = pytest.mark.django_db

LOOKED, BOUGHT = purposes.RECOMMEND_FROM_BROWSING, purposes.RECOMMEND_FROM_PURCHASES
COUNTED = purposes.COUNT_IN_ALSO_BOUGHT
GPC = {"Sec-GPC": "1"}


@pytest.fixture
def mug():
    builders.shipping_method()
    made = builders.product("Tin mug", slug="tin-mug")
    listing.refresh()
    return made


@pytest.fixture
def bob(client, mug):
    customer = cast.bob()
    client.force_login(customer.user)
    return customer


def asked(page) -> list[str]:
    """The titles of the questions on a page."""
    return re.findall(r'<p id="ask"><strong>(.*?)</strong>', page.text)


def title(key: str) -> str:
    return purposes.get(key).title


def answer(client, key: str, said: str, **more):
    return client.post(f"/asks/{key}/", {"answer": said, "place": "product", "back": "/product/tin-mug/", **more})


def test_each_place_asks_for_what_would_help_there_and_for_one_thing_alone(client, bob, mug):
    order = builders.placed_order(mug.variants.get(), customer=bob)
    client.post("/cart/lines/", {"variant": mug.variants.get().pk})
    assert asked(client.get("/product/tin-mug/")) == [title(LOOKED)]
    assert asked(client.get("/search/?q=mug")) == [title(LOOKED)]
    assert asked(client.get("/cart/")) == [title(BOUGHT)]
    assert asked(client.get(f"/orders/{order.number}/")) == [title(purposes.MAIL_ORDER_DISPATCHED)]
    for path in ("/", "/category/socks/", "/account/"):
        assert asked(client.get(path)) == []


def test_the_words_are_the_registrys_and_neither_answer_is_easier(client, bob):
    page = client.get("/product/tin-mug/").text
    purpose = purposes.get(LOOKED)
    for words in (purpose.title, purpose.explanation, purpose.reads, purpose.gives):
        assert words in page
    question = page[page.index('class="ask"') :]
    buttons = re.findall(r"<button ([^>]*)name=\"answer\" value=\"(yes|no)\"", question)
    assert [value for _, value in buttons] == ["yes", "no"]
    assert len({attributes for attributes, _ in buttons}) == 1
    assert "checked" not in question[: question.index("</section>")]


def test_a_yes_turns_it_on_says_where_and_leads_back(client, bob):
    gone_to = answer(client, LOOKED, "yes")
    assert (gone_to.status_code, gone_to["Location"]) == (303, "/product/tin-mug/")
    assert Consent.objects.get().source == "ask_product"
    assert consent.allows(bob, LOOKED)
    assert asked(client.get("/product/tin-mug/")) == []
    assert "when we asked on a product’s page" in client.get("/account/preferences/").text


def test_a_no_writes_no_answer_and_is_never_asked_again_anywhere(client, bob):
    answer(client, LOOKED, "no")
    assert not ConsentRecord.objects.exists()
    assert Ask.objects.get().key == LOOKED
    client.logout()
    client.force_login(bob.user)  # another visit
    for path in ("/product/tin-mug/", "/search/?q=mug"):
        assert asked(client.get(path)) == []


def test_what_was_answered_on_the_preference_page_is_not_asked(client, bob):
    consent.set_consent(bob, LOOKED, granted=True, source="preferences")
    consent.set_consent(bob, LOOKED, granted=False, source="preferences")
    assert asked(client.get("/product/tin-mug/")) == []


def test_a_no_on_a_stale_page_ends_a_yes_given_meanwhile(client, bob):
    consent.set_consent(bob, LOOKED, granted=True, source="preferences")
    answer(client, LOOKED, "no")
    assert not consent.allows(bob, LOOKED)


def test_while_the_personal_shopper_is_off_nothing_is_asked(client, bob):
    consent.set_master(bob, on=False, source="preferences")
    assert asked(client.get("/product/tin-mug/")) == []


def test_nonsense_changes_nothing(client, bob):
    assert answer(client, "sell_my_data", "yes").status_code == 404
    assert answer(client, purposes.NEWSLETTER, "yes").status_code == 404  # a switch, but asked for nowhere
    answer(client, LOOKED, "perhaps")
    client.get(f"/asks/{LOOKED}/")
    assert answer(client, LOOKED, "yes", back="https://elsewhere.example/")["Location"] == "/"
    assert answer(client, LOOKED, "no", back="//elsewhere.example/")["Location"] == "/"
    assert not Consent.objects.filter(granted=True).exists()


def test_a_visitor_cannot_answer_for_a_customer(client, mug):
    assert answer(client, LOOKED, "yes")["Location"] == "/accounts/login/"
    assert not Consent.objects.exists()
    assert not Ask.objects.exists()


def test_asking_costs_one_query_and_none_for_those_who_answered(client, bob, django_assert_num_queries, rf):
    request = rf.get("/product/tin-mug/")
    request.user, request.session = bob.user, client.session
    assert request.user.customer == bob
    assert request.session.get("any") is None  # both are read for the frame of any page
    with django_assert_num_queries(1):
        assert asks.here(request, asks.Place.PRODUCT)
    answer(client, LOOKED, "no")
    asks.here(request, asks.Place.PRODUCT)
    with django_assert_num_queries(0):
        assert asks.here(request, asks.Place.PRODUCT) is None


def test_an_order_on_its_way_asks_only_for_what_is_still_to_come(client, bob, mug):
    order = builders.placed_order(mug.variants.get(), customer=bob)
    path = f"/orders/{order.number}/"
    Order.objects.update(fulfilment_status=Order.FulfilmentStatus.DISPATCHED)
    assert asked(client.get(path)) == [title(purposes.MAIL_ORDER_DELIVERED)]
    Order.objects.update(fulfilment_status=Order.FulfilmentStatus.DELIVERED)
    assert asked(client.get(path)) == []


def test_a_browser_that_says_no_is_asked_for_nothing_that_shares(client, bob, mug):
    client.post("/cart/lines/", {"variant": mug.variants.get().pk})
    answer(client, BOUGHT, "no")
    assert asked(client.get("/cart/")) == [title(COUNTED)]
    assert asked(client.get("/cart/", headers=GPC)) == []
    client.post(f"/asks/{COUNTED}/", {"answer": "yes", "place": "cart", "back": "/cart/"}, headers=GPC)
    assert not consent.allows(bob, COUNTED)


def test_the_switch_says_that_the_browser_says_no_and_a_deliberate_tick_counts(client, bob):
    assert "Global Privacy Control" not in client.get("/account/preferences/").text
    assert "so this stays off" in client.get("/account/preferences/", headers=GPC).text
    client.post(f"/account/preferences/{COUNTED}/", {COUNTED: "on"}, headers=GPC)
    assert consent.allows(bob, COUNTED)
    assert "You turned this on yourself" in client.get("/account/preferences/", headers=GPC).text


# -- Without an account --------------------------------------------------------------------------------------------

LEAVES, ARRIVES = purposes.MAIL_ORDER_DISPATCHED, purposes.MAIL_ORDER_DELIVERED


@pytest.fixture
def bought(client, mug):
    """A guest's order of yesterday, opened by its link in this browser."""
    order = builders.placed_order(mug.variants.get(), email="pat@example.com")
    Order.objects.update(placed_at=timezone.now() - timedelta(days=1))
    client.get(guests.order_link(order).removeprefix("http://localhost:8000"))
    return order


def say_by_link(client, order, said: str, *, key: str = LEAVES):
    path = f"/orders/{order.number}/"
    return answer(client, key, said, place="order", back=path, order=order.number)


def test_a_guest_who_opens_an_order_by_its_link_is_asked_for_its_news(client, bought):
    assert asked(client.get(f"/orders/{bought.number}/")) == [title(LEAVES)]


def test_a_guests_yes_counts_once_it_is_said_from_the_mailbox(client, bought):
    assert say_by_link(client, bought, "yes")["Location"] == f"/orders/{bought.number}/"
    page = client.get(f"/orders/{bought.number}/")
    assert "we have sent a mail to pat@example.com" in page.text
    assert asked(page) == [title(ARRIVES)]
    assert not Consent.objects.exists()
    assert not Customer.objects.exists()
    [request] = ConsentRequest.objects.all()
    assert (request.email, request.purpose) == ("pat@example.com", LEAVES)
    consent_requests.confirm(request)
    customer = Customer.objects.get()
    assert consent.allows(customer, LEAVES)
    assert not consent.allows(customer, ARRIVES)
    bought.refresh_from_db()
    assert bought.customer == customer


def test_a_guests_no_belongs_to_that_order_in_every_browser(client, bought):
    say_by_link(client, bought, "no")
    other = Client()
    other.get(guests.order_link(bought).removeprefix("http://localhost:8000"))
    assert asked(other.get(f"/orders/{bought.number}/")) == [title(ARRIVES)]
    assert not OrderTick.objects.get().granted
    assert not ConsentRequest.objects.exists()


def test_what_a_guest_ticked_at_checkout_is_not_asked_again_nor_anybody_who_has_just_bought(client, bought):
    for key in (LEAVES, ARRIVES):
        OrderTick.objects.create(order=bought, purpose=key, granted=True, wording_version=1)
    assert asked(client.get(f"/orders/{bought.number}/")) == []
    say_by_link(client, bought, "no")
    assert OrderTick.objects.filter(granted=True).count() == 2  # its own button turns it off
    OrderTick.objects.all().delete()
    Order.objects.update(placed_at=timezone.now(), approved_at=None)
    assert asked(client.get(f"/orders/{bought.number}/")) == []


def test_nobody_answers_for_an_order_whose_link_they_never_had(client, bought):
    stranger = Client()
    for said in ("yes", "no"):
        assert say_by_link(stranger, bought, said).status_code == 404
    assert say_by_link(client, bought, "yes", key=LOOKED)["Location"] == "/accounts/login/"
    assert not ConsentRequest.objects.exists()
    assert not OrderTick.objects.exists()


def test_a_visitor_is_asked_in_the_cart_and_by_a_search_only_where_there_is_a_cookie_already(client, mug):
    visit = purposes.VISITOR_HISTORY
    fresh = Client()
    assert asked(fresh.get("/search/?q=mug")) == []
    assert not fresh.cookies
    client.post("/cart/lines/", {"variant": mug.variants.get().pk})
    for path in ("/cart/", "/search/?q=mug", "/product/tin-mug/"):
        assert asked(client.get(path)) == [visit.title]
    answer(client, visit.key, "no", place="cart", back="/cart/")
    for path in ("/cart/", "/search/?q=mug", "/product/tin-mug/"):
        assert asked(client.get(path)) == []
