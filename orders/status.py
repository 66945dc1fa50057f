"""Where an order stands: two derived axes, and the one set of words customers read."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db.models import QuerySet, Sum

from orders import stages
from orders.fulfilment import holds
from orders.models import Order, Payment, Refund, StripeRecord
from orders.order_facts import OrderFacts, read_order_facts
from shop.money import format_amount


def recalculate(order: Order, *, changed: Sequence[str] = ()) -> None:
    """Derives and stores `payment_status`, `fulfilment_status`, `hold` and `has_denied_delivery`. Call it under the
    order's lock, after any change. `changed`: fields of the order that are not stored yet, and are now.

    payment_status, by captured and refunded sums of its payments (an order without payments keeps what it has:
    imported ones and those with nothing to pay) and by its disputes; an inquiry takes no money and counts as none:

    | captured | dispute | went back (lost disputes included) | payment_status     |
    |----------|---------|------------------------------------|--------------------|
    | none     |         |                                    | unpaid             |
    | some     | open    |                                    | disputed           |
    | some     | lost    | all of it                          | charged_back       |
    | some     |         | none                               | paid               |
    | some     |         | less than captured                 | partially_refunded |
    | some     |         | all of it                          | refunded           |

    fulfilment_status, by the progress of its parcels' stages (`orders.stages`), cancelled ones left out:

    | parcels                                      | fulfilment_status |
    |----------------------------------------------|-------------------|
    | none, or none left of those there were       | unfulfilled       |
    | all waiting, for hands or for goods to come  | unfulfilled       |
    | all delivered                                | delivered         |
    | all left, one held up                        | held_up           |
    | all left, one back or on its way back        | returned          |
    | all dispatched or further                    | dispatched        |
    | some left, the rest waits for goods          | partly_sent       |
    | some left, the rest is here                  | partly_sent       |
    | some delivered, the rest has not left        | partly_here       |
    | one begun, none left                         | in_progress       |
    | some left, the rest cancelled                | dispatched        |
    | some delivered, the rest cancelled           | delivered         |

    status is moved by verbs, but for this: completed while fulfilment_status is delivered, and confirmed again should a
    parcel come back; so also when what had not come is cancelled (`orders.line_cancellation`).

    hold: the rule of `orders.fulfilment.holds`, by its refunds and by what Stripe says of its payments.

    has_denied_delivery: a parcel of it stands as delivered, and its buyer says that it did not come.
    """
    facts = read_order_facts(order.pk)
    records = list(_stripe_records(order)) if order.placed_at and facts.has_stripe_records else []
    refunds = list(_get_valid_refunds(order)) if facts.has_refunds else []
    lost = _sum_lost_disputes(records)
    is_all_back = facts.captured > 0 and sum((each.amount for each in refunds), lost) >= facts.captured
    order.payment_status = _derive_payment_status(order, facts, refunds, records)
    on_the_road = [stage for stage in facts.stages if stage not in stages.OFF_THE_ROAD]
    order.fulfilment_status = stages.summarize_progress(on_the_road).fulfilment_status
    order.hold = holds.find_hold(order, records, all_back_by=refunds if is_all_back else ())
    order.has_denied_delivery = facts.has_denied_delivery
    order.save(update_fields=["payment_status", "fulfilment_status", "hold", "has_denied_delivery", *changed])


def recalculate_and_record_hold(order: Order) -> None:
    """As `recalculate`; writes down too whether the order was put on hold by it, or came off."""
    before = order.hold
    recalculate(order)
    holds.record_hold_change(order, before=before)


def sum_refunded(order: Order) -> Decimal:
    """What went back to the buyer of what was paid for the order; a payment that did not fit it does not count."""
    refunds = _get_valid_refunds(order).filter(status=Refund.Status.SUCCEEDED)
    return refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def _get_valid_refunds(order: Order) -> QuerySet[Refund]:
    """The refunds of what was paid for the order, those under way included."""
    ours = Refund.objects.filter(payment__order=order, payment__status=Payment.Status.CAPTURED)
    return ours.exclude(status=Refund.Status.FAILED)


def lost_total(order: Order) -> Decimal:
    """What the buyer's bank took back, by disputes that were lost, of what was paid for the order."""
    return _sum_lost_disputes(_stripe_records(order))


def _stripe_records(order: Order) -> QuerySet[StripeRecord]:
    return StripeRecord.objects.filter(payment__order=order).select_related("payment").order_by("pk")


def _sum_lost_disputes(records: Iterable[StripeRecord]) -> Decimal:
    lost = (record.amount for record in records if holds.is_lost_dispute(record) and _is_of_order(record))
    return sum(lost, Decimal(0))


def _is_of_order(record: StripeRecord) -> bool:
    """Whether it is about what was paid for the order, and not about a payment that did not fit it."""
    return record.payment is not None and record.payment.status == Payment.Status.CAPTURED


def _derive_payment_status(order: Order, facts: OrderFacts, refunds: list[Refund], records: list[StripeRecord]) -> str:
    if not facts.payments:
        return order.payment_status
    if not facts.captured:
        is_processing = facts.has_payment(Payment.Status.PROCESSING)
        return Order.PaymentStatus.PROCESSING if is_processing else Order.PaymentStatus.UNPAID
    if any(holds.is_open_dispute(record) and _is_of_order(record) for record in records):
        return Order.PaymentStatus.DISPUTED
    lost = _sum_lost_disputes(records)
    back = sum((each.amount for each in refunds if each.status == Refund.Status.SUCCEEDED), lost)
    if not back:
        return Order.PaymentStatus.PAID
    if back < facts.captured:
        return Order.PaymentStatus.PARTIALLY_REFUNDED
    return Order.PaymentStatus.CHARGED_BACK if lost else Order.PaymentStatus.REFUNDED


