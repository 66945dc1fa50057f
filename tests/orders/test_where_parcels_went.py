"""A parcel keeps the address it left with; what is still here may be sent elsewhere."""

from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models.address import ADDRESS_FIELDS
from orders.addresses import address_change
from orders.carrier_contact import build_parcel_contact
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Shipment, ShopSettings
from orders.papers.packing_slips import render_packing_slips
from shop.backoffice.dispute_evidence import gather_evidence
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import order_at, page_of, said, take
from tests.backoffice.test_dispute_evidence import dispute
from tests.delays.late import DAY, TODAY, fresh, goods_come
from tests.delays.two_parcels import approve, get_kettle, get_parcel, get_scarf, order_in_two, send
from tests.orders.test_address_change import TYPED, changes, page, where
from tests.page import read_words
from tests.papers.reading import read_pdf

__all__ = ["staff"]

pytestmark = pytest.mark.django_db
ISLAND = TYPED | {"city": "Stornoway", "postcode": "HS1 2AA"}
Stage = Shipment.Stage


def half_sent(**fields) -> Order:
    """Its scarf is on the truck, its kettle here and untouched."""
    order = order_in_two(TODAY() + 4 * DAY, TODAY() + 30 * DAY)
    Order.objects.filter(pk=order.pk).update(**fields)
    approve(order)
    send(get_scarf(order))
    goods_come()
    return fresh(order)


def words_of(response) -> str:
    return " ".join(read_words(response.text).split())


def test_where_it_went_stays_when_the_rest_goes_elsewhere():
    order = half_sent(phone="07700 900123")
    scarf, first = get_parcel(get_scarf(order)), order.address_lines
    assert set(scarf.went_to) == {*ADDRESS_FIELDS} - {"phone"}
    assert get_parcel(get_kettle(order)).went_to is None
    assert address_change.change_address(order.pk, TYPED, actor="Sam")
    scarf, kettle, now = get_parcel(get_scarf(order)), get_parcel(get_kettle(order)), fresh(order)
    assert (scarf.destination.address_lines, list(build_parcel_contact(scarf).lines)) == (first, first)
    assert where(order) == TYPED
    assert kettle.destination.address_lines == list(build_parcel_contact(kettle).lines) == now.address_lines != first
    assert send(get_kettle(order)).went_to == TYPED
    assert (get_parcel(get_scarf(order)).own_address_lines, get_parcel(get_kettle(order)).own_address_lines) == (
        first,
        [],
    )


def test_the_buyer_sends_the_rest_elsewhere_and_reads_where_each_went(buyer):
    order = half_sent()
    client, first = buyer(order), order.line1
    before = words_of(client.get(f"/orders/{order.number}/"))
    assert "The rest goes to" in before
    assert "Change where the rest goes" in before
    assert "Went to" not in before
    assert "What has left keeps the address it went to." in words_of(client.get(page(order)))
    after = words_of(client.post(page(order), TYPED, follow=True))
    assert "The rest goes to the new address." in after
    assert after.index("Went to") < after.index(first) < after.index("The rest goes to Pat Reader 7 Mill Lane")
    assert changes() == ["the customer"]


def test_staff_send_the_rest_elsewhere_and_read_where_each_went(staff):
    order = half_sent()
    assert "Went to" not in staff.get(page_of(order)).text
    asked = words_of(take(staff, "change_address", order))
    assert "what has left keeps the address it went to" in asked
    assert said(take(staff, "change_address", order, confirm="1", **TYPED)) == [
        f"The address is changed: {order.number}."
    ]
    assert f"Went to {', '.join(order.address_lines)}" in words_of(staff.get(page_of(order)))
    assert (where(order), changes()) == (TYPED, ["Sam"])


def test_papers_and_evidence_name_where_each_parcel_went(staff):
    order = half_sent()
    address_change.change_address(order.pk, TYPED, actor="Sam")
    scarf, kettle = get_parcel(get_scarf(order)), get_parcel(get_kettle(order))
    for parcel, street, other in ((scarf, order.line1, "7 Mill Lane"), (kettle, "7 Mill Lane", order.line1)):
        slip = read_pdf(render_packing_slips([parcel], ShopSettings.current())).text
        assert street in slip
        assert other not in slip
    send(get_kettle(order))
    [told] = [part.text for part in gather_evidence(dispute(order)) if part.field == "shipping_address"]
    assert told == "\n".join([*order.address_lines, "", *fresh(order).address_lines])


