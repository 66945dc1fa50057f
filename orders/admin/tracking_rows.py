"""Tracking numbers in bulk: lines of order number, tracking number and perhaps carrier, pasted or from a CSV file.

A row that cannot be taken gets a sentence and keeps no other waiting. The checks of a number are those of “Ship”.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from orders.admin.tracking_forms import ShipForm, list_doubts
from orders.carrier_directory import CarrierDirectory, load_directory
from orders.carriers import CARRIERS, find_carrier
from orders.models import Order, Shipment
from orders.returns.statements import normalize_order_number
from orders.stages import get_stage
from shop.csv_files.lines import read_records
from shop.csv_files.opening import SPREADSHEETS
from shop.csv_files.report import BadRow

MOST_ROWS = 500
MOST_BYTES = 1_000_000
HEADER_WORDS = ("order", "order number", "order_number", "number")
TO_SHIP = get_stage(Shipment.Stage.DISPATCHED).follows


class UnreadableRowsError(ValueError):
    """None of it can be read; the message says what to do, for people."""


@dataclass(frozen=True)
class TypedRow:
    """`number`: the line it stands on."""

    number: int
    order_number: str
    tracking_number: str
    carrier: str


@dataclass
class TrackingRow:
    """A row and what can be done with it: ship it (`form`), ship it once the `question` is answered, or nothing."""

    number: int
    order_number: str = ""
    tracking_number: str = ""
    problem: str = ""
    question: str = ""
    form: ShipForm | None = None

    @property
    def is_ready(self) -> bool:
        return self.form is not None and not self.problem


def decode_rows(content: bytes) -> str:
    """The text of an uploaded file. Raises `UnreadableRowsError`."""
    if len(content) > MOST_BYTES:
        raise UnreadableRowsError("The file is too large. Take a CSV file with one row a parcel.")
    if content.startswith(SPREADSHEETS):
        raise UnreadableRowsError("That is a spreadsheet. Save it as CSV (UTF-8), and choose that file.")
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableRowsError("The file cannot be read. Save it as CSV (UTF-8), and choose it again.")


def read_typed_rows(text: str) -> list[TypedRow | BadRow]:
    """Each line as a row. A first line of headings, and empty lines, are passed over. Raises `UnreadableRowsError`."""
    found: list[TypedRow | BadRow] = []
    for record in read_records(io.StringIO(text, newline=""), _find_delimiter(text), lambda cells, lines: _ONE_LINE):
        if isinstance(record, BadRow):
            found.append(BadRow(record.number, f"{record.reason}."))
            continue
        cells = [" ".join(cell.split()) for cell in record.cells]
        if any(cells) and not (not found and cells[0].casefold() in HEADER_WORDS):
            found.append(_read_cells(record.number, cells))
        if len(found) > MOST_ROWS:
            raise UnreadableRowsError(f"These are more than {MOST_ROWS} rows. Send them in parts.")
    if not found:
        raise UnreadableRowsError("There is no row in it. Paste lines such as “SW-7Q4K-2MXP-9T, RB123456785GB”.")
    return found


_ONE_LINE = "opens a quotation mark that is not closed on its line"


def _find_delimiter(text: str) -> str:
    """What stands between the cells, by the first line that has any of it."""
    for line in text.splitlines():
        for delimiter in "\t;,":
            if delimiter in line:
                return delimiter
    return ","


def _read_cells(number: int, cells: Sequence[str]) -> TypedRow | BadRow:
    order_number, tracking_number, carrier, *rest = [*cells, "", "", ""]
    if any(rest):
        return BadRow(number, "has more than three cells: order number, tracking number, carrier.")
    if not order_number:
        return BadRow(number, "has no order number.")
    if not tracking_number:
        return BadRow(number, f"{order_number[:60]} has no tracking number. Ship what has none on its order’s page.")
    return TypedRow(number, order_number, tracking_number, carrier)


def match_rows(typed: Iterable[TypedRow | BadRow]) -> list[TrackingRow]:
    """Every row with its parcel, or with what is wrong. Of an order in several parcels each row takes the next."""
    rows = list(typed)
    numbers = {normalize_order_number(row.order_number) for row in rows if isinstance(row, TypedRow)}
    waiting, known = _find_parcels(numbers), _find_orders(numbers)
    directory = load_directory()
    matched = [_match_row(row, waiting, known, directory) for row in rows]
    ready = [row for row in matched if row.form is not None]
    _check_numbers(ready)
    return matched


def _find_orders(numbers: set[str]) -> dict[str, Order]:
    named = Order.objects.filter(Q(number__in=numbers) | Q(external_reference__in=numbers))
    found = named.select_related("pickup_store").prefetch_related("shipments")
    by_number = {order.external_reference: order for order in found if order.external_reference}
    return by_number | {order.number: order for order in found}


def _find_parcels(numbers: set[str]) -> dict[int, list[Shipment]]:
    """The parcels that may leave, by their orders."""
    mine = Q(order__number__in=numbers) | Q(order__external_reference__in=numbers)
    packed: QuerySet[Shipment] = Shipment.objects.filter(
        mine,
        stage__in=TO_SHIP,
        order__hold="",
        order__status=Order.Status.CONFIRMED,
        order__pickup_store=None,
    )
    found: dict[int, list[Shipment]] = defaultdict(list)
    for parcel in packed.select_related("order").prefetch_related("lines__order_line__product").order_by("pk"):
        found[parcel.order_id].append(parcel)
    return found


def _match_row(
    row: TypedRow | BadRow, waiting: dict[int, list[Shipment]], known: dict[str, Order], directory: CarrierDirectory
) -> TrackingRow:
    if isinstance(row, BadRow):
        return TrackingRow(row.number, problem=row.reason)
    matched = TrackingRow(row.number, row.order_number, row.tracking_number)
    order = known.get(normalize_order_number(row.order_number))
    if order is None:
        matched.problem = f"There is no order “{row.order_number[:60]}”."
    elif not waiting.get(order.pk):
        matched.problem = _explain_no_parcel(order)
    else:
        parcel = waiting[order.pk][0]
        carrier = find_carrier_by_words(row.carrier, directory) if row.carrier else parcel.carrier
        if not carrier:
            matched.problem = _explain_no_carrier(row.carrier)
        else:
            matched.form = _make_form(waiting[order.pk].pop(0), row, carrier, directory)
    return matched


def _explain_no_parcel(order: Order) -> str:
    if order.hold:
        return f"{order.number} is on hold: look at its page."
    if order.status == Order.Status.CANCELLED:
        return f"{order.number} was cancelled."
    if order.pickup_store is not None:
        return f"{order.number} is collected at {order.pickup_store}, and not shipped."
    stages = list(dict.fromkeys(parcel.get_stage_display().lower() for parcel in order.shipments.all()))
    if any(parcel.stage in TO_SHIP for parcel in order.shipments.all()):
        return f"{order.number} stands here more often than it has packed parcels."
    now = f"is “{', '.join(stages)}”" if stages else "is not approved yet"
    return f"{order.number} {now}: only what is packed can be shipped."


def _explain_no_carrier(words: str) -> str:
    if words:
        return f"We know no carrier “{words[:60]}”. Write it as the list of carriers does, or leave it out."
    return "Nobody chose who carries it: write the carrier as a third cell."


def find_carrier_by_words(words: str, directory: CarrierDirectory) -> str:
    """The key of a carrier, or the name of one staff added; empty for one that nobody knows."""
    added = directory.added.get(words.strip().lower())
    if added:
        return added.name
    return words if words in CARRIERS else find_carrier(words)


def _make_form(parcel: Shipment, row: TypedRow, carrier: str, directory: CarrierDirectory) -> ShipForm:
    typed = {
        "carrier": carrier,
        "tracking_number": row.tracking_number,
        "seen_carrier": parcel.carrier,
        "seen_number": parcel.tracking_number,
        "early": "on",  # asked about with the other doubts
    }
    data = {f"{parcel.pk}-{name}": value for name, value in typed.items()}
    return ShipForm(data, parcel=parcel, carriers=directory, is_one_of_many=True)


def _check_numbers(rows: Sequence[TrackingRow]) -> None:
    """Says what is wrong with a number, or what is to be asked before it is taken."""
    sound = []
    for row in rows:
        if row.form is not None and row.form.is_valid():
            sound.append(row)
        elif row.form is not None:
            row.problem = " ".join(str(words) for errors in row.form.errors.values() for words in errors)
    forms = [row.form for row in sound if row.form is not None]
    for row, question in zip(sound, list_doubts(forms), strict=True):
        row.question = question
