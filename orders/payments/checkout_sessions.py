"""Money in. A payment is settled by what Stripe says of its session, whoever asks: return page, webhook, reconciler.

A session is opened and asked about outside any transaction; what follows from the answer happens in one, under the
locks of cart, order and payment. Goods are let go only when the session is surely expired, or never was.
"""

import contextlib
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from orders import carts, confirmation, events, locks, status
from orders.fulfilment.release import cancel_and_release_stock, release_stock
from orders.gateways import stripe
from orders.gateways.amounts import from_stripe_amount, to_stripe_amount
from orders.gateways.stripe import (
    CheckoutSession,
    StripeBusy,
    StripeFailed,
    StripeRefused,
    StripeSlow,
    StripeUnreachable,
)
from orders.locks import lock_payment
from orders.models import Order, OrderEvent, OrderLine, Payment
from orders.order_facts import READ_FACTS
from orders.payments import late_payments
from orders.payments.refunds import FRESH, KEY_LIFE, RefundRefused, refund_order, request_refund, try_send_refund
from shop import prepared
from shop.money import format_amount
from shop.time_limits import get_current_patience

__all__ = [
    "RefundRefused",
    "StripeRefused",
    "StripeSlow",
    "StripeUnreachable",
    "UnknownSession",
    "apply_session_state",
    "end_unknown_payment",
    "expire_payment",
    "is_idempotency_key",
    "is_past_expiry",
    "match_payment_to_session",
    "open_checkout_session",
    "refund_order",
    "request_refund",
    "retry_opening_session",
    "settle_found_payment",
    "settle_payment",
    "try_send_refund",
]

SHORTEST_SESSION = timedelta(minutes=35)  # Stripe's own least is 30, counted when the request arrives
LONGEST_SESSION = timedelta(hours=23)
MARGIN = timedelta(minutes=15)  # between our own clearing up and Stripe's
CLOCK_SKEW = timedelta(minutes=10)  # how far Stripe's clock may be from ours
BUSY_PAUSE_SECONDS = 0.25
MOST_PAUSES = 20  # pauses while somebody else opens the same session
_STATEMENTS = (*locks.FOR_PAYMENT, *carts.FOR_TAKING_OUT, READ_FACTS)  # what settling a payment runs
LIVE = (Payment.Status.CREATED, Payment.Status.OPEN)
PAYABLE = (*LIVE, Payment.Status.PROCESSING)  # money may still come for the order


class UnknownSession(StripeUnreachable):
    """This Stripe account, or the key we have for it, does not know the payment's session."""


def open_checkout_session(payment: Payment, *, waits_for_others: bool = True) -> Payment:
    """Opens the payment's session at Stripe, once, however often and by however many it is asked.

    Raises `StripeRefused` (the order is then called off) or `StripeUnreachable` (everything stays; ask again later).
    """
    age = timezone.now() - payment.created_at
    if age > KEY_LIFE and payment.status == Payment.Status.CREATED:
        return _find_lost_session(payment) or _end_unstarted_payment(payment, "No session came of it")
    for _ in range(MOST_PAUSES):
        if payment.status != Payment.Status.CREATED:
            return payment
        try:
            return _record_opened_session(payment, _create_session_with_retry(payment))
        except StripeBusy as busy:
            _pause_while_busy(busy, is_allowed=waits_for_others)
            payment.refresh_from_db()
        except StripeRefused as refusal:
            if age > FRESH and (found := _find_lost_session(payment)):
                return found
            _mark_not_started(payment.pk, str(refusal))
            raise
    raise StripeUnreachable("Somebody else has been opening the same session for too long.")


def _pause_while_busy(busy: StripeBusy, *, is_allowed: bool) -> None:
    """Raises `StripeSlow` where a request has no more time for it, or is not to wait for somebody else at all."""
    if not is_allowed:
        raise StripeSlow(str(busy)) from busy
    patience = get_current_patience()
    if patience is not None:
        patience.seconds_left -= BUSY_PAUSE_SECONDS
        if patience.seconds_left <= 0:
            raise StripeSlow(str(busy)) from busy
    time.sleep(BUSY_PAUSE_SECONDS)


