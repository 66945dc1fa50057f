"""What happened to money at Stripe, whoever did it, written down here, with what follows from it for the order.

Webhooks, the list of events and `after_restore` all end in `record_item`. It takes what Stripe says
now, so that news may come twice, late, in any order or not at all.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q

from orders import events, status
from orders.cancellation import may_cancel
from orders.fulfilment import holds
from orders.fulfilment.release import cancel_and_release_stock
from orders.gateways import stripe, stripe_records
from orders.gateways.amounts import from_stripe_amount
from orders.gateways.stripe import RefundAnswer, StripeRefused
from orders.gateways.stripe_records import StripeItem
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Payment, Refund, StripeRecord
from orders.models.stripe_record import CLOSED_DISPUTES
from orders.payments import checkout_sessions, refund_parts, refunds

Kind = StripeRecord.Kind
PAID_STATUSES = (Payment.Status.CAPTURED, Payment.Status.FLAGGED)
REFUND_REASONS = {"duplicate": "It was paid twice.", "expired_uncaptured_charge": "It was never taken."}


def record_reference(kind: str, reference: str) -> StripeRecord | None:
    """Asks Stripe about one thing and records it. None for what this account does not know, or what is no money.

    Raises `StripeUnreachable`.
    """
    try:
        return record_item(stripe_records.fetch_item(kind, reference))
    except StripeRefused:
        return None


def record_payment_intent(reference: str) -> None:
    """Records what was charged through it. Raises `StripeUnreachable`."""
    for item in stripe_records.list_items(stripe_records.CHARGE, payment_intent=reference):
        record_item(item)


def record_item(item: StripeItem) -> StripeRecord | None:
    """Writes it down and draws the consequences; None for what is no money. Raises `StripeUnreachable`."""
    if not item.is_money:
        return None
    payment = _settle_charge(item) if item.kind == Kind.CHARGE else _find_payment_for_item(item)
    if payment is None:
        return _save_record(item, None)
    with transaction.atomic():
        order = lock_order(payment.order_id)
        earlier = StripeRecord.objects.filter(reference=item.reference).first()
        if earlier and earlier.seen_at > item.asked_at:
            return earlier
        record = _save_record(item, payment)
        _CONSEQUENCES[Kind(item.kind)](order, payment, item, earlier.status if earlier else None)
        status.recalculate_and_record_hold(order)
    return record


def _save_record(item: StripeItem, payment: Payment | None) -> StripeRecord:
    """A matter that Stripe moves on is a new one: what staff had cleared stands again."""
    fields = {
        "kind": item.kind,
        "payment": payment,
        "charge": item.charge,
        "payment_intent": item.payment_intent,
        "amount": from_stripe_amount(item.amount, item.currency),
        "currency": item.currency,
        "status": item.status[:40],
        "reason": item.reason[:80],
        "is_refundable": item.is_refundable,
        "due_at": item.due_at,
        "created_at": item.created_at,
        "seen_at": item.asked_at,
    }
    record, is_new = StripeRecord.objects.get_or_create(reference=item.reference, defaults=fields)
    if is_new or record.seen_at > item.asked_at:
        return record
    if item.kind == Kind.DISPUTE and record.status != item.status:
        fields |= {"cleared_at": None, "cleared_by": ""}
    for name, value in fields.items():
        setattr(record, name, value)
    record.save()
    return record


def _find_payment_for_item(item: StripeItem) -> Payment | None:
    """The payment behind a refund, dispute or warning. Its charge is recorded first, and settles a payment that this
    shop did not know to be paid.
    """
    mark = item.metadata.get("refund", "")
    known = Q(payment_intent=item.payment_intent) if item.payment_intent else Q(pk=None)
    if item.kind == Kind.REFUND and checkout_sessions.is_idempotency_key(mark):
        known |= Q(refunds__idempotency_key=mark)
    payment = Payment.objects.filter(known, status__in=PAID_STATUSES).first()
    if payment is None and item.charge:
        charge = StripeRecord.objects.filter(reference=item.charge).first()
        charge = charge if charge and charge.payment_id else record_reference(Kind.CHARGE, item.charge)
        payment = charge.payment if charge else None
    return payment


def _settle_charge(item: StripeItem) -> Payment | None:
    """The payment that was charged, settled by its session if nobody had told us; None when it is none of ours."""
    if not item.payment_intent:
        return None
    payment = Payment.objects.filter(payment_intent=item.payment_intent, status__in=PAID_STATUSES).first()
    if payment is None and (session := stripe.find_session_paid_by(item.payment_intent)):
        payment = checkout_sessions.match_payment_to_session(session)
        if payment is not None:
            payment = checkout_sessions.apply_session_state(payment.pk, session)
    return payment


def _apply_charge(order: Order, payment: Payment, item: StripeItem, before: str | None) -> None:
    """A charge's own consequences were drawn as its session was settled."""


