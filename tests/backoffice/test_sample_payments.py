"""The sample store's latest orders are paid at the Stripe stand-in, so that giving money back can be tried on them."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from orders.fulfilment import transitions
from orders.gateways import stripe_records
from orders.gateways.amounts import to_stripe_amount
from orders.models import Order, Payment, Refund, StripeRecord
from orders.payments import recording, stripe_events
from orders.status import recalculate
from tests import builders
from tests.backoffice.steps import page_of, said, take
from tests.paying import standin, standin_process  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db


def sample_order(number: int, **fields) -> Order:
    """An order as the sample store writes it: paid, by no payment."""
    order = builders.placed_order(**fields)
    order.payments.all().delete()
    Order.objects.filter(pk=order.pk).update(external_reference=f"sample-{number}", source="import")
    order.refresh_from_db()
    return order


def test_refunding_a_sample_order_moves_money_at_the_stand_in(staff: Client, standin):  # noqa: F811
    order = sample_order(1)
    call_command("pay_sample_orders", verbosity=0)
    assert "Refund" in staff.get(page_of(order)).text
    answer = take(staff, "refund", order, confirm="1", amount=str(order.total), seen_left=str(order.total))
    assert said(answer) == [f"Refunded: {order.number}."]
    refund = Refund.objects.get()
    assert (refund.status, refund.amount) == (Refund.Status.SUCCEEDED, order.total)
    (charge,) = standin.charges()
    assert charge["amount_refunded"] == to_stripe_amount(order.total, order.currency)


def test_cancelling_a_sample_order_gives_its_money_back(staff: Client, standin):  # noqa: F811
    order = sample_order(1)
    transitions.approve_order(order.pk, actor="Sam")
    call_command("pay_sample_orders", verbosity=0)
    take(staff, "cancel", order, confirm="1", reason="")
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")


def test_each_is_paid_once_and_ours_alone_are(standin):  # noqa: F811
    order, customers_own = sample_order(1), builders.placed_order()
    long_ago = sample_order(2)
    Order.objects.filter(pk=long_ago.pk).update(placed_at="2020-01-01T12:00Z")
    for _ in range(2):
        call_command("pay_sample_orders", verbosity=0)
    assert len(standin.charges()) == 1
    payment = order.payments.get()
    assert (payment.status, payment.amount) == (Payment.Status.CAPTURED, order.total)
    assert customers_own.payments.count() == 1
    recalculate(order)
    assert order.payment_status == Order.PaymentStatus.PAID


def test_what_stripe_lists_agrees_with_what_is_written(standin):  # noqa: F811
    order = sample_order(1)
    call_command("pay_sample_orders", verbosity=0)
    for item in stripe_records.list_items(stripe_records.CHARGE, payment_intent=order.payments.get().payment_intent):
        recording.record_item(item)
    record = StripeRecord.objects.get()
    assert (record.payment, record.amount) == (order.payments.get(), Decimal(order.total))
    assert stripe_events.process_waiting_events() == 0


def test_at_stripe_itself_nothing_is_paid(settings):
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    order = sample_order(1)
    with pytest.raises(CommandError):
        call_command("pay_sample_orders", verbosity=0)
    assert not order.payments.exists()
