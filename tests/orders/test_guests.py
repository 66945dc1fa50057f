"""Who may see an order."""

import pytest

from accounts.models import Customer, User
from accounts.people.customers import link_login
from orders import order_access
from orders.models import Order
from tests import builders
from tests.paying import check_out, fill, pay

pytestmark = pytest.mark.django_db


def path(link: str) -> str:
    return link.removeprefix("http://localhost:8000")


def test_a_stranger_gets_the_same_404_for_an_order_that_is_and_one_that_is_not(client):
    order = builders.paid_order()
    real, made_up = client.get(f"/orders/{order.number}/"), client.get("/orders/SW-AAAA-AAAA-AA/")
    assert real.status_code == made_up.status_code == 404
    assert real.text == made_up.text
    assert client.post(f"/orders/{order.number}/cancellation/").status_code == 404
    assert client.get(f"/orders/{order.number}/paid/").status_code == 404
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED


def test_the_mailed_link_opens_this_order_and_no_other(client):
    mine, other = builders.paid_order(email="pat@example.com"), builders.paid_order()
    response = client.get(path(order_access.build_order_link(mine)))
    assert (response.status_code, response.url) == (303, f"/orders/{mine.number}/")
    page = client.get(response.url)
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    assert client.get(f"/orders/{other.number}/").status_code == 404


def test_a_forged_link_or_one_for_another_order_opens_nothing(client):
    mine, other = builders.paid_order(), builders.paid_order()
    token = order_access.build_order_link(mine).rstrip("/").rsplit("/", 1)[1]
    assert client.get(f"/orders/{other.number}/open/{token}/").status_code == 404
    assert client.get(f"/orders/{mine.number}/open/{token}x/").status_code == 404
    assert client.get(f"/orders/{mine.number}/").status_code == 404
    assert not Customer.objects.exists()


def test_opening_the_link_proves_nothing_and_no_order_joins_anybody(client):
    first, second = builders.paid_order(email="pat@example.com"), builders.paid_order(email="pat@example.com")
    imported = Customer.objects.create(email="pat@example.com")
    client.get(path(order_access.build_order_link(first)), follow=True)
    imported.refresh_from_db()
    assert not imported.is_proved
    assert Customer.objects.get() == imported
    assert set(Order.objects.values_list("pk", "customer")) == {(first.pk, None), (second.pk, None)}


def test_what_somebody_bought_without_signing_in_joins_when_they_sign_in_with_that_proved_address(client):
    alice, unproved = builders.customer("alice@example.com"), builders.customer("una@example.com")
    Customer.objects.filter(pk=unproved.pk).update(email_proved_at=None)
    bought, other = builders.paid_order(email="alice@example.com"), builders.paid_order(email="una@example.com")
    for customer in (alice, unproved):
        client.force_login(User.objects.get(pk=customer.user_id))
    assert set(alice.orders.all()) == {bought}
    other.refresh_from_db()
    assert other.customer is None


def test_an_account_that_takes_an_address_over_finds_what_was_bought_with_it_as_a_guest():
    guest, other = builders.customer("new@example.com", with_login=False), builders.customer(with_login=False)
    bought, others = builders.paid_order(customer=guest), builders.paid_order(customer=other, email="new@example.com")
    alice = builders.customer("old@example.com")
    link_login(alice.user, "new@example.com")
    assert set(alice.orders.all()) == {bought}
    assert set(other.orders.all()) == {others}


def test_a_customer_sees_their_orders_and_nobody_elses(client):
    customer = builders.customer()
    mine = builders.paid_order(builders.product("Tin mug").variants.get(), customer=customer)
    theirs = builders.paid_order(customer=builders.customer())
    client.force_login(customer.user)
    listed = client.get("/account/orders/")
    assert mine.number in listed.text
    assert "Tin mug" in listed.text
    assert theirs.number not in listed.text
    assert client.get(f"/orders/{mine.number}/").status_code == 200
    assert client.get(f"/orders/{theirs.number}/").status_code == 404


def test_the_list_asks_strangers_who_they_are(client):
    response = client.get("/account/orders/")
    assert response.status_code == 302
    assert response.url == "/account/link/?next=/account/orders/"


def test_the_buyer_sees_the_order_in_the_browser_that_placed_it_until_they_leave(client, standin):
    customer = builders.customer()
    client.force_login(customer.user)
    fill(client)
    order = pay(client, standin, check_out(client))
    assert client.get(f"/orders/{order.number}/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get(f"/orders/{order.number}/").status_code == 404


def test_whoever_comes_back_from_paying_sees_the_order_in_another_browser(client, standin):
    fill(client)
    payment = check_out(client)
    location = path(standin.pay(payment.provider_reference))
    other = type(client)()
    assert other.get(location.replace("cs_test_", "cs_test_x")).status_code == 404
    assert other.get(location, follow=True).status_code == 200