def _create_session_with_retry(payment: Payment) -> CheckoutSession:
    """Asks once more after a failure: its answer may have been lost, not the session."""
    try:
        return _create_session_once(payment)
    except StripeFailed:
        try:
            return _create_session_once(payment)
        except StripeFailed:
            Payment.objects.filter(pk=payment.pk, status=Payment.Status.CREATED).update(problem="Stripe failed")
            raise


def _create_session_once(payment: Payment) -> CheckoutSession:
    order = payment.order
    page = settings.SITE_URL + reverse("order", args=[order.number])
    return stripe.create_session(
        key=str(payment.idempotency_key),
        order_number=order.number,
        email=order.email,
        currency=payment.currency,
        items=list(_build_session_items(order)),
        expires_at=int(compute_session_end(payment).timestamp()),
        success_url=f"{page}paid/?session={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{page}unpaid/",
    )


def _build_session_items(order: Order) -> Iterator[stripe.SessionItem]:
    lines = list(order.lines.all())
    if len(lines) >= stripe.MOST_LINES:
        yield stripe.SessionItem(f"Order {order.number}", to_stripe_amount(order.total, order.currency), 1)
        return
    for line in lines:
        price = to_stripe_amount(line.unit_price, order.currency)
        marks = {"sku": line.sku, "tax_rate": str(line.tax_rate)}
        yield stripe.SessionItem(_name_order_line(line), price, line.quantity, marks)
    if order.shipping_total:
        shipping = to_stripe_amount(order.shipping_total, order.currency)
        yield stripe.SessionItem(order.shipping_name or "Shipping", shipping, 1, {"shipping": order.carrier or "yes"})


def _name_order_line(line: OrderLine) -> str:
    return f"{line.title}, {line.options}" if line.options else line.title


def compute_session_end(payment: Payment) -> datetime:
    """When Stripe itself ends the session. Counted from the row, so that asking again asks for the same."""
    hold = timedelta(seconds=settings.PAYMENT_HOLD_SECONDS) + MARGIN
    return payment.created_at + min(max(hold, SHORTEST_SESSION), LONGEST_SESSION)


def is_past_expiry(payment: Payment) -> bool:
    """Past the end that Stripe was told, whatever came of the request."""
    return timezone.now() > compute_session_end(payment) + CLOCK_SKEW


def _record_opened_session(payment: Payment, session: CheckoutSession) -> Payment:
    known = {"status": Payment.Status.OPEN, "provider_reference": session.reference, "redirect_url": session.url}
    if not Payment.objects.filter(pk=payment.pk, status=Payment.Status.CREATED).update(problem="", **known):
        payment.refresh_from_db()  # somebody else was told first
        return payment
    for name, value in known.items():
        setattr(payment, name, value)
    return payment


def match_payment_to_session(session: CheckoutSession) -> Payment | None:
    """The payment a session belongs to; one whose answer was lost learns of it here. None: not ours."""
    payment = Payment.objects.filter(provider_reference=session.reference).first()
    if payment is None and session.key:
        payment = _find_payment_by_key(session.key)
        if payment and payment.status == Payment.Status.CREATED:
            return _record_opened_session(payment, session)
    return payment


def _find_payment_by_key(key: str) -> Payment | None:
    return (
        Payment.objects.select_related("order").filter(idempotency_key=key).first() if is_idempotency_key(key) else None
    )


