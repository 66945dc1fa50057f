"""Beside a switch that has a past: what it holds, and one click that lets go of it."""

import pytest

from accounts import consent, purposes
from orders.models import Order, OrderLine
from recommendations import history
from recommendations.models import ProductView
from tests import builders

pytestmark = pytest.mark.django_db

LOOKED, BOUGHT = purposes.RECOMMEND_FROM_BROWSING, purposes.RECOMMEND_FROM_PURCHASES


@pytest.fixture
def ann(client):
    customer = builders.customer(ticks=(LOOKED, BOUGHT))
    client.force_login(customer.user)
    history.record_view(customer, builders.product("Boots").pk)
    builders.paid_order(customer=customer)
    return customer


def test_the_page_says_how_much_each_switch_holds(client, ann):
    page = client.get("/account/preferences/").text
    assert "We hold 1 product you looked at." in page
    assert page.count("You bought 1 thing that this reads while it is on.") == 2
    assert "Delete what you have" in page


def test_delete_what_you_have_deletes_it_and_leaves_the_switch(client, ann):
    url = f"/account/preferences/{LOOKED}/forgetting/"
    answer = client.post(url, headers={"HX-Request": "true"})
    assert "Deleted. We hold nothing that you looked at." in answer.text
    assert not ProductView.objects.exists()
    assert consent.allows(ann, LOOKED)
    assert "Delete what you have" not in client.get("/account/preferences/").text


def test_it_works_without_javascript_and_while_the_switch_is_off(client, ann):
    consent.set_consent(ann, LOOKED, granted=False, source="test")
    assert "Delete what you have" in client.get("/account/preferences/").text
    page = client.post(f"/account/preferences/{LOOKED}/forgetting/", follow=True)
    assert "Deleted. We hold nothing" in page.text
    assert not ProductView.objects.exists()


def test_forget_what_i_bought_so_far_keeps_the_orders(client, ann):
    page = client.post(f"/account/preferences/{BOUGHT}/forgetting/", follow=True)
    assert "Your orders are still there" in page.text
    assert not OrderLine.objects.usable_for(BOUGHT).exists()
    assert Order.objects.filter(customer=ann).count() == 1


def test_nobody_else_can_and_what_has_no_past_is_not_found(client, ann):
    assert client.post(f"/account/preferences/{purposes.NEWSLETTER}/forgetting/").status_code == 404
    assert client.get(f"/account/preferences/{LOOKED}/forgetting/").status_code == 405
    client.logout()
    client.post(f"/account/preferences/{LOOKED}/forgetting/")
    assert ProductView.objects.exists()


def test_what_a_switched_off_purpose_held_is_deleted_the_night_after(ann):
    history.retire()
    assert ProductView.objects.exists()
    consent.set_consent(ann, LOOKED, granted=False, source="test")
    history.retire()
    assert not ProductView.objects.exists()


def test_what_cannot_be_brought_back_is_said_and_asked_once_more(client, ann):
    page = client.get("/account/preferences/").text
    held = page[page.index(f'id="held-{BOUGHT}"') :]
    held = held[: held.index("</details>")]
    assert held.index("<summary>Forget what I bought so far") < held.index("nobody can bring it back")
    assert held.index("nobody can bring it back") < held.index("Yes, forget it</button>")
    assert "<button" not in held[: held.index("nobody can bring it back")]
