"""From a CSV file to rows that can be trusted. One that cannot is a `BadRow`, numbered as a spreadsheet counts."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TextIO

from django.utils.text import slugify

from shop.money import check_price, get_shop_currency

REQUIRED = ("sku", "product", "title", "description", "category", "maker", "price", "stock")
OPTIONAL = ("size", "colour", "style", "summary", "tags", "released_on", "lifespan_months", "image")
LONGEST = {"sku": 60, "title": 160, "maker": 80, "size": 40, "colour": 40, "style": 40, "summary": 200}
MOST_STOCK = 10_000_000
DEAREST = Decimal("99999999.99")
MOST_MONTHS = 600


class UnusableFileError(Exception):
    """Nothing in the file can be read."""


@dataclass(frozen=True, slots=True)
class BadRow:
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """`given`: the optional product columns that this row fills; the rest is left as it is."""

    number: int
    sku: str
    slug: str
    title: str
    category: tuple[str, ...]
    maker: str
    price: Decimal
    stock: int
    size: str
    colour: str
    style: str
    images: tuple[str, ...]
    given: Mapping[str, object]
    attributes: Mapping[str, str] = field(default_factory=dict)


def read(file: TextIO) -> Iterator[Row | BadRow]:
    """Raises UnusableFileError when the header is not one of ours."""
    csv.field_size_limit(1_000_000)
    lines = csv.reader(file)
    header = _header(lines)
    number = 1
    while True:
        number += 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(number, f"cannot be read: {error}")
            continue
        if any(cells):
            yield _row(number, header, cells)


def _header(lines: Iterator[list[str]]) -> list[str]:
    try:
        header = [_plain(name) for name in next(lines)]
    except StopIteration:
        raise UnusableFileError("The file is empty.") from None
    except csv.Error as error:
        raise UnusableFileError(f"The first line cannot be read: {error}.") from error
    names = [name.lower() if name.lower() in REQUIRED + OPTIONAL else name for name in header]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise UnusableFileError(f"The first line lacks: {', '.join(missing)}.")
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise UnusableFileError(f"The first line names twice: {', '.join(sorted(twice))}.")
    return names


def _row(number: int, header: list[str], cells: list[str]) -> Row | BadRow:
    if len(cells) > len(header) and any(cells[len(header) :]):
        return BadRow(number, f"has {len(cells)} cells where the first line has {len(header)}")
    try:
        given = {name: _text(value) for name, value in zip(header, cells, strict=False) if name}
        return _parsed(number, given)
    except ValueError as error:
        return BadRow(number, str(error))


def _parsed(number: int, given: dict[str, str]) -> Row:
    for name, longest in LONGEST.items():
        if len(given.get(name, "")) > longest:
            raise ValueError(f"{name} is longer than {longest} characters")
    return Row(
        number=number,
        sku=_needed(given, "sku"),
        slug=slug_of(_needed(given, "product"), longest=160),
        title=_needed(given, "title"),
        category=_path(_needed(given, "category")),
        maker=given.get("maker", ""),
        price=_price(_needed(given, "price")),
        stock=_whole(given.get("stock") or "0", "stock", MOST_STOCK),
        size=given.get("size", ""),
        colour=given.get("colour", ""),
        style=given.get("style", ""),
        images=tuple(_split(given.get("image", ""), ";")),
        given={name: _FIELDS[name](given[name]) for name in _FIELDS if given.get(name)},
        attributes={name: value for name, value in given.items() if value and name not in REQUIRED + OPTIONAL},
    )


def slug_of(text: str, *, longest: int) -> str:
    """An address for a name; letters without a Latin form keep their own code points."""
    plain = slugify(text) or slugify("-".join(f"{ord(letter):x}" for letter in text if letter.isalnum()))
    if not plain:
        raise ValueError(f"“{text}” makes no address: it has neither letters nor digits")
    return plain[:longest].strip("-")


def _text(value: str) -> str:
    if "\x00" in value:
        raise ValueError("holds a zero byte")
    if re.search(r"[\ud800-\udfff]", value):
        raise ValueError("is not in UTF-8")
    return value.strip()


def _plain(name: str) -> str:
    return " ".join(name.replace("\x00", "").split())[:80]


def _needed(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value:
        raise ValueError(f"has no {name}")
    return value


def _path(value: str) -> tuple[str, ...]:
    names = tuple(_split(value, ">"))
    if not names or any(len(name) > 80 for name in names):
        raise ValueError("category is empty, or a name in it is longer than 80 characters")
    return names


def _price(value: str) -> Decimal:
    try:
        price = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"price “{value[:40]}” is not a number such as 14.50") from None
    if not price.is_finite() or not 0 <= price <= DEAREST:
        raise ValueError(f"price “{value[:40]}” is not between 0 and {DEAREST}")
    try:
        return check_price(price, get_shop_currency())
    except ValueError as refusal:
        raise ValueError(f"price “{value[:40]}” will not do: {refusal}") from None


def _whole(value: str, name: str, most: int) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 12 or int(value) > most:
        raise ValueError(f"{name} “{value[:40]}” is not a whole number from 0 to {most:,}")
    return int(value)


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"released_on “{value[:40]}” is not a day such as 2026-11-24") from None


def _months(value: str) -> int:
    return _whole(value, "lifespan_months", MOST_MONTHS)


def _tags(value: str) -> list[str]:
    tags = list(dict.fromkeys(_split(value.replace(";", ",").replace("|", ","), ",")))
    if any(len(tag) > 40 for tag in tags):
        raise ValueError("a tag is longer than 40 characters")
    return tags


def _split(value: str, separator: str) -> Iterator[str]:
    return (part.strip() for part in value.split(separator) if part.strip())


_FIELDS: dict[str, Callable[[str], object]] = {
    "description": str,
    "summary": str,
    "tags": _tags,
    "released_on": _day,
    "lifespan_months": _months,
}
