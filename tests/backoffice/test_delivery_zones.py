"""Where staff keep postcodes that are different, and what the page says of what cannot be meant."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from orders.models import DeliveryZone
from shop.backoffice.roles import make_roles
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member
from tests.page import read_words

pytestmark = pytest.mark.django_db

LIST, ADD = reverse("admin:orders_deliveryzone_changelist"), reverse("admin:orders_deliveryzone_add")
TYPED = {
    "name": "Scottish islands",
    "country": "GB",
    "postcodes": "iv, kw1 – kw14; HS",
    "method": "",
    "extra_days": "2",
    "surcharge": "4.00",
}


def read(response) -> str:
    return " ".join(read_words(response.text).split())


def test_a_zone_is_kept_in_one_spelling_and_the_list_says_what_it_does(admin_client):
    assert admin_client.post(ADD, TYPED).status_code == 302
    zone = DeliveryZone.objects.get()
    assert (zone.postcodes, zone.currency, zone.method) == ("IV, KW1-KW14, HS", "GBP", None)
    words = read(admin_client.get(LIST))
    assert "Scottish islands United Kingdom IV, KW1-KW14, HS every method 2 working days more and £4.00 more" in words


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"postcodes": "IV!"}, "“IV!” is no postcode and no start of one"),
        ({"postcodes": "KW14-KW1"}, "runs from the lower to the higher"),
        ({"postcodes": "IV, IV2"}, "“IV” and “IV2” overlap"),
        ({"postcodes": "ZE1"}, "“ZE1” overlaps “ZE” of the zone Shetland"),
        ({"postcodes": "20"}, "“20” is no British area or district"),
        ({"postcodes": ""}, "Without postcodes it is the whole country, which can only take longer"),
        ({"is_refused": "on"}, "Where we do not deliver there are no days and no surcharge"),
        ({"extra_days": "0", "surcharge": "0"}, "Say what is different there"),
        ({"surcharge": "-1"}, "greater than or equal to 0"),
        ({"surcharge": "1.001"}, "GBP has 2 decimals"),
        ({"extra_days": "61"}, "less than or equal to 60"),
        ({"extra_days": "9" * 30}, "less than or equal to 60"),
        ({"country": "XX"}, "valid choice"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_said_beside_the_field_and_kept_for_mending(admin_client, wrong, words):
    builders.delivery_zone("ZE", name="Shetland")
    answer = admin_client.post(ADD, TYPED | wrong)
    assert answer.status_code == 200
    assert words in read(answer)
    assert [zone.name for zone in DeliveryZone.objects.all()] == ["Shetland"]


def test_a_country_that_takes_longer_is_kept_without_postcodes(admin_client):
    assert (
        admin_client.post(
            ADD, TYPED | {"name": "Ireland", "country": "IE", "postcodes": "", "surcharge": "0"}
        ).status_code
        == 302
    )
    assert DeliveryZone.objects.get().is_whole_country
    assert "Ireland Ireland the whole country every method 2 working days more" in read(admin_client.get(LIST))


def test_saved_again_as_it_is_a_zone_does_not_overlap_itself(admin_client):
    zone = builders.delivery_zone("IV")
    page = reverse("admin:orders_deliveryzone_change", args=[zone.pk])
    assert admin_client.post(page, TYPED).status_code == 302
    zone.refresh_from_db()
    assert zone.postcodes == "IV, KW1-KW14, HS"


def test_staff_for_orders_see_zones_and_change_none():
    make_roles()
    assert Group.objects.filter(name="Staff: orders", permissions__codename="view_deliveryzone").exists()
    builders.delivery_zone()
    staff = signed_in(staff_member(role="Staff: orders"))
    assert "Scottish islands" in read(staff.get(LIST))
    assert staff.post(ADD, TYPED | {"postcodes": "ZE"}).status_code == 403
    assert DeliveryZone.objects.count() == 1
