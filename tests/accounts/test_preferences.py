import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.consent import consent, purposes
from accounts.models import Consent, ConsentRecord
from tests import builders, cast

pytestmark = pytest.mark.django_db

PURPOSE = purposes.RECOMMEND_FROM_PURCHASES


@pytest.fixture
def bob(client):
    customer = cast.bob()
    client.force_login(customer.user)
    return customer


def test_every_purpose_is_a_checkbox_off_until_ticked(client, bob):
    builders.pickup_method()
    page = client.get("/account/preferences/").content.decode()
    assert page.count('type="checkbox"') == len(purposes.PURPOSES)
    assert " checked aria-" not in page
    for purpose in purposes.PURPOSES:
        assert purpose.title in page


@pytest.mark.parametrize("path", ["/account/", "/account/preferences/"])
def test_a_customers_answers_are_read_once_for_a_page(client, bob, path):
    consent.set_consent(bob, PURPOSE, granted=True, source="preferences")
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    assert sum(query["sql"].startswith('SELECT "accounts_consent"') for query in queries) == 1


def test_a_toggle_is_saved_and_says_so(client, bob):
    answer = client.post(reverse("preference", args=[PURPOSE]), {PURPOSE: "on"}, headers={"HX-Request": "true"})
    assert "Saved. It is on." in answer.content.decode()
    assert consent.allows(bob, PURPOSE)
    answer = client.post(reverse("preference", args=[PURPOSE]), {}, headers={"HX-Request": "true"})
    assert "Saved. It is off" in answer.content.decode()
    assert not consent.allows(bob, PURPOSE)


def test_the_page_works_without_javascript(client, bob):
    asked = [purpose.key for purpose in purposes.PURPOSES]
    client.post("/account/preferences/", {"asked": asked, PURPOSE: "on", purposes.NEWSLETTER: "on"})
    assert consent.get_granted_purposes(bob) == {PURPOSE, purposes.NEWSLETTER}
    client.post("/account/preferences/", {"asked": asked, purposes.NEWSLETTER: "on"})
    assert consent.get_granted_purposes(bob) == {purposes.NEWSLETTER}
    assert ConsentRecord.objects.count() == 3  # untouched switches leave no row


def test_a_form_that_asks_for_some_leaves_the_others_alone(client, bob):
    consent.set_consent(bob, purposes.NEWSLETTER, granted=True, source="preferences")
    client.post("/account/preferences/", {"asked": [PURPOSE, "sell_my_data"], PURPOSE: "on", "sell_my_data": "on"})
    assert consent.get_granted_purposes(bob) == {PURPOSE, purposes.NEWSLETTER}


def test_a_visitor_is_asked_to_sign_in_and_changes_nothing(client):
    assert "Sign in, or have a link mailed" in client.get("/account/preferences/").text
    assert client.post(reverse("preference", args=[PURPOSE]), {PURPOSE: "on"}).status_code == 302
    assert not Consent.objects.exists()


def test_an_unknown_switch_is_not_found_and_changes_nothing(client, bob):
    assert client.post("/account/preferences/sell-my-data/", {"sell-my-data": "on"}).status_code == 404
    assert not Consent.objects.exists()


def test_looking_changes_nothing(client, bob):
    assert client.get(reverse("preference", args=[PURPOSE])).status_code == 405
    client.get("/account/preferences/")
    assert not Consent.objects.exists()


def test_the_page_takes_ten_queries(client, bob, django_assert_max_num_queries):
    client.get("/account/preferences/")
    # session, user with customer, answers, whether all of it rests, how often, ceiling; what was told, looked at and
    # bought, and what of that was forgotten and can be put back
    with django_assert_max_num_queries(10):
        client.get("/account/preferences/")


def test_private_pages_are_not_stored(client, bob):
    for path in ("/account/", "/account/preferences/", "/account/addresses/"):
        assert "no-store" in client.get(path).headers["Cache-Control"]


def test_the_privacy_page_names_every_purpose_in_its_own_words(client):
    builders.pickup_method()
    page = client.get("/privacy/").content.decode()
    for purpose in purposes.PURPOSES:
        assert purpose.title in page


def test_an_address_of_somebody_else_cannot_be_seen_or_changed(client, bob):
    alice = builders.customer()
    theirs = alice.addresses.create(full_name="A", line1="1 Row", city="Leeds", postcode="LS1", country="GB")
    assert client.get(reverse("edit_address", args=[theirs.pk])).status_code == 404
    assert client.post(reverse("remove_address", args=[theirs.pk])).status_code == 404
    assert alice.addresses.count() == 1


def test_the_first_address_is_the_default_and_there_is_only_one(client, bob):
    form = {"full_name": "Bob", "line1": "1 Row", "city": "Leeds", "postcode": "ls1 1aa", "country": "GB"}
    client.post("/account/addresses/new/", form)
    client.post("/account/addresses/new/", {**form, "line1": "2 Row", "is_default": "on"})
    assert [(entry.line1, entry.is_default) for entry in bob.addresses.all()] == [("2 Row", True), ("1 Row", False)]
    client.post(reverse("remove_address", args=[bob.addresses.get(line1="2 Row").pk]))
    assert bob.addresses.get().is_default


def test_an_address_without_its_postcode_says_what_to_do_and_keeps_what_was_typed(client, bob):
    answer = client.post("/account/addresses/new/", {"full_name": "Bob", "line1": "1 Row", "country": "GB"})
    page = answer.content.decode()
    assert "Please give the postcode" in page
    assert "1 Row" in page
    assert not bob.addresses.exists()
