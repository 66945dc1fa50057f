"""Why an order keeps still: the rule, in sentences that staff read on its page and in docs/order-lifecycle.md.

Money that went back, and what happens at Stripe without the shop, may mean that goods should not leave. An order that
has not left yet is put on hold: no step towards the door is taken, until the matter ends well at Stripe or staff say
“Release”.
"""

from collections.abc import Iterable

from orders import events
from orders.models import Order, OrderEvent, Refund, StripeRecord
from orders.models.stripe_record import CLOSED_DISPUTES
from orders.stages import DISPATCHED_STATUSES

Hold = Order.Hold
Kind = StripeRecord.Kind

AT_STRIPE = "found at Stripe"  # the actor of what was done there and not from here

STAFF_EXPLANATIONS: dict[Hold, str] = {
    Hold.DISPUTED: "The buyer's bank disputes the payment and holds the money. Answer the dispute at Stripe. "
    "Refunds are shut; if it is won, the order goes on by itself.",
    Hold.CHARGED_BACK: "A dispute was lost: the bank gave the buyer the disputed sum back. Cancel the order, or "
    "release it if it should be sent all the same.",
    Hold.INQUIRY: "The buyer's bank asks about the payment; no money was taken. Answer at Stripe, or refund, which "
    "ends it. If the inquiry is closed, the order goes on by itself.",
    Hold.WARNING: "The card’s bank thinks that this payment may be fraud. Refund it before it becomes a dispute, or "
    "release it when you know the buyer.",
    Hold.REFUNDED: "All the money was given back, or is on its way back. Keep the goods: cancel the order, or release "
    "it if it should be sent all the same.",
    Hold.WITHDRAWN: "The buyer has withdrawn from this order, or from some of it, before it left. If it is all of it, "
    "cancel the order, and the money goes back at once. Else take those goods out, give their money back under "
    "Withdrawals, and release it.",
    Hold.REBUILT: "This order was paid after the backup that was restored, and is put together again from what Stripe "
    "knows: its goods and sums, not its address. See whether it has left already; if not, ask the buyer for the "
    "address before anything is sent.",
    Hold.RESTORED: "This order was not sent yet when the backup was made that has been restored. It may have left or "
    "been called off since: look at the packing table and at the carrier's list, then release it.",
}


def find_hold(order: Order, records: Iterable[StripeRecord], *, all_back_by: Iterable[Refund] = ()) -> str:
    """The reason for which the order keeps still, by what staff have not cleared; empty when there is none.

    `all_back_by`: the refunds, sent or under way, after which nothing is left of its money; none while some is left.
    """
    if order.status != Order.Status.CONFIRMED or order.fulfilment_status in DISPATCHED_STATUSES:
        return ""
    found = {reason for record in records if record.cleared_at is None and (reason := _find_hold_reason(record))}
    if any(refund.cleared_at is None for refund in all_back_by):
        found.add(Hold.REFUNDED)
    if order.withdrawn_at:
        found.add(Hold.WITHDRAWN)
    if order.unsure_at:
        found.add(Hold.REBUILT if order.source == Order.Source.REBUILT else Hold.RESTORED)
    return next((reason for reason in Hold if reason in found), "")


def _find_hold_reason(record: StripeRecord) -> Hold | None:
    if record.kind == Kind.DISPUTE:
        return _get_dispute_hold(record)
    return Hold.WARNING if record.kind == Kind.WARNING else None


def is_open_dispute(record: StripeRecord) -> bool:
    """Whether the bank holds the money; an inquiry only asks."""
    return record.kind == Kind.DISPUTE and _get_dispute_hold(record) == Hold.DISPUTED


def is_lost_dispute(record: StripeRecord) -> bool:
    return record.kind == Kind.DISPUTE and record.status == "lost"


def _get_dispute_hold(record: StripeRecord) -> Hold | None:
    if record.status == "lost":
        return Hold.CHARGED_BACK
    if record.status in CLOSED_DISPUTES:
        return None
    return Hold.INQUIRY if record.status.startswith("warning_") else Hold.DISPUTED


def explain_hold(order: Order) -> str:
    """The sentence for staff; empty for an order that is not on hold."""
    return STAFF_EXPLANATIONS[Hold(order.hold)] if order.hold else ""


def record_hold_change(order: Order, *, before: str) -> None:
    """Writes down that the order was put on hold, or came off it by itself. The caller holds its lock."""
    if order.hold and order.hold != before:
        events.record_order_event(order, OrderEvent.Kind.HELD, reason=explain_hold(order))
    elif before and not order.hold:
        events.record_order_event(order, OrderEvent.Kind.RELEASED, actor=AT_STRIPE)