@pytest.mark.parametrize("stage", [Stage.PICKING, Stage.PICKED, Stage.PACKED])
def test_once_somebody_picks_the_rest_its_address_stays(buyer, stage):
    order = half_sent()
    before, client, kettle = where(order), buyer(order), get_parcel(get_kettle(order))
    Shipment.objects.filter(pk=kettle.pk).update(stage=stage)
    assert page(order) not in client.get(f"/orders/{order.number}/").text
    assert "can no longer be changed here" in client.post(page(order), TYPED, follow=True).text
    with pytest.raises(TransitionRefused, match="being made ready already"):
        address_change.change_address(order.pk, TYPED, actor="Sam")
    assert (where(order), changes()) == (before, [])


@pytest.mark.parametrize("how", [Stage.DISPATCHED, Stage.CANCELLED])
def test_once_nothing_is_left_to_send_its_address_stays(how):
    order = half_sent()
    before, kettle = where(order), get_parcel(get_kettle(order))
    Shipment.objects.filter(pk=kettle.pk).update(stage=how)
    with pytest.raises(TransitionRefused, match="has left, so its address stays"):
        address_change.change_address(order.pk, TYPED, actor="Sam")
    assert (where(order), changes()) == (before, [])


def test_where_it_takes_longer_the_days_of_what_has_left_do_not_move(buyer):
    order = half_sent()
    builders.delivery_zone()
    before, days = where(order), fresh(order).promised_by_on
    response = buyer(order).post(page(order), ISLAND, follow=True)
    assert "Some of this order has left, and to that postcode the way takes another time" in response.text
    with pytest.raises(TransitionRefused, match="takes another time"):
        address_change.change_address(order.pk, ISLAND, actor="Sam")
    assert (where(order), changes(), fresh(order).promised_by_on) == (before, [], days)


def test_what_came_into_the_books_as_having_left_keeps_its_address_too():
    order = half_sent()
    Shipment.objects.filter(order=order).update(went_to=None)
    address_change.change_address(order.pk, TYPED, actor="Sam")
    assert get_parcel(get_scarf(order)).destination.address_lines == order.address_lines
    assert get_parcel(get_kettle(order)).went_to is None


def test_what_is_collected_went_to_no_address():
    order = order_at("packed")
    Order.objects.filter(pk=order.pk).update(pickup_store=builders.store(), pickup_code="ABC234")
    parcel = order.shipments.get().pk
    transitions.mark_shipment_ready(parcel, actor="Sam")
    assert transitions.hand_over_shipment(parcel, actor="Sam", code="ABC234").went_to is None


def test_parcels_that_left_before_get_the_address_of_their_order_and_what_was_forgotten_stays_so():
    known, forgotten, here = half_sent(email="pat@example.com"), half_sent(email="", customer=None), order_at("packed")
    Shipment.objects.update(went_to=None)
    with connection.cursor() as cursor:
        cursor.execute(import_module("orders.migrations.0052_where_parcels_went").COPY_ADDRESSES)
    copied = Shipment.objects.exclude(went_to__isnull=True)
    assert [parcel.went_to for parcel in copied] == [
        {name: str(getattr(known, name)) for name in ADDRESS_FIELDS if name != "phone"}
    ]
    assert copied.get() == get_parcel(get_scarf(known))
    assert not copied.filter(order__in=[forgotten, here]).exists()


def test_naming_where_each_went_asks_the_database_nothing_more(buyer):
    order = half_sent()
    client = buyer(order)
    client.get(f"/orders/{order.number}/")  # what the page keeps for a while is read
    counts = []
    for typed in (None, TYPED):
        if typed:
            address_change.change_address(order.pk, typed, actor="Sam")
        with CaptureQueriesContext(connection) as asked:
            assert ("Went to" in client.get(f"/orders/{order.number}/").text) is (typed is not None)
        counts.append([query["sql"] for query in asked])
    assert len(counts[0]) == len(counts[1])
