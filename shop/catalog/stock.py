"""The only way stock changes. Each verb is one conditional UPDATE; callers take variants in id order.

Every function must run inside a transaction that the caller opened (a journey such as checkout).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db import transaction
from django.db.models import F

from shop.catalog import events, listing
from shop.catalog.models import StockMovement, StockRecord, Store
from shop.prepared import PreparedStatement
from shop.registry import Registry, get_dotted_name


class OutOfStock(Exception):  # noqa: N818  (a refusal, not an error)
    """`variant_id` could not be had in the wanted quantity; nothing was taken of it."""

    def __init__(self, variant_id: int) -> None:
        super().__init__(f"Variant {variant_id} is out of stock.")
        self.variant_id = variant_id


_FIND_RECORDS = PreparedStatement("""
SELECT r.variant_id, r.id
FROM unnest(%(variants)s::bigint[], %(quantities)s::bigint[]) AS wanted (variant_id, quantity)
JOIN catalog_stockrecord r ON r.variant_id = wanted.variant_id
JOIN catalog_store s ON s.id = r.store_id AND s.ships_orders
ORDER BY r.on_hand - r.allocated < wanted.quantity, s.position, r.store_id
""")
_ALLOCATE = PreparedStatement("""
UPDATE catalog_stockrecord SET allocated = allocated + %(quantity)s
WHERE id = %(record)s AND on_hand >= allocated + %(quantity)s - backorder_limit RETURNING id
""")
_FIND_RECORDS_IN_STORE = PreparedStatement("""
SELECT r.variant_id, r.id FROM catalog_stockrecord r
WHERE r.variant_id = ANY(%(variants)s) AND r.store_id = %(store)s
""")
_ALLOCATE_FROM_SHELF = PreparedStatement("""
UPDATE catalog_stockrecord SET allocated = allocated + %(quantity)s
WHERE id = %(record)s AND on_hand >= allocated + %(quantity)s RETURNING id
""")
FOR_ALLOCATING = (_FIND_RECORDS, _ALLOCATE)  # what a transaction that allocates runs


ShelfCallback = Callable[[Sequence[int]], None]
_shelf_callbacks: Registry[ShelfCallback] = Registry("Shelf callback")


def register_shelf_callback(callback: ShelfCallback) -> None:
    """`callback` gets the keys of the records whose `on_hand` changed, in that transaction, their rows locked."""
    _shelf_callbacks.add(get_dotted_name(callback), callback)


def _tell_shelf_changed(record_ids: Sequence[int]) -> None:
    for callback in _shelf_callbacks.values() if record_ids else ():
        callback(record_ids)


@dataclass(frozen=True)
class OpeningStock:
    """What a store starts with of a variant it has never held; `restock_on` when more are expected."""

    variant_id: int
    on_hand: int
    restock_on: date | None = None


def open_stock_records(store: Store, openings: Sequence[OpeningStock], *, reference: str = "", actor: str = "") -> None:
    """Opening stock of any number of variants, in two statements. Then call `listing.refresh_listings` for them."""
    records = StockRecord.objects.bulk_create(
        (
            StockRecord(store=store, variant_id=each.variant_id, on_hand=each.on_hand, restock_on=each.restock_on)
            for each in openings
        ),
        batch_size=2000,
    )
    StockMovement.objects.bulk_create(
        (
            StockMovement(
                record=record,
                kind=StockMovement.Kind.OPENING,
                quantity=record.on_hand,
                reference=reference,
                actor=actor,
            )
            for record in records
            if record.on_hand
        ),
        batch_size=2000,
    )


def allocate_stock(wanted: Mapping[int, int], *, store_id: int | None = None) -> dict[int, int]:
    """Promise stock: `{variant id: quantity}` in, `{variant id: stock record id}` out.

    Each variant comes whole from one shipping store: the first that has all of it on the shelf, else the first that may
    sell so many; a cart counts its days by the same rule (`orders.cart_lines`). With a `store_id` it comes from that
    store's shelf alone, whether it ships or not. Raises `OutOfStock`; the caller's transaction then rolls back what was
    taken. Variants are taken in id order, so two buyers never deadlock.
    """
    records = _find_records(wanted, store_id)
    allocate = _ALLOCATE if store_id is None else _ALLOCATE_FROM_SHELF
    taken = {
        variant_id: _allocate_variant(variant_id, wanted[variant_id], records[variant_id], allocate)
        for variant_id in sorted(wanted)
    }
    _update_flags_on_commit(taken.values())
    return taken


def _find_records(wanted: Mapping[int, int], store_id: int | None) -> dict[int, list[int]]:
    """By variant: that store's, or those that parcels may leave from, in the order in which they are asked."""
    statement = _FIND_RECORDS if store_id is None else _FIND_RECORDS_IN_STORE
    found: dict[int, list[int]] = defaultdict(list)
    values = {"variants": list(wanted), "quantities": list(wanted.values()), "store": store_id}
    for variant_id, record_id in statement.fetch_rows(values):
        found[variant_id].append(record_id)
    return found


