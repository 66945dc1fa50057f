"""Some of an order is called off before it leaves: goods free, the share of the money back, parcels put right."""

from decimal import Decimal

import pytest
from django.urls import reverse

from orders import line_cancellation
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import (
    Adjustment,
    Allocation,
    Order,
    OrderEvent,
    PackingScan,
    Refund,
    RefundLine,
    Shipment,
    Withdrawal,
)
from orders.payments import refunds
from orders.returns.declaring import Declaration, declare_withdrawal
from orders.timeline import build_timelines
from tests import builders
from tests.backoffice.steps import order_at
from tests.paying import check_stock

pytestmark = pytest.mark.django_db
Stage = Shipment.Stage
Kind = OrderEvent.Kind


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def two_things(stage: str | None = None, **fields) -> Order:
    goods = builders.variant(price="10.00"), builders.variant(price="5.00")
    return (
        order_at(stage, *goods, quantity=3, **fields) if stage else builders.placed_order(*goods, quantity=3, **fields)
    )


def cancel(order: Order, *counts: int, seen: int = 0, actor: str = "Sam"):
    keys = order.lines.values_list("pk", flat=True)
    return line_cancellation.cancel_lines(
        order.pk, dict(zip(keys, counts, strict=True)), actor=actor, seen_cancelled=seen
    )


def standing(order: Order) -> dict[int, int]:
    open_ones = Allocation.objects.filter(order_line__order=order, released_at=None, consumed_at=None)
    return dict(open_ones.values_list("order_line", "quantity"))


def nothing_changed(order: Order) -> bool:
    lines = list(order.lines.values_list("cancelled_quantity", flat=True))
    return (
        not any(lines) and not Refund.objects.exists() and not order.events.filter(kind=Kind.LINES_CANCELLED).exists()
    )


@pytest.mark.parametrize("stage", [None, Stage.WAITING, Stage.PICKING, Stage.PICKED, Stage.PACKED])
def test_some_of_it_goes_until_the_parcel_leaves(stage):
    order = two_things(stage)
    done = cancel(order, 2, 0)
    first, second = order.lines.all()
    assert (first.cancelled_quantity, second.cancelled_quantity) == (2, 0)
    assert standing(order) == {first.pk: 1, second.pk: 3}
    assert done.refund.amount == Decimal("20.00")
    assert list(RefundLine.objects.values_list("order_line", "quantity", "amount")) == [(first.pk, 2, Decimal(20))]
    assert "2 × " in done.refund.reason
    assert order.events.get(kind=Kind.LINES_CANCELLED).data["amount"] == "20.00"
    if stage:
        parcel = order.shipments.get()
        assert dict(parcel.lines.values_list("order_line", "quantity")) == {first.pk: 1, second.pk: 3}
        assert parcel.stage == (Stage.PICKED if stage == Stage.PACKED else stage)
    check_stock()
    assert Order.objects.get(pk=order.pk).status == Order.Status.CONFIRMED


def test_out_of_a_packed_parcel_it_is_packed_again_and_the_timeline_says_so():
    order = two_things(Stage.PACKED)
    parcel = order.shipments.get()
    PackingScan.objects.create(shipment_line=parcel.lines.first())
    cancel(order, 0, 3)
    assert parcel.lines.count() == 1
    assert not PackingScan.objects.exists()
    assert order.events.get(kind=Kind.LINES_CANCELLED).data["reason"].endswith("it was picked already.")
    [story] = build_timelines(Order.objects.get(pk=order.pk))
    assert [step.title for step in story.steps if step.state == "now"] == ["Picked"]
    assert "Some of it cancelled" in [step.title for step in story.steps]


def test_all_that_is_left_cancels_the_order_and_the_postage_goes_back_too():
    order = two_things()
    Order.objects.filter(pk=order.pk).update(shipping_total="4.00", total=order.total + 4)
    order.payments.update(amount=order.total + 4)
    cancel(order, 3, 1)
    done = cancel(order, 0, 2, seen=4)
    assert done.is_whole
    assert done.order.status == Order.Status.CANCELLED
    assert sum(Refund.objects.values_list("amount", flat=True)) == order.total + 4
    assert standing(order) == {}
    check_stock()


def test_a_discount_is_shared_to_the_penny():
    order = two_things()
    Adjustment.objects.create(order=order, label="Thank you", amount="-10.01")
    order.payments.update(amount=order.total - Decimal("10.01"))
    given_back = [
        cancel(order, *counts, seen=seen).refund.amount for seen, counts in enumerate([(1, 0), (1, 0), (0, 1)])
    ]
    assert sum(given_back) == Decimal("19.44")  # 25/45 of 34.99
    cancel(order, 1, 2, seen=3)
    assert sum(Refund.objects.values_list("amount", flat=True)) == Decimal("34.99")


