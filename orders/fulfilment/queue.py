"""The staff's queue: which orders wait for which hand."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, Min, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from orders import stages
from orders.models import DelayNotice, Order, OrderLine, Payment, Refund, Shipment, ShipmentLine, StripeRecord


@dataclass(frozen=True)
class Queue:
    """`stages`: of the parcels in it; none for a queue that stages do not make. `has_left`: whether they have left.

    `is_pickup`: only of orders that are collected, or only of others; None where both stand in it.
    """

    key: str
    title: str
    stages: tuple[Shipment.Stage, ...] = ()
    has_left: bool = False
    is_pickup: bool | None = None

    def takes(self, order: Order) -> bool:
        return self.is_pickup is None or self.is_pickup == bool(order.pickup_store_id)

    def build_filter(self, orders: str = "") -> Q:
        """The same in the database; `orders`: the way to the order, such as “order__”."""
        return Q() if self.is_pickup is None else Q(**{f"{orders}pickup_store__isnull": not self.is_pickup})


def _build_stage_queues() -> Iterator[Queue]:
    for (named, of_pickups), group in groupby(stages.EVERY_STAGE, key=lambda row: (row.queue, row.pickup_queue)):
        if named:
            rows = list(group)
            here, has_left = tuple(row.stage for row in rows), all(row.has_left for row in rows)
            yield Queue(named[0], named[1], here, has_left, is_pickup=False if of_pickups else None)
            if of_pickups:
                yield Queue(of_pickups[0], of_pickups[1], here, has_left, is_pickup=True)


AWAITS_GOODS = "awaits_goods"  # in the place of its stage, of a parcel that nobody can pick yet
BACKORDERED = Queue("backordered", "Backordered")
TO_APPROVE = Queue("approve", "To approve")
STAGE_QUEUES = tuple(_build_stage_queues())
NOT_RECEIVED = Queue("denied", "Said not to have come", has_left=True)
UNCOLLECTED = Queue("uncollected", "Not collected")  # for longer than the shop keeps it
LATE = Queue("late", "Late to leave or be ready")
DELAYS = Queue("delays", "Delays")  # told of a later day, and no answer yet
PAYMENT_PROBLEM = Queue("look", "Payment needs a look")
ON_HOLD = Queue("held", "On hold")
PAYMENT_UNDER_WAY = Queue("under_way", "Payment on its way")
TO_BE_PAID = Queue("by_link", "To be paid by link")
WORK_QUEUES = (TO_APPROVE, BACKORDERED, *STAGE_QUEUES)
UNPAID_QUEUES = (PAYMENT_UNDER_WAY, TO_BE_PAID)  # nobody of ours has anything to do there
QUEUES = {
    queue.key: queue
    for queue in (*WORK_QUEUES, LATE, DELAYS, UNCOLLECTED, NOT_RECEIVED, PAYMENT_PROBLEM, ON_HOLD, *UNPAID_QUEUES)
}


@dataclass(frozen=True)
class QueueSummary:
    """How many orders stand in a queue, and since when the longest-waiting of them has been paid."""

    queue: Queue
    count: int
    oldest_at: datetime | None = None


def filter_by_queue(orders: QuerySet[Order], key: str) -> QuerySet[Order]:
    """The orders of one queue; nobody works on those on hold. Raises KeyError for a queue there is not."""
    queue = QUEUES[key]
    mine = Shipment.objects.order_by().filter(order=OuterRef("pk"))
    if queue in (BACKORDERED, UNCOLLECTED):
        every = Shipment.objects.order_by()
        found = every.awaiting() if queue == BACKORDERED else every.uncollected()
        return orders.filter(pk__in=found.values("order"), hold="")
    if queue.stages:
        return orders.filter(queue.build_filter(), Exists(mine.workable().filter(stage__in=queue.stages)), hold="")
    if queue == NOT_RECEIVED:
        return orders.filter(Exists(mine.filter(IS_DENIED)))
    if queue == PAYMENT_PROBLEM:
        return orders.filter(build_payment_problem_filter())
    if queue == DELAYS:
        return orders.filter(_build_delay_filter())
    if queue == ON_HOLD:
        return orders.filter(IS_ON_HOLD)
    if queue in UNPAID_QUEUES:
        return orders.filter(IS_UNDER_WAY if queue == PAYMENT_UNDER_WAY else IS_TO_BE_PAID, status=Order.Status.PENDING)
    return orders.filter(_build_late_filter() if queue == LATE else IS_TO_APPROVE, status=Order.Status.CONFIRMED)


def list_standings(parcels: Iterable[Shipment]) -> list[str]:
    """The stage of each, and `AWAITS_GOODS` for those that nobody can pick. One query, where any waits."""
    parcels = list(parcels)
    waiting = [parcel.pk for parcel in parcels if parcel.stage == Shipment.Stage.WAITING]
    awaiting = set(Shipment.objects.awaiting().filter(pk__in=waiting).values_list("pk", flat=True)) if waiting else ()
    return [AWAITS_GOODS if parcel.pk in awaiting else parcel.stage for parcel in parcels]


def build_standing() -> Case:
    """The same, of one parcel, for a list."""
    awaiting = Shipment.objects.order_by().awaiting().values("pk")
    return Case(When(pk__in=awaiting, then=Value(AWAITS_GOODS)), default=F("stage"), output_field=CharField())


def find_queue_for_order(order: Order, standings: Collection[str]) -> Queue | None:
    """The queue an order stands in, by the standings of its parcels: the one furthest behind that hands can work on."""
    if order.hold:
        return ON_HOLD
    if order.status == Order.Status.CONFIRMED and not order.approved_at:
        return TO_APPROVE
    found = [queue for queue in STAGE_QUEUES if queue.takes(order) and not set(queue.stages).isdisjoint(standings)]
    if AWAITS_GOODS in standings and (not found or found[0].has_left):
        return BACKORDERED
    return found[0] if found else None


IS_TO_APPROVE = Q(approved_at=None, hold="")
IS_DENIED = Q(denied_at__isnull=False)
IS_ON_HOLD = ~Q(hold="")
IS_UNDER_WAY = Q(payment_status=Order.PaymentStatus.PROCESSING)
IS_TO_BE_PAID = Q(pay_by_at__isnull=False) & ~IS_UNDER_WAY


def _build_late_filter() -> Q:
    not_left = [each for each in Order.FulfilmentStatus if each not in stages.DONE_STATUSES]
    in_two = Q(pk__in=find_lines_late_to_leave().values("order"))
    is_past = Q(ships_on__lt=timezone.localdate()) | Q(pickup_ready_at__lt=timezone.now()) | in_two
    return Q(is_past, fulfilment_status__in=not_left, hold="")


def find_lines_late_to_leave() -> QuerySet[OrderLine]:
    """Of open orders in two parcels: what should have left by its own day, and is still here."""
    inside = ShipmentLine.objects.filter(order_line=OuterRef("pk")).exclude(shipment__stage__in=stages.OFF_THE_ROAD)
    left = inside.filter(shipment__stage__in=stages.DISPATCHED_STAGES)
    here = inside.exclude(shipment__stage__in=stages.DISPATCHED_STAGES)
    return OrderLine.objects.order_by().filter(
        Exists(here) | ~Exists(left),
        ships_on__lt=timezone.localdate(),
        cancelled_quantity__lt=F("quantity"),
        order__status=Order.Status.CONFIRMED,
    )


def is_past_due(order: Order) -> bool:
    """Whether it should have left by now and has not, or lie ready; of two parcels, the last."""
    if order.status != Order.Status.CONFIRMED or order.fulfilment_status in stages.DONE_STATUSES:
        return False
    hour, day = order.pickup_ready_at, order.ships_on
    return (hour is not None and hour < timezone.now()) or (day is not None and day < timezone.localdate())


def is_late_to_leave(order: Order) -> bool:
    """The same of either parcel. A query for an order that goes in two."""
    is_first_late = order.ships_as_ready and find_lines_late_to_leave().filter(order=order).exists()
    return is_first_late or is_past_due(order)


def _build_delay_filter() -> Q:
    return Q(pk__in=DelayNotice.objects.unanswered().order_by().values("order"))


def build_payment_problem_filter() -> Q:
    """Money that is not where it belongs: paid but not what was owed, kept although the order was called off, come
    back to us after it was given back, or for staff to give back by hand.
    """
    given_back = Refund.objects.filter(payment=OuterRef("pk")).exclude(status=Refund.Status.FAILED)
    taken_back = StripeRecord.objects.lost().filter(payment=OuterRef("pk"))
    flagged = Payment.objects.filter(~Exists(given_back), ~Exists(taken_back), status=Payment.Status.FLAGGED)
    captured = Payment.objects.filter(order=OuterRef("pk"), status=Payment.Status.CAPTURED)
    not_back = [Order.PaymentStatus.PAID, Order.PaymentStatus.PARTIALLY_REFUNDED]
    kept = Order.objects.order_by().filter(Exists(captured), status=Order.Status.CANCELLED, payment_status__in=not_back)
    came_back = Refund.objects.undelivered()
    # Each found from its own few rows; as conditions joined by OR they would be asked of every order there is.
    by_hand = Refund.objects.filter(status=Refund.Status.REQUESTED, payment__provider=Payment.Provider.BY_HAND)
    found = flagged.values("order").union(
        kept.values("pk"), came_back.values("payment__order"), by_hand.values("payment__order")
    )
    return Q(pk__in=found)


def summarize_queues() -> list[QueueSummary]:
    """Every queue of `QUEUES`, in its order, in two queries."""
    waiting = Order.objects.order_by().filter(status=Order.Status.CONFIRMED)
    found = waiting.aggregate(
        approve_count=Count("pk", filter=IS_TO_APPROVE),
        approve_oldest=Min("placed_at", filter=IS_TO_APPROVE),
        late_count=Count("pk", filter=_build_late_filter()),
        late_oldest=Min("placed_at", filter=_build_late_filter()),
        delays_count=Count("pk", filter=_build_delay_filter()),
        delays_oldest=Min("placed_at", filter=_build_delay_filter()),
        held_count=Count("pk", filter=IS_ON_HOLD),
        held_oldest=Min("placed_at", filter=IS_ON_HOLD),
    )
    found |= _count_by_queue()
    return [
        QueueSummary(queue, found.get(f"{key}_count", 0), found.get(f"{key}_oldest")) for key, queue in QUEUES.items()
    ]


def _count_by_queue() -> dict[str, Any]:
    """Each parcel or order put into its queue first and then counted: a count with a condition for each queue took a
    third of the staff's first page to write down. An empty queue has no row.
    """
    parcels = (each.annotate(count=Count("order", distinct=True)) for each in _list_parcels_by_queue())
    orders = (each.annotate(count=Count("pk")) for each in _list_orders_by_queue())
    first, *others = (each.values_list("key", "count", Min("since")) for each in (*parcels, *orders))
    found: dict[str, Any] = {}
    for name, count, oldest in first.union(*others, all=True):
        found |= {f"{name}_count": count, f"{name}_oldest": oldest}
    return found


def _list_parcels_by_queue() -> Iterator[QuerySet[Any]]:
    """Rows of the queue's key and since when each waits."""
    every = Shipment.objects.order_by()
    by_stage = (
        When(queue.build_filter("order__"), stage__in=queue.stages, then=Value(queue.key)) for queue in STAGE_QUEUES
    )
    awaiting = When(pk__in=every.awaiting().values("pk"), then=Value(BACKORDERED.key))
    key = Case(awaiting, *by_stage, output_field=CharField())
    active = [stage for queue in STAGE_QUEUES for stage in queue.stages]
    in_queues = every.filter(stage__in=active, order__hold="")
    yield in_queues.annotate(key=key, since=F("order__placed_at")).values("key")
    yield every.filter(IS_DENIED).annotate(key=Value(NOT_RECEIVED.key), since=F("denied_at")).values("key")
    yield every.uncollected().annotate(key=Value(UNCOLLECTED.key), since=F("ready_at")).values("key")


def _list_orders_by_queue() -> Iterator[QuerySet[Any]]:
    every = Order.objects.order_by()
    since = Coalesce("placed_at", "created_at")
    look = every.filter(build_payment_problem_filter())
    yield look.annotate(key=Value(PAYMENT_PROBLEM.key), since=since).values("key")
    unpaid = every.filter(IS_UNDER_WAY | IS_TO_BE_PAID, status=Order.Status.PENDING)
    key = Case(When(IS_UNDER_WAY, then=Value(PAYMENT_UNDER_WAY.key)), default=Value(TO_BE_PAID.key))
    yield unpaid.annotate(key=key, since=F("created_at")).values("key")
