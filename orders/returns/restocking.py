"""What came back is looked at: good for the shelf, or written off. For returns and withdrawals alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, OrderLine, ReturnLine, WithdrawalLine
from shop.catalog import stock
from shop.catalog.models import StockMovement, StockRecord

CameBack = ReturnLine | WithdrawalLine


@dataclass(frozen=True)
class Inspection:
    """Of one line that came back: how many are as good as new, and how many nobody can sell."""

    restocked: int
    written_off: int


def inspect_lines(lines: Sequence[CameBack], found: Mapping[int, Inspection], *, reference: str, actor: str) -> None:
    """Writes down what was found, by the keys of the lines, and moves the stock. Raises `TransitionRefused`.

    Needs a transaction and the order's lock; stock is taken in the order of variants.
    """
    for line in lines:
        seen = found.get(line.pk, Inspection(0, 0))
        if seen.restocked < 0 or seen.written_off < 0 or seen.restocked + seen.written_off > line.quantity:
            raise TransitionRefused(f"Of “{line.order_line.title}” only {line.quantity:,} can have come back.")
    for line in sorted(lines, key=lambda each: each.order_line.variant_id or 0):
        seen = found.get(line.pk, Inspection(0, 0))
        line.restocked_quantity, line.written_off_quantity = seen.restocked, seen.written_off
        line.save(update_fields=["restocked_quantity", "written_off_quantity"])
        _move_stock(line.order_line, seen, reference=reference, actor=actor)


def _move_stock(line: OrderLine, seen: Inspection, *, reference: str, actor: str) -> None:
    """Back to where it was promised from. Of what the catalog no longer has, nothing moves."""
    record_id = _find_record(line)
    if record_id is None:
        return
    if seen.restocked:
        kind = StockMovement.Kind.RETURNED
        stock.receive_stock(record_id, quantity=seen.restocked, kind=kind, reference=reference, actor=actor)
    if seen.written_off:
        stock.write_off_returned(record_id, quantity=seen.written_off, reference=reference, actor=actor)


def _find_record(line: OrderLine) -> int | None:
    promised = Allocation.objects.filter(order_line=line).order_by("-consumed_at", "-pk")
    found: int | None = promised.values_list("record", flat=True).first()
    if found is None and line.variant_id:
        held = StockRecord.objects.filter(variant=line.variant_id, store__ships_orders=True)
        found = held.order_by("store__position", "pk").values_list("pk", flat=True).first()
    return found


def build_inspections(good: Mapping[int, int], lines: Iterable[CameBack]) -> dict[int, Inspection]:
    """`good`: how many of each line go back on the shelf; the rest of it is written off."""
    return {line.pk: Inspection(good.get(line.pk, 0), line.quantity - good.get(line.pk, 0)) for line in lines}
