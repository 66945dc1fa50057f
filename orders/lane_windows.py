"""Dates from the shop's own deliveries: per lane, a country and a way, by how many days a promised date has to move so
that nine in ten hold (docs/promised-dates.md).

Measured from the day that the method's own days gave, not from the moved one: else a lane put right would seem to need
nothing, and go wrong again.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

from orders.calibration.forecasting import NOT_YET, PromiseHistory, forecast_days, forecast_lanes
from orders.calibration.scoring import LaneScore, score_forecasts
from orders.models import LaneWindow
from shop.prepared import PreparedStatement
from shop.retrying.loops import Loop, register_loop

LANES = register_loop(
    Loop(
        "lanes",
        title="Dates from our own deliveries",
        advice="Dates stay as they were computed last. It is tried again by itself; if the error stays, untick "
        "“dates from our own deliveries” in the shop settings, and each method’s own days count.",
    )
)
REMEMBERED = timedelta(days=2 * 365)
ENOUGH = 50  # deliveries from which on a lane's dates move
MOST_PARCELS = 200_000  # the newest; more would say the same
FURTHEST = 30  # days that a date is moved at the most: beyond, somebody has to look
LANE = ("country", "method")
LEAD_DAYS = 3  # from an order to the day its parcel is promised for, about: what came since could not be known

# One row an order that travels in one parcel, and that its own carrier's days promised.
_READ_DELIVERIES = PreparedStatement("""
SELECT o.country, o.shipping_method_id,
       coalesce(o.first_promised_by_on, o.promised_by_on) - o.moved_days AS promised_on,
       CASE WHEN o.fulfilment_status = 'delivered' AND NOT o.has_denied_delivery
            THEN (SELECT (max(s.delivered_at) AT TIME ZONE %(zone)s)::date
                  FROM orders_shipment s WHERE s.order_id = o.id) END AS delivered_on
FROM orders_order o
WHERE o.placed_at >= %(since)s AND o.status IN ('confirmed', 'completed') AND o.source <> 'import'
  AND o.shipping_method_id IS NOT NULL AND o.pickup_store_id IS NULL AND NOT o.ships_as_ready
  AND coalesce(o.first_promised_by_on, o.promised_by_on) IS NOT NULL
ORDER BY o.placed_at DESC LIMIT %(most)s
""")


@dataclass(frozen=True)
class DeliveryRecord:
    """`lanes`: country and method of each lane, in the order in which `history` counts them."""

    lanes: list[tuple[str, int]]
    history: PromiseHistory


def compute_lane_windows() -> None:
    """Puts what the deliveries say now in place of what was computed before; all lanes at once."""
    with LANES.take_turn() as is_mine:
        if is_mine:
            LANES.run_whole(_replace_windows)


@transaction.atomic
def _replace_windows() -> None:
    windows = measure_lanes(read_deliveries(), today=timezone.localdate())
    columns = [field.name for field in LaneWindow._meta.concrete_fields if not field.primary_key]  # noqa: SLF001
    LaneWindow.objects.bulk_create(
        windows, update_conflicts=True, unique_fields=LANE, update_fields=[each for each in columns if each not in LANE]
    )
    LaneWindow.objects.exclude(computed_at__in={each.computed_at for each in windows}).delete()


def read_deliveries() -> DeliveryRecord:
    """One query."""
    since, zone = timezone.now() - REMEMBERED, timezone.get_default_timezone_name()
    rows = _READ_DELIVERIES.fetch_rows({"zone": zone, "since": since, "most": MOST_PARCELS})
    places: dict[tuple[str, int], int] = {}
    lanes = [places.setdefault((country, method), len(places)) for country, method, *_ in rows]
    methods = sorted({method for _, method in places})
    return DeliveryRecord(
        list(places),
        PromiseHistory(
            promised=np.array([on.toordinal() for *_, on, _ in rows], np.int64),
            delivered=np.array([on.toordinal() if on else NOT_YET for *_, on in rows], np.int64),
            lanes=np.array(lanes, np.int64),
            modes=np.array([methods.index(method) for _, method in places], np.int64),
        ),
    )


def measure_lanes(record: DeliveryRecord, *, today: date) -> list[LaneWindow]:
    """A row for each lane of which some parcel has come."""
    history, names = record.history, [str(place) for place in range(len(record.lanes))]
    score = score_forecasts(history, forecast_days(history, lead_days=LEAD_DAYS), names, from_day=0)
    if score is None:
        return []
    days = forecast_lanes(history, today.toordinal(), lead_days=LEAD_DAYS)
    now = timezone.now()
    return [_make_window(record.lanes[int(each.lane)], each, int(days[int(each.lane)]), now) for each in score.lanes]


def _make_window(lane: tuple[str, int], score: LaneScore, days: int, now: datetime) -> LaneWindow:
    country, method = lane
    return LaneWindow(
        country=country,
        method_id=method,
        days=max(-FURTHEST, min(days, FURTHEST)) if score.count >= ENOUGH else None,
        parcel_count=score.count,
        plain_share=score.kept,
        moved_share=score.coverage,
        added_days=score.added_days,
        computed_at=now,
    )
