"""Money back: noted under the order's lock first, then sent to Stripe with a key, so that it goes back once."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from orders import events, status
from orders.gateways import stripe
from orders.gateways.amounts import to_stripe_amount
from orders.gateways.stripe import RefundAnswer, StripeRefused, StripeUnreachable
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Payment, Refund
from orders.payments.refund_parts import RefundSum, allot_amount, fit_to_amount, write_refund
from shop.money import check_price, format_amount

NOTHING = Decimal(0)
FRESH = timedelta(minutes=1)  # a refund noted longer ago may have been sent before, by a shop restored from a backup
FAILURES = ("failed", "canceled")  # in Stripe's words
KEY_LIFE = timedelta(hours=23)  # Stripe forgets a key after 24
DISPUTED_MESSAGE = "Stripe refunds nothing until the dispute is decided."
SHUT_FOR_GOOD = "was lost in part, and Stripe refunds nothing more of the payment. Give the rest back another way."


class RefundRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """More than is left, or nothing at all; the message says so, for people."""


def refund_order(
    order_id: int, *, amount: Decimal | None, actor: str, reason: str = "", seen_left: Decimal | None = None
) -> Refund:
    """Gives money back, all that is left when `amount` is None. Raises `RefundRefused`.

    Stripe out of reach leaves the refund requested; the reconciler sends it again.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        noted = note_refund(order, amount=amount, actor=actor, reason=reason, seen_left=seen_left)
    try_send_refund(noted.pk)
    noted.refresh_from_db()
    return noted


def note_refund(
    order: Order,
    *,
    amount: Decimal | None,
    actor: str,
    reason: str,
    seen_left: Decimal | None,
    due: RefundSum | None = None,
) -> Refund:
    """Notes a refund that somebody asks for on a page, of a locked order, and what it makes of the order.

    `seen_left`: what the page showed as left. It must still be so: a form sent twice gives money back once.
    `due`: as `request_refund` takes it. Raises `RefundRefused`, also where nothing is left.
    """
    if seen_left is not None and seen_left != find_refundable_payment(order)[1]:
        raise RefundRefused(f"{order.number}: money was given back meanwhile. Look again.")
    noted = request_refund(order, amount=amount, actor=actor, reason=reason, due=due)
    if noted is None:
        raise RefundRefused(f"{order.number}: there is nothing left to refund.")
    status.recalculate_and_record_hold(order)
    return noted


def request_refund(
    order: Order, *, amount: Decimal | None, actor: str, reason: str, due: RefundSum | None = None
) -> Refund | None:
    """Notes a refund of a locked order, to be sent by `send_refund`. `amount` None: all that is left.

    `due`: what it is for, fitted to the amount; None where it is a mere sum (`allot_amount`).
    None when there is nothing to give back. Raises `RefundRefused` for more than is left, and while it is disputed.
    """
    payment, left = find_refundable_payment(order)
    if payment is None:
        if shut := find_unrefundable_payment(order):
            raise RefundRefused(f"{order.number}: {_explain_shut(shut)}")
        return None
    wanted = left if amount is None else amount
    if not NOTHING < wanted <= left:
        raise RefundRefused(f"{order.number}: up to {format_amount(left, payment.currency)} can be refunded.")
    try:
        wanted = check_price(wanted, payment.currency)
    except ValueError as refusal:
        raise RefundRefused(f"{order.number}: {refusal}.") from refusal
    if due is None or payment.status != Payment.Status.CAPTURED:
        parts = allot_amount(order, payment, wanted, left=left)
    else:
        parts = fit_to_amount(due, wanted, payment.currency)
    return write_refund(
        payment, parts, reason=reason[:200], actor=actor, for_cancellation=order.status == Order.Status.CANCELLED
    )


def find_refundable_payment(order: Order) -> tuple[Payment | None, Decimal]:
    """The payment to give back from and what is left of it; one that needs a look has its money given back too.

    A payment whose refunding is shut (`find_unrefundable_payment`) is passed over.
    """
    open_ones = ((payment, left) for payment, left, shut in _list_unrefunded_payments(order) if not shut)
    return next(open_ones, (None, NOTHING))


