"""Promised against kept, by week and by lane (country and way). One statement; a week begins on Monday."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import models
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from orders.models import Order, Shipment
from shop.prepared import PreparedStatement

WEEK = timedelta(weeks=1)
WEEKS = 8
PLACED_WITHIN = timedelta(days=366)  # a day that was promised longer ahead is left out

# The day that was promised first, whatever was told since; kept, if the last parcel was there by then, and while its
# buyer does not say that one did not come. Of what
# was imported only what is known to have gone in a parcel: of the rest nobody told us how it went.
_COUNT_KEPT = PreparedStatement("""
SELECT date_trunc('week', promised_on)::date AS week, country, shipping_name, count(*),
       count(*) FILTER (WHERE arrived_on <= promised_on)
FROM (SELECT coalesce(o.first_promised_by_on, o.promised_by_on) AS promised_on, o.country, o.shipping_name,
             CASE WHEN o.fulfilment_status = 'delivered' AND NOT o.has_denied_delivery
                  THEN (SELECT (max(s.delivered_at) AT TIME ZONE %(zone)s)::date
                        FROM orders_shipment s WHERE s.order_id = o.id) END AS arrived_on
      FROM orders_order o
      WHERE o.placed_at >= %(placed_since)s AND o.status IN ('confirmed', 'completed')
        AND o.pickup_store_id IS NULL
        AND (o.source <> 'import' OR EXISTS (SELECT FROM orders_shipment s WHERE s.order_id = o.id))
        AND coalesce(o.first_promised_by_on, o.promised_by_on) >= %(since)s
        AND coalesce(o.first_promised_by_on, o.promised_by_on) < %(until)s) promises
GROUP BY GROUPING SETS ((date_trunc('week', promised_on)),
                        (date_trunc('week', promised_on), country, shipping_name))
""")


@dataclass(frozen=True)
class KeptCount:
    """Of the promises of a week, how many there were and how many were kept."""

    week_on: date
    promised: int = 0
    kept: int = 0

    @property
    def late(self) -> int:
        return self.promised - self.kept

    @property
    def percent(self) -> int:
        """Rounded down: what is not whole is not called so."""
        return 100 * self.kept // self.promised if self.promised else 0


@dataclass(frozen=True)
class LaneRecord:
    """A lane's weeks, the oldest first; a week without a promise counts none."""

    country: str
    method: str
    weeks: tuple[KeptCount, ...]

    @property
    def promised(self) -> int:
        return sum(each.promised for each in self.weeks)

    @property
    def kept(self) -> int:
        return sum(each.kept for each in self.weeks)


@dataclass(frozen=True)
class PromisesKept:
    """`weeks`: all lanes together. `lanes`: the busiest first."""

    weeks: tuple[KeptCount, ...]
    lanes: tuple[LaneRecord, ...]


def list_weeks(today: date) -> list[date]:
    """The Mondays of the last whole weeks, the oldest first."""
    this_monday = today - timedelta(days=today.weekday())
    return [this_monday - WEEK * ahead for ahead in range(WEEKS, 0, -1)]


def count_promises_kept(today: date) -> PromisesKept:
    """One query."""
    weeks = list_weeks(today)
    values = {
        "zone": timezone.get_default_timezone_name(),
        "since": weeks[0],
        "until": weeks[-1] + WEEK,
        "placed_since": find_midnight(weeks[0] - PLACED_WITHIN),
    }
    by_lane: dict[tuple[str | None, str | None], dict[date, KeptCount]] = {}
    for week, country, method, promised, kept in _COUNT_KEPT.fetch_rows(values):
        by_lane.setdefault((country, method), {})[week] = KeptCount(week, promised, kept)
    whole = by_lane.pop((None, None), {})
    lanes = [
        LaneRecord(country or "", method or "", _fill(weeks, found)) for (country, method), found in by_lane.items()
    ]
    lanes.sort(key=lambda lane: (-lane.promised, lane.country, lane.method))
    return PromisesKept(_fill(weeks, whole), tuple(lanes))


def _fill(weeks: Iterable[date], found: dict[date, KeptCount]) -> tuple[KeptCount, ...]:
    return tuple(found.get(week, KeptCount(week)) for week in weeks)


def find_midnight(on: date) -> datetime:
    """When that day begins in the shop's own time zone."""
    return timezone.make_aware(datetime.combine(on, time.min))


def filter_promised(orders: QuerySet[Order], week_on: date, *, only_late: bool) -> QuerySet[Order]:
    """The orders behind a bar: promised for a day of that week; those alone that were not there by it."""
    arrived = Shipment.objects.filter(order=OuterRef("pk")).order_by().values("order").values(last=Max("delivered_at"))
    promised = Coalesce(F("first_promised_by_on"), F("promised_by_on"), output_field=models.DateField())
    found = orders.alias(promised_on=promised, arrived_on=TruncDate(Subquery(arrived))).filter(
        promised_on__gte=week_on,
        promised_on__lt=week_on + WEEK,
        placed_at__gte=find_midnight(week_on - PLACED_WITHIN),
        status__in=[Order.Status.CONFIRMED, Order.Status.COMPLETED],
        pickup_store=None,  # when somebody comes is theirs to say
    )
    found = found.filter(~Q(source=Order.Source.IMPORT) | Exists(Shipment.objects.filter(order=OuterRef("pk"))))
    is_there = Q(
        fulfilment_status=Order.FulfilmentStatus.DELIVERED,
        has_denied_delivery=False,
        arrived_on__lte=F("promised_on"),
    )
    return found.filter(~is_there | Q(arrived_on=None)) if only_late else found
