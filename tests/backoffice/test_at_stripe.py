"""What happened at Stripe without the shop, as staff and the customer see it."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from orders import status
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Refund, StripeRecord
from orders.payments import rebuilding, recording
from shop.backoffice import dashboard
from tests import builders, cast
from tests.backoffice.test_access import signed_in, staff_member
from tests.page import read_words
from tests.paying import check_out, fill, pay, standin, standin_process

__all__ = ["standin", "standin_process"]
pytestmark = pytest.mark.django_db

ORDERS = reverse("admin:orders_order_changelist")
RECORDS = reverse("admin:orders_striperecord_changelist")


@pytest.fixture
def order(client, standin) -> Order:
    fill(client, builders.variant(price="20.00"))
    return pay(client, standin, check_out(client))


@pytest.fixture
def charge(order, standin) -> str:
    return standin.charges()[0]["id"]


def page_of(staff, order: Order) -> str:
    return staff.get(reverse("admin:orders_order_change", args=[order.pk])).text


def alarms() -> dict[str, int]:
    return {tile.title.split(" to answer")[0]: tile.count for tile in dashboard.get_today_summary().alarms}


def test_a_dispute_is_told_on_the_first_page_the_orders_page_and_the_customers(client, order, standin, charge):
    recording.record_reference("dispute", standin.dispute(charge, reason="product_not_received")["id"])
    staff = signed_in(cast.sam())
    first = staff.get(reverse("admin:index")).text
    assert "Disputes to answer by" in first
    assert "On hold" in first
    assert alarms() == {"On hold": 1, "Disputes": 1}
    shown = page_of(staff, order)
    assert "The buyer&#x27;s bank disputes the payment and holds the money." in shown
    assert "Product not received" in shown
    assert "Answer at Stripe by" in shown
    assert "Release" in shown
    assert "Approve</button>" not in shown
    assert "Refund</button>" not in shown
    theirs = client.get(f"/orders/{order.number}/").text
    assert "Your bank disputes this payment" in theirs
    assert "On hold" in theirs
    assert "Thank you." not in theirs
    assert "Cancel this order" not in theirs
    listed = staff.get(f"{RECORDS}?matter=disputes").text
    assert order.number in listed


def test_staff_release_an_order_and_work_on(order, standin, charge):
    recording.record_reference("warning", standin.warn(charge)["id"])
    staff = signed_in(cast.sam())
    chosen = {"_selected_action": order.pk}
    said = staff.post(f"{ORDERS}?queue=held", {"action": "approve", **chosen}, follow=True).text
    assert "may be fraud" in said
    staff.post(f"{ORDERS}?queue=held", {"action": "release", **chosen})
    order.refresh_from_db()
    assert order.hold == ""
    staff.post(ORDERS, {"action": "approve", **chosen})
    order.refresh_from_db()
    assert order.approved_at
    record = StripeRecord.objects.get(kind="warning")
    assert record.cleared_by == "Sam"


def test_a_customer_cannot_cancel_for_money_that_the_bank_holds(client, order, standin, charge):
    recording.record_reference("dispute", standin.dispute(charge)["id"])
    response = client.post(f"/orders/{order.number}/cancellation/", follow=True)
    assert "on hold, so it cannot be cancelled from here" in response.text
    order.refresh_from_db()
    assert order.status == "confirmed"
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("befall", "words"),
    [
        (lambda standin, charge: ("warning", standin.warn(charge)), "having a look at the payment"),
        (
            lambda standin, charge: ("dispute", standin.dispute(charge, status="warning_needs_response")),
            "Your bank has asked us about this payment",
        ),
        (lambda standin, charge: ("refund", standin.refund_in_dashboard(charge)), "All your money was given back"),
        (
            lambda standin, charge: (
                "dispute",
                standin.change_dispute(standin.dispute(charge)["id"], "lost"),
            ),
            "Your bank gave you the money back",
        ),
    ],
    ids=["warning", "inquiry", "refund", "lost"],
)
def test_the_customers_page_says_what_is_so_and_promises_nothing_else(client, order, standin, charge, befall, words):
    kind, made = befall(standin, charge)
    recording.record_reference(kind, made["id"])
    page = client.get(f"/orders/{order.number}/").text
    assert words in page
    assert "fraud" not in read_words(page)
    assert "Thank you." not in page
    assert "With you" not in page
    assert "Cancel this order" not in page


def test_money_of_no_order_is_on_the_first_page_until_somebody_has_looked(order, standin):
    stray = standin.charge_elsewhere(1250, description="By card reader")
    recording.record_reference("charge", stray["id"])
    assert alarms() == {"At Stripe, of no order here": 1}
    staff = signed_in(cast.sam())
    row = StripeRecord.objects.get(reference=stray["id"])
    assert "By card reader" in staff.get(f"{RECORDS}?matter=stray").text
    only_looks = staff_member()
    only_looks.user_permissions.set(Permission.objects.filter(codename="view_striperecord"))
    signed_in(only_looks).post(RECORDS, {"action": "clear", "_selected_action": row.pk})
    assert alarms() == {"At Stripe, of no order here": 1}
    staff.post(RECORDS, {"action": "clear", "_selected_action": row.pk})
    assert alarms() == {}
    row.refresh_from_db()
    assert row.cleared_by == "Sam"


def test_what_belongs_to_an_order_is_not_cleared_from_the_list(order, standin, charge):
    recording.record_reference("warning", standin.warn(charge)["id"])
    row = StripeRecord.objects.get(kind="warning")
    staff = signed_in(cast.sam())
    staff.post(RECORDS, {"action": "clear", "_selected_action": row.pk})
    row.refresh_from_db()
    order.refresh_from_db()
    assert (row.cleared_at, order.hold) == (None, "warning")


def test_staff_type_in_the_address_of_a_rebuilt_order_and_send_it():
    order = builders.placed_order(source="rebuilt", unsure_at=timezone.now())
    Order.objects.update(full_name="", line1="", city="", postcode="")
    order.refresh_from_db()
    status.recalculate(order)
    staff = signed_in(cast.sam())
    shown = page_of(staff, order)
    assert "put together again from what Stripe" in shown
    assert "Type in the address" in shown
    step = {"action": "complete_address", "_selected_action": order.pk}
    assert "Where <strong>" in staff.post(ORDERS, step).text
    refused = staff.post(ORDERS, {**step, "confirm": "1", "full_name": "Pat Reader"})
    assert "This field is required" in refused.text
    where = {"full_name": "Pat Reader", "line1": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA"}
    staff.post(ORDERS, {**step, "confirm": "1", **where, "country": "GB"})
    order.refresh_from_db()
    assert (order.line1, order.hold) == ("1 High Street", "rebuilt")
    staff.post(ORDERS, {"action": "release", "_selected_action": order.pk})
    staff.post(ORDERS, {"action": "approve", "_selected_action": order.pk})
    order.refresh_from_db()
    assert order.approved_at


def test_no_other_orders_address_is_typed_over():
    order = builders.placed_order()
    staff = signed_in(cast.sam())
    step = {"action": "complete_address", "_selected_action": order.pk, "confirm": "1"}
    where = {"full_name": "Mal", "line1": "2 Low Street", "city": "Hull", "postcode": "HU1 1AA", "country": "GB"}
    assert "have their address" in staff.post(ORDERS, {**step, **where}, follow=True).text
    with pytest.raises(TransitionRefused):
        rebuilding.set_rebuilt_address(order.pk, line1="2 Low Street")
    order.refresh_from_db()
    assert order.line1 == "1 High Street"


def test_cancelling_a_disputed_order_promises_no_money_back(order, standin, charge):
    recording.record_reference("dispute", standin.dispute(charge)["id"])
    staff = signed_in(cast.sam())
    step = {"action": "cancel", "_selected_action": order.pk, "confirm": "1", "reason": ""}
    said = staff.post(ORDERS, step, follow=True).text
    assert "the bank that disputes it decides" in said
    assert not Refund.objects.exists()
