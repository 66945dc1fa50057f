"""Rows of an order history, in the shop's own columns or those of UCI's “Online Retail”, checked one by one."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import TextIO

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django_countries import countries

from shop.money import check_price, get_shop_currency

REMEMBERED = 10_000  # texts come again and again: dates, prices, titles
LONGEST_REFERENCE = 60
LONGEST_TITLE = 200
LARGEST_QUANTITY = 2_000_000_000
LARGEST_PRICE = Decimal("99999999.99")
YES = frozenset({"1", "true", "yes", "y", "on"})
NO = frozenset({"", "0", "false", "no", "n", "off"})

PRODUCT_CODE = re.compile(r"^\d{5}[A-Za-z]{0,2}$")  # all else in that file is postage, fees, vouchers
COUNTRIES = {name: code for code, name in countries} | {
    "EIRE": "IE",
    "USA": "US",
    "RSA": "ZA",
    "Czech Republic": "CZ",
    "United Kingdom": "GB",
    "Channel Islands": "JE",
    "Hong Kong": "HK",
}
CODES = frozenset(code for code, _ in countries)


class Format(StrEnum):
    OWN = "own"
    ONLINE_RETAIL = "online-retail"


class Kind(StrEnum):
    """What a row becomes: an order line; an amount on an order; an amount given back for a cancellation."""

    LINE = "L"
    ADJUSTMENT = "A"
    CREDIT = "C"


REQUIRED = {
    Format.OWN: ("order_number", "placed_at", "customer", "sku", "title", "quantity", "unit_price", "gift"),
    Format.ONLINE_RETAIL: (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    ),
}
OPTIONAL = ("promised_on", "shipped_at", "delivered_at", "carrier_service", "country", "postcode")


class UnusableFileError(Exception):
    """Not a file of this format; the message says why, for people."""


class Unusable(Exception):  # noqa: N818  (what is wrong with one row, in words)
    """This row cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class BadRow:
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be used. `has_fate`: the file says what became of orders (shipped, delivered)."""

    number: int
    kind: Kind
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


def read(file: TextIO, layout: Format) -> Iterator[Row | BadRow]:
    """Raises UnusableFileError at once when the header does not fit."""
    rows = csv.reader(file)
    header = [name.strip() for name in next(rows, [])]
    missing = [name for name in REQUIRED[layout] if name not in header]
    if missing:
        raise UnusableFileError(f"This file has no column {', '.join(missing)}.{_hint(header, layout)}")
    return _rows(rows, header, _online_retail if layout is Format.ONLINE_RETAIL else _own)


def _hint(header: list[str], layout: Format) -> str:
    other = Format.OWN if layout is Format.ONLINE_RETAIL else Format.ONLINE_RETAIL
    fits = all(name in header for name in REQUIRED[other])
    return f" It looks like --format {other}." if fits else ""


Reader = Callable[[int, Mapping[str, str]], Row]


def _rows(rows: Iterator[list[str]], header: list[str], reader: Reader) -> Iterator[Row | BadRow]:
    number = 1
    while True:
        number += 1
        try:
            values = next(rows)
            if values:
                yield reader(number, _named(header, values))
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(number, f"not readable as CSV: {error}")
        except Unusable as reason:
            yield BadRow(number, str(reason))


def _named(header: list[str], values: list[str]) -> dict[str, str]:
    if len(values) != len(header):
        raise Unusable(f"{len(values)} columns, not {len(header)}")
    return dict(zip(header, values, strict=True))


def _own(number: int, given: Mapping[str, str]) -> Row:
    quantity = _quantity(given["quantity"])
    if quantity < 1:
        raise Unusable("a quantity below 1")
    return Row(
        number=number,
        kind=Kind.LINE,
        reference=_word(given["order_number"], "order number"),
        placed_at=_moment(given["placed_at"], "placed_at"),
        customer=_customer(given["customer"]),
        sku=_word(given["sku"], "SKU"),
        title=_title(given["title"]),
        quantity=quantity,
        unit_price=_exact_price(given["unit_price"]),
        is_gift=_flag(given["gift"]),
        country=_country(given.get("country", "")),
        postcode=given.get("postcode", "").strip()[:16],
        service=given.get("carrier_service", "").strip()[:40],
        promised_on=_day(given.get("promised_on", "")),
        shipped_at=_moment_or_none(given.get("shipped_at", ""), "shipped_at"),
        delivered_at=_moment_or_none(given.get("delivered_at", ""), "delivered_at"),
        has_fate="shipped_at" in given or "delivered_at" in given,
    )


def _online_retail(number: int, given: Mapping[str, str]) -> Row:
    """An invoice number with a C takes something back. Codes that are no product's are amounts on the order."""
    reference = _word(given["InvoiceNo"], "InvoiceNo")
    sku = _word(given["StockCode"], "StockCode")
    quantity, unit_price = _quantity(given["Quantity"]), _price(given["UnitPrice"])
    customer = _customer(given["CustomerID"].removesuffix(".0"))
    is_credit = reference.startswith("C")
    if is_credit != (quantity < 0) or quantity == 0:
        raise Unusable("a correction of stock, not a sale")
    if not unit_price and not customer:
        raise Unusable("no price and no customer: not a sale")
    return Row(
        number=number,
        kind=Kind.CREDIT if is_credit else Kind.LINE if PRODUCT_CODE.match(sku) else Kind.ADJUSTMENT,
        reference=reference,
        placed_at=_moment(given["InvoiceDate"], "InvoiceDate"),
        customer=customer,
        sku=sku,
        title=_sentence(_title(given["Description"])) or sku,
        quantity=quantity,
        unit_price=unit_price,
        country=COUNTRIES.get(given["Country"].strip(), ""),
    )