def is_idempotency_key(text: str) -> bool:
    """Whether it looks like an idempotency key of ours; anybody may write anything into what Stripe keeps."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def settle_payment(payment_id: int) -> Payment:
    """Asks Stripe where it stands, and draws the consequences. Safe to repeat. Raises `StripeUnreachable`."""
    return settle_found_payment(Payment.objects.select_related("order").get(pk=payment_id))


def settle_found_payment(payment: Payment) -> Payment:
    """The same for a payment just read, with its order."""
    if payment.status in (Payment.Status.CAPTURED, Payment.Status.FLAGGED):
        return payment
    if payment.status == Payment.Status.CREATED:
        payment = retry_opening_session(payment)
    if payment.provider_reference is None:
        return payment
    return apply_session_state(payment.pk, _fetch_session(payment))


def retry_opening_session(payment: Payment) -> Payment:
    """A payment whose answer never came: asks again, or lets go once it is surely over and Stripe knows of no session.

    Raises `StripeUnreachable` when Stripe gives no answer.
    """
    try:
        return open_checkout_session(payment)
    except StripeRefused:
        payment.refresh_from_db()
    except StripeUnreachable:
        if not is_past_expiry(payment):
            raise
        payment = _find_lost_session(payment) or _end_unstarted_payment(payment, "No session came of it")
    return payment


def _find_lost_session(payment: Payment) -> Payment | None:
    """Looks for a session that was begun for this payment and whose answer was lost, before anything is repeated."""
    begun_at = payment.created_at
    session = stripe.find_session(
        str(payment.idempotency_key), since=begun_at - CLOCK_SKEW, until=begun_at + LONGEST_SESSION + CLOCK_SKEW
    )
    return _record_opened_session(payment, session) if session else None


def _end_unstarted_payment(payment: Payment, problem: str) -> Payment:
    _mark_not_started(payment.pk, problem)
    payment.refresh_from_db()
    return payment


def _fetch_session(payment: Payment) -> CheckoutSession:
    try:
        return stripe.fetch_session(payment.provider_reference or "")
    except StripeRefused as refusal:  # that proves nothing about money
        raise UnknownSession(str(refusal)) from refusal


def end_unknown_payment(payment_id: int, *, actor: str) -> Payment:
    """Ends a payment on somebody's word that nobody paid it, when this Stripe account does not know its session.

    One that Stripe knows is settled instead. Raises `StripeUnreachable` when Stripe gives no answer.
    """
    payment = Payment.objects.get(pk=payment_id)
    try:
        return settle_payment(payment.pk)
    except UnknownSession:
        return _end_payment_unverified(payment.pk, actor)


@transaction.atomic
def _end_payment_unverified(payment_id: int, actor: str) -> Payment:
    _lock_cart_of_payment(payment_id)
    payment = lock_payment(payment_id)
    if payment.status in PAYABLE:
        payment.problem = f"Unknown to this Stripe account; ended by {actor}"[:200]
        _mark_expired(payment)
    return payment


def apply_session_state(payment_id: int, session: CheckoutSession) -> Payment:
    """The one transition: paid, flagged, expired, or nothing yet. Under the locks of cart, order and payment."""
    apply = partial(_apply_session_state, payment_id, session)
    payment = prepared.run_in_transaction(apply, statements=_STATEMENTS)
    for refund_id in late_payments.list_refunds_to_send(payment):
        try_send_refund(refund_id)
    return payment


def _apply_session_state(payment_id: int, session: CheckoutSession) -> Payment:
    _lock_cart_of_payment(payment_id)
    payment = lock_payment(payment_id)
    if session.is_paid and payment.status not in (Payment.Status.CAPTURED, Payment.Status.FLAGGED):
        _record_paid(payment, session)
    elif session.has_failed and payment.status in PAYABLE:
        _record_bank_failure(payment, session)
    elif session.is_processing and payment.status in LIVE:
        _mark_processing(payment, session)
    elif session.is_expired and payment.status in LIVE:
        _mark_expired(payment)
    return payment


def _lock_cart_of_payment(payment_id: int) -> None:
    locks.LOCK_CART_OF_PAYMENT.fetch_rows({"payment": payment_id})


def _record_paid(payment: Payment, session: CheckoutSession) -> None:
    payment.payment_intent = session.payment_intent
    payment.captured_at = timezone.now()
    payment.problem = _explain_mismatch(payment, session)
    if payment.problem:
        was_late = late_payments.is_late(payment)
        _flag_payment(payment, session)
        if was_late:
            late_payments.give_back(payment)
        return
    if payment.status == Payment.Status.PROCESSING or payment.order.pay_by_at:
        confirmation.renew_promise(payment.order)
    payment.status = Payment.Status.CAPTURED
    payment.save(update_fields=["status", "payment_intent", "captured_at", "problem"])
    confirmation.confirm_order(payment.order)


def _explain_mismatch(payment: Payment, session: CheckoutSession) -> str:
    """Why this money is not for this order; empty when it is, or the order could be opened again for it."""
    order = payment.order
    if session.key != str(payment.idempotency_key):
        return "Paid through another payment's session"
    if (session.amount, session.currency) != (to_stripe_amount(order.total, order.currency), order.currency):
        paid = format_amount(from_stripe_amount(session.amount, session.currency), session.currency)
        return f"Paid {paid}, owed {format_amount(order.total, order.currency)}"
    if late_payments.is_late(payment) and late_payments.reopen_order(payment):
        return ""
    if order.status != Order.Status.PENDING or payment.status not in PAYABLE:
        return f"Paid when the order was {order.get_status_display().lower()}"
    return ""


def _flag_payment(payment: Payment, session: CheckoutSession) -> None:
    """Money came that fits no order: staff look at it. The buyer's cart is free for another try, the goods for sale."""
    payment.status = Payment.Status.FLAGGED
    payment.amount, payment.currency = from_stripe_amount(session.amount, session.currency), session.currency
    payment.save(update_fields=["status", "payment_intent", "captured_at", "problem", "amount", "currency"])
    Order.objects.filter(pk=payment.order_id).update(cart=None)
    order = payment.order
    if order.status == Order.Status.PENDING and not order.payments.filter(status__in=PAYABLE).exists():
        release_stock(order)  # nothing leads from here to the door: it can only be cancelled