def _apply_refund(order: Order, payment: Payment, item: StripeItem, before: str | None) -> None:
    """One that nobody asked for from here gets its row, and its mail, as if somebody had."""
    noted = _find_refund_for_item(item) or _write_refund_at_stripe(order, payment, item)
    refunds.apply_refund_answer(order, noted.pk, RefundAnswer(item.reference, item.status, item.problem))
    if noted.for_cancellation and may_cancel(order):  # a backup was restored from before it was cancelled
        cancel_and_release_stock(order, actor=holds.AT_STRIPE, gives_back=noted.amount)


def _write_refund_at_stripe(order: Order, payment: Payment, item: StripeItem) -> Refund:
    amount = from_stripe_amount(item.amount, item.currency)
    return refund_parts.write_refund(
        payment,
        refund_parts.allot_amount(order, payment, amount, left=refunds.compute_left_to_refund(order, payment)),
        provider_reference=item.reference,
        reason=REFUND_REASONS.get(item.reason, ""),
        actor=holds.AT_STRIPE,
        sent_at=item.created_at,
        for_cancellation="cancelled" in item.metadata,
        **_recover_refund_key(item),
    )


def _find_refund_for_item(item: StripeItem) -> Refund | None:
    known = Q(provider_reference=item.reference)
    mark = item.metadata.get("refund", "")
    if checkout_sessions.is_idempotency_key(mark):
        known |= Q(provider_reference=None, idempotency_key=mark)
    return Refund.objects.filter(known).first()


def _recover_refund_key(item: StripeItem) -> dict[str, str]:
    """The key of a refund of ours whose row is gone. Somebody may have copied our words onto another one."""
    mark = item.metadata.get("refund", "")
    is_free = checkout_sessions.is_idempotency_key(mark) and not Refund.objects.filter(idempotency_key=mark).exists()
    return {"idempotency_key": mark} if is_free else {}


def _apply_dispute(order: Order, payment: Payment, item: StripeItem, before: str | None) -> None:
    if item.status == before:
        return
    if before is None:
        events.record_order_event(
            order, OrderEvent.Kind.DISPUTED, reason=_humanize_code(item.reason), amount=_serialize_amount(item)
        )
    if item.status in CLOSED_DISPUTES:
        lost: dict[str, Any] = {"amount": _serialize_amount(item)} if item.status == "lost" else {}
        events.record_order_event(
            order, OrderEvent.Kind.DISPUTE_CLOSED, reason=_humanize_code(item.status), dispute=item.reference, **lost
        )


def _apply_warning(order: Order, payment: Payment, item: StripeItem, before: str | None) -> None:
    if before is None:
        events.record_order_event(order, OrderEvent.Kind.FRAUD_WARNED, reason=_humanize_code(item.reason))


_CONSEQUENCES = {
    Kind.CHARGE: _apply_charge,
    Kind.REFUND: _apply_refund,
    Kind.DISPUTE: _apply_dispute,
    Kind.WARNING: _apply_warning,
}


def _humanize_code(words: str) -> str:
    return words.replace("_", " ").capitalize()


def _serialize_amount(item: StripeItem) -> str:
    return str(from_stripe_amount(item.amount, item.currency))
