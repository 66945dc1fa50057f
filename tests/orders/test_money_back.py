"""Money gone back stops the parcel; a part of it is said wherever the parcel is handled."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders import cancellation
from orders.fulfilment import queue, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Payment, Refund, Shipment, StripeRecord
from orders.payments import checkout_sessions, recording
from tests import builders, cast
from tests.paying import check_out, check_stock, fill, pay

pytestmark = pytest.mark.django_db

LIST = reverse("admin:orders_order_changelist")
STEPS_TO = {
    "waiting": (),
    "picked": (transitions.mark_shipment_picked,),
    "packed": (transitions.mark_shipment_picked, transitions.mark_shipment_packed),
}


@pytest.fixture
def order(client, standin) -> Order:
    fill(client, builders.variant(price="20.00"))
    return pay(client, standin, check_out(client))


def bring_to(order: Order, stage: str) -> Shipment:
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get()
    for step in STEPS_TO[stage]:
        step(parcel.pk, actor="Sam")
    parcel.refresh_from_db()
    return parcel


def ship(parcel: Shipment) -> Shipment:
    return transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="dpd", tracking_number="1")


STEP_FROM = {
    "waiting": lambda parcel: transitions.start_picking_shipment(parcel.pk, actor="Sam"),
    "picked": lambda parcel: transitions.mark_shipment_packed(parcel.pk, actor="Sam"),
    "packed": ship,
}


def queues_of(order: Order) -> list[str]:
    return [key for key in queue.QUEUES if queue.filter_by_queue(Order.objects.filter(pk=order.pk), key).exists()]


def give_back_here(order: Order, standin) -> None:
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")


def give_back_in_parts(order: Order, standin) -> None:
    checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    checkout_sessions.refund_order(order.pk, amount=Decimal("18.50"), actor="Sam")


def give_back_at_stripe(order: Order, standin) -> None:
    made = standin.refund_in_dashboard(standin.charges()[0]["id"])
    recording.record_reference("refund", made["id"])


def give_back_half_here_half_there(order: Order, standin) -> None:
    checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    give_back_at_stripe(order, standin)


def give_back_slowly(order: Order, standin) -> None:
    standin.control("POST", "behaviour", refunds_start="pending")
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")


def give_back_while_stripe_is_away(order: Order, standin) -> None:
    standin.fault("refuse", on="POST /v1/refunds")
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")


WAYS = [
    give_back_here,
    give_back_in_parts,
    give_back_at_stripe,
    give_back_half_here_half_there,
    give_back_slowly,
    give_back_while_stripe_is_away,
]


@pytest.mark.parametrize("give_back", WAYS)
def test_an_order_given_back_whole_leaves_the_work_queues_whichever_way(order, standin, give_back):
    parcel = bring_to(order, "waiting")
    assert queues_of(order) == ["pick"]
    give_back(order, standin)
    order.refresh_from_db()
    assert (order.hold, queues_of(order)) == ("refunded", ["held"])
    assert order.events.filter(kind="order_held").count() == 1
    with pytest.raises(TransitionRefused, match="money was given back, or is on its way back"):
        transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    parcel.refresh_from_db()
    assert parcel.stage == "waiting"


@pytest.mark.parametrize("stage", STEPS_TO)
def test_at_whatever_stage_the_parcel_stops(order, stage):
    parcel = bring_to(order, stage)
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    assert queues_of(order) == ["held"]
    with pytest.raises(TransitionRefused, match="on hold"):
        STEP_FROM[stage](parcel)
    parcel.refresh_from_db()
    assert (parcel.stage, parcel.tracking_number) == (stage, "")


def test_before_it_is_approved_it_stops_too(order):
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    assert queues_of(order) == ["held"]
    with pytest.raises(TransitionRefused, match="on hold"):
        transitions.approve_order(order.pk, actor="Sam")
    assert not Shipment.objects.exists()


def test_what_has_left_is_not_held(order):
    ship(bring_to(order, "packed"))
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("refunded", "")


def test_a_part_of_the_money_holds_nothing(order):
    parcel = bring_to(order, "packed")
    checkout_sessions.refund_order(order.pk, amount=Decimal("23.49"), actor="Sam")
    assert queues_of(order) == ["ship"]
    assert ship(parcel).stage == "dispatched"


def test_released_it_goes_on_and_the_late_news_from_stripe_does_not_stop_it_again(order, standin):
    parcel = bring_to(order, "packed")
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    transitions.release_order_from_hold(order.pk, actor="Kit")
    recording.record_reference("refund", Refund.objects.get().provider_reference)
    assert queues_of(order) == ["ship"]
    assert Refund.objects.get().cleared_by == "Kit"
    assert ship(parcel).stage == "dispatched"


def test_cancelled_the_goods_go_back_and_no_money_a_second_time(order, standin):
    bring_to(order, "packed")
    checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    cancellation.cancel_order(order.pk, actor="Sam")
    order.refresh_from_db()
    assert (order.status, order.hold, Refund.objects.count()) == ("cancelled", "", 1)
    assert standin.charges()[0]["amount_refunded"] == 2350
    check_stock()


def test_a_refund_that_fails_takes_its_hold_with_it(order, standin):
    give_back_slowly(order, standin)
    refund = Refund.objects.get()
    standin.settle_refund(refund.provider_reference, "failed")
    checkout_sessions.try_send_refund(refund.pk)
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("paid", "")
    assert list(order.events.values_list("kind", flat=True))[-2:] == ["order_held", "order_released"]


def test_money_that_was_paid_twice_and_given_back_is_not_the_orders(order):
    twice = builders.payment(order, status=Payment.Status.FLAGGED)
    Refund.objects.create(payment=twice, amount=twice.amount, currency="GBP", status="succeeded")
    checkout_sessions.refund_order(order.pk, amount=Decimal("1.00"), actor="Sam")
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("partially_refunded", "")


def test_what_staff_had_released_before_the_update_stays_released(order, standin):
    give_back_at_stripe(order, standin)
    StripeRecord.objects.filter(kind="refund").update(cleared_at=timezone.now(), cleared_by="Kit")
    open_one = builders.placed_order()
    Refund.objects.create(payment=open_one.payments.get(), amount=open_one.total, currency="GBP", status="succeeded")
    Order.objects.update(hold="", payment_status="refunded")
    carry_over()
    assert Order.objects.get(pk=order.pk).hold == ""
    assert Order.objects.get(pk=open_one.pk).hold == "refunded"


def carry_over() -> None:
    from importlib import import_module

    from django.apps import apps

    import_module("orders.migrations.0010_refunds_hold_orders").carry_over(apps, None)


# -- What staff see --------------------------------------------------------------------------------------------


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(cast.sam())
    return client


def take(staff: Client, action: str, *orders: Order) -> str:
    return staff.post(f"{LIST}?queue=any", {"action": action, "_selected_action": [each.pk for each in orders]}).text


def test_a_part_given_back_is_said_with_sum_and_reason_wherever_the_parcel_is_handled(order, staff):
    parcel = bring_to(order, "waiting")
    checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam", reason="No blue <socks> left")
    page = reverse("admin:orders_order_change", args=[order.pk])
    shown = [staff.get(f"{LIST}?queue=pick").text, take(staff, "pick_list", order), staff.get(page).text]
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    shown.append(take(staff, "packing_slips", order))
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    shown.append(take(staff, "ship", order))
    for text in shown:
        assert "£5.00" in text
        assert "back" in text
        assert "No blue &lt;socks&gt; left" in text


def test_in_bulk_the_part_given_back_stands_beside_its_own_order(order, staff):
    other = builders.placed_order()
    bring_to(order, "packed"), bring_to(other, "packed")
    checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam", reason="A scratch")
    assert take(staff, "ship", order, other).count("A scratch") == 1


def test_the_slip_on_paper_names_no_sum(order, staff):
    bring_to(order, "picked")
    checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    page = take(staff, "packing_slips", order)
    assert "£5.00" not in page[page.index('class="module sheet slip"') :]


def test_an_order_of_which_nothing_went_back_bears_no_mark(order, staff):
    bring_to(order, "waiting")
    assert "went back" not in take(staff, "pick_list", order)
    assert " back</span>" not in staff.get(f"{LIST}?queue=pick").text


def test_the_list_with_refunds_costs_no_query_more(staff, django_assert_num_queries):
    orders = [builders.placed_order() for _ in range(3)]
    staff.get(LIST)
    with CaptureQueriesContext(connection) as without:
        staff.get(LIST)
    for made in orders:
        Refund.objects.create(payment=made.payments.get(), amount=1, currency="GBP", reason="Late")
    with django_assert_num_queries(len(without)):
        assert staff.get(LIST).text.count("£1.00 back</span>") == 3
