"""From what happened to what is to be said: every event becomes mail that is queued or skipped with a reason, once.

Events are the outbox: they were written with the change itself. Each batch is one transaction that claims unrelayed
rows (a flag per row, because "greater than the last id" misses what commits late), queues, and sets the flag.
Several relays may run at once; news of one order stays in its order. A batch that fails is relayed event by event, so
that the one in the way waits alone; after a few attempts the later news of its order no longer waits for it.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, Manager, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.consent.purposes import MailKind
from accounts.models import AccountEvent
from notifications import gate
from notifications.gate import Basis
from notifications.queueing import BatchAnswers, queue_drafts
from notifications.topics import BY_EVENT
from notifications.topics.definition import Draft
from orders.models import OrderEvent
from shop.retrying import loops
from shop.retrying.loops import Loop
from shop.retrying.models import StuckItem

BATCH = 100
ATTEMPTS_IN_THE_WAY = 3  # of an event, before the later news of its order goes on without it
logger = logging.getLogger(__name__)

ADVICE = (
    "No mail was written about this yet. It is tried again by itself; if the error stays, tell whoever looks after "
    "the shop's software, and write to the customer yourself."
)
ORDER_NEWS = loops.register_loop(Loop("order_news", "News of an order", ADVICE, first_pause_seconds=10))
ACCOUNT_NEWS = loops.register_loop(Loop("account_news", "News of an account", ADVICE, first_pause_seconds=10))


@dataclass(frozen=True)
class EventSource:
    """An event table. `waiting`: its unrelayed rows, locked as read."""

    loop: Loop
    events: Manager[Any]
    waiting: Callable[[], QuerySet[Any]]


def relay_all_events() -> int:
    """Relays all there is. Returns how many events were dealt with."""
    count = 0
    for source in SOURCES:
        while relayed := relay_batch(source):
            count += relayed
        source.loop.forget_settled(source.events.filter(relayed_at=None))
    return count


def relay_batch(source: EventSource, size: int = BATCH) -> int:
    """Returns how many events were dealt with; one that fails is put off and keeps no other waiting."""
    due = source.loop.due(source.waiting())
    try:
        return _relay_waiting(source, due[:size])
    except Exception:
        logger.exception("A batch of events could not be relayed; each is tried alone")
        with transaction.atomic():
            ids = [event.pk for event in due[:size]]
    return sum(_relay_one(source, event_id) for event_id in ids)


def _relay_one(source: EventSource, event_id: int) -> int:
    with source.loop.attempt(event_id, subject=f"{source.loop.title} (event {event_id})"):
        return _relay_waiting(source, source.waiting().filter(pk=event_id))
    return 0


@transaction.atomic
def _relay_waiting(source: EventSource, waiting: QuerySet[Any]) -> int:
    events = list(waiting)
    if not events:
        return 0
    drafts = [draft for event in events for draft in draft_mails(event)]
    answers = BatchAnswers(drafts)
    queue_drafts([_add_items(draft, answers) for draft in drafts], answers)
    ids = [event.pk for event in events]
    source.events.filter(pk__in=ids).update(relayed_at=timezone.now())
    return len(events)


def _lock_waiting_order_events() -> QuerySet[OrderEvent]:
    """The oldest unrelayed event of each order, so that two relays cannot swap an order's news."""
    stuck = StuckItem.objects.filter(loop=ORDER_NEWS.key, attempt_count__gte=ATTEMPTS_IN_THE_WAY)
    given_up = stuck.filter(item=Cast(OuterRef("pk"), CharField()))
    earlier = OrderEvent.objects.filter(order=OuterRef("order"), relayed_at=None, pk__lt=OuterRef("pk"))
    waiting = OrderEvent.objects.filter(~Exists(earlier.filter(~Exists(given_up))), relayed_at=None).order_by("pk")
    return waiting.select_for_update(skip_locked=True, of=("self",)).select_related("order__customer")


def _lock_waiting_account_events() -> QuerySet[AccountEvent]:
    waiting = AccountEvent.objects.filter(relayed_at=None).order_by("pk")
    locked = waiting.select_for_update(skip_locked=True, of=("self",))
    return locked.select_related("consent_request", "complaint", "customer")


def draft_mails(event: Any) -> Iterator[Draft]:
    """What every topic that the event sets off has to say, be it to one reader or to many."""
    for topic in BY_EVENT.get(event.kind, ()):
        yield from topic.draft(topic, event)


def _add_items(draft: Draft, answers: BatchAnswers) -> Draft:
    """With the parts that its topic adds, each of which is gated on its own."""

    def is_allowed(purpose: str) -> bool:
        return isinstance(gate.find_legal_basis(MailKind.SERVICE, answers.to(draft, purpose)), Basis)

    return replace(draft, items=(*draft.items, *draft.topic.add_items(draft, is_allowed)))


SOURCES: tuple[EventSource, ...] = (
    EventSource(ORDER_NEWS, OrderEvent.objects, _lock_waiting_order_events),
    EventSource(ACCOUNT_NEWS, AccountEvent.objects, _lock_waiting_account_events),
)
