"""How long orders stand in each stage: half of them, and nine in ten. One statement over what was recorded."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from orders import stages
from orders.figures.promises_kept import find_midnight
from orders.models import Order, OrderEvent
from shop.prepared import PreparedStatement

PERIOD = timedelta(weeks=8)
STEPS = {OrderEvent.Kind.PLACED: "Paid", **{row.event: row.milestone for row in stages.ROAD if row.milestone}}

# Of each order the first time that each step was taken; the time since the step before it. What its buyer says did not
# come is not delivered; what was delivered again after they said so, was so then.
_MEASURE = PreparedStatement("""
WITH taken AS (
    SELECT e.order_id, e.kind,
           min(greatest(e.created_at, CASE WHEN e.kind = 'shipment_delivered' THEN s.delivered_at END)) AS at
    FROM orders_order o JOIN orders_orderevent e ON e.order_id = o.id
    LEFT JOIN orders_shipment s ON s.id = e.shipment_id
    WHERE o.placed_at >= %(since)s AND e.kind = ANY(%(kinds)s)
      AND NOT (o.has_denied_delivery AND e.kind = 'shipment_delivered')
    GROUP BY e.order_id, e.kind
), spent AS (
    SELECT kind, extract(epoch FROM at - lag(at) OVER (PARTITION BY order_id ORDER BY at)) AS seconds FROM taken
)
SELECT kind, count(seconds), percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
       percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)
FROM spent WHERE seconds IS NOT NULL GROUP BY kind
""")


@dataclass(frozen=True)
class StageTime:
    """`kind`: the event that ended the stage. In seconds."""

    kind: str
    title: str
    count: int
    median: float
    ninth: float


def measure_stages(today: date) -> list[StageTime]:
    """One query; in the order of the road, without what nobody has come to."""
    values = {"since": find_midnight(today - PERIOD), "kinds": list(STEPS)}
    found = {
        kind: StageTime(kind, STEPS[OrderEvent.Kind(kind)], count, float(median), float(ninth))
        for kind, count, median, ninth in _MEASURE.fetch_rows(values)
    }
    return [found[kind] for kind in STEPS if kind in found]


def filter_reached(orders: QuerySet[Order], kind: str, since: date) -> QuerySet[Order]:
    """The orders behind a bar: paid since then, with that step taken after another."""
    taken = OrderEvent.objects.filter(order=OuterRef("pk"), kind=kind)
    before = OrderEvent.objects.filter(order=OuterRef("pk"), kind__in=list(STEPS)).exclude(kind=kind)
    found = orders.filter(Exists(taken), Exists(before), placed_at__gte=find_midnight(since))
    return found.filter(has_denied_delivery=False) if kind == OrderEvent.Kind.DELIVERED else found
