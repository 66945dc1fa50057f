"""Asked in its place, once, in the switch's own words; no is as easy as yes and remembered for good."""

import json
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts.consent import consent, prompts, purposes, requests
from accounts.models import Ask, Consent, ConsentRecord, ConsentRequest, Customer
from accounts.personal_data import export_declined_prompts
from orders import order_access
from orders.models import Order, OrderTick
from shop.catalog import listing
from shop.storefront import consent_prompts
from tests import builders, cast

pytestmark = pytest.mark.django_db

LOOKED, BOUGHT = purposes.RECOMMEND_FROM_BROWSING, purposes.RECOMMEND_FROM_PURCHASES
COUNTED = purposes.COUNT_IN_ALSO_BOUGHT
GPC = {"Sec-GPC": "1"}


@pytest.fixture
def mug():
    builders.shipping_method()
    made = builders.product("Tin mug", slug="tin-mug")
    listing.refresh_listings()
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
    return purposes.get_purpose(key).title


def later(days: float = 30.1) -> None:
    """So many days after what was put was put."""
    Ask.objects.update(shown_at=F("shown_at") - timedelta(days=days))


def answer(client, key: str, said: str, **more):
    return client.post(f"/asks/{key}/", {"answer": said, "place": "product", "back": "/product/tin-mug/", **more})


def test_each_place_asks_for_what_would_help_there_and_for_one_thing_alone(client, bob, mug):
    order = builders.placed_order(mug.variants.get(), customer=bob)
    client.post("/cart/lines/", {"variant": mug.variants.get().pk})
    assert asked(client.get("/product/tin-mug/")) == [title(LOOKED)]
    later()
    assert asked(client.get("/search/?q=mug")) == [title(LOOKED)]
    assert asked(client.get("/cart/")) == [title(BOUGHT)]
    assert asked(client.get(f"/orders/{order.number}/")) == [title(purposes.MAIL_ORDER_DISPATCHED)]
    for path in ("/", "/category/socks/", "/account/"):
        assert asked(client.get(path)) == []


def test_the_words_are_the_registrys_and_neither_answer_is_easier(client, bob):
    page = client.get("/product/tin-mug/").text
    purpose = purposes.get_purpose(LOOKED)
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


def test_asking_costs_a_query_and_another_when_it_is_put_and_none_for_those_who_answered(
    client, bob, django_assert_num_queries, rf
):
    request = rf.get("/product/tin-mug/")
    request.user, request.session = bob.user, client.session
    assert request.user.customer == bob
    assert request.session.get("any") is None  # both are read for the frame of any page
    with django_assert_num_queries(2):
        assert consent_prompts.get_prompt_for_page(request, consent_prompts.PromptPlace.PRODUCT)
    with django_assert_num_queries(1):
        assert consent_prompts.get_prompt_for_page(request, consent_prompts.PromptPlace.PRODUCT) is None
    answer(client, LOOKED, "no")
    consent_prompts.get_prompt_for_page(request, consent_prompts.PromptPlace.PRODUCT)
    with django_assert_num_queries(0):
        assert consent_prompts.get_prompt_for_page(request, consent_prompts.PromptPlace.PRODUCT) is None


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
    client.get(order_access.build_order_link(order).removeprefix("http://localhost:8000"))
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
    requests.confirm_request(request)
    customer = Customer.objects.get()
    assert consent.allows(customer, LEAVES)
    assert not consent.allows(customer, ARRIVES)
    bought.refresh_from_db()
    assert bought.customer == customer


def test_a_guests_no_belongs_to_that_order_in_every_browser(client, bought):
    say_by_link(client, bought, "no")
    other = Client()
    other.get(order_access.build_order_link(bought).removeprefix("http://localhost:8000"))
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


VISIT = purposes.VISITOR_HISTORY


@pytest.mark.parametrize("path", ["/cart/", "/search/?q=mug", "/product/tin-mug/"])
def test_a_visitor_is_asked_where_it_helps_and_by_a_search_only_where_there_is_a_cookie_already(client, mug, path):
    fresh = Client()
    assert asked(fresh.get("/search/?q=mug")) == []
    assert not fresh.cookies
    client.post("/cart/lines/", {"variant": mug.variants.get().pk})
    assert asked(client.get(path)) == [VISIT.title]
    answer(client, VISIT.key, "no", place="cart", back="/cart/")
    for each in ("/cart/", "/search/?q=mug", "/product/tin-mug/"):
        assert asked(client.get(each)) == []


# -- Once a visit, then rest ---------------------------------------------------------------------------------------

ROUND = ("/product/tin-mug/", "/search/?q=mug", "/cart/", "/product/tin-mug/", "/search/?q=mug", "/cart/")


def test_each_question_is_put_once_a_visit_and_a_place_left_alone_asks_nothing_else(client, bob, mug):
    order = builders.placed_order(mug.variants.get(), customer=bob)
    client.post("/cart/lines/", {"variant": mug.variants.get().pk})
    page = f"/orders/{order.number}/"
    put = [question for path in (*ROUND, page, page) for question in asked(client.get(path))]
    assert put == [title(LOOKED), title(BOUGHT), title(LEAVES)]
    Order.objects.update(fulfilment_status=Order.FulfilmentStatus.DISPATCHED)
    assert asked(client.get(page)) == []  # what is still to come is asked for another time
    assert not Consent.objects.exists()