def _mark_processing(payment: Payment, session: CheckoutSession) -> None:
    """The buyer has paid and the bank takes its days: the goods stay held, and the cart is free for something else."""
    payment.status, payment.payment_intent = Payment.Status.PROCESSING, session.payment_intent
    payment.save(update_fields=["status", "payment_intent"])
    confirmation.await_payment(payment.order)
    status.recalculate(payment.order)


def _record_bank_failure(payment: Payment, session: CheckoutSession) -> None:
    """The bank did not pay after all: nothing was charged, and the goods go back on the shelf."""
    was_told = payment.status == Payment.Status.PROCESSING
    payment.status, payment.payment_intent = Payment.Status.FAILED, session.payment_intent
    payment.problem = "The buyer's bank did not pay"
    payment.save(update_fields=["status", "payment_intent", "problem"])
    order = payment.order
    if order.status == Order.Status.PENDING and not order.payments.filter(status__in=PAYABLE).exists():
        if was_told:
            events.record_order_event(order, OrderEvent.Kind.PAYMENT_FAILED)
        cancel_and_release_stock(order, actor=events.RULE)


def _mark_expired(payment: Payment) -> None:
    payment.status = Payment.Status.EXPIRED
    payment.save(update_fields=["status", "problem"])
    order = payment.order
    others = order.payments.filter(status__in=[*PAYABLE, Payment.Status.CAPTURED, Payment.Status.FLAGGED])
    if order.status == Order.Status.PENDING and not others.exists() and not order.is_payable_by_link:
        cancel_and_release_stock(order, actor=events.RULE)


@transaction.atomic
def _mark_not_started(payment_id: int, problem: str) -> None:
    """Stripe has no session for this payment, so nobody can pay it."""
    payment = lock_payment(payment_id)
    if payment.status == Payment.Status.CREATED:
        payment.problem = problem[:200]
        _mark_expired(payment)


def expire_payment(payment: Payment) -> Payment:
    """Ends a session that is no longer wanted, then settles: it may have been paid meanwhile.

    Raises `StripeUnreachable` when Stripe gives no answer: everything stays as it is.
    """
    if payment.status == Payment.Status.CREATED:
        payment = retry_opening_session(payment)
    if payment.status != Payment.Status.OPEN:
        return payment
    with contextlib.suppress(StripeRefused):  # complete, or expired already: settling finds out which
        stripe.expire_session(payment.provider_reference or "")
    return settle_payment(payment.pk)
