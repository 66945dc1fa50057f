"""The page on which staff try the rule by which orders approve themselves."""

from decimal import Decimal

import pytest
from django.urls import reverse

from orders.models import Order, ShopSettings
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:orders_shopsettings_rule")


def test_the_rule_is_tried_before_it_is_switched_on(staff):
    small, dear = builders.placed_order(), builders.placed_order()
    Order.objects.filter(pk=dear.pk).update(total=500)
    assert "The rule is off" in staff.get(PAGE).text
    page = staff.get(PAGE, {"up_to": "100", "first_orders": "on"})
    assert "1 of the last 2 orders" in page.text
    assert "comes to £100.00 or less" in page.text
    assert "For staff, because it comes to £500.00." in " ".join(page.text.split()).replace(" .", ".")
    assert small.number in page.text
    assert not ShopSettings.objects.exists()
    assert not Order.objects.exclude(approved_at=None).exists()


def test_what_stands_is_tried_without_asking(staff):
    ShopSettings(pk=1, approve_up_to=Decimal(100), approve_first_orders=False).save()
    builders.placed_order()
    page = staff.get(PAGE)
    assert "0 of the last 1 order" in page.text
    assert "is not the first that its buyer has paid" in page.text


@pytest.mark.parametrize("typed", ["much", "-1", "1e30", "NaN", ""])
def test_a_total_that_cannot_be_meant_gets_a_sentence(staff, typed):
    builders.placed_order()
    page = staff.get(PAGE, {"up_to": typed, "first_orders": "on"})
    assert page.status_code == 200
    assert "errorlist" in page.text
    assert "of the last" not in page.text


def test_only_who_may_see_settings_and_orders_sees_it():
    assert signed_in(staff_member(role="Staff: orders")).get(PAGE).status_code == 403


def test_the_settings_lead_there(staff):
    assert PAGE in staff.get(reverse("admin:orders_shopsettings_change", args=[1])).text
