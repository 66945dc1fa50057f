"""Asking to be forgotten, as the customer sees it: what stays is named, the password is asked for, one click undoes."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Customer, Erasure
from accounts.people import guest_session
from accounts.privacy import erasure
from notifications.models import OutgoingEmail
from orders.models import Order
from shop import personal_data
from shop.storefront.tasks import erase_due
from tests import builders
from tests.privacy import people

pytestmark = pytest.mark.django_db
ASK = "/account/data/erasure/"


@pytest.fixture
def zora() -> Customer:
    return people.zora()


@pytest.fixture
def at_home(zora) -> Client:
    """Signed in, and the password given again just now."""
    client = Client()
    client.force_login(zora.user)
    answer = client.get(ASK)
    assert "/reauthenticate/" in answer.url
    client.post("/accounts/reauthenticate/", {"password": builders.PASSWORD, "next": ASK})
    return client


def test_the_password_is_asked_for_first(client, zora):
    client.force_login(zora.user)
    assert "/reauthenticate/" in client.post(ASK, {"when": "now", "word": "erase"}).url
    assert not Erasure.objects.exists()


def test_what_stays_is_named_with_its_reason_before_anything_happens(at_home):
    page = at_home.get(ASK).content.decode().replace("&#x27;", "'")
    kept = [holding for holding in personal_data.get_holdings() if holding.kept]
    assert {"orders", "payments", "suppression", "answers"} <= {holding.key for holding in kept}
    assert all(holding.kept in page for holding in kept)


@pytest.mark.parametrize("word", ["", "yes", "delete", "x" * 30])
def test_nothing_happens_without_the_word(at_home, word):
    assert at_home.post(ASK, {"when": "now", "word": word}).status_code == 400
    assert not Erasure.objects.exists()


def test_an_erasure_in_fourteen_days_is_undone_with_one_click(at_home, zora):
    answer = at_home.post(ASK, {"when": "later", "word": " Erase "}, follow=True)
    assert "Undo: keep my account" in answer.content.decode()
    page = answer.redirect_chain[-1][0]
    assert at_home.get(ASK).url.startswith("/erasure/")  # not asked twice
    assert "You asked to be forgotten" in at_home.get("/account/data/").content.decode()
    stranger = Client()  # the link in the mail, on another device
    assert stranger.get(page).status_code == 200
    assert Erasure.objects.get().state == "scheduled"  # opening it changed nothing
    assert "Nothing was erased" in stranger.post(page, follow=True).content.decode()
    assert Erasure.objects.get().state == "undone"
    assert Customer.objects.get(pk=zora.pk).name == people.NAME


def test_an_erasure_now_signs_out_and_says_when_it_is_done(at_home, zora):
    page = at_home.post(ASK, {"when": "now", "word": "erase"}).url
    assert "begins in a few seconds" not in at_home.get(page).content.decode()  # its mail leaves first
    people_mail_left()
    assert "begins in a few seconds" in at_home.get(page).content.decode()
    erase_due()
    assert "You are forgotten" in at_home.get(page).content.decode()
    assert at_home.get("/account/").status_code == 302
    assert "cannot be undone" in at_home.post(page, follow=True).content.decode()
    assert not Customer.objects.filter(pk=zora.pk).exists()


def people_mail_left() -> None:
    from notifications import relay

    relay.relay_all_events()
    OutgoingEmail.objects.update(state="sent")


def test_an_order_under_way_is_named_kindly(at_home, zora):
    order = builders.placed_order(customer=zora)
    assert f"Order {order.number} is still under way" in at_home.get(ASK).content.decode()
    assert at_home.post(ASK, {"when": "now", "word": "erase"}).status_code == 302
    erase_due()
    assert Order.objects.get(pk=order.pk).email == people.EMAIL
    assert Erasure.objects.get().state == "scheduled"


def test_a_guest_with_a_fresh_link_can_be_forgotten_too(client):
    guest = builders.customer("guest.zora@example.com", with_login=False)
    session = client.session
    session[guest_session.GUEST_KEY] = {"customer": guest.pk, "until": people.long_ago(hours=-1).timestamp()}
    session.save()
    assert client.post(ASK, {"when": "now", "word": "erase"}).status_code == 302
    people_mail_left()
    erase_due()
    assert not Customer.objects.exists()
    assert people.traces(("guest.zora",)) == set()


def test_a_forged_link_opens_nothing(client, zora):
    made = erasure.request_erasure(zora, at_once=False)
    token = erasure.make_erasure_token(made)
    for forged in (token[:-1], f"x{token}", "nothing"):
        assert client.get(reverse("erasure", args=[forged])).status_code == 404
        assert client.post(reverse("erasure", args=[forged])).status_code == 404
    assert Erasure.objects.get().state == "scheduled"
