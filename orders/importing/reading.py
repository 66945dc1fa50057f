"""Rows of an order history, in the shop's own columns or those of UCI's “Online Retail”, checked one by one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from django.utils import timezone
from django_countries import countries

from accounts.people.email_addresses import UnreachableAddressError, normalize_address
from shop.catalog.importing.reading import read_sku, read_title
from shop.csv_files.report import BadRow, UnusableRowError, quote_cell
from shop.csv_files.table import Columns, CsvTable
from shop.csv_files.values import (
    get_day_from_today,
    read_amount,
    read_day,
    read_flag,
    read_integer,
    read_moment,
    read_word,
)
from shop.money import get_shop_currency
from shop.spelling import clean_spelling, make_spelling_key

REMEMBERED = 10_000  # texts come again and again: titles, customers, places
LONGEST_REFERENCE = 60
LONGEST_CUSTOMER = 80
LONGEST_TITLE = 160
LARGEST_QUANTITY = 1_000_000
LARGEST_PRICE = Decimal("99999999.99")
PROMISED_AHEAD = 730  # days from now

PRODUCT_CODE = re.compile(r"^\d{5}[A-Za-z]{0,2}$")  # all else in that file is postage, fees, vouchers
OTHER_NAMES = {
    "GB": ("UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "IE": ("Eire", "Republic of Ireland"),
    "US": ("USA", "U.S.A.", "United States", "America"),
    "ZA": ("RSA",),
    "CZ": ("Czech Republic",),
    "JE": ("Channel Islands",),
    "HK": ("Hong Kong",),
    "NL": ("Holland", "The Netherlands"),
    "TR": ("Turkey",),
    "KR": ("South Korea", "Korea"),
    "RU": ("Russia",),
    "VN": ("Vietnam",),
    "TW": ("Taiwan",),
    "MO": ("Macau",),
}
COUNTRIES = {make_spelling_key(str(word)): code for code, name in countries for word in (code, name)} | {
    make_spelling_key(word): code for code, words in OTHER_NAMES.items() for word in words
}


class OrderFormat(StrEnum):
    OWN = "own"
    ONLINE_RETAIL = "online-retail"


class RowKind(StrEnum):
    """What a row becomes: an order line; an amount on an order; an amount given back for a cancellation."""

    LINE = "L"
    ADJUSTMENT = "A"
    CREDIT = "C"


COLUMNS = {
    OrderFormat.OWN: Columns(
        required=("order_number", "placed_at", "customer", "sku", "title", "quantity", "unit_price", "gift"),
        optional=("promised_on", "shipped_at", "delivered_at", "carrier_service", "country", "postcode"),
    ),
    OrderFormat.ONLINE_RETAIL: Columns(
        required=(
            "InvoiceNo",
            "StockCode",
            "Description",
            "Quantity",
            "InvoiceDate",
            "UnitPrice",
            "CustomerID",
            "Country",
        ),
    ),
}


class OrderRow(NamedTuple):
    """A row that can be used. `has_fate`: the file says what became of orders (shipped, delivered)."""

    number: int
    kind: RowKind
    reference: str
    placed_at: datetime
    customer: str
    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    is_gift: bool = False
    country: str = ""
    postcode: str = ""
    service: str = ""
    promised_on: date | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    has_fate: bool = False


def get_table_format(table: CsvTable) -> OrderFormat:
    return next(layout for layout, columns in COLUMNS.items() if columns is table.columns)


def suggest_format(header: Sequence[str]) -> str:
    """Words about the format whose columns these are; empty when it is neither's."""
    fits = [layout for layout, columns in COLUMNS.items() if not columns.find_missing(columns.normalize_names(header))]
    return f" It looks like --format {fits[0]}." if fits else ""


def read_orders(table: CsvTable) -> Iterator[OrderRow | BadRow]:
    decimal = table.how.decimal
    if get_table_format(table) is OrderFormat.ONLINE_RETAIL:
        return table.read_rows(lambda number, cells: _parse_online_retail_row(number, cells, decimal))
    return table.read_rows(lambda number, cells: _parse_own_row(number, cells, decimal))


def _parse_own_row(number: int, cells: Mapping[str, str], decimal: str) -> OrderRow:
    row = OrderRow(
        number=number,
        kind=RowKind.LINE,
        reference=read_word(cells["order_number"], name="order_number", longest=LONGEST_REFERENCE),
        placed_at=read_moment(cells["placed_at"], name="placed_at"),
        customer=read_customer(cells["customer"]),
        sku=_read_sku(cells["sku"]),
        title=_read_title(cells["title"]),
        quantity=_read_quantity(cells["quantity"], lowest=1),
        unit_price=_read_unit_price(cells["unit_price"], decimal, "unit_price", get_shop_currency()),
        is_gift=bool(cells["gift"].strip()) and read_flag(cells["gift"], name="gift"),
        country=_read_country(cells.get("country", "")),
        postcode=_read_optional_word(cells.get("postcode", ""), "postcode", 16),
        service=_read_optional_word(cells.get("carrier_service", ""), "carrier_service", 40),
        promised_on=_read_promised_on(cells.get("promised_on", "")),
        shipped_at=_read_moment_or_none(cells.get("shipped_at", ""), "shipped_at"),
        delivered_at=_read_moment_or_none(cells.get("delivered_at", ""), "delivered_at"),
        has_fate="shipped_at" in cells or "delivered_at" in cells,
    )
    _check_order_of_events(row)
    return row


