"""Packing a parcel thing by thing, as a scanner says them: it closes when each was scanned as often as it holds.

Whoever packs a parcel begins it first, so that no two pack the same; somebody else may take it over. Scans are rows,
so a page that is loaded again, on another machine even, goes on where it stood. Every verb takes fresh rows under the
order's lock and raises `TransitionRefused` with a sentence for people.
"""

from collections import Counter
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from orders.fulfilment import transitions
from orders.fulfilment.holds import explain_hold
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_shipment
from orders.models import Order, PackingScan, Shipment, ShipmentLine
from orders.stages import get_stage
from shop.catalog.gtins import clean_gtin
from shop.catalog.models import Variant

Stage = Shipment.Stage
TO_PACK = get_stage(Stage.PACKED).follows
LONGEST_CODE = 100  # no SKU is longer, and no barcode of goods
MOST_GRAMS = 1_000_000
MOST_BOXES = 99


@dataclass(frozen=True)
class PackingLine:
    """What a parcel is to hold of one thing, and how often that was scanned."""

    line: ShipmentLine
    scanned_count: int

    @property
    def missing_count(self) -> int:
        return self.line.quantity - self.scanned_count

    @property
    def is_full(self) -> bool:
        return self.missing_count == 0

    @property
    def name(self) -> str:
        item = self.line.order_line
        return f"{item.title}, {item.options}" if item.options else item.title


def read_packing(shipment: Shipment) -> list[PackingLine]:
    """What is to go into the parcel. Two queries."""
    lines = list(shipment.lines.select_related("order_line__variant").order_by("pk"))
    scans = Counter(PackingScan.objects.filter(shipment_line__in=lines).values_list("shipment_line_id", flat=True))
    return [PackingLine(line, scans[line.pk]) for line in lines]


def is_complete(lines: list[PackingLine]) -> bool:
    return bool(lines) and all(each.is_full for each in lines)


def list_parcels_to_pack() -> QuerySet[Shipment]:
    """Those that wait on the packing table, the longest-waiting first."""
    waiting = Shipment.objects.filter(stage__in=TO_PACK, order__status=Order.Status.CONFIRMED, order__hold="")
    return waiting.select_related("order", "packer", "store").order_by("order__placed_at", "pk")


def describe_packer(shipment: Shipment) -> str:
    """“Anna is packing this since 10:02”; empty for a parcel that nobody has begun."""
    if shipment.packer is None or shipment.packing_begun_at is None:
        return ""
    begun = timezone.localtime(shipment.packing_begun_at)
    since = date_format(begun, "H:i" if begun.date() == timezone.localdate() else "D j M, H:i")
    return f"{shipment.packer} is packing this since {since}"


def begin_next_parcel(packer: User, *, skipped: int = 0) -> Shipment | None:
    """The parcel to go on with: the one they have begun, else the longest-waiting that nobody has. None: there is none.

    `skipped`: not this one, which they have just put back.
    """
    begun = list_parcels_to_pack().filter(packer=packer).first()
    if begun is not None:
        return begun
    free = list_parcels_to_pack().filter(packer=None).exclude(pk=skipped)
    for shipment_id in free.values_list("pk", flat=True):
        try:
            return begin_packing(shipment_id, packer=packer)
        except TransitionRefused:
            continue  # somebody else was faster
    return None


@transaction.atomic
def begin_packing(shipment_id: int, *, packer: User, takes_over: bool = False) -> Shipment:
    """Theirs to pack from now on. Another's parcel only by `takes_over`; what was scanned stays scanned."""
    shipment = _lock_waiting_parcel(shipment_id)
    if shipment.packer_id == packer.pk:
        return shipment
    if shipment.packer_id and not takes_over:
        raise TransitionRefused(f"{shipment.order.number}: {describe_packer(shipment)}.")
    shipment.packer = packer
    shipment.packing_begun_at = timezone.now()
    shipment.save(update_fields=["packer", "packing_begun_at"])
    return shipment


@transaction.atomic
def put_parcel_back(shipment_id: int, *, packer: User) -> Shipment:
    """Back into the queue, with nothing scanned: whoever packs it next begins with an empty box."""
    shipment = _lock_own_parcel(shipment_id, packer)
    PackingScan.objects.filter(shipment_line__shipment=shipment).delete()
    shipment.packer = shipment.packing_begun_at = None
    shipment.save(update_fields=["packer", "packing_begun_at"])
    return shipment