def test_what_went_back_for_goodwill_does_not_go_back_again():
    order = two_things()
    refunds.refund_order(order.pk, amount=Decimal(40), actor="Sam")
    assert cancel(order, 2, 0).refund.amount == Decimal(5)
    assert cancel(order, 0, 1, seen=2).refund is None
    assert refunds.find_refundable_payment(order)[1] == 0


@pytest.mark.parametrize("counts", [(4, 0), (0, 0), (-1, 0)])
def test_more_than_there_is_or_nothing_is_refused(counts):
    order = two_things()
    with pytest.raises(TransitionRefused):
        cancel(order, *counts)
    assert nothing_changed(order)
    assert sum(standing(order).values()) == 6


def test_what_has_left_is_not_cancelled():
    order = two_things(Stage.DISPATCHED)
    with pytest.raises(TransitionRefused, match="has left"):
        cancel(order, 1, 0)
    assert nothing_changed(order)


def test_a_form_sent_twice_cancels_once():
    order = two_things()
    cancel(order, 1, 0)
    with pytest.raises(TransitionRefused, match="meanwhile"):
        cancel(order, 1, 0)
    assert order.lines.first().cancelled_quantity == 1
    assert Refund.objects.count() == 1


def test_what_was_withdrawn_from_is_not_cancelled_as_well():
    order = two_things()
    first, _ = order.lines.all()
    declare_withdrawal(order.pk, Declaration("Pat", "pat@example.com", {first.pk: 2}), way=Withdrawal.Way.ORDER)
    with pytest.raises(TransitionRefused, match="1 can be cancelled"):
        cancel(order, 2, 0)
    assert nothing_changed(order)


def test_the_rest_of_an_order_that_came_completes_it():
    order = two_things(Stage.WAITING)
    first, second = order.lines.all()
    parcel = order.shipments.get()
    other = Shipment.objects.create(order=order, store=parcel.store)
    parcel.lines.filter(order_line=second).update(shipment=other)
    for step in ("mark_shipment_picked", "mark_shipment_packed"):
        getattr(transitions, step)(parcel.pk, actor="Sam")
    transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="dpd", tracking_number="")
    transitions.mark_shipment_delivered(parcel.pk, actor="Sam")
    done = cancel(order, 0, 3)
    assert Order.objects.get(pk=order.pk).status == Order.Status.COMPLETED
    assert not done.is_whole
    assert Shipment.objects.get(pk=other.pk).stage == Stage.CANCELLED
    assert first.pk not in {row.order_line_id for row in RefundLine.objects.all()}
    check_stock()


# -- Pages -----------------------------------------------------------------------------------------------------


@pytest.fixture
def buyer(client):
    order = two_things(customer=builders.customer())
    client.force_login(order.customer.user)
    return client, order


def test_a_customer_sees_what_goes_back_before_anything_is_cancelled(buyer):
    client, order = buyer
    url = reverse("order_line_cancellation", args=[order.number])
    assert url in client.get(order.get_absolute_url()).text
    first, _ = order.lines.all()
    page = client.get(url).text
    assert "See what goes back" in page
    asked = client.post(url, {f"line-{first.pk}": "2", "seen_cancelled": "0"})
    assert "<strong>£20.00</strong> goes back" in asked.text
    assert nothing_changed(order)
    response = client.post(url, {f"line-{first.pk}": "2", "seen_cancelled": "0", "confirm": "1"}, follow=True)
    assert "2 of them cancelled" in response.text
    assert "Cancelled. £20.00 go back" in response.text
    assert Refund.objects.get().amount == 20
    client.post(url, {f"line-{first.pk}": "2", "seen_cancelled": "0", "confirm": "1"})
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("count", ["4", "-1", "many", "1e9"])
def test_a_number_that_will_not_do_gets_a_sentence(buyer, count):
    client, order = buyer
    response = client.post(
        reverse("order_line_cancellation", args=[order.number]),
        {f"line-{order.lines.first().pk}": count, "seen_cancelled": "0", "confirm": "1"},
    )
    assert "errorlist" in response.text
    assert nothing_changed(order)


def test_a_stranger_finds_no_such_page(client):
    order = two_things()
    assert client.get(reverse("order_line_cancellation", args=[order.number])).status_code == 404