def _allocate_variant(variant_id: int, quantity: int, record_ids: Iterable[int], allocate: PreparedStatement) -> int:
    for record_id in record_ids:
        if allocate.fetch_rows({"record": record_id, "quantity": quantity}):
            return record_id
    raise OutOfStock(variant_id)


def release_allocation(record_id: int, *, quantity: int) -> None:
    """Give back what `allocate_stock` promised."""
    StockRecord.objects.filter(id=record_id).update(allocated=F("allocated") - quantity)
    events.record_restocks({record_id: quantity})
    _update_flags_on_commit([record_id])


def consume_allocation(record_id: int, *, quantity: int, reference: str, actor: str = "") -> None:
    """The parcel has left: promised goods become gone goods. Raises IntegrityError when they are not on hand."""
    StockRecord.objects.filter(id=record_id).update(
        on_hand=F("on_hand") - quantity, allocated=F("allocated") - quantity
    )
    _create_movement(record_id, StockMovement.Kind.DISPATCHED, -quantity, reference, actor)


def receive_stock(
    record_id: int,
    *,
    quantity: int,
    kind: str = StockMovement.Kind.RECEIVED,
    reference: str = "",
    actor: str = "",
) -> None:
    """Goods came in (or, with a negative quantity, a count came out lower)."""
    StockRecord.objects.filter(id=record_id).update(on_hand=F("on_hand") + quantity)
    _create_movement(record_id, kind, quantity, reference, actor)
    if kind != StockMovement.Kind.OPENING:
        events.record_restocks({record_id: quantity})
    _tell_shelf_changed([record_id])
    _update_flags_on_commit([record_id])


def write_off_returned(record_id: int, *, quantity: int, reference: str, actor: str = "") -> None:
    """Goods came back that nobody can sell: two movements, which cancel out. Nothing on the shelf changes."""
    _create_movement(record_id, StockMovement.Kind.RETURNED, quantity, reference, actor)
    _create_movement(record_id, StockMovement.Kind.WRITTEN_OFF, -quantity, reference, actor)


def _create_movement(record_id: int, kind: str, quantity: int, reference: str, actor: str) -> None:
    StockMovement.objects.create(record_id=record_id, kind=kind, quantity=quantity, reference=reference, actor=actor)


def _update_flags_on_commit(record_ids: Iterable[int]) -> None:
    """After the commit, so that no journey holds a product's row; a crash in between is mended by the sweep."""
    transaction.on_commit(partial(listing.update_stock_flags, record_ids=list(record_ids)), robust=True)


def record_stocktake(
    counted: Mapping[int, int], *, store_id: int, reference: str, actor: str = ""
) -> tuple[set[int], set[int]]:
    """What a stocktake found: `{variant id: quantity}`. Writes the difference as a movement.

    Gives the variants that changed, and those left alone because more is promised to orders than was counted.
    """
    found = StockRecord.objects.select_for_update().filter(variant_id__in=counted, store_id=store_id)
    different = [each for each in found.order_by("variant_id") if each.on_hand != counted[each.variant_id]]
    changed = [each for each in different if each.allocated <= counted[each.variant_id] + each.backorder_limit]
    movements = []
    for record in changed:
        quantity = counted[record.variant_id] - record.on_hand
        kind = StockMovement.Kind.COUNTED
        movements.append(StockMovement(record=record, kind=kind, quantity=quantity, reference=reference, actor=actor))
        record.on_hand = counted[record.variant_id]
    StockRecord.objects.bulk_update(changed, ["on_hand"])
    StockMovement.objects.bulk_create(movements)
    events.record_restocks({each.record_id: each.quantity for each in movements if each.quantity > 0})
    _tell_shelf_changed([record.id for record in changed])
    _update_flags_on_commit([record.id for record in changed])
    changed_ids = {record.variant_id for record in changed}
    return changed_ids, {record.variant_id for record in different} - changed_ids
