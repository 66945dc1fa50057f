"""What happens at Stripe without the shop: refunds in the dashboard, money for no order of ours.

Each is tried by webhook and by a reconciler that no webhook ever reached.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from notifications import relay
from notifications.models import OutgoingEmail
from orders.fulfilment import queue, transitions
from orders.gateways import stripe_records
from orders.models import Order, OrderEvent, Refund, StripeFeed, StripeRecord
from orders.payments import checkout_sessions, reconciliation, recording, stripe_feed
from orders.payments.checkout_sessions import RefundRefused
from orders.timeline import build_timelines
from shop.retrying.models import StuckItem
from tests.orders.hearing import charge, hear, order, payments_left, told
from tests.paying import check_out, fill, process_webhooks

__all__ = ["charge", "hear", "order"]

pytestmark = pytest.mark.django_db


# Money back, by somebody signed in at Stripe


def test_all_of_it_given_back_in_the_dashboard_stops_the_order_and_is_told(order, standin, charge, hear):
    standin.refund_in_dashboard(charge, reason="requested_by_customer")
    hear()
    hear()
    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.amount, refund.status, refund.actor) == (Decimal("23.50"), "succeeded", "found at Stripe")
    assert (order.payment_status, order.hold, order.status) == ("refunded", "refunded", "confirmed")
    with pytest.raises(transitions.TransitionRefused, match="money was given back"):
        transitions.approve_order(order.pk, actor="Sam")
    assert not order.shipments.exists()
    with pytest.raises(RefundRefused, match="nothing left"):
        checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    relay.relay_all_events()
    assert set(OutgoingEmail.objects.values_list("topic", flat=True)) == {"receipt", "order_refunded"}
    assert OutgoingEmail.objects.count() == 2
    assert StripeRecord.objects.get(kind="refund").payment == refund.payment


def test_a_part_given_back_in_the_dashboard_is_recorded_and_the_order_goes_on(order, standin, charge, hear):
    standin.refund_in_dashboard(charge, amount=500, reason="duplicate")
    hear()
    order.refresh_from_db()
    assert (order.payment_status, order.hold) == ("partially_refunded", "")
    assert transitions.approve_order(order.pk, actor="Sam").approved_at
    with pytest.raises(RefundRefused, match=r"up to £18\.50"):
        checkout_sessions.refund_order(order.pk, amount=Decimal("20.00"), actor="Sam")
    [told] = [step for step in build_timelines(order)[0].steps if "It was paid twice." in step.text]
    assert told.state == "done"


def test_a_dashboard_refund_that_takes_its_time_and_one_that_is_called_off_there(order, standin, charge, hear):
    standin.control("POST", "behaviour", refunds_start="pending")
    first = standin.refund_in_dashboard(charge, amount=500)
    second = standin.refund_in_dashboard(charge, amount=300)
    hear()
    order.refresh_from_db()
    assert set(Refund.objects.values_list("status", flat=True)) == {"requested"}
    assert (order.payment_status, payments_left(order)) == ("paid", Decimal("15.50"))
    standin.settle_refund(first["id"], "succeeded")
    standin.settle_refund(second["id"], "canceled")
    hear()
    order.refresh_from_db()
    assert dict(Refund.objects.values_list("provider_reference", "status")) == {
        first["id"]: "succeeded", second["id"]: "failed",
    }  # fmt: skip
    assert (order.payment_status, payments_left(order)) == ("partially_refunded", Decimal("18.50"))
    assert told(order).count("order_refunded") == 1


def test_a_refund_that_comes_back_weeks_later_is_owed_again_and_the_page_says_so(order, standin, charge, hear):
    refund = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    assert refund.status == "succeeded"
    standin.settle_refund(refund.provider_reference, "failed")
    hear()
    refund.refresh_from_db()
    order.refresh_from_db()
    assert (refund.status, order.payment_status) == ("failed", "paid")
    assert told(order)[-1] == "refund_failed"
    titles = [step.title for step in build_timelines(order)[0].steps]
    assert "£5.00 refunded" not in titles
    assert "£5.00 could not be paid back" in titles
    assert queue.filter_by_queue(Order.objects.all(), "look").get() == order
    checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    assert not queue.filter_by_queue(Order.objects.all(), "look").exists()


def test_a_refund_of_ours_that_stripe_tells_of_before_it_answers_is_one_refund(order, standin, charge, hear):
    standin.fault("vanish", on="POST /v1/refunds")
    asked = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    assert asked.status == "requested"
    hear()
    asked.refresh_from_db()
    assert (asked.status, Refund.objects.count(), asked.actor) == ("succeeded", 1, "Sam")


def test_somebody_elses_refund_that_bears_a_mark_of_ours_is_its_own_refund(order, standin, charge, hear):
    ours = checkout_sessions.refund_order(order.pk, amount=Decimal("5.00"), actor="Sam")
    standin.refund_in_dashboard(charge, amount=100, metadata={"refund": str(ours.idempotency_key)})
    standin.refund_in_dashboard(charge, amount=200, metadata={"refund": "not a key"})
    hear()
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [1, 2, 5]
    assert standin.charges()[0]["amount_refunded"] == 800


def test_a_flagged_payment_given_back_in_the_dashboard_needs_no_look_any_more(client, standin, hear):
    fill(client)
    payment = check_out(client)
    Order.objects.update(total="999.00")
    standin.pay(payment.provider_reference)
    checkout_sessions.settle_payment(payment.pk)
    assert queue.filter_by_queue(Order.objects.all(), "look").exists()
    standin.refund_in_dashboard(standin.charges()[0]["id"])
    hear()
    assert Refund.objects.get().payment == payment
    assert not queue.filter_by_queue(Order.objects.all(), "look").exists()


def test_the_refund_of_a_payment_nobody_told_us_of_settles_the_payment_first(client, standin, hear):
    fill(client)
    payment = check_out(client)
    standin.pay(payment.provider_reference)
    standin.refund_in_dashboard(standin.charges()[0]["id"])
    hear()
    order = Order.objects.get()
    assert (order.status, order.payment_status, order.hold) == ("confirmed", "refunded", "refunded")
    assert StripeRecord.objects.count() == 2


# Money that is no order's


def test_a_charge_that_no_order_knows_is_recorded_with_all_that_follows_from_it(order, standin, hear):
    stray = standin.charge_elsewhere(1250, currency="eur", description="By card reader")
    standin.refund_in_dashboard(stray["id"], amount=250)
    standin.dispute(stray["id"])
    standin.warn(stray["id"])
    hear()
    rows = StripeRecord.objects.filter(charge=stray["id"], payment=None)
    assert dict(rows.values_list("kind", "amount")) == {
        "charge": Decimal("12.50"), "refund": Decimal("2.50"), "dispute": Decimal("12.50"), "warning": Decimal("0.00"),
    }  # fmt: skip
    order.refresh_from_db()
    assert (order.hold, order.payment_status, Refund.objects.count()) == ("", "paid", 0)


def test_a_declined_card_leaves_no_record(client, standin, hear):
    fill(client)
    payment = check_out(client)
    standin.click(payment.provider_reference, "decline")
    hear()
    assert not StripeRecord.objects.filter(kind="charge").exists()


# How it is heard


def test_an_answer_that_was_overtaken_changes_nothing(order, standin, charge):
    dispute = standin.dispute(charge)
    older = stripe_records.fetch_item("dispute", dispute["id"])
    standin.change_dispute(dispute["id"], "won")
    recording.record_reference("dispute", dispute["id"])
    recording.record_item(older)
    order.refresh_from_db()
    assert (StripeRecord.objects.get(kind="dispute").status, order.hold) == ("won", "")


def test_the_list_of_events_is_read_on_from_where_it_was_read_to(order, standin, charge):
    for number in range(60):  # two pages of events
        standin.refund_in_dashboard(charge, amount=1, metadata={"number": str(number)})
    assert stripe_feed.read_feed() > 110
    reconciliation.reconcile_with_stripe()
    while process_webhooks():
        pass
    assert Refund.objects.count() == 60
    order.refresh_from_db()
    assert payments_left(order) == Decimal("23.50") - Decimal("0.60")
    StripeFeed.objects.update(read_until_at=timezone.now() + timedelta(minutes=11))
    assert stripe_feed.read_feed() == 0


def test_a_list_that_breaks_off_is_read_again_from_the_same_place(order, standin, charge):
    stripe_feed.read_feed()
    until = StripeFeed.objects.get().read_until_at
    standin.dispute(charge)
    standin.fault("drop", on="GET /v1/events")
    reconciliation.reconcile_with_stripe()
    assert StripeFeed.objects.get().read_until_at == until
    StuckItem.objects.update(retry_at=timezone.now())
    reconciliation.reconcile_with_stripe()
    order.refresh_from_db()
    assert order.hold == "disputed"


def test_events_wait_while_stripe_is_out_of_reach_and_lose_nothing(order, standin, charge):
    standin.dispute(charge)
    stripe_feed.read_feed()
    standin.fault("refuse", on="GET /v1/disputes/*", times=2)
    process_webhooks()
    order.refresh_from_db()
    assert order.hold == ""
    StuckItem.objects.update(retry_at=timezone.now())
    process_webhooks()
    order.refresh_from_db()
    assert order.hold == "disputed"
    assert OrderEvent.objects.filter(kind="payment_disputed").count() == 1
