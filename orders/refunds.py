"""Money back: noted under the order's lock first, then sent to Stripe with a key, so that it goes back once."""

from contextlib import suppress
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from orders import events, status
from orders.gateways import stripe
from orders.gateways.amounts import to_stripe_amount
from orders.gateways.stripe import RefundAnswer, Refused, Unreachable
from orders.locks import locked_order
from orders.models import Order, OrderEvent, Payment, Refund
from shop.money import check_price, formatted

NOTHING = Decimal(0)
FAILURES = frozenset({"failed", "canceled"})


class RefundRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """More than is left, or nothing at all; the message says so, for people."""


def refund(
    order_id: int, *, amount: Decimal | None, actor: str, reason: str = "", seen_left: Decimal | None = None
) -> Refund:
    """Gives money back, all that is left when `amount` is None. Raises `RefundRefused`.

    `seen_left`: what whoever asks was shown as left. It must still be so: a form sent twice gives money back once.
    Stripe out of reach leaves the refund requested; the reconciler sends it again.
    """
    with transaction.atomic():
        order = locked_order(order_id)
        if seen_left is not None and seen_left != refundable(order)[1]:
            raise RefundRefused(f"{order.number}: money was given back meanwhile. Look again.")
        noted = request_refund(order, amount=amount, actor=actor, reason=reason)
    if noted is None:
        raise RefundRefused(f"{order.number}: there is nothing left to refund.")
    settle_refund(noted.pk)
    noted.refresh_from_db()
    return noted


def request_refund(order: Order, *, amount: Decimal | None, actor: str, reason: str) -> Refund | None:
    """Notes a refund of a locked order, to be sent by `settle_refund`. `amount` None: all that is left.

    None when there is nothing to give back. Raises `RefundRefused` for more than is left.
    """
    payment, left = refundable(order)
    if payment is None:
        return None
    wanted = left if amount is None else amount
    if not NOTHING < wanted <= left:
        raise RefundRefused(f"{order.number}: up to {formatted(left, payment.currency)} can be refunded.")
    try:
        wanted = check_price(wanted, payment.currency)
    except ValueError as refusal:
        raise RefundRefused(f"{order.number}: {refusal}.") from refusal
    return Refund.objects.create(
        payment=payment, amount=wanted, currency=payment.currency, reason=reason[:200], actor=actor
    )


def refundable(order: Order) -> tuple[Payment | None, Decimal]:
    """The payment to give back from and what is left of it; one that needs a look has its money given back too."""
    for payment in order.payments.filter(status__in=[Payment.Status.CAPTURED, Payment.Status.FLAGGED]).order_by(
        "status"
    ):
        gone = payment.refunds.exclude(status=Refund.Status.FAILED).aggregate(sum=Sum("amount"))["sum"]
        left = payment.amount - (gone or NOTHING)
        if left > NOTHING:
            return payment, left
    return None, NOTHING


def settle_refund(refund_id: int) -> None:
    """As `send_refund`; Stripe out of reach leaves it requested, and the reconciler sends it again."""
    with suppress(Unreachable):
        send_refund(refund_id)


def send_refund(refund_id: int) -> None:
    """Sends a noted refund to Stripe (again, if need be: same idempotency key) and records the answer.

    Raises `Unreachable` when Stripe gives no answer: nothing changes then.
    """
    noted = Refund.objects.select_related("payment").get(pk=refund_id)
    if noted.status != Refund.Status.REQUESTED:
        return
    try:
        answer = _answer(noted)
    except Refused as refusal:
        answer = RefundAnswer("", "failed", str(refusal))
    _draw(refund_id, answer)


def _answer(noted: Refund) -> RefundAnswer:
    if noted.provider_reference:
        return stripe.fetch_refund(noted.provider_reference)
    return stripe.create_refund(
        key=str(noted.idempotency_key),
        payment_intent=noted.payment.payment_intent,
        amount=to_stripe_amount(noted.amount, noted.currency),
    )


@transaction.atomic
def _draw(refund_id: int, answer: RefundAnswer) -> None:
    order_id = Refund.objects.values_list("payment__order_id", flat=True).get(pk=refund_id)
    order = locked_order(order_id)
    noted = Refund.objects.select_for_update().get(pk=refund_id)
    if noted.status != Refund.Status.REQUESTED:
        return
    noted.provider_reference = answer.reference or None
    if answer.status == "succeeded":
        noted.status, noted.settled_at = Refund.Status.SUCCEEDED, timezone.now()
    elif answer.status in FAILURES:
        noted.status, noted.settled_at = Refund.Status.FAILED, timezone.now()
        noted.problem = answer.problem[:200]
    noted.save()
    if noted.status == Refund.Status.SUCCEEDED:
        events.record(
            order,
            OrderEvent.Kind.REFUNDED,
            actor=noted.actor,
            refund=noted.pk,
            amount=str(noted.amount),
            currency=noted.currency,
            reason=noted.reason,
        )
    status.recalculate(order)