def compute_left_to_refund(order: Order, payment: Payment) -> Decimal:
    """What is left of this payment, whether or not its refunding is shut."""
    return next((left for each, left, _ in _list_unrefunded_payments(order) if each.pk == payment.pk), NOTHING)


def check_refundable(order: Order, payment: Payment, amount: Decimal) -> None:
    """Raises `RefundRefused` where so much of this payment cannot be given back."""
    found = ((left, shut) for each, left, shut in _list_unrefunded_payments(order) if each.pk == payment.pk)
    left, is_shut = next(found, (NOTHING, False))
    if is_shut:
        raise RefundRefused(f"{order.number}: {_explain_shut(payment)}")
    if amount > left:
        raise RefundRefused(f"{order.number}: up to {format_amount(left, payment.currency)} can be refunded.")


def find_unrefundable_payment(order: Order) -> Payment | None:
    """A payment with money left of which nothing can be given back: its bank holds the money while it is disputed, and
    Stripe may refund nothing more after a dispute over a part was lost.
    """
    return next((payment for payment, _, shut in _list_unrefunded_payments(order) if shut), None)


def _explain_shut(payment: Payment) -> str:
    if any(each.is_open_dispute for each in payment.stripe_records.all()):
        return f"the buyer's bank disputes the payment and holds the money. {DISPUTED_MESSAGE}"
    return f"a dispute {SHUT_FOR_GOOD}"


def _list_unrefunded_payments(order: Order) -> Iterator[tuple[Payment, Decimal, bool]]:
    """The payments with money left that neither we gave back nor the bank took, how much, and whether it is shut."""
    came_in = order.payments.filter(status__in=[Payment.Status.CAPTURED, Payment.Status.FLAGGED])
    for payment in came_in.order_by("status"):
        disputes = list(payment.stripe_records.standing_disputes())
        given_back = payment.refunds.exclude(status=Refund.Status.FAILED).aggregate(sum=Sum("amount"))["sum"]
        lost = sum((each.amount for each in disputes if each.status == "lost"), NOTHING)
        left = payment.amount - (given_back or NOTHING) - lost
        if left > NOTHING:
            yield payment, left, not all(each.is_refundable for each in disputes)


def try_send_refund(refund_id: int) -> None:
    """As `send_refund`; Stripe out of reach leaves it requested, and the reconciler sends it again.

    Of money that was taken by hand it stays requested until staff have given it back (`confirm_refund_by_hand`).
    """
    with suppress(StripeUnreachable):
        send_refund(refund_id)


def send_refund(refund_id: int) -> None:
    """Sends a noted refund to Stripe, once, and records the answer.

    Whatever may have been sent before is looked for at Stripe first: its keys are forgotten after a day.
    Raises `StripeUnreachable` when Stripe gives no answer: nothing changes then.
    """
    noted = Refund.objects.select_related("payment__order").get(pk=refund_id)
    if noted.status != Refund.Status.REQUESTED or noted.payment.is_by_hand:
        return
    try:
        answer = _send_or_fetch_refund(noted)
    except StripeRefused as refusal:
        answer = RefundAnswer("", "failed", str(refusal))
    with transaction.atomic():
        order = lock_order(noted.payment.order_id)
        apply_refund_answer(order, refund_id, answer)
        status.recalculate_and_record_hold(order)


@transaction.atomic
def confirm_refund_by_hand(refund_id: int) -> Order:
    """Staff gave back money that was taken by hand. Raises `RefundRefused` where none of it waits for that."""
    order_id = Payment.objects.values_list("order_id", flat=True).get(refunds=refund_id)
    order = lock_order(order_id)
    noted = Refund.objects.select_related("payment").get(pk=refund_id)
    if noted.status != Refund.Status.REQUESTED or not noted.payment.is_by_hand:
        raise RefundRefused(f"{order.number}: that was noted already. Look again.")
    apply_refund_answer(order, refund_id, RefundAnswer("", "succeeded", ""))
    status.recalculate_and_record_hold(order)
    return order


