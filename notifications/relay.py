"""From what happened to what is to be said: every event becomes mail that is queued or skipped with a reason, once.

Events are the outbox: they were written with the change itself. Each batch is one transaction that claims unrelayed
rows (a flag per row, because "greater than the last id" misses what commits late), queues, and sets the flag.
Several relays may run at once; news of one order stays in its order.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Exists, Manager, OuterRef
from django.utils import timezone

from accounts import purposes
from accounts.models import AccountEvent
from accounts.purposes import MailKind
from notifications import gate, topics
from notifications.gate import Standing
from notifications.queueing import OFFER, Answers, Draft, DraftItem, queue
from notifications.topics import BY_EVENT
from orders.models import Order, OrderEvent
from recommendations import picks

BATCH = 100
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """An event table. `claim` locks a batch of its rows; `draft` says which mail an event may set off."""

    events: Manager[Any]
    claim: Callable[[int], Sequence[Any]]
    draft: Callable[[Any], Draft | None]


def relay_events() -> int:
    """Relays all there is. Returns how many events were dealt with."""
    count = 0
    for source in SOURCES:
        while relayed := relay_batch(source):
            count += relayed
    return count


@transaction.atomic
def relay_batch(source: Source, size: int = BATCH) -> int:
    events = source.claim(size)
    if not events:
        return 0
    drafts = [draft for event in events if (draft := source.draft(event))]
    answers = Answers(drafts)
    queue([_with_offer(draft, answers) for draft in drafts], answers)
    ids = [event.pk for event in events]
    source.events.filter(pk__in=ids).update(relayed_at=timezone.now())
    return len(events)


def _claimed_order_events(size: int) -> Sequence[OrderEvent]:
    """The oldest unrelayed event of each order, so that two relays cannot swap an order's news."""
    earlier = OrderEvent.objects.filter(order=OuterRef("order"), relayed_at=None, pk__lt=OuterRef("pk"))
    waiting = OrderEvent.objects.filter(~Exists(earlier), relayed_at=None).order_by("pk")
    locked = waiting.select_for_update(skip_locked=True, of=("self",))
    return list(locked.select_related("order__customer")[:size])


def _claimed_account_events(size: int) -> Sequence[AccountEvent]:
    waiting = AccountEvent.objects.filter(relayed_at=None).order_by("pk")
    locked = waiting.select_for_update(skip_locked=True, of=("self",))
    return list(locked.select_related("consent_request", "customer")[:size])


def _order_draft(event: OrderEvent) -> Draft | None:
    topic = BY_EVENT.get(event.kind)
    if topic is None:
        return None
    return Draft(
        key=_order_key(topic.key, event),
        topic=topic,
        to_address=event.order.email,
        customer=event.order.customer,
        order=event.order,
        context=_order_context(event),
    )


def _order_context(event: OrderEvent) -> dict[str, Any]:
    context = {name: event.data[name] for name in ("amount", "reason") if name in event.data}
    return {**context, "shipment": event.shipment_id} if event.shipment_id else context


def _order_key(topic: str, event: OrderEvent) -> str:
    """What the mail is for: an order has one receipt, a parcel leaves once, but money may go back several times."""
    if event.shipment_id:
        return f"{topic}:shipment:{event.shipment_id}"
    if topic == topics.ORDER_REFUNDED:
        return f"{topic}:event:{event.pk}"
    return f"{topic}:order:{event.order_id}"


def _account_draft(event: AccountEvent) -> Draft | None:
    topic = BY_EVENT.get(event.kind)
    if topic is None:
        return None
    key = f"{topic.key}:event:{event.pk}"
    if event.consent_request is not None:
        context = {"consent_request": event.consent_request_id}
        return Draft(key=key, topic=topic, to_address=event.consent_request.email, context=context)
    if event.customer is None:
        return None
    return Draft(key, topic, event.customer.email or "", event.customer, context=event.data)


def _with_offer(draft: Draft, answers: Answers) -> Draft:
    """The receipt's block with one offer, which is gated on its own. Nothing is picked for those who did not ask."""
    if draft.topic.key != topics.RECEIPT or draft.order is None:
        return draft
    part = DraftItem(OFFER, purposes.RECEIPT_OFFER)
    if isinstance(gate.standing(MailKind.SERVICE, answers.to(draft, purposes.RECEIPT_OFFER)), Standing):
        pick = _offer_for(draft.order)
        if pick is None:
            return draft
        part = DraftItem(OFFER, purposes.RECEIPT_OFFER, product_id=pick.product_id, why=pick.why)
    return Draft(draft.key, draft.topic, draft.to_address, draft.customer, draft.order, draft.context, (part,))


def _offer_for(order: Order) -> picks.Pick | None:
    """A receipt never waits for, or falls with, a suggestion."""
    try:
        with transaction.atomic():
            return picks.offer_for(order)
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError):
        logger.exception("No offer for order %s", order.pk)
        return None


SOURCES: tuple[Source, ...] = (
    Source(OrderEvent.objects, _claimed_order_events, _order_draft),
    Source(AccountEvent.objects, _claimed_account_events, _account_draft),
)
