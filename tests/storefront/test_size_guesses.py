"""Sizes guessed from what was kept: only with a yes, only to confirm, and never against what the customer told."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Interest
from accounts.preferences import interests
from orders import forgotten_purchases
from orders.models import Order, OrderLine
from recommendations import sizes
from shop.catalog.category_tree import read_category_tree
from tests import builders
from tests.guest import let_in
from tests.storefront.test_query_counts import asked
from tests.storefront.test_told import page, press

pytestmark = pytest.mark.django_db

GUESS, TOLD = purposes.GUESS_SIZES, purposes.RECOMMEND_FROM_TOLD
Kind = Interest.Kind
QUESTION = "Is this yours?"


@pytest.fixture
def bob(client):
    made = builders.customer(ticks=(GUESS,))
    client.force_login(made.user)
    return made


@pytest.fixture
def socks():
    builders.shipping_method()
    return builders.product("Wool socks", category=builders.category("Socks"), sizes=("12", "13"))


def kept(customer, product, size="13", **fields) -> Order:
    """Bought a week ago and delivered."""
    fields = {"fulfilment_status": Order.FulfilmentStatus.DELIVERED, **fields}
    fields.setdefault("placed_at", timezone.now() - timedelta(days=7))
    return builders.paid_order(product.variants.get(size=size), customer=customer, **fields)


def test_a_size_that_was_kept_is_asked_about_with_the_purchase_it_comes_from(client, bob, socks):
    order = kept(bob, socks)
    shown = page(client)
    assert f"{QUESTION} Size 13 in Socks" in shown
    day = timezone.localtime(order.placed_at)
    assert f"You kept Wool socks, size 13, bought {day.day} {day:%B %Y}." in shown
    assert "Only a guess: nothing follows it unless you say yes." in shown
    kept(bob, socks)
    assert "and 1 more in this size" in page(client)


def test_nothing_is_guessed_without_its_own_switch_whatever_else_is_on(client, bob, socks):
    kept(bob, socks)
    for key in (TOLD, purposes.RECOMMEND_FROM_PURCHASES):
        consent.set_consent(bob, key, granted=True, source="test")
    consent.set_consent(bob, GUESS, granted=False, source="test")
    assert QUESTION not in page(client)
    consent.set_consent(bob, GUESS, granted=True, source="test")
    consent.set_master(bob, on=False, source="test")
    assert QUESTION not in page(client)


def test_a_guess_steers_nothing_until_it_is_confirmed(client, bob, socks):
    kept(bob, socks)
    consent.set_consent(bob, TOLD, granted=True, source="test")
    assert "is chosen because" not in page(client, socks.get_absolute_url())
    answer = press(client, "/account/told/", "Yes, that is my size: Size 13 in Socks").text
    assert "Saved: Size 13 in Socks." in answer
    assert QUESTION not in answer
    told = Interest.objects.get()
    assert (told.kind, told.words, told.category) == (Kind.SIZE, "13", socks.category)
    assert "is chosen because" in page(client, socks.get_absolute_url())


def test_not_my_size_is_remembered_shown_and_can_be_taken_back(client, bob, socks):
    kept(bob, socks)
    answer = press(client, "/account/told/", "Not my size: Size 13 in Socks").text
    assert "Saved as not yours, and guessed no more: Size 13 in Socks." in answer
    assert "Sizes that are not yours" in answer
    assert QUESTION not in answer
    consent.set_consent(bob, TOLD, granted=True, source="test")
    assert "is chosen because" not in page(client, socks.get_absolute_url())
    kept(bob, socks)
    assert QUESTION not in page(client)
    assert QUESTION in press(client, "/account/told/", "Delete Size 13 in Socks").text
    assert "Sizes that are not yours" not in page(client)


def test_a_refused_size_counts_no_more_and_another_may_be_asked_about(client, bob, socks):
    for size in ("13", "13", "12"):
        kept(bob, socks, size)
    press(client, "/account/told/", "Not my size: Size 13 in Socks")
    assert f"{QUESTION} Size 12 in Socks" in page(client)


@pytest.mark.parametrize(
    "fields",
    [
        {"is_gift": True},
        {"fulfilment_status": Order.FulfilmentStatus.DISPATCHED},
        {"payment_status": Order.PaymentStatus.REFUNDED},
        {"payment_status": Order.PaymentStatus.PARTIALLY_REFUNDED},
        {"status": Order.Status.CANCELLED},
    ],
    ids=lambda fields: next(iter(fields.values())),
)
def test_gifts_and_what_was_not_kept_say_nothing(client, bob, socks, fields):
    order = kept(bob, socks)
    assert QUESTION in page(client)
    is_gift = fields.pop("is_gift", False)
    OrderLine.objects.update(is_gift=is_gift)
    Order.objects.filter(pk=order.pk).update(**fields or {"status": order.status})
    assert QUESTION not in page(client)


def test_lengths_and_weights_say_nothing_of_the_buyer(client, bob):
    laces = builders.product("Laces", sizes=("120 cm",))
    kept(bob, laces, "120 cm")
    assert QUESTION not in page(client)
    assert "Nothing to guess just now." in page(client)


def test_two_sizes_as_often_are_no_guess(client, bob, socks):
    kept(bob, socks, "12")
    kept(bob, socks, "13")
    assert QUESTION not in page(client)
    kept(bob, socks, "12")
    assert f"{QUESTION} Size 12 in Socks" in page(client)


@pytest.mark.parametrize("where", ["here", "above", "anywhere"])
def test_a_size_told_outranks_whatever_was_bought(client, bob, socks, where):
    above = builders.category("Clothing")
    socks.category.parent = above
    socks.category.save()
    kept(bob, socks)
    category = {"here": socks.category, "above": above, "anywhere": None}[where]
    interests.save_interest(bob, Interest(kind=Kind.SIZE, words="9", category=category))
    assert QUESTION not in page(client)


def test_a_size_told_for_another_department_leaves_the_question(client, bob, socks):
    kept(bob, socks)
    interests.save_interest(bob, Interest(kind=Kind.SIZE, words="9", category=builders.category("Shoes")))
    assert QUESTION in page(client)


def test_what_i_bought_so_far_can_be_forgotten_for_it_alone(client, bob, socks):
    kept(bob, socks)
    builders.paid_order(customer=bob)  # neither delivered nor in a size: never read
    assert "You bought 1 thing that this reads while it is on." in page(client, "/account/preferences/")
    client.post(f"/account/preferences/{GUESS}/forgetting/")
    assert QUESTION not in page(client)
    assert forgotten_purchases.count_readable_purchases(bob) == {GUESS: 0, purposes.RECOMMEND_FROM_PURCHASES: 2,
                                           purposes.COUNT_IN_ALSO_BOUGHT: 2}  # fmt: skip
    kept(bob, socks, placed_at=timezone.now() + timedelta(seconds=1))
    assert QUESTION in page(client)


def test_what_is_still_on_its_way_can_be_forgotten_before_it_is_read(client, bob, socks):
    order = kept(bob, socks, fulfilment_status=Order.FulfilmentStatus.DISPATCHED)
    assert forgotten_purchases.count_readable_purchases(bob)[GUESS] == 1
    client.post(f"/account/preferences/{GUESS}/forgetting/")
    Order.objects.filter(pk=order.pk).update(fulfilment_status=Order.FulfilmentStatus.DELIVERED)
    assert QUESTION not in page(client)


def test_a_size_is_theirs_or_not_as_they_said_last(client, bob, socks):
    kept(bob, socks)
    consent.set_consent(bob, TOLD, granted=True, source="test")
    category = str(socks.category_id)
    for kind in ("not_size", "size", "not_size"):
        client.post("/account/told/", {"kind": kind, f"{kind}-words": "13", f"{kind}-category": category})
        assert [each.kind for each in Interest.objects.all()] == [kind]
        assert ("is chosen because" in page(client, socks.get_absolute_url())) == (kind == "size")


def test_a_refused_size_is_the_same_in_small_letters(client, bob):
    hat = builders.product("Hat", sizes=("L",))
    kept(bob, hat, "L")
    interests.save_interest(bob, Interest(kind=Kind.NOT_SIZE, words="l"))
    assert QUESTION not in page(client)


def test_goods_that_were_given_another_size_since_say_nothing(client, bob, socks):
    kept(bob, socks)
    socks.variants.filter(size="13").update(size="9")
    assert QUESTION not in page(client)


def test_a_deleted_refusal_can_be_put_back(client, bob, socks):
    kept(bob, socks)
    press(client, "/account/told/", "Not my size: Size 13 in Socks")
    press(client, "/account/told/", "Delete Size 13 in Socks")
    told = interests.save_interest(bob, Interest(kind=Kind.NOT_SIZE, words="13", category=socks.category))
    client.post(f"/account/told/{told.pk}/removal/")
    press(client, "/account/told/", "Put it back")
    assert Interest.objects.get().kind == Kind.NOT_SIZE


def test_forgetting_what_was_told_keeps_what_is_not_theirs_and_says_no_more_than_that(client, bob):
    interests.save_interest(bob, Interest(kind=Kind.NOT_SIZE, words="13"))
    interests.save_interest(bob, Interest(kind=Kind.SIZE, words="9"))
    answer = client.post(f"/account/preferences/{TOLD}/forgetting/", follow=True).text
    assert "no maker, department, need or size to follow" in answer
    assert Interest.objects.get().kind == Kind.NOT_SIZE


def test_the_page_owns_up_to_the_guess_among_what_was_not_told(client, bob, socks):
    assert "Nothing. No purchase and no look of yours" in page(client)
    kept(bob, socks)
    assert "Only for the guess above." in page(client)


@pytest.mark.parametrize("answer", ["no", "all of it off"])
def test_it_is_pointed_at_until_it_was_answered_and_not_while_all_of_it_is_off(client, answer):
    ann = builders.customer()
    client.force_login(ann.user)
    title = purposes.get_purpose(GUESS).title
    assert f'turn on <a href="/account/preferences/#switch-guess_sizes">“{title}”' in page(client)
    if answer == "no":
        consent.set_consent(ann, GUESS, granted=False, source="test")
    else:
        consent.set_master(ann, on=False, source="test")
    assert title not in page(client)


@pytest.mark.parametrize("answer", [{}, {"mine": ""}, {"mine": "999:13"}, {"not_mine": "x" * 500}])
def test_an_answer_to_no_guess_says_so_and_keeps_nothing(client, bob, socks, answer):
    kept(bob, socks)
    assert "That guess is gone" in client.post("/account/told/guess/", answer, follow=True).text
    assert not Interest.objects.exists()


def test_a_no_is_never_taken_for_a_yes(client, bob, socks):
    kept(bob, socks)
    client.post("/account/told/guess/", {"mine": "", "not_mine": f"{socks.category_id}:13"})
    assert Interest.objects.get().kind == Kind.NOT_SIZE


def test_nobody_answers_for_another_or_after_the_switch_went_off(client, bob, socks):
    alice = builders.customer(ticks=(GUESS,))
    kept(alice, socks)
    key = f"{socks.category_id}:13"
    assert "That guess is gone" in client.post("/account/told/guess/", {"mine": key}, follow=True).text
    kept(bob, socks)
    consent.set_consent(bob, GUESS, granted=False, source="test")
    assert "That guess is gone" in client.post("/account/told/guess/", {"mine": key}, follow=True).text
    assert not Interest.objects.exists()


def test_with_as_much_told_as_we_keep_the_guess_stays_and_it_says_why(client, bob, socks, monkeypatch):
    monkeypatch.setattr(interests, "MOST_INTERESTS", 1)
    interests.save_interest(bob, Interest(kind=Kind.NEED, words="wool"))
    kept(bob, socks)
    answer = press(client, "/account/told/", "Yes, that is my size: Size 13 in Socks").text
    assert "That is as much as we keep." in answer
    assert QUESTION in answer


def test_guesses_cost_the_page_one_query_however_many_there_are(client, bob, socks):
    hat = builders.product("Hat", category=builders.category("Hats"), sizes=("L",))
    client.get("/account/told/")
    none = asked(client, "/account/told/", warm=True)
    for _ in range(3):
        kept(bob, socks)
        kept(bob, hat, "L")
    assert page(client).count(QUESTION) == 2
    assert asked(client, "/account/told/", warm=True) == none
    with CaptureQueriesContext(connection) as queries:
        sizes.guess_sizes(bob, (), read_category_tree())
    assert sum("orders_orderline" in each["sql"] for each in queries.captured_queries) == 1


def test_a_guest_with_a_mailed_link_is_asked_too(client, socks):
    guest = builders.customer("guest@example.com", with_login=False, ticks=(GUESS,))
    kept(guest, socks)
    let_in(client, guest)
    assert f"{QUESTION} Size 13 in Socks" in page(client)