DENIED_WORDS = "You say it did not come"
DELAYED_WORDS = "Delayed"


def get_customer_status_label(order: Order) -> str:
    """The order's state as the customer reads it, everywhere."""
    if order.status == Order.Status.PENDING:
        is_processing = order.payment_status == Order.PaymentStatus.PROCESSING
        return "Payment on its way" if is_processing else "Waiting for payment"
    if order.status == Order.Status.CANCELLED:
        refunded = order.payment_status == Order.PaymentStatus.REFUNDED
        return "Cancelled and refunded" if refunded else "Cancelled"
    if order.payment_status == Order.PaymentStatus.REFUNDED:
        return "Refunded"
    if order.payment_status == Order.PaymentStatus.CHARGED_BACK:
        return "Paid back by your bank"
    if order.hold:
        return "On hold"
    if order.has_denied_delivery:
        return DENIED_WORDS
    if _is_delayed(order):
        return DELAYED_WORDS
    return _describe_progress(order) or ("Approved" if order.approved_at else "Placed")


def _is_delayed(order: Order) -> bool:
    """Whether a later day than was promised stands, of what is still here. For a list, prefetch `lines`: they are read
    of an order in two parcels, of which the first has days of its own.
    """
    if order.fulfilment_status in stages.DONE_STATUSES:
        return False
    if order.first_promised_by_on:
        return True
    if not order.ships_as_ready or order.fulfilment_status in stages.PARTLY_STATUSES:
        return False
    return any(line.goes_first and line.first_promised_by_on and line.open_quantity for line in order.lines.all())


def _describe_progress(order: Order) -> str:
    """What its parcels say of it; empty before anybody has started."""
    if order.pickup_store_id and order.fulfilment_status == Order.FulfilmentStatus.DELIVERED:
        return "Collected"
    return stages.CUSTOMER_WORDS[Order.FulfilmentStatus(order.fulfilment_status)]


_BY_HOLD = {
    Order.Hold.DISPUTED: "Your bank disputes this payment, so it is the bank that decides now, and nothing is sent "
    "meanwhile. If that was not your wish, tell your bank, and write to us.",
    Order.Hold.CHARGED_BACK: "This order waits until we have looked at it, and we write to you before it goes on.",
    Order.Hold.INQUIRY: "Your bank has asked us about this payment. The order waits until we have answered. If you "
    "know of nothing wrong, tell your bank; it goes on sooner then.",
    Order.Hold.WARNING: "We are having a look at the payment before this order goes on. You need do nothing.",
    Order.Hold.REFUNDED: "All your money was given back, or is on its way to you, so this order goes no further "
    "unless we write to you.",
    Order.Hold.WITHDRAWN: "You have withdrawn from this order, or from some of it. Nothing is sent until we have seen "
    "to that.",
    Order.Hold.REBUILT: "We lost some of our notes about this order, but not that you paid. We will write to you for "
    "the address before it goes on.",
    Order.Hold.RESTORED: "We had to go back to an older copy of our notes, and are checking where this order is.",
}


def get_customer_notice(order: Order, *, lost: Decimal) -> str:
    """Why the order keeps still, or what its bank has done, as the customer reads it; empty when all is well.

    `lost`: its `lost_total`.
    """
    taken = _describe_lost(order, lost)
    if order.hold == Order.Hold.CHARGED_BACK and order.payment_status == Order.PaymentStatus.CHARGED_BACK:
        return f"{taken} Nothing is sent unless we write to you."
    if order.hold:
        return f"{taken} {_BY_HOLD[Order.Hold(order.hold)]}".strip()
    if order.payment_status == Order.PaymentStatus.DISPUTED:
        dispute = "Your bank disputes this payment. If that was not your wish, tell your bank, and write to us."
        return f"{taken} {dispute}".strip()
    return taken if order.payment_status == Order.PaymentStatus.CHARGED_BACK else ""


def _describe_lost(order: Order, lost: Decimal) -> str:
    """What the buyer's bank took back for them, as they read it; empty when that is nothing."""
    if not lost or order.placed_at is None:
        return ""
    sum_text = format_amount(lost, order.currency)
    if lost >= order.total:
        return f"Your bank gave you the money back for this order, {sum_text}."
    if order.payment_status == Order.PaymentStatus.CHARGED_BACK:
        return f"All your money went back to you, {sum_text} of it by your bank."
    return f"Your bank gave you {sum_text} of your money back."


def may_customer_cancel(order: Order, *, lost: Decimal) -> bool:
    """Whether the button may promise the money back: not while an order is on hold, nor when its bank took some.

    Who has withdrawn may cancel as well: that is the faster way to the same. `lost`: its `lost_total`.
    """
    with_the_bank = (Order.PaymentStatus.DISPUTED, Order.PaymentStatus.CHARGED_BACK)
    is_held = order.hold not in ("", Order.Hold.WITHDRAWN)
    return not is_held and order.payment_status not in with_the_bank and not lost
