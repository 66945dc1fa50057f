"""Which parcels on the road will miss their day: by what their carrier says of them, or says no more, and by what the
shop's own deliveries say of the lane. docs/promised-dates.md has the rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.utils import timezone

from orders import shop_terms
from orders.delays.prediction import LAST_HOUR, ONE_DAY, Slip, compute_arrival
from orders.models import DelayNotice, Shipment, ShippingMethod, TrackingEvent
from orders.promise import Promise
from orders.shop_terms import Calendar
from shop.prepared import PreparedStatement

Reason, Stage = DelayNotice.Reason, Shipment.Stage
BETWEEN_SCANS = frozenset({Stage.DISPATCHED, Stage.IN_TRANSIT})  # not at the door, nor in trouble: that is told anyway
LONG_PAST = timedelta(days=14)  # a day that passed longer ago is no news
ENOUGH_OTHERS = 3  # parcels of the same carrier that left later and were scanned, before silence of one means anything
HEARD_WITHIN = timedelta(days=60)

# A carrier is heard of up to when the third-last of its scanned parcels left: who left by then and was never scanned is
# silent while others are not. A label that was made is no scan. Undated: only what this rule itself left without a day.
FIND_ON_THE_ROAD = PreparedStatement("""
WITH heard AS (
    SELECT s.carrier, (array_agg(s.dispatched_at ORDER BY s.dispatched_at DESC))[%(enough)s] AS up_to
    FROM orders_shipment s
    WHERE s.dispatched_at >= %(heard_since)s
      AND EXISTS (SELECT FROM orders_trackingevent t WHERE t.shipment_id = s.id AND t.meaning <> 'other')
    GROUP BY s.carrier
)
SELECT s.id, o.id, o.number, o.country, o.shipping_method_id, own.by_on, s.dispatched_at, s.estimated_on,
       (SELECT min(t.happened_at) FROM orders_trackingevent t
        WHERE t.shipment_id = s.id AND (t.meaning <> 'other' OR t.happened_at > s.dispatched_at)),
       (SELECT heard.up_to >= s.dispatched_at FROM heard WHERE heard.carrier = s.carrier),
       (SELECT array_agg(n.reason::text) FROM orders_delaynotice n WHERE n.shipment_id = s.id), o.zone_days,
       own.is_first
FROM orders_shipment s JOIN orders_order o ON o.id = s.order_id
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS is_first,
           CASE WHEN count(*) > 0 THEN max(line.promised_by_on) ELSE o.promised_by_on END AS by_on
    FROM orders_shipmentline inside JOIN orders_orderline line ON line.id = inside.order_line_id
    WHERE o.ships_as_ready AND inside.shipment_id = s.id AND line.goes_first
) own
WHERE s.stage IN ('dispatched', 'in_transit') AND s.tracking_number <> '' AND s.dispatched_at IS NOT NULL
  AND o.status = 'confirmed' AND o.hold = '' AND o.source <> 'import' AND o.shipping_method_id IS NOT NULL
  AND (o.fulfilment_status IN ('dispatched', 'held_up')
       OR own.is_first AND o.fulfilment_status IN ('partly_sent', 'partly_here'))
  AND (own.by_on >= %(long_past)s AND (own.by_on <= %(soon)s OR s.estimated_on > own.by_on)
       OR own.by_on IS NULL
          AND EXISTS (SELECT FROM orders_delaynotice n
                      WHERE n.shipment_id = s.id AND n.is_current AND n.reason = 'silent'))
