import pytest
from django.urls import reverse

from accounts.consent import consent, purposes, requests
from accounts.models import AccountEvent, Consent, ConsentRequest, Customer
from tests import cast

pytestmark = pytest.mark.django_db

PURPOSE = purposes.NEWSLETTER


def ask(email=cast.CHARLIE):
    return requests.request_consent(email, PURPOSE, source="checkout")


def test_asking_makes_no_customer_and_no_consent():
    ask()
    assert not Customer.objects.exists()
    assert not Consent.objects.exists()
    assert AccountEvent.objects.get().kind == "consent_requested"


def test_looking_at_the_link_changes_nothing(client):
    link = reverse("confirm_consent", args=[requests.make_confirmation_token(ask())])
    assert client.get(link).status_code == 200
    assert not Consent.objects.exists()


def test_the_button_behind_the_link_turns_it_on_once(client):
    request = ask()
    link = reverse("confirm_consent", args=[requests.make_confirmation_token(request)])
    client.post(link)
    customer = Customer.objects.get(email=cast.CHARLIE)
    assert customer.is_guest
    assert customer.is_proved
    assert consent.allows(customer, PURPOSE)

    consent.set_consent(customer, PURPOSE, granted=False, source="preferences")
    client.post(link)  # an old mail opened again does not turn it back on
    assert not consent.allows(customer, PURPOSE)


def test_a_forged_link_is_refused_and_nothing_happens(client):
    ask()
    assert client.post(reverse("confirm_consent", args=["forged"])).status_code == 404
    assert not Customer.objects.exists()


def test_asking_ten_times_sends_one_mail():
    for _ in range(10):
        ask()
    assert ConsentRequest.objects.count() == 1
    assert AccountEvent.objects.count() == 1


def test_a_customer_who_has_the_address_already_is_found_not_doubled(client):
    bob = cast.bob()
    link = reverse("confirm_consent", args=[requests.make_confirmation_token(ask("Bob@Example.com"))])
    client.post(link)
    assert consent.allows(bob, PURPOSE)
    assert Customer.objects.count() == 1