@transaction.atomic
def scan_item(shipment_id: int, code: str, *, packer: User) -> PackingLine:
    """Puts one thing into the parcel, by its SKU or GTIN; refuses what does not belong there. The line as it is now."""
    shipment = _lock_own_parcel(shipment_id, packer)
    text = " ".join(code.split())
    if not text or len(text) > LONGEST_CODE or not text.isprintable():
        raise TransitionRefused("Scan the code on the thing, or type its SKU and press Enter.")
    lines, variant = read_packing(shipment), find_variant_by_code(text)
    fitting = [each for each in lines if _is_of_line(each.line, text, variant)]
    if not fitting:
        raise TransitionRefused(_describe_stranger(text, variant))
    room = next((each for each in fitting if each.missing_count > 0), None)
    if room is None:
        count = sum(each.line.quantity for each in fitting)
        raise TransitionRefused(f"One too many: the parcel is to hold {count} × {fitting[0].name}, and does.")
    PackingScan.objects.create(shipment_line=room.line)
    return PackingLine(room.line, room.scanned_count + 1)


@transaction.atomic
def undo_last_scan(shipment_id: int, *, packer: User) -> PackingScan:
    """Takes the last thing out again."""
    shipment = _lock_own_parcel(shipment_id, packer)
    scans = PackingScan.objects.filter(shipment_line__shipment=shipment)
    last = scans.select_related("shipment_line__order_line").order_by("-pk").first()
    if last is None:
        raise TransitionRefused("Nothing is in the parcel yet.")
    last.delete()
    return last


@transaction.atomic
def close_parcel(
    shipment_id: int, *, packer: User, note: str = "", weight_grams: int | None = None, box_count: int = 1
) -> Shipment:
    """Packed: refused while anything is missing. Signed with the packer's first name."""
    shipment = _lock_own_parcel(shipment_id, packer)
    lines = read_packing(shipment)
    if not is_complete(lines):
        raise TransitionRefused(f"Not closed. {_describe_difference(lines)}")
    return transitions.mark_shipment_packed(
        shipment_id,
        actor=str(packer),
        note=note,
        packed_by=packer.first_name,
        weight_grams=weight_grams,
        box_count=box_count,
        is_scanned=True,
    )


def find_variant_by_code(code: str) -> Variant | None:
    """The thing a SKU or GTIN names; a SKU in other capitals only where that names one thing."""
    known = Variant.objects.select_related("product")
    exact = known.filter(sku=code).first()
    if exact is not None:
        return exact
    try:
        gtin = clean_gtin(code)
    except ValueError:
        gtin = ""
    by_gtin = known.filter(gtin=gtin).first() if gtin else None
    if by_gtin is not None:
        return by_gtin
    alike = list(known.filter(sku__iexact=code)[:2])
    return alike[0] if len(alike) == 1 else None


def _is_of_line(line: ShipmentLine, code: str, variant: Variant | None) -> bool:
    """By the thing itself; by the SKU as it was ordered where that thing is no longer kept."""
    item = line.order_line
    return item.variant_id == variant.pk if variant else item.variant_id is None and item.sku == code


def _describe_stranger(code: str, variant: Variant | None) -> str:
    if variant is None:
        return f"“{code}” is no SKU or GTIN of ours. Scan it again, or type the SKU from the shelf."
    return f"Wrong item: {variant} ({variant.sku}) is not in this parcel. Put it back on its shelf."


def _describe_difference(lines: list[PackingLine]) -> str:
    """A parcel may hold less than when it was begun: a line can be cancelled meanwhile."""
    missing = [f"{each.missing_count} × {each.name}" for each in lines if each.missing_count > 0]
    surplus = [f"{-each.missing_count} × {each.name}" for each in lines if each.missing_count < 0]
    if surplus:
        return f"Too much is in it: {'; '.join(surplus)}. Take it out, put the parcel back and begin again."
    return f"Still to scan: {'; '.join(missing)}." if missing else "Nothing is to go into it."


def _lock_waiting_parcel(shipment_id: int) -> Shipment:
    shipment = lock_shipment(shipment_id)
    number, order = shipment.order.number, shipment.order
    if order.status == Order.Status.CANCELLED:
        raise TransitionRefused(f"{number} was cancelled. Put its goods back on the shelf.")
    if order.hold:
        raise TransitionRefused(f"{number} is on hold. {explain_hold(order)}")
    if shipment.stage not in TO_PACK:
        raise TransitionRefused(f"{number} is “{shipment.get_stage_display().lower()}”; there is nothing to pack.")
    return shipment


def _lock_own_parcel(shipment_id: int, packer: User) -> Shipment:
    shipment = _lock_waiting_parcel(shipment_id)
    if shipment.packer_id != packer.pk:
        at_it = describe_packer(shipment) or "nobody is packing it: begin first"
        raise TransitionRefused(f"{shipment.order.number}: {at_it}.")
    return shipment
