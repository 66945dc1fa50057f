"""What makes payments right without a browser or a webhook: a periodic look at whatever is not settled yet."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from orders.events import RULE
from orders.fulfilment.release import cancel_and_release_stock
from orders.gateways import stripe
from orders.gateways.stripe import CheckoutSession
from orders.locks import lock_order
from orders.models import Order, Payment, Refund, StripeRecord
from orders.payments import checkout_sessions, stripe_feed
from orders.payments.refunds import find_refundable_payment, send_refund
from orders.payments.stripe_background import StripeUnavailable, attempt_at_stripe
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 200
PAYMENTS = loops.register_loop(
    Loop(
        "payments",
        "A payment",
        "Its goods stay held until Stripe says how it stands. If Stripe does not know its session, the shop's key was "
        "probably changed to another account: look for the order's number in that account's dashboard. When nobody "
        "paid there, choose the payment in the list of payments and “End it”; its goods are for sale again then.",
        model="orders.payment",
    )
)
PAYMENT_PAGES = loops.register_loop(
    Loop(
        "payment_pages",
        "A payment page",
        "The buyer sees that we are on it. Stripe answers badly when it is asked to open this order's payment page; "
        "if the error stays, ask the buyer to order again.",
        model="orders.payment",
        first_pause_seconds=5,
    )
)
BANK_PAYMENTS = loops.register_loop(
    Loop(
        "bank_payments",
        "A payment on its way from a bank",
        "Its goods stay held until Stripe says whether the bank paid. Look at the payment in Stripe's dashboard.",
        model="orders.payment",
    )
)
REFUNDS = loops.register_loop(
    Loop(
        "refunds",
        "A refund",
        "The money may not have gone back. Look at the payment in Stripe's dashboard before you give it back again.",
        model="orders.payment",
    )
)
COMPLETED_SESSIONS = loops.register_loop(
    Loop(
        "completed_sessions",
        "Stripe's list of what was paid",
        "Each open payment is still looked at when its time is up, only later.",
    )
)


def reconcile_with_stripe() -> int:
    """Draws the consequences of what was paid, asks again where no answer came, ends what has been open for too long,
    and works through what Stripe's own list of events has that no webhook brought. Returns how many payments and
    refunds it dealt with.

    One that fails waits alone. The run ends when Stripe answers nothing at all: the rest would only wait longer.
    """
    PAYMENTS.forget_settled(_get_live_payments())
    REFUNDS.forget_settled(Refund.objects.filter(status=Refund.Status.REQUESTED))
    now = timezone.now()
    young = now - timedelta(seconds=min(60, settings.RECONCILE_SECONDS))
    held = now - timedelta(seconds=settings.PAYMENT_HOLD_SECONDS)
    count = 0
    with suppress(StripeUnavailable):
        for part in (
            _settle_completed_sessions,
            _poll_bank_payments,
            _end_overdue_payments,
            _settle_unanswered_payments,
            _send_requested_refunds,
        ):
            count += part(young=young, held=held)
        stripe_feed.catch_up_on_events()
    _end_refunded_mismatches()
    return count


def open_waiting_payment_pages() -> int:
    """Opens, for buyers who wait for them, the payment pages that Stripe was too slow with. Returns how many."""
    begun = timezone.now() - timedelta(seconds=settings.PATIENCE_SECONDS)
    held = timezone.now() - timedelta(seconds=settings.PAYMENT_HOLD_SECONDS)
    unopened = _get_live_payments().filter(status=Payment.Status.CREATED, problem="")
    PAYMENT_PAGES.forget_settled(unopened)
    waiting = PAYMENT_PAGES.due(unopened.filter(created_at__lt=begun, created_at__gte=held))
    with suppress(StripeUnavailable):
        return _apply_to_due_payments(PAYMENT_PAGES, waiting, checkout_sessions.retry_opening_session)
    return 0


def _end_refunded_mismatches() -> None:
    """Orders whose only money did not fit and was given back, by us or a bank: nobody pays for them any more."""
    flagged = Payment.objects.filter(order=OuterRef("pk"), status=Payment.Status.FLAGGED)
    payable = Payment.objects.filter(order=OuterRef("pk"), status__in=checkout_sessions.PAYABLE)
    returned = Refund.objects.filter(payment__order=OuterRef("pk"), status=Refund.Status.SUCCEEDED)
    taken_back = StripeRecord.objects.lost().filter(payment__order=OuterRef("pk"))
    went_back = Q(Exists(returned)) | Q(Exists(taken_back))
    ended = Order.objects.filter(Exists(flagged), went_back, ~Exists(payable), status=Order.Status.PENDING)
    for order_id in ended.values_list("pk", flat=True)[:BATCH]:
        with PAYMENTS.attempt(f"order {order_id}", subject="An order whose money was given back"), transaction.atomic():
            order = lock_order(order_id)
            if order.status == Order.Status.PENDING and find_refundable_payment(order)[0] is None:
                cancel_and_release_stock(order, actor=RULE)


def _get_live_payments() -> QuerySet[Payment]:
    return Payment.objects.filter(status__in=checkout_sessions.LIVE).select_related("order").order_by("created_at")


def _settle_completed_sessions(*, young: datetime, held: datetime) -> int:
    """Asks once for all that was paid, not once for each that may have been: most of those still open never will be."""
    waiting = PAYMENTS.due(Payment.objects.filter(status=Payment.Status.OPEN, created_at__lt=young))
    known = {payment.provider_reference: payment for payment in waiting.select_related("order")}
    oldest = min((payment.created_at for payment in known.values()), default=None)
    if oldest is None or not COMPLETED_SESSIONS.is_due():
        return 0
    sessions: list[CheckoutSession] = []
    with attempt_at_stripe(COMPLETED_SESSIONS, loops.WHOLE, subject=COMPLETED_SESSIONS.title):
        sessions = [
            each
            for each in stripe.list_completed_sessions(oldest - checkout_sessions.CLOCK_SKEW)
            if each.reference in known
        ]
    count = 0
    for session in sessions:
        payment = known[session.reference]
        with attempt_at_stripe(PAYMENTS, payment.pk, subject=_describe_payment(payment)):
            checkout_sessions.apply_session_state(payment.pk, session)
            count += 1
    return count


def _poll_bank_payments(*, young: datetime, held: datetime) -> int:
    """Bank payments whose webhook may be lost. Each is asked about often at first and rarely after days: again once a
    sixtieth of its age has passed.
    """
    processing = Payment.objects.filter(status=Payment.Status.PROCESSING).select_related("order")
    BANK_PAYMENTS.forget_settled(processing)
    now, count = timezone.now(), 0
    for payment in BANK_PAYMENTS.due(processing).order_by("created_at"):
        if payment.asked_at and now - payment.asked_at < (now - payment.created_at) / 60:
            continue
        with attempt_at_stripe(BANK_PAYMENTS, payment.pk, subject=_describe_payment(payment)):
            Payment.objects.filter(pk=payment.pk).update(asked_at=now)
            count += checkout_sessions.settle_payment(payment.pk).status != Payment.Status.PROCESSING
    return count


def _end_overdue_payments(*, young: datetime, held: datetime) -> int:
    return _apply_to_due_payments(
        PAYMENTS, PAYMENTS.due(_get_live_payments().filter(created_at__lt=held)), checkout_sessions.expire_payment
    )


def _settle_unanswered_payments(*, young: datetime, held: datetime) -> int:
    unanswered = _get_live_payments().filter(status=Payment.Status.CREATED, created_at__lt=young, created_at__gte=held)
    return _apply_to_due_payments(
        PAYMENTS, PAYMENTS.due(unanswered), lambda payment: checkout_sessions.settle_payment(payment.pk)
    )


def _apply_to_due_payments(loop: Loop, waiting: QuerySet[Payment], step: Callable[[Payment], object]) -> int:
    count = 0
    for payment in waiting[:BATCH]:
        with attempt_at_stripe(loop, payment.pk, subject=_describe_payment(payment)):
            step(payment)
            count += 1
    return count


def _send_requested_refunds(*, young: datetime, held: datetime) -> int:
    requested = Refund.objects.filter(status=Refund.Status.REQUESTED, created_at__lt=young).order_by("created_at")
    requested = requested.exclude(payment__provider=Payment.Provider.BY_HAND)  # that is staff's to give
    count = 0
    for noted in REFUNDS.due(requested.select_related("payment__order"))[:BATCH]:
        with attempt_at_stripe(REFUNDS, noted.pk, subject=f"The refund of order {noted.payment.order.number}"):
            send_refund(noted.pk)
            count += 1
    return count


def _describe_payment(payment: Payment) -> str:
    return f"The payment of order {payment.order.number}"
