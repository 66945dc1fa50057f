"""The hand-over list: what each carrier's driver signs for."""

from datetime import datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.fulfilment import transitions
from orders.fulfilment.handover import list_handovers
from orders.models import Shipment
from tests import builders
from tests.backoffice.steps import order_at
from tests.backoffice.test_access import signed_in, staff_member

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:orders_order_handover")


def shipped(carrier: str, number: str, **fields) -> Shipment:
    parcel = order_at("packed", builders.variant()).shipments.get()
    Shipment.objects.filter(pk=parcel.pk).update(**fields)
    return transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier=carrier, tracking_number=number)


def test_each_carrier_takes_what_left_with_it_today(django_assert_num_queries):
    first = shipped("dpd", "15501234567890", weight_grams=850, box_count=2)
    second = shipped("dpd", "", weight_grams=None)
    mail = shipped("royal_mail", "RB123456785GB")
    earlier = shipped("dpd", "15501234567891")
    Shipment.objects.filter(pk=earlier.pk).update(dispatched_at=timezone.now() - timedelta(days=1))
    order_at("packed")
    with django_assert_num_queries(1):
        dpd, royal_mail = list_handovers(timezone.localdate())
    assert (dpd.carrier, dpd.parcels, royal_mail.parcels) == ("DPD", [first, second], [mail])
    assert (dpd.box_count, dpd.weight_grams, dpd.unweighed_count) == (3, 850, 1)


def test_staff_print_it(staff):
    parcel = shipped("dpd", "15501234567890", box_count=2)
    page = staff.get(PAGE)
    assert parcel.order.number in page.text
    assert "15501234567890" in page.text
    assert "Taken over by" in page.text
    assert "Pat Reader" not in page.text
    yesterday = timezone.localdate() - timedelta(days=1)
    assert "No parcel left on" in staff.get(PAGE, {"day": yesterday.isoformat()}).text


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "9" * 50, "0000-01-01"])
def test_a_day_that_is_none_gets_a_sentence(staff, day):
    shipped("dpd", "15501234567890")
    page = staff.get(PAGE, {"day": day})
    assert "Type a day as" in page.text
    assert "15501234567890" not in page.text


def test_a_day_begins_at_midnight_and_ends_before_the_next():
    parcel = shipped("dpd", "15501234567890")
    day = timezone.localdate()
    midnight = timezone.make_aware(datetime.combine(day, time.min))
    for at, expected in [(midnight, day), (midnight - timedelta(microseconds=1), day - timedelta(days=1))]:
        Shipment.objects.filter(pk=parcel.pk).update(dispatched_at=at)
        found = [each for each in (day, day - timedelta(days=1)) if list_handovers(each)]
        assert found == [expected]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_there_is_have_a_list(staff, day):
    assert "No parcel left on" in staff.get(PAGE, {"day": day}).text


def test_who_may_not_see_orders_sees_no_list():
    assert signed_in(staff_member(role="Staff: catalogue")).get(PAGE).status_code == 403