def _word(text: str, name: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST_REFERENCE or not text.isprintable():
        raise Unusable(f"{name} is empty, too long or unreadable")
    return text


@lru_cache(REMEMBERED)
def _title(text: str) -> str:
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:LONGEST_TITLE]


@lru_cache(REMEMBERED)
def _sentence(title: str) -> str:
    """That file shouts; a shelf does not."""
    return title.capitalize() if title.isupper() else title


def _customer(text: str) -> str:
    text = text.strip()
    if len(text) > 80 or not (text.isprintable() or not text):
        raise Unusable("the customer is too long or unreadable")
    return text.lower() if "@" in text else text


def _quantity(text: str) -> int:
    try:
        quantity = int(text)
    except ValueError:
        raise Unusable(f"the quantity {text[:20]!r} is no whole number") from None
    if abs(quantity) > LARGEST_QUANTITY:
        raise Unusable("a quantity beyond all measure")
    return quantity


def _exact_price(text: str) -> Decimal:
    """To the step of the shop's currency: an amount that would have to be rounded is not what was paid."""
    try:
        return check_price(_price(text), get_shop_currency())
    except ValueError as refusal:
        raise Unusable(str(refusal)) from None


@lru_cache(REMEMBERED)
def _price(text: str) -> Decimal:
    try:
        price = Decimal(text.strip())
    except InvalidOperation:
        raise Unusable(f"the price {text[:20]!r} is no number") from None
    if not price.is_finite() or not 0 <= price <= LARGEST_PRICE:
        raise Unusable("a price below zero or beyond all measure")
    return price


def _moment(text: str, name: str) -> datetime:
    found = _moment_or_none(text, name)
    if found is None:
        raise Unusable(f"{name} is empty")
    return found


@lru_cache(REMEMBERED)
def _moment_or_none(text: str, name: str) -> datetime | None:
    """A time without a zone is the shop's own."""
    text = text.strip()
    if not text:
        return None
    try:
        found = parse_datetime(text) or datetime.combine(parse_date(text) or _no_day(text, name), datetime.min.time())
    except ValueError:
        raise Unusable(f"{name} {text[:30]!r} is no date") from None
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _no_day(text: str, name: str) -> date:
    raise Unusable(f"{name} {text[:30]!r} is no date")


def _day(text: str) -> date | None:
    found = _moment_or_none(text, "promised_on")
    return timezone.localdate(found) if found else None


def _flag(text: str) -> bool:
    text = text.strip().lower()
    if text not in YES | NO:
        raise Unusable(f"{text[:20]!r} is neither yes nor no")
    return text in YES


@lru_cache(REMEMBERED)
def _country(text: str) -> str:
    """A code or a name; one nobody knows is left empty."""
    text = text.strip()
    return text.upper() if text.upper() in CODES else COUNTRIES.get(text, "")