def _check_order_of_events(row: OrderRow) -> None:
    """By days of the shop's own clock: files often give no time."""
    placed_on = timezone.localdate(row.placed_at)
    days = [("placed_at", placed_on)]
    days += [(name, timezone.localdate(at)) for name in ("shipped_at", "delivered_at") if (at := getattr(row, name))]
    for (earlier, first), (later, second) in pairwise(days):
        if second < first:
            raise UnusableRowError(f"{later} lies before {earlier}")
    if row.promised_on and row.promised_on < placed_on:
        raise UnusableRowError("promised_on lies before placed_at")


def _parse_online_retail_row(number: int, cells: Mapping[str, str], decimal: str) -> OrderRow:
    """An invoice number with a C takes something back. Codes that are no product's are amounts on the order."""
    reference = read_word(cells["InvoiceNo"], name="InvoiceNo", longest=LONGEST_REFERENCE)
    sku = _read_sku(cells["StockCode"])
    quantity = _read_quantity(cells["Quantity"], lowest=-LARGEST_QUANTITY)
    unit_price = _read_unit_price(cells["UnitPrice"], decimal, "UnitPrice", "GBP")  # a British shop's file
    customer = read_customer(cells["CustomerID"].removesuffix(".0"))
    is_credit = reference.startswith("C")
    if is_credit != (quantity < 0) or quantity == 0:
        raise UnusableRowError("a correction of stock, not a sale")
    if not unit_price and not customer:
        raise UnusableRowError("no price and no customer: not a sale")
    return OrderRow(
        number=number,
        kind=RowKind.CREDIT if is_credit else RowKind.LINE if PRODUCT_CODE.match(sku) else RowKind.ADJUSTMENT,
        reference=reference,
        placed_at=read_moment(cells["InvoiceDate"], name="InvoiceDate"),
        customer=customer,
        sku=sku,
        title=_lower_shouted_title(_read_title(cells["Description"])) or sku,
        quantity=quantity,
        unit_price=unit_price,
        country=COUNTRIES.get(make_spelling_key(cells["Country"]), ""),
    )


@lru_cache(REMEMBERED)
def read_customer(text: str) -> str:
    """An e-mail address in the form the shop keeps, or a reference; empty for nobody."""
    found = clean_spelling(text)
    if "@" in make_spelling_key(found):
        try:
            return normalize_address(found)
        except UnreachableAddressError as problem:
            raise UnusableRowError(f"customer {quote_cell(text)} is no e-mail address: {problem}") from None
    if len(found) > LONGEST_CUSTOMER:
        raise UnusableRowError(f"customer is longer than {LONGEST_CUSTOMER} characters")
    return found


def _read_quantity(text: str, *, lowest: int) -> int:
    return read_integer(text, name="quantity", lowest=lowest, highest=LARGEST_QUANTITY)


def _read_unit_price(text: str, decimal: str, name: str, currency: str) -> Decimal:
    return read_amount(text, name=name, decimal=decimal, highest=LARGEST_PRICE, currency=currency)


@lru_cache(REMEMBERED)
def _read_sku(text: str) -> str:
    return read_sku(text)


@lru_cache(REMEMBERED)
def _read_title(text: str) -> str:
    return read_title(text, longest=LONGEST_TITLE)


@lru_cache(REMEMBERED)
def _lower_shouted_title(title: str) -> str:
    """That file shouts; a shelf does not."""
    return title.capitalize() if title.isupper() else title


def _read_optional_word(text: str, name: str, longest: int) -> str:
    return read_word(text, name=name, longest=longest) if text.strip() else ""


def _read_moment_or_none(text: str, name: str) -> datetime | None:
    return read_moment(text, name=name) if text.strip() else None


def _read_promised_on(text: str) -> date | None:
    return read_day(text, name="promised_on", latest=get_day_from_today(PROMISED_AHEAD)) if text.strip() else None


@lru_cache(REMEMBERED)
def _read_country(text: str) -> str:
    """A code from a code or a name."""
    code: str = COUNTRIES.get(make_spelling_key(text), "")
    if text.strip() and not code:
        raise UnusableRowError(f"country {quote_cell(text)} is not known: give a code such as GB, or the English name")
    return code
