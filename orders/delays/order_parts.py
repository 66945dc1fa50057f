"""What of an order a delay is about: all of it, or of two parcels one, which has days, goods and a way of its own."""

from dataclasses import dataclass
from datetime import date

from orders import stages
from orders.models import Order, OrderLine, Shipment


@dataclass(frozen=True)
class OrderPart:
    """`by_on`: its promised day. `is_done`: it has left, or lies ready; `is_gone`: nothing of it is left to come.

    `titles`: what is in it, where it is one of two parcels; `parcel`: one of those it travels in, if there is one yet.
    """

    is_first: bool
    by_on: date | None
    is_done: bool
    is_gone: bool = False
    titles: tuple[str, ...] = ()
    parcel: Shipment | None = None

    def find_last_sent(self, order: Order) -> Shipment | None:
        return self.parcel or order.shipments.order_by("-dispatched_at").first()


def find_part(order: Order, *, is_first: bool) -> OrderPart:
    """No query for an order in one parcel; three at the most. The caller holds the order's lock, or only looks."""
    is_done = order.fulfilment_status in stages.DONE_STATUSES
    if not order.ships_as_ready:
        return OrderPart(is_first, order.promised_by_on, is_done, is_gone=is_first)
    open_lines = [line for line in order.lines.all() if line.open_quantity]
    mine = [line for line in open_lines if line.goes_first == is_first]
    parcels = find_parcels(order, mine)
    is_one_of_two = bool(mine) and len(mine) < len(open_lines)
    titles = tuple(dict.fromkeys(line.title for line in mine)) if is_one_of_two else ()
    parcel = parcels[0] if parcels and is_one_of_two else None
    if not is_first:
        return OrderPart(is_first, order.promised_by_on, is_done, titles=titles, parcel=parcel)
    days = [line.promised_by_on for line in mine if line.promised_by_on]
    has_left = bool(parcels) and all(each.stage in stages.DISPATCHED_STAGES for each in parcels)
    return OrderPart(is_first, max(days, default=None), has_left, is_gone=not mine, titles=titles, parcel=parcel)


def find_parcels(order: Order, lines: list[OrderLine]) -> list[Shipment]:
    """Those that hold some of these lines, without what was cancelled; none before it is approved."""
    found = order.shipments.filter(lines__order_line__in=lines).exclude(stage__in=stages.OFF_THE_ROAD)
    return list(found.distinct().order_by("pk"))
