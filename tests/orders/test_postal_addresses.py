"""What an address has in each country: in the address book and at the checkout."""

import re

import pytest
from django_countries import countries

from accounts.people.address_forms import AddressBookForm
from accounts.people.postal_rules import get_postal_rules
from orders.models import Order
from orders.shop_terms import load_terms
from shop.storefront.checkout_form import CheckoutForm
from tests import cast
from tests.paying import check_out, check_stock, fill, form

pytestmark = pytest.mark.django_db

WITHOUT_POSTCODES = ("MO", "TT", "HK", "AE", "PA", "UG", "QA", "BS", "FJ", "JM", "AO", "GH", "ZW", "CW", "LY", "YE")
IN_THE_BOOK = {"full_name": "Bob", "line1": "1 Row", "city": "Town"}
ODD = (
    ({"country": "US", "postcode": "95014", "region": ""}, "we expected a state too", "id_region"),
    (
        {"country": "US", "postcode": "ABCDE", "region": "CA"},
        "With United States of America as the country, we expected a ZIP code such as 95014",
        "id_postcode",
    ),
    ({"country": "DE", "postcode": "1062"}, "we expected a postcode such as 26133", "id_postcode"),
    (
        {"country": "GB", "postcode": "99999"},
        "With United Kingdom as the country, we expected a postcode such as",
        "id_postcode",
    ),
    ({"country": "CA", "postcode": "99999", "region": ""}, "we expected a province too", "id_region"),
    ({"country": "IE", "postcode": "nonsense"}, "we expected an Eircode such as", "id_postcode"),
)


@pytest.fixture
def bob(client):
    customer = cast.bob()
    client.force_login(customer.user)
    return customer


def checkout_form(**fields: str) -> CheckoutForm:
    data = form(**fields)
    return CheckoutForm(data=data, terms=load_terms(), customer=None)


@pytest.mark.parametrize("country", [code for code, _ in countries])
def test_no_country_asks_for_more_than_its_addresses_have(country):
    """Every country of the list, at both doors: whoever gives what addresses there have gets through in two posts."""
    rules = get_postal_rules(country)
    postcode = rules.postcode_example.split(",")[0] if rules.needs_postcode else ""
    fields = {"country": country, "postcode": postcode, "city": "Town" if rules.needs_city else ""}
    book = AddressBookForm({**IN_THE_BOOK, **fields})
    checkout = checkout_form(**fields)
    for door in (book, checkout):
        assert set(door.errors) <= {"region"}, door.errors
    if rules.expects_region:
        assert AddressBookForm({**IN_THE_BOOK, **fields, "region": "Somewhere"}).is_valid()


@pytest.mark.parametrize("country", WITHOUT_POSTCODES)
def test_a_country_without_postcodes_asks_for_none(country):
    fields = {"country": country, "postcode": "", "region": "Somewhere"}
    assert AddressBookForm({**IN_THE_BOOK, **fields}).is_valid()
    assert checkout_form(**fields).is_valid()


@pytest.mark.parametrize("country", ["GB", "US", "DE", "FR", "SG", "JP"])
def test_a_country_whose_parcels_need_one_asks_for_it(country):
    fields = {"country": country, "postcode": "", "region": "Somewhere"}
    for door in (AddressBookForm({**IN_THE_BOOK, **fields}), checkout_form(**fields)):
        assert list(door.errors) == ["postcode"]
        assert "the carrier needs it" in str(door.errors)


@pytest.mark.parametrize("country", ["MO", "TT"])
def test_a_parcel_goes_to_macao_and_to_trinidad(client, standin, country):
    fill(client)
    order = check_out(client, country=country, postcode="").order
    assert (str(order.country), order.postcode) == (country, "")
    check_stock()


@pytest.mark.parametrize("country", ["MO", "TT"])
def test_an_address_there_is_kept(client, bob, country):
    client.post("/account/addresses/new/", {**IN_THE_BOOK, "country": country})
    assert bob.addresses.get().postcode == ""


@pytest.mark.parametrize(
    ("country", "postcode", "region"),
    [
        ("GB", "Postcode", "County or state"),
        ("US", "ZIP code", "State"),
        ("IN", "PIN code", "State"),
        ("IE", "Eircode", "County"),
        ("CA", "Postcode", "Province"),
        ("JP", "Postcode", "Prefecture"),
        ("TT", "Postcode", "County or state"),
    ],
)
def test_fields_have_the_countrys_own_words(client, bob, standin, country, postcode, region):
    fill(client)
    pages = [
        client.post("/checkout/", form(country=country, reprice="1")).text,
        client.post("/account/addresses/new/", {"country": country}).text,
    ]
    for page in pages:
        labels = dict(re.findall(r'<label for="id_(\w+)">([^<]+?) ?<', page))
        assert (labels["postcode"], labels["region"]) == (postcode, region)
        assert (labels["full_name"], labels["line1"], labels["city"]) == ("Full name", "Address", "City")


@pytest.mark.parametrize(("fields", "words", "field"), ODD)
def test_the_checkout_asks_once_about_what_looks_odd(client, standin, fields, words, field):
    fill(client)
    page = client.post("/checkout/", form(**fields)).text
    assert words in page
    assert f'href="#{field}"' in page
    assert not Order.objects.exists()
    asked = re.search(r'name="looked_at" value="([^"]+)"', page)[1]
    assert check_out(client, **fields, looked_at=asked).order.postcode == fields["postcode"].upper()


@pytest.mark.parametrize(("fields", "words", "field"), ODD)
def test_the_address_book_asks_once_about_what_looks_odd(client, bob, fields, words, field):
    page = client.post("/account/addresses/new/", {**IN_THE_BOOK, **fields}).text
    assert words in page
    assert not bob.addresses.exists()
    asked = re.search(r'name="looked_at" value="([^"]+)"', page)[1]
    client.post("/account/addresses/new/", {**IN_THE_BOOK, **fields, "looked_at": asked})
    assert bob.addresses.get().postcode == fields["postcode"].upper()


def test_another_odd_answer_is_asked_about_again(client, bob):
    odd = {**IN_THE_BOOK, "country": "DE", "postcode": "1062"}
    asked = re.search(r'name="looked_at" value="([^"]+)"', client.post("/account/addresses/new/", odd).text)[1]
    page = client.post("/account/addresses/new/", {**odd, "postcode": "1063", "looked_at": asked}).text
    assert "we expected a postcode" in page
    page = client.post("/account/addresses/new/", {**odd, "country": "FR", "looked_at": asked}).text
    assert "we expected a postcode" in page
    assert not bob.addresses.exists()


@pytest.mark.parametrize("postcode", ["ls1 1aa", "LS11AA", " LS1  1AA ", "sw1a 1aa"])
def test_a_postcode_is_taken_however_it_is_typed(client, bob, postcode):
    client.post("/account/addresses/new/", {**IN_THE_BOOK, "country": "GB", "postcode": postcode})
    assert " ".join(postcode.upper().split()) == bob.addresses.get().postcode
