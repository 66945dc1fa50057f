"""“Send what is here”: of an order that was to go together, what lies on the shelf leaves, and the rest follows.

By staff, or by its buyer on the news of a delay. From then on it is an order in two parcels like any other (ADR 70),
except that nothing is charged for the second. The rest keeps its own promised day; what is here is promised anew from
today, and never later than it was.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from orders import events
from orders.fulfilment import backorders
from orders.fulfilment.release import get_open_allocations
from orders.fulfilment.transitions import TransitionRefused, is_to_come
from orders.locks import lock_order
from orders.models import Order, OrderEvent, OrderLine, Shipment, ShipmentLine
from orders.promise import Promise

Stage = Shipment.Stage


@dataclass(frozen=True)
class Parts:
    """`here`: what may leave now; `rest`: what is still to come. `mixed_stores`: those that hold some of both."""

    here: list[OrderLine]
    rest: list[OrderLine]
    mixed_stores: frozenset[int]

    @property
    def here_titles(self) -> list[str]:
        return _list_titles(self.here)

    @property
    def rest_titles(self) -> list[str]:
        return _list_titles(self.rest)


def find_parts(order: Order) -> Parts | None:
    """What would go first, and what later; None where that cannot be, or makes no difference.

    No query for most orders; one or two where some of it is still to come. Prefetch `lines` and `shipments__lines`.
    """
    is_single = sum(1 for line in order.lines.all() if line.open_quantity) < 2
    if is_single or _find_objection(order) or not _is_any_untouched(order):
        return None
    parts = _divide(order)
    return None if _explain_no_parts(parts) or _is_any_begun(_find_mixed_parcels(order, parts)) else parts


@transaction.atomic
def split_order(order_id: int, *, actor: str) -> Parts:
    """Lets what is here leave in a parcel of its own. Raises `TransitionRefused`, and then nothing changes."""
    order = lock_order(order_id)
    return split_locked_order(order, actor=actor)


def split_locked_order(order: Order, *, actor: str) -> Parts:
    """The caller holds the order's lock."""
    parts = _divide(order)
    mixed = _find_mixed_parcels(order, parts)
    objection = _find_objection(order) or _explain_no_parts(parts)
    if not objection and _is_any_begun(mixed):
        objection = "is being made ready already, so it goes as it is."
    if objection:
        raise TransitionRefused(f"{order.number} {objection}")
    _write_days(order, parts)
    _take_rest_out(mixed, parts)
    what: dict[str, Any] = {"what": parts.here_titles, "rest": parts.rest_titles}
    events.record_order_event(order, OrderEvent.Kind.SPLIT, actor=actor, **what)
    return parts


def describe_division(event: OrderEvent) -> str:
    """What its event says to the buyer: what goes first, and whether that was their own choice."""
    first, rest = (", ".join(event.data.get(name) or []) for name in ("what", "rest"))
    chose = "You chose that. " if event.actor == events.BUYER else ""
    return f"{chose}First: {first}. Then: {rest}."


def _divide(order: Order) -> Parts:
    here: list[OrderLine] = []
    rest: list[OrderLine] = []
    stores: dict[bool, set[int]] = defaultdict(set)
    for item in get_open_allocations(order).select_related("order_line__product"):
        waits = is_to_come(item)
        (rest if waits else here).append(item.order_line)
        stores[waits].add(item.record.store_id)
    return Parts(here, rest, frozenset(stores[True] & stores[False]))


def _find_objection(order: Order) -> str:
    """Why it is not divided, whatever is here, as the end of a sentence after its number; empty where it may be."""
    if order.status != Order.Status.CONFIRMED:
        return "is not open, so none of it can go ahead."
    if order.hold:
        return "is on hold, so none of it goes ahead for now."
    if order.pickup_store_id:
        return "is collected by its buyer: it lies ready all together."
    if order.ships_as_ready:
        return "goes in two parcels already."
    return ""


def _explain_no_parts(parts: Parts) -> str:
    if not parts.rest:
        return "is all here, so it goes in one parcel."
    if not parts.here:
        return "waits for each thing in it: nothing of it is here in full to go ahead."
    if not parts.mixed_stores:
        return "has what is here in a parcel of its own already."
    return ""


def _find_mixed_parcels(order: Order, parts: Parts) -> list[Shipment]:
    """Those that hold some of both: of those that staff had divided before (ADR 47), not each does."""
    here, rest = ({line.pk for line in lines} for lines in (parts.here, parts.rest))
    live = [parcel for parcel in order.shipments.all() if parcel.stage != Stage.CANCELLED]
    inside = {parcel: {row.order_line_id for row in parcel.lines.all()} for parcel in live}
    return [parcel for parcel in live if inside[parcel] & here and inside[parcel] & rest]


def _is_any_untouched(order: Order) -> bool:
    """Whether some of it could still be divided, by its parcels alone; there are none before it is approved."""
    stages = [parcel.stage for parcel in order.shipments.all() if parcel.stage != Stage.CANCELLED]
    return not stages or Stage.WAITING in stages


def _is_any_begun(parcels: Iterable[Shipment]) -> bool:
    return any(parcel.stage != Stage.WAITING for parcel in parcels)


def _write_days(order: Order, parts: Parts) -> None:
    """Each line has days of its own from now on; the order's stay those of the rest."""
    order.ships_as_ready = True
    order.save(update_fields=["ships_as_ready"])
    rest, here = ([line.pk for line in lines] for lines in (parts.rest, parts.here))
    order.lines.exclude(pk__in=rest).update(goes_first=True)
    kept = {name: getattr(order, name) for name in ("ships_on", "promised_from_on", "promised_by_on")}
    order.lines.filter(pk__in=rest).update(**kept)
    sooner = find_first_days(order, parts)
    days = backorders.list_days(sooner) if sooner else kept
    order.lines.filter(pk__in=here).update(**days, first_promised_by_on=order.first_promised_by_on)


def find_first_days(order: Order, parts: Parts) -> Promise | None:
    """When what is here would leave and come; None where that is no sooner than it was promised, or nobody can say."""
    promised = backorders.compute_promise_from_shelf(order, parts.here)
    if promised is None or (order.promised_by_on and promised.by_on >= order.promised_by_on):
        return None
    return promised


def _take_rest_out(mixed: Iterable[Shipment], parts: Parts) -> None:
    """Out of each parcel that holds some of both into one of its own. Before approval there is none."""
    rest = [line.pk for line in parts.rest]
    for parcel in mixed:
        waiting = Shipment.objects.create(order=parcel.order, store_id=parcel.store_id, carrier=parcel.carrier)
        ShipmentLine.objects.filter(shipment=parcel, order_line__in=rest).update(shipment=waiting)


def _list_titles(lines: Iterable[OrderLine]) -> list[str]:
    return list(dict.fromkeys(line.title for line in lines))