def _send_or_fetch_refund(noted: Refund) -> RefundAnswer:
    if noted.provider_reference:
        return stripe.fetch_refund(noted.provider_reference)
    intent, mark = noted.payment.payment_intent, str(noted.idempotency_key)
    is_first = noted.sent_at is None and timezone.now() - noted.created_at < FRESH
    found = None if is_first else stripe.find_refund(intent, mark=mark)
    return found or stripe.create_refund(
        key=_renew_refund_key(noted),
        payment_intent=intent,
        amount=to_stripe_amount(noted.amount, noted.currency),
        marks=_build_refund_metadata(noted),
    )


def _build_refund_metadata(noted: Refund) -> dict[str, str]:
    """What tells us, even after a backup was restored, which refund of ours it was. The same however often it is sent:
    Stripe refuses a key that comes with other words.
    """
    marks = {"refund": str(noted.idempotency_key), "order": noted.payment.order.number}
    return marks | ({"cancelled": "yes"} if noted.for_cancellation else {})


def _renew_refund_key(noted: Refund) -> str:
    """The key to send it with: the same for all who send it now, and a new one before Stripe forgets the old.

    Noted before anything is sent. Of several who find the key too old, one makes the new one and the others take it.
    """
    mine = Refund.objects.filter(pk=noted.pk, sent_at=noted.sent_at)
    now = timezone.now()
    if noted.sent_at is None:
        mine.update(sent_at=now)
    elif now - noted.sent_at > KEY_LIFE:
        mine.update(sent_at=now, key_count=F("key_count") + 1)
    noted.refresh_from_db(fields=["sent_at", "key_count"])
    key = str(noted.idempotency_key)
    return f"{key}-{noted.key_count}" if noted.key_count else key


def apply_refund_answer(order: Order, refund_id: int, answer: RefundAnswer) -> None:
    """Draws the consequences of what Stripe says of a refund. The caller holds the order's lock, and recalculates.

    What was given back may still come back: a bank can return it weeks later. What has failed at Stripe stays so.
    """
    noted = Refund.objects.select_for_update().get(pk=refund_id)
    before = noted.status
    if before == Refund.Status.FAILED and noted.provider_reference:
        return
    noted.provider_reference = answer.reference or noted.provider_reference
    now_is = _STATES.get(answer.status, Refund.Status.REQUESTED)
    if now_is not in (Refund.Status.REQUESTED, before):
        noted.status, noted.settled_at = now_is, timezone.now()
        noted.problem = answer.problem[:200]
    noted.save()
    if noted.status != before:
        _record_refund_event(order, noted, came_back=before == Refund.Status.SUCCEEDED)


_STATES = {"succeeded": Refund.Status.SUCCEEDED} | dict.fromkeys(FAILURES, Refund.Status.FAILED)


def _record_refund_event(order: Order, noted: Refund, *, came_back: bool) -> None:
    """A refund that never went through leaves no event, as nobody was told of it; but one that was sent again does."""
    if noted.status == Refund.Status.SUCCEEDED:
        kind, actor = OrderEvent.Kind.REFUNDED, noted.actor
    elif came_back or noted.again_of_id:
        kind, actor = OrderEvent.Kind.REFUND_FAILED, ""
    else:
        return
    events.record_order_event(
        order,
        kind,
        actor=actor,
        refund=noted.pk,
        amount=str(noted.amount),
        currency=noted.currency,
        reason=noted.reason,
        **_describe_way(noted, came_back=came_back),
    )


def _describe_way(noted: Refund, *, came_back: bool) -> dict[str, Any]:
    """What the timeline and the mail say of it beyond the sum."""
    if noted.status == Refund.Status.FAILED:
        return {"came_back": came_back}
    if not (noted.is_by_hand or noted.payment.is_by_hand):
        return {}
    return {"by_hand": True} | ({"again_of": noted.again_of_id} if noted.again_of_id else {})
