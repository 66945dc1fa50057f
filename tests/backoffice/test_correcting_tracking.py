"""A carrier or number typed wrong is put right after the parcel has left."""

import pytest

from notifications import relay
from notifications.models import OutgoingEmail
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Shipment
from orders.timeline import build_timelines
from tests.backoffice.steps import numbers, order_at, page_of, said, take

pytestmark = pytest.mark.django_db


def sent(staff, *, stage: str = "dispatched") -> Order:
    order = order_at("packed")
    take(staff, "ship", order, **numbers(order))
    if stage == "delivered":
        take(staff, "mark_delivered", order)
    return order


def typed(*orders: Order, carrier: str = "evri", number: str = "H01HYA0012345678", seen: str = "") -> dict[str, str]:
    fields = {"confirm": "1"}
    for order in orders:
        parcel = order.shipments.get()
        now = {"carrier": carrier, "tracking_number": number}
        now |= {"seen_carrier": parcel.carrier, "seen_number": seen or parcel.tracking_number}
        fields |= {f"{parcel.pk}-{name}": value for name, value in now.items()}
    return fields


def corrections() -> int:
    return OrderEvent.objects.filter(kind="tracking_corrected").count()


@pytest.mark.parametrize("stage", ["dispatched", "delivered"])
def test_the_customer_sees_the_new_number_and_the_history_keeps_both(staff, stage):
    order = sent(staff, stage=stage)
    relay.relay_all_events()
    mails = OutgoingEmail.objects.count()
    old = order.shipments.get().tracking_number
    assert "Correct the tracking</button>" in staff.get(page_of(order)).text
    take(staff, "correct_tracking", order, **typed(order))
    parcel = order.shipments.get()
    assert (parcel.carrier, parcel.tracking_number) == ("evri", "H01HYA0012345678")
    step = next(step for step in build_timelines(Order.objects.get(pk=order.pk))[0].steps if step.link_url)
    assert (step.text, step.link_url) == (
        "Tracking number H01HYA0012345678.",
        "https://www.evri.com/track/parcel/H01HYA0012345678",
    )
    assert f"DPD {old} became Evri H01HYA0012345678" in staff.get(page_of(order)).text
    relay.relay_all_events()
    assert OutgoingEmail.objects.count() == mails


def test_in_bulk_only_what_was_changed_is_corrected(staff):
    right, wrong = sent(staff), sent(staff)
    fields = typed(right, carrier="dpd", number=right.shipments.get().tracking_number) | typed(wrong)
    assert said(take(staff, "correct_tracking", right, wrong, **fields)) == [f"Tracking corrected: {wrong.number}."]
    assert corrections() == 1


def test_of_two_who_correct_at_once_the_second_is_told(staff):
    order = sent(staff)
    first, second = typed(order), typed(order, number="H01HYA0012345679")
    take(staff, "correct_tracking", order, **first)
    assert said(take(staff, "correct_tracking", order, **second)) == [
        f"{order.number}: the carrier or number was corrected meanwhile. Look again."
    ]
    assert (order.shipments.get().tracking_number, corrections()) == ("H01HYA0012345678", 1)


@pytest.mark.parametrize("wrong", [{"number": "  "}, {"number": "9" * 61}, {"carrier": "pigeon"}])
def test_what_cannot_be_is_said_and_changes_nothing(staff, wrong):
    order = sent(staff)
    before = Shipment.objects.values().get()
    assert "errorlist" in take(staff, "correct_tracking", order, **typed(order, **wrong)).text
    assert (Shipment.objects.values().get(), corrections()) == (before, 0)


def test_a_parcel_that_has_not_left_has_nothing_to_correct(staff):
    order = order_at("packed")
    assert "No parcel has left here" in said(take(staff, "correct_tracking", order, **typed(order)))[0]
    with pytest.raises(TransitionRefused, match="has not left"):
        transitions.correct_shipment_tracking(
            order.shipments.get().pk, actor="Sam", carrier="evri", tracking_number="1"
        )
    assert (order.shipments.get().tracking_number, corrections()) == ("", 0)


def test_the_same_again_is_no_correction(staff):
    order = sent(staff)
    parcel = order.shipments.get()
    take(staff, "correct_tracking", order, **typed(order, carrier=parcel.carrier, number=parcel.tracking_number))
    with pytest.raises(TransitionRefused, match="already"):
        transitions.correct_shipment_tracking(
            parcel.pk, actor="Sam", carrier=parcel.carrier, tracking_number=parcel.tracking_number
        )
    assert corrections() == 0