ORDER BY own.by_on, s.id
""")
SOON = timedelta(days=30)  # no carrier's quickest day is further off


@dataclass(frozen=True)
class RoadOutlook:
    """How a parcel on the road stands.

    `promised_by_on`: None where its buyer was told that nobody knows. `estimated_on`: the day its carrier names.
    `scanned_on`: the day of its first scan. `is_alone`: others of its carrier that left later were scanned.
    `told`: for what reasons its buyer was told already.
    """

    promised_by_on: date | None
    left_on: date
    estimated_on: date | None = None
    scanned_on: date | None = None
    is_alone: bool = False
    told: frozenset[str] = field(default_factory=frozenset)
    zone_days: int = 0


@dataclass(frozen=True)
class FoundParcel:
    shipment_id: int
    order_id: int
    number: str
    outlook: RoadOutlook
    is_first: bool = False  # of two, by its own days


def find_road_slips() -> Iterator[tuple[FoundParcel, Slip]]:
    """The parcels that will miss their day, and those without one for which a day can be named now."""
    now, terms = timezone.now(), shop_terms.load_terms()
    methods = ShippingMethod.objects.in_bulk()
    today = timezone.localdate(now)
    values = {"long_past": today - LONG_PAST, "soon": today + SOON, "heard_since": now - HEARD_WITHIN}
    rows = FIND_ON_THE_ROAD.fetch_rows(values | {"enough": ENOUGH_OTHERS})
    for (
        pk,
        order_id,
        number,
        country,
        method_id,
        by_on,
        left_at,
        estimated_on,
        scanned_at,
        is_alone,
        told,
        zone,
        is_first,
    ) in rows:
        outlook = RoadOutlook(
            by_on,
            timezone.localdate(left_at),
            estimated_on=estimated_on,
            scanned_on=timezone.localdate(scanned_at) if scanned_at else None,
            is_alone=bool(is_alone),
            told=frozenset(told or ()),
            zone_days=zone,
        )
        slip = predict_road_slip(outlook, calendar=terms.get_calendar(country), method=methods[method_id], now=now)
        if slip is not None:
            yield FoundParcel(pk, order_id, number, outlook, is_first), slip


def predict_road_slip(
    outlook: RoadOutlook, *, calendar: Calendar, method: ShippingMethod, now: datetime
) -> Slip | None:
    """None while nothing says that it comes late, or its buyer was told of that sign already: each is told once.

    In this order: what its carrier says, what the lane says, that nothing is said. Plain values in, nothing is read.
    """
    calendar = replace(calendar, zone_days={None: outlook.zone_days})
    for predict in (_by_estimate, _by_lane, _by_silence, _by_first_scan):
        slip = predict(outlook, calendar, method, now)
        if slip is not None and slip.reason not in outlook.told:
            return slip
    return None


def _by_estimate(outlook: RoadOutlook, calendar: Calendar, method: ShippingMethod, now: datetime) -> Slip | None:
    """Its carrier names a day that is still to come and later than was promised."""
    on = outlook.estimated_on
    if on is None or on < timezone.localdate(now) or (outlook.promised_by_on and on <= outlook.promised_by_on):
        return None
    return Slip(Reason.CARRIER, Promise(ships_on=outlook.left_on, from_on=on, by_on=on))


def _by_lane(outlook: RoadOutlook, calendar: Calendar, method: ShippingMethod, now: datetime) -> Slip | None:
    """Its day is over, it was scanned but not at the door, and nine in ten parcels there need longer."""
    by_on, today = outlook.promised_by_on, timezone.localdate(now)
    if by_on is None or outlook.scanned_on is None or method.pk not in calendar.moved_days:
        return None
    is_over = today > by_on or (today == by_on and timezone.localtime(now).hour >= LAST_HOUR)
    usual = compute_arrival(calendar, method, leaves_on=outlook.left_on)
    if not is_over or usual.by_on <= today:
        return None
    return Slip(Reason.LANE, replace(usual, from_on=max(usual.from_on, today + ONE_DAY)))


def _by_silence(outlook: RoadOutlook, calendar: Calendar, method: ShippingMethod, now: datetime) -> Slip | None:
    """The carrier's own days are over without any scan, and even the quickest from today would be too late.

    A carrier that says nothing of anybody's parcels says nothing by it.
    """
    if outlook.promised_by_on is None or outlook.scanned_on or not outlook.is_alone:
        return None
    plain, today = replace(calendar, moved_days={}), timezone.localdate(now)
    is_overdue = compute_arrival(plain, method, leaves_on=outlook.left_on).by_on < today
    soonest = compute_arrival(plain, method, leaves_on=today).from_on
    return Slip(Reason.SILENT, None) if is_overdue and soonest > outlook.promised_by_on else None


def _by_first_scan(outlook: RoadOutlook, calendar: Calendar, method: ShippingMethod, now: datetime) -> Slip | None:
    """Its buyer was told that nobody knows, and now its carrier has it: the days count from there."""
    if outlook.promised_by_on is not None or outlook.scanned_on is None:
        return None
    promised = compute_arrival(calendar, method, leaves_on=outlook.scanned_on)
    return Slip(Reason.ROAD, promised) if promised.by_on >= timezone.localdate(now) else None


def is_still_so(parcel: Shipment, slip: Slip) -> bool:
    """Whether the sign still stands. The caller holds the order's lock. A query for silence."""
    if parcel.stage not in BETWEEN_SCANS:
        return False
    if slip.reason == Reason.CARRIER:
        return slip.promised is not None and parcel.estimated_on == slip.promised.by_on
    if slip.reason == Reason.SILENT:
        return not parcel.scans.exclude(meaning=TrackingEvent.Meaning.OTHER).exists()
    return True