def test_left_unanswered_it_rests_for_thirty_days_in_every_browser_and_is_put_once_more(client, bob):
    assert asked(client.get("/product/tin-mug/")) == [title(LOOKED)]
    for days in (0, 15, 14):
        later(days)
        again = Client()
        again.force_login(bob.user)
        assert asked(again.get("/product/tin-mug/")) == []
    later(2)
    assert asked(client.get("/product/tin-mug/")) == [title(LOOKED)]
    assert asked(client.get("/product/tin-mug/")) == []


def test_an_answer_from_another_tab_stays_an_answer(client, bob):
    client.get("/product/tin-mug/")
    answer(client, LOOKED, "no")
    prompts.note_shown(bob, LOOKED)  # the other tab was just being made
    later()
    assert asked(client.get("/product/tin-mug/")) == []
    assert Ask.objects.get().answered_at
    client.get("/cart/")
    answer(client, LOOKED, "yes")
    assert consent.allows(bob, LOOKED)


def test_a_yes_after_a_rest_that_was_not_over_counts_and_ends_it(client, bob):
    client.get("/product/tin-mug/")
    answer(client, LOOKED, "yes")
    later()
    assert consent.allows(bob, LOOKED)
    assert asked(client.get("/product/tin-mug/")) == []


def test_a_cart_changed_in_place_keeps_its_question_and_gets_no_new_one(client, bob, mug):
    client.post("/cart/lines/", {"variant": mug.variants.get().pk, "quantity": 2})
    page = client.get("/cart/")
    assert asked(page) == [title(BOUGHT)]
    sent = {"HX-Request": "true", **json.loads(re.search(r"hx-headers='(.*?)'", page.text)[1])}
    for _ in range(2):
        assert asked(client.get("/cart/", headers=sent)) == [title(BOUGHT)]
    answer(client, BOUGHT, "no")
    assert asked(client.get("/cart/", headers=sent)) == []
    Ask.objects.all().delete()
    client.session.flush()
    client.force_login(bob.user)
    assert asked(client.get("/cart/", headers={"HX-Request": "true"})) == []
    assert not Ask.objects.exists()


def test_a_question_nobody_saw_is_not_remembered(client, bob):
    client.head("/product/tin-mug/")
    client.post(f"/account/preferences/{LOOKED}/preview/on/")
    assert not Ask.objects.exists()
    assert asked(client.get("/product/tin-mug/")) == [title(LOOKED)]


def test_what_rests_is_exported_named_on_the_privacy_page_and_forgotten_when_it_has_rested(client, bob):
    client.get("/product/tin-mug/")
    assert [row.get("asked_for") for row in export_declined_prompts(bob)] == [LOOKED]
    assert "What you left unanswered: 30 days" in client.get("/privacy/").text
    prompts.retire()
    assert Ask.objects.exists()
    later()
    prompts.retire()
    assert not Ask.objects.exists()
    answer(client, LOOKED, "no")
    later(500)
    prompts.retire()
    assert Ask.objects.get().answered_at  # for good


def test_a_guest_is_asked_once_a_visit_whichever_order_they_open(client, bought, mug):
    other = builders.placed_order(mug.variants.get(), email="pat@example.com", placed_at=bought.placed_at)
    Order.objects.update(placed_at=timezone.now() - timedelta(days=1))
    client.get(order_access.build_order_link(other).removeprefix("http://localhost:8000"))
    put = [asked(client.get(f"/orders/{order.number}/")) for order in (bought, bought, other, other)]
    assert put == [[title(LEAVES)], [], [], []]
    assert not OrderTick.objects.exists()
    say_by_link(client, bought, "no")
    assert asked(client.get(f"/orders/{bought.number}/")) == [title(ARRIVES)]
    another_visit = Client()
    another_visit.get(order_access.build_order_link(other).removeprefix("http://localhost:8000"))
    assert asked(another_visit.get(f"/orders/{other.number}/")) == [title(LEAVES)]


def test_a_visitor_is_asked_on_one_page_and_nothing_is_kept_for_that(mug):
    visitor = Client()
    put = [question for path in ROUND for question in asked(visitor.get(path))]
    assert put == [VISIT.title]
    assert list(visitor.cookies) == [settings.CSRF_COOKIE_NAME]
    assert not Session.objects.exists()
    assert not Ask.objects.exists()
    visitor.post("/cart/lines/", {"variant": mug.variants.get().pk})
    held = dict(visitor.session)
    assert [question for path in ROUND for question in asked(visitor.get(path))] == []
    assert dict(visitor.session) == held
    assert "we need not ask you the same thing twice" in visitor.get("/privacy/").text
    assert asked(Client().get("/product/tin-mug/")) == [VISIT.title]
