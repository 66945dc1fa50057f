"""Tracking numbers in bulk: looked at before anything leaves; a row that cannot be taken keeps no other waiting."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from orders.models import Order, OrderEvent, Shipment
from tests import builders
from tests.backoffice.steps import LIST, dpd_number, order_at, said
from tests.backoffice.test_access import signed_in, staff_member

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:orders_order_tracking")


def packed(count: int = 1, **fields) -> list[Order]:
    item = builders.variant(on_hand=200)
    return [order_at("packed", item, carrier="dpd", **fields) for _ in range(count)]


def number_of(order: Order) -> str:
    return dpd_number(order.shipments.get().pk)


def write_rows(*orders: Order) -> str:
    return "\n".join(f"{order.number}, {number_of(order)}" for order in orders)


def left() -> set[str]:
    return set(Shipment.objects.filter(stage="dispatched").values_list("order__number", flat=True))


def problems(page) -> dict[int, str]:
    return {row.number: row.problem for row in page.context["rows"] if row.problem}


def ship(staff, rows: str, *anyway: str):
    return staff.post(PAGE, {"rows": rows, "confirm": "1", "anyway": anyway})


def test_pasted_lines_are_shown_first_and_shipped_when_confirmed(staff):
    orders = packed(3)
    rows = write_rows(*orders)
    page = staff.post(PAGE, {"rows": rows})
    assert "3 of 3" in " ".join(page.text.split())
    assert left() == set()
    page = ship(staff, rows)
    assert said(page) == ["Shipped: 3 parcels."]
    assert left() == {order.number for order in orders}
    for order in orders:
        assert order.shipments.get().tracking_number == number_of(order)
        assert order.events.get(kind=OrderEvent.Kind.DISPATCHED).actor == "Sam"


def test_of_a_file_with_three_wrong_rows_in_a_hundred_ninety_seven_are_shipped(staff):
    orders = packed(100)
    lines = [f"{order.number};{number_of(order)}" for order in orders]
    lines[10] = f"{orders[10].number};"
    lines[50] = f"SW-XXXX-XXXX-XX;{number_of(orders[50])}"
    lines[99] = f"{orders[99].number};{number_of(orders[99])};Pigeon Post"
    content = "\r\n".join(["order number;tracking number;carrier", *lines]).encode("utf-8-sig")
    page = staff.post(PAGE, {"file": SimpleUploadedFile("numbers.csv", content)})
    assert problems(page) == {
        12: f"{orders[10].number} has no tracking number. Ship what has none on its order’s page.",
        52: "There is no order “SW-XXXX-XXXX-XX”.",
        101: "We know no carrier “Pigeon Post”. Write it as the list of carriers does, or leave it out.",
    }
    assert left() == set()
    page = ship(staff, page.context["text"])
    assert set(problems(page)) == {12, 52, 101}
    assert said(page) == ["Shipped: 97 parcels.", "3 rows stay here."]
    assert len(left()) == 97
    assert left().isdisjoint({orders[place].number for place in (10, 50, 99)})


def test_a_number_typed_in_any_case_and_a_carrier_in_words_will_do(staff):
    (order,) = packed()
    page = ship(staff, f"{order.number.lower().replace('-', '')}\tRB123456785GB\tRoyal Mail")
    assert said(page) == ["Shipped: 1 parcel."]
    parcel = order.shipments.get()
    assert (parcel.carrier, parcel.tracking_number) == ("royal_mail", "RB123456785GB")


@pytest.mark.parametrize(
    ("stage", "words"),
    [("waiting", "is “waiting to be picked”"), ("picked", "is “picked”"), ("dispatched", "is “on the truck”")],
)
def test_what_is_not_packed_is_not_shipped(staff, stage, words):
    order = order_at(stage)
    before = list(Shipment.objects.values())
    page = ship(staff, f"{order.number}, 15501234567890")
    assert words in problems(page)[1]
    assert list(Shipment.objects.values()) == before


def test_what_is_on_hold_cancelled_or_not_approved_says_so(staff):
    held, gone = packed(2)
    Order.objects.filter(pk=held.pk).update(hold=Order.Hold.WARNING)
    Order.objects.filter(pk=gone.pk).update(status=Order.Status.CANCELLED)
    new = builders.placed_order()
    page = ship(staff, "\n".join(f"{order.number}, 15501234567890" for order in (held, gone, new)))
    assert problems(page) == {
        1: f"{held.number} is on hold: look at its page.",
        2: f"{gone.number} was cancelled.",
        3: f"{new.number} is not approved yet: only what is packed can be shipped.",
    }
    assert left() == set()


def test_a_number_that_raises_a_doubt_waits_until_somebody_has_looked(staff):
    sure, odd = packed(2)
    rows = f"{write_rows(sure)}\n{odd.number}, 12345"
    page = staff.post(PAGE, {"rows": rows})
    (question,) = [row.question for row in page.context["rows"] if row.question]
    assert "does not look like a DPD number" in question
    page = ship(staff, rows)
    assert problems(page)[2].startswith("Not shipped: “12345” does not look like")
    assert left() == {sure.number}
    ship(staff, f"\n{odd.number}, 12345", f"2 {question}")
    assert left() == {sure.number, odd.number}


def test_the_same_number_for_two_parcels_is_asked_about(staff):
    one, other = packed(2)
    rows = f"{one.number}, 15501234567890\n{other.number}, 15501234567890"
    page = ship(staff, rows)
    assert "The same number is used" in problems(page)[1]
    assert left() == set()


def test_an_order_twice_is_shipped_once(staff):
    (order,) = packed()
    page = ship(staff, f"{write_rows(order)}\n{order.number}, 15509999999999")
    assert "stands here more often" in problems(page)[2]
    assert order.events.filter(kind=OrderEvent.Kind.DISPATCHED).count() == 1


def test_sent_twice_it_is_shipped_once(staff):
    (order,) = packed()
    ship(staff, write_rows(order))
    assert "is “on the truck”" in problems(ship(staff, write_rows(order)))[1]
    assert order.events.filter(kind=OrderEvent.Kind.DISPATCHED).count() == 1


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"rows": ""}, "There is no row in it"),
        ({"rows": " \n\n"}, "There is no row in it"),
        ({"rows": "\n".join(["a, b"] * 501)}, "more than 500 rows"),
        ({"file": b"PK\x03\x04xx"}, "Save it as CSV"),
        ({"file": b""}, "There is no row in it"),
        ({"file": b"a,b", "rows": "a, b"}, "Take one of them away"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(staff, sent, words):
    if "file" in sent:
        sent = sent | {"file": SimpleUploadedFile("x.csv", sent["file"])}
    page = staff.post(PAGE, sent)
    assert words in page.text
    assert not page.context["rows"]


@pytest.mark.parametrize(
    "row",
    ['"open', "a", "a,b,c,d", "a,\x07", "x" * 5000, ",5", "a;b,c"],
)
def test_a_row_that_cannot_be_meant_gets_a_sentence_and_the_rest_goes_through(staff, row):
    (order,) = packed()
    page = ship(staff, f"{order.number}, {number_of(order)}\n{row}")
    assert problems(page)[2]
    assert left() == {order.number}


def test_who_may_not_change_orders_ships_nothing():
    (order,) = packed()
    client = signed_in(staff_member(role="Staff: catalogue"))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"rows": write_rows(order), "confirm": "1"}).status_code == 403
    assert left() == set()


def test_the_queue_leads_there(staff):
    packed()
    assert PAGE in staff.get(f"{LIST}?queue=ship").text
