"""The packing table over HTTP, without JavaScript: every scan a POST, and the page says where it stands."""

import pytest
from django.urls import reverse

from accounts.models import AccessKind, AccessLogEntry
from orders.fulfilment import packing
from orders.models import PackingScan, Shipment
from tests import builders, cast
from tests.backoffice.steps import LIST, page_of, said
from tests.backoffice.test_access import signed_in, staff_member
from tests.orders.packing_table import pick

pytestmark = pytest.mark.django_db

TABLE = reverse("admin:orders_order_packing")
STEPS = ("begin", "scan", "undo", "close", "return")


def url_of(parcel: Shipment, step: str = "parcel") -> str:
    return reverse(f"admin:orders_order_packing_{step}", args=[parcel.pk])


def post(client, parcel: Shipment, step: str, **typed: object):
    return client.post(url_of(parcel, step), typed, follow=True)


def begin(client):
    return client.post(reverse("admin:orders_order_packing_next"), follow=True)


def test_two_parcels_one_after_the_other(staff):
    socks, mug = builders.variant(), builders.variant()
    first, second = pick(socks, quantity=2), pick(mug)
    assert first.order.number in staff.get(TABLE).text
    page = begin(staff)
    assert page.redirect_chain == [(url_of(first), 302)]
    assert "0 of 2" in page.text
    wrong = post(staff, first, "scan", code=mug.sku)
    assert said(wrong) == [f"Wrong item: {mug} ({mug.sku}) is not in this parcel. Put it back on its shelf."]
    assert said(post(staff, first, "scan", code=socks.sku)) == [f"{socks}: 1 of 2."]
    assert said(post(staff, first, "undo")) == [f"Taken out again: {socks}."]
    for _ in range(2):
        page = post(staff, first, "scan", code=f" {socks.sku} ")
    assert "Everything is in." in page.text
    extra = post(staff, first, "close", code=socks.sku, box_count="1")
    assert "One too many" in said(extra)[0]
    page = post(staff, first, "close", weight_grams="850", box_count="2", note="Enjoy.")
    assert page.redirect_chain == [(url_of(second), 302)]
    assert said(page) == [f"{first.order.number} is packed."]
    first.refresh_from_db()
    assert (first.stage, first.packed_by, first.weight_grams, first.box_count) == ("packed", "Sam", 850, 2)
    assert "2 boxes" in staff.get(page_of(first.order)).text
    post(staff, second, "scan", code=mug.sku)
    page = post(staff, second, "close", box_count="1")
    assert page.redirect_chain == [(TABLE, 302)]
    assert said(page)[-1] == "Nothing else waits to be packed."


def test_somebody_else_reads_who_is_packing_and_may_take_over(staff):
    parcel = pick(builders.variant())
    kit = signed_in(staff_member(role="Staff: orders"))
    begin(kit)
    page = staff.get(url_of(parcel))
    assert "Kit is packing this since" in page.text
    assert "Kit is packing this since" in staff.get(TABLE).text
    assert 'name="code"' not in page.text
    assert "Kit is packing" in said(post(staff, parcel, "begin"))[0]
    assert 'name="code"' in post(staff, parcel, "begin", take_over="1").text
    assert "Sam is packing" in said(post(kit, parcel, "scan", code="x"))[0]
    assert not PackingScan.objects.exists()


def test_a_parcel_put_back_is_not_the_next_one(staff):
    first, second = pick(builders.variant()), pick(builders.variant())
    begin(staff)
    assert post(staff, first, "return").redirect_chain == [(url_of(second), 302)]
    assert packing.describe_packer(Shipment.objects.get(pk=first.pk)) == ""


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"weight_grams": "heavy"}, "whole grams"),
        ({"weight_grams": "0"}, "greater than or equal to 1"),
        ({"weight_grams": "9" * 40}, "less than or equal to"),
        ({"box_count": ""}, "how many boxes"),
        ({"box_count": "0"}, "greater than or equal to 1"),
        ({"note": "x" * 281}, "at most 280"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence_and_closes_nothing(staff, typed, words):
    item = builders.variant()
    parcel = pick(item)
    begin(staff)
    post(staff, parcel, "scan", code=item.sku)
    page = post(staff, parcel, "close", **({"box_count": "1"} | typed))
    assert words in page.text
    assert "Not closed: look at what is marked." in said(page)
    parcel.refresh_from_db()
    assert parcel.stage == Shipment.Stage.PICKED


def test_a_parcel_that_is_not_all_in_does_not_close(staff):
    parcel = pick(builders.variant())
    begin(staff)
    assert "Still to scan: 1 ×" in said(post(staff, parcel, "close", box_count="1"))[0]
    parcel.refresh_from_db()
    assert parcel.stage == Shipment.Stage.PICKED


def test_who_may_not_change_orders_packs_nothing():
    parcel = pick(builders.variant())
    client = signed_in(staff_member(role="Staff: catalogue"))
    assert client.get(TABLE).status_code == client.get(url_of(parcel)).status_code == 403
    for step in STEPS:
        assert client.post(url_of(parcel, step)).status_code == 403
    parcel.refresh_from_db()
    assert parcel.packer is None


def test_nothing_is_done_by_following_a_link(staff):
    parcel = pick(builders.variant())
    for address in (reverse("admin:orders_order_packing_next"), *(url_of(parcel, step) for step in STEPS)):
        assert staff.get(address).status_code == 405
    parcel.refresh_from_db()
    assert parcel.packer is None


def test_the_customer_reads_that_somebody_packed_it(staff):
    alice = cast.alice()
    order = builders.placed_order(customer=alice)
    parcel = order.shipments.first() or pick(builders.variant())
    post(staff, parcel, "begin")
    entry = AccessLogEntry.objects.latest("pk")
    assert (entry.kind, entry.detail, entry.order_number) == (AccessKind.CHANGE, "Packing", parcel.order.number)


def test_the_queue_and_the_orders_page_lead_to_the_table(staff):
    parcel = pick(builders.variant())
    assert TABLE in staff.get(f"{LIST}?queue=pack").text
    assert TABLE not in staff.get(f"{LIST}?queue=ship").text
    assert url_of(parcel) in staff.get(page_of(parcel.order)).text
