"""What to fetch for many parcels at once, in the order of a walk along the places where things stand."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from orders.models import OrderLine, Shipment
from shop.catalog.models import StockRecord

DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class PickItem:
    """One thing to fetch. `orders`: how many of it go to which order, by number."""

    sku: str
    name: str
    orders: list[tuple[str, int]]

    @property
    def quantity(self) -> int:
        return sum(quantity for _, quantity in self.orders)


@dataclass(frozen=True)
class PickGroup:
    """What stands at one place of a store; `place` is empty for what has none noted."""

    store: str
    place: str
    items: list[PickItem]


def build_pick_list(parcels: Iterable[Shipment]) -> list[PickGroup]:
    """By store, place and SKU. One query, where stores, orders and lines are fetched already."""
    parcels = list(parcels)
    places = _read_places(parcels)
    wanted: dict[tuple[int, str, str], dict[tuple[str, str], Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for parcel in parcels:
        for line in parcel.lines.all():
            item = line.order_line
            place = places.get((parcel.store_id, item.variant_id), "")
            at = (parcel.store.position, parcel.store.name, place)
            wanted[at][item.sku, _name_item(item)][parcel.order.number] += line.quantity
    return [
        PickGroup(store, place, [PickItem(*what, list(orders.items())) for what, orders in sorted(wanted[at].items())])
        for at in sorted(wanted, key=_sort_along_the_walk)
        for _, store, place in [at]
    ]


def _read_places(parcels: list[Shipment]) -> dict[tuple[int, int | None], str]:
    variants = {line.order_line.variant_id for parcel in parcels for line in parcel.lines.all()}
    stores = {parcel.store_id for parcel in parcels}
    known = StockRecord.objects.filter(variant__in=variants - {None}, store__in=stores).exclude(bin_location="")
    rows = known.values_list("store_id", "variant_id", "bin_location")
    return {(store, variant): place.strip() for store, variant, place in rows}


def _name_item(item: OrderLine) -> str:
    return f"{item.title}, {item.options}" if item.options else item.title


def _sort_along_the_walk(at: tuple[int, str, str]) -> tuple[object, ...]:
    """A-2 comes before A-10; what has no place, last of its store."""
    position, store, place = at
    parts = tuple((1, int(part), "") if part.isdecimal() else (0, 0, part.casefold()) for part in DIGITS.split(place))
    return position, store, not place, parts
