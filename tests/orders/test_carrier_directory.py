"""The carriers of the shop and those staff add: where a parcel is followed, and whose a number plainly is."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from orders.carrier_directory import build_parcel_url, list_carriers_in_use, load_directory
from orders.carriers import CARRIERS, find_carrier, is_known_name
from orders.carriers.published_forms import PUBLISHED_FORMS
from orders.carriers.tracking_numbers import find_plain_owners, fits_carrier, format_number, guess_carriers
from orders.carriers.tracking_pages import fill_url_template, find_template_problem
from orders.models import StaffCarrier
from tests import builders

PAGE = "https://track.pigeon.example/?parcel={number}&lang=en"


def staff_carrier(name: str = "Pigeon Post", url_template: str = PAGE, **fields) -> StaffCarrier:
    carrier = StaffCarrier(name=name, url_template=url_template, **fields)
    carrier.full_clean()
    carrier.save()
    return carrier


# -- The carriers the shop knows -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", CARRIERS)
def test_each_carrier_has_a_page_of_its_own_and_is_found_by_its_name(key):
    carrier = CARRIERS[key]
    assert find_template_problem(carrier.url_template) == ""
    assert fill_url_template(carrier.url_template, "AB 1/2").count("AB%201%2F2") == 1
    assert [find_carrier(name) for name in (key, carrier.name, *carrier.aliases)].count(key) == 2 + len(carrier.aliases)


def test_every_courier_of_the_published_set_is_a_carrier_or_part_of_one():
    forms = {form for carrier in CARRIERS.values() for form in carrier.number_forms}
    assert {courier for courier, own in PUBLISHED_FORMS.items() if not forms.issuperset(own)} == {"s10"}


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("DHL Paket", "dhl_germany"),
        ("DHL Express", "dhl"),
        ("ÖSTERREICHISCHE POST", "austrian_post"),
        ("Osterreichische Post AG", "austrian_post"),
        ("Colissimo Domicile", "la_poste"),
        ("An Post registered", "an_post"),
        ("Zásilkovna", "packeta"),
        ("BRT Bartolini", "brt"),
        ("Mondial Relay Locker", "mondial_relay"),
        ("SEUR 24", "seur"),
        ("CTT Expresso", "ctt"),
        ("CTT Express", "ctt_express"),
    ],
)
def test_words_with_several_names_or_accents_find_the_right_one(words, key):
    assert find_carrier(words) == key


# -- Whose a number plainly is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carrier", "number", "owners"),
    [
        ("gls", "1Z5R89390357567127", ["ups"]),
        ("", "1z 5r8 939 03 5756 7127", ["ups"]),
        ("postnl", "RB123456785GB", ["royal_mail"]),
        ("gls", "RB123456785PT", ["ctt"]),
        ("gls", "TBA000000000001", ["amazon"]),
        ("gls", "320595463938", []),  # fits two carriers' forms, as one number of twelve digits in seven does
        ("gls", "YBBX1234", []),
        ("postnl", "3SABCD1234567", []),
        ("yodel", "H01HYA0012345678", []),
    ],
)
def test_where_any_number_is_taken_one_that_is_plainly_anothers_is_told(carrier, number, owners):
    assert fits_carrier(carrier, number)
    assert find_plain_owners(carrier, number) == owners


def test_a_number_of_its_own_carrier_is_no_other_carriers():
    assert find_plain_owners("ups", "1Z5R89390357567127") == []


def test_a_posts_own_form_with_a_wrong_check_digit_is_doubted_though_it_takes_others():
    assert fits_carrier("postnl", "RB123456785NL")
    assert not fits_carrier("postnl", "RB123456786NL")
    assert fits_carrier("postnl", "any 12")


def test_only_a_number_of_a_known_form_is_closed_up():
    assert format_number("postnl", "rb 123456785 nl") == "RB123456785NL"
    assert format_number("postnl", "any 12") == "any 12"


def test_a_form_without_a_check_digit_tells_a_carrier_where_no_other_does():
    assert guess_carriers("LTN 74207623 N1") == ["landmark"]
    assert guess_carriers("60120172242323") == []  # fourteen digits tell nothing


# -- The carriers staff add ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "http://track.example.com/{number}",
        "track.example.com/{number}",
        "javascript:alert('{number}')",
        "https:///{number}",
        "https://localhost/{number}",
        "https://track.example.com/",
        "https://track.example.com/{number}/{number}",
        "https://track.example.com/{number}/{postcode}",
        "https://track.example.com/{}",
        "https://{number}.example.com/",
        "https://user@track.example.com/{number}",
        "https://track.example.com/{number} now",
        "https://track.exämple.com/{number}",
        "https://track.example.com/\n{number}",
        "https://[track.example.com/{number}",
    ],
)
def test_a_tracking_page_nobody_could_be_sent_to_is_refused_in_words(template):
    assert find_template_problem(template).endswith(".")
    with pytest.raises(ValidationError, match=r"url_template"):
        StaffCarrier(name="Pigeon Post", url_template=template).clean()


def test_nothing_else_in_a_tracking_page_is_filled_in():
    assert fill_url_template("https://a.example/%s/{number}", "1&x=2 #") == "https://a.example/%s/1%26x%3D2%20%23"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Royal Mail", "royal_mail", "hermes", "UPS"])
def test_a_carrier_the_shop_knows_is_not_added_again(name):
    assert is_known_name(name)
    with pytest.raises(ValidationError, match="knows that carrier already"):
        staff_carrier(name)


@pytest.mark.django_db
def test_two_carriers_of_one_name_are_refused():
    staff_carrier()
    with pytest.raises(ValidationError, match="There is a carrier of that name"):
        staff_carrier("PIGEON POST")


@pytest.mark.django_db
def test_the_database_refuses_a_page_that_is_not_secure():
    with pytest.raises(IntegrityError, match="staff_carrier_secure_page"):
        StaffCarrier.objects.create(name="Pigeon Post", url_template="http://a.example/{number}")


@pytest.mark.django_db
def test_a_parcel_of_theirs_is_followed_at_their_page(django_assert_num_queries):
    staff_carrier()
    assert build_parcel_url("Pigeon Post", "7 b") == "https://track.pigeon.example/?parcel=7%20b&lang=en"
    assert build_parcel_url("pigeon post ", "7") == "https://track.pigeon.example/?parcel=7&lang=en"
    assert build_parcel_url("Pigeon Post", "") == build_parcel_url("Owl Post", "7") == build_parcel_url("", "7") == ""
    with django_assert_num_queries(0):
        assert build_parcel_url("dpd", "7") == "https://track.dpd.co.uk/parcels/7"


@pytest.mark.django_db
def test_one_of_theirs_goes_before_a_known_carrier_that_its_name_names():
    assert build_parcel_url("DHL Freight", "7") == build_parcel_url("dhl", "7")
    staff_carrier("DHL Freight")
    assert build_parcel_url("DHL Freight", "7").startswith("https://track.pigeon.example/")
    directory = load_directory()
    assert (directory.find_known("DHL Freight"), directory.find_known("DHL Express")) == ("", "dhl")


@pytest.mark.django_db
def test_the_choices_begin_with_what_the_shipping_methods_go_with():
    builders.shipping_method("By bird", carrier="Pigeon Post")
    builders.shipping_method("Post", carrier="royal_mail")
    staff_carrier()
    staff_carrier("Owl Post", is_offered=False)
    staff_carrier("Van", "")
    (used_title, used), (others_title, others) = load_directory().list_choices()
    assert (used_title, others_title) == ("In your shipping methods", "Others")
    assert used == [("royal_mail", "Royal Mail"), ("Pigeon Post", "Pigeon Post")]
    assert ("Van", "Van") in others
    assert "Owl Post" not in dict(others)
    assert [name for _, name in others] == sorted((name for _, name in others), key=str.casefold)
    assert len(used) + len(others) == len(CARRIERS) + 2


@pytest.mark.django_db
def test_what_a_parcel_has_stays_a_choice_though_nobody_offers_it():
    staff_carrier("Owl Post", is_offered=False)
    directory = load_directory()
    assert directory.list_choices("Owl Post")[0] == ("Owl Post", "Owl Post")
    assert directory.list_choices("")[0] == ("", "Not known")
    assert directory.list_choices("dpd")[0][0] == "Others"


@pytest.mark.django_db
def test_the_privacy_page_names_the_carriers_of_the_shipping_methods_alone(client):
    builders.shipping_method("By bird", carrier="Pigeon Post")
    builders.shipping_method("Post", carrier="royal_mail")
    builders.shipping_method("Gone", carrier="evri", is_active=False)
    assert list_carriers_in_use() == ["Pigeon Post", "Royal Mail"]
    page = client.get("/privacy/").text
    assert "The carrier you chose: Pigeon Post, Royal Mail" in page
