"""What customers read about what they send back: how it goes on, what is done, on the pages and in mail alike."""

from django.utils import timezone

from orders.models import Order, ReturnAuthorization, ReturnLabel
from orders.returns.wording import ENTERED_FOR_BUYER, format_whole_day
from orders.timeline import Timeline
from orders.timeline_step import TimelineStep
from shop.money import format_amount

Kind = ReturnAuthorization.Kind
Wanted = ReturnAuthorization.Wanted

WANTED_WORDS = {
    Wanted.REFUND: "Money back",
    Wanted.EXCHANGE: "Another size or colour",
    Wanted.REPAIR: "Repair",
    Wanted.REPLACEMENT: "Replacement",
}
SETTLED_WORDS = {
    Wanted.REFUND: "Your money is on its way back",
    Wanted.EXCHANGE: "What you want instead is on its way",
    Wanted.REPAIR: "Repaired, and on its way back to you",
    Wanted.REPLACEMENT: "The replacement is on its way",
}
COLLECTED_WORDS = {  # of what was collected in a store, and is again
    Wanted.EXCHANGE: "What you want instead is being made ready",
    Wanted.REPAIR: "Repaired",
    Wanted.REPLACEMENT: "The replacement is being made ready",
}
WHAT_NOW = "We will find another way."
TO_PAY_WORDS = "What you want instead waits for your payment"
COMING_WORDS = {
    Wanted.REFUND: "Money back",
    Wanted.EXCHANGE: "Exchanged",
    Wanted.REPAIR: "Repaired",
    Wanted.REPLACEMENT: "Replaced",
}


def describe_outcome(outcome: str, *, is_collected: bool, is_to_pay: bool = False) -> str:
    """How it ended. `is_collected`: the order was, so that nothing travels. `is_to_pay`: what goes instead costs
    more, and waits for that.
    """
    if is_to_pay:
        return TO_PAY_WORDS
    words = SETTLED_WORDS | COLLECTED_WORDS if is_collected else SETTLED_WORDS
    return words[Wanted(outcome)] if outcome in set(Wanted) else "It is done"


def build_return_timeline(made: ReturnAuthorization) -> Timeline:
    """What happened with it, and what comes next. Reads its lines and the order sent in exchange."""
    what = ", ".join(str(line) for line in made.lines.all())
    title = "You send it back" if made.kind == Kind.RETURN else "You told us that something is wrong"
    text = f"{what}. {ENTERED_FOR_BUYER}" if made.entered_by else f"{what}."
    steps = [TimelineStep(title, "done", at=made.requested_at, text=text)]
    if made.received_at:
        steps.append(TimelineStep("It is here", "done", at=made.received_at))
    if made.inspected_at:
        steps.append(TimelineStep("We looked at it", "done", at=made.inspected_at))
    return Timeline(f"Return {made.number}", [*steps, *_list_last_steps(made)])


def _list_last_steps(made: ReturnAuthorization) -> list[TimelineStep]:
    if made.refused_at:
        return [TimelineStep("We could not take it back", "stop", at=made.refused_at, text=made.refused_reason)]
    if made.settled_at:
        return [_build_settled_step(made)]
    coming = COMING_WORDS[Wanted(made.wanted)]
    if not made.received_at:
        return [TimelineStep("With us", "next"), TimelineStep(coming, "next")]
    late = "Later than it should be. We are sorry." if made.is_overdue() else ""
    state = "wait" if made.is_overdue() else "next"
    return [TimelineStep(coming, state, expected_on=made.due_on, text=late)]


def _build_settled_step(made: ReturnAuthorization) -> TimelineStep:
    if made.exchange_order is not None:
        return _build_sent_step(made, made.exchange_order)
    if not made.is_settled:
        return TimelineStep("Your money could not be paid back", "wait", at=made.settled_at, text=WHAT_NOW)
    title = describe_outcome(made.settled_as, is_collected=made.order.pickup_store_id is not None)
    until = made.guarantee_until and format_whole_day(made.guarantee_until)
    longer = f"The legal guarantee runs a year longer now, to {until}." if until else ""
    return TimelineStep(title, "done", at=made.settled_at, text=longer)


def _build_sent_step(made: ReturnAuthorization, sent: Order) -> TimelineStep:
    """Of the order in exchange, paid for or free; of what costs more, while it is not paid, or was not in time."""
    back = describe_money_back(made)
    if not sent.placed_at and sent.is_payable_by_link:
        until = format_whole_day(timezone.localdate(sent.pay_by_at)) if sent.pay_by_at else ""
        text = f"Order {sent.number}: {format_amount(sent.total, sent.currency)}, to be paid by {until}. {back}".strip()
        link = sent.get_absolute_url()
        return TimelineStep(TO_PAY_WORDS, "wait", text=text, link_url=link, link_text="Look at it and pay")
    if not sent.placed_at:
        title = "What you wanted instead was not paid, so it was not sent"
        return TimelineStep(title, "done", at=made.settled_at, text=back)
    title = describe_outcome(made.settled_as, is_collected=made.order.pickup_store_id is not None)
    return TimelineStep(
        "What you wanted instead was called off" if sent.status == Order.Status.CANCELLED else title,
        "done",
        at=made.settled_at,
        text=f"As order {sent.number}." if made.is_settled else f"As order {sent.number}. {back}",
        link_url=sent.get_absolute_url(),
        link_text="Follow it",
    )


def describe_label(label: ReturnLabel | None, *, is_coming: bool) -> str:
    """How it stands with the label that was asked for; empty where none was, or none is made any more.

    `is_coming`: whether one that waits will be made.
    """
    if label is None or (label.is_waiting and not is_coming):
        return ""
    if label.made_at:
        return f"Your label is here. {label.carrier} takes the parcel, and it costs you nothing."
    if label.refused_at:
        return "No carrier of ours takes it from there. Send it as you like: we pay the postage back, as below."
    return "We are getting your label. It takes a moment: this page looks again by itself."


def describe_money_back(made: ReturnAuthorization) -> str:
    """The money for what came, of an exchange for something dearer; empty where none was left to give back. Reads
    `refund`.
    """
    if made.refund is None:
        return ""
    amount = format_amount(made.refund.amount, made.refund.currency)
    if not made.is_settled:
        return f"{amount} for what you sent us could not be paid back. {WHAT_NOW}"
    return f"You get {amount} back for what you sent us."


def describe_instructions(
    made: ReturnAuthorization, *, pays_postage: bool, label: ReturnLabel | None = None
) -> list[str]:
    """What to do, a sentence each, while it is not here. `label`: the carrier's, if one was asked for."""
    pack = f"Pack it so that it survives the trip, and put the slip with the number {made.number} into the parcel."
    if label is not None and label.made_at:
        return [pack, f"Stick the label on, give it to {label.carrier}, and keep the proof that you did."]
    steps = [pack, "Send it to the address below, and keep the proof that you did."]
    if store := made.order.pickup_store:
        steps = [f"Bring it to {store.name}, with the number {made.number}. Or send it:", *steps]
    if made.kind == Kind.FAULTY:
        steps.append("It costs you nothing: send us the receipt for the postage, and we pay it back.")
    elif pays_postage:
        steps.append("We pay the postage back: put the receipt for it into the parcel.")
    else:
        steps.append(
            "The postage back is yours to pay, if you send it." if store else "The postage back is yours to pay."
        )
    return steps
