"""From a row of a file of goods to a `Row` that can be trusted."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from shop.catalog.gtins import clean_gtin
from shop.catalog.models.product import LEAST_GUARANTEE_YEARS, MOST_GUARANTEE_YEARS, TaxClass
from shop.catalog.unit_prices import Content, parse_content
from shop.csv_files.report import BadRow, UnusableRowError, quote_cell
from shop.csv_files.table import Columns, CsvTable
from shop.csv_files.values import get_day_from_today, read_amount, read_day, read_integer, read_word
from shop.money import get_shop_currency
from shop.spelling import clean_spelling, clean_title, make_name_key, make_slug, make_spelling_key

CATALOG_COLUMNS = Columns(
    required=("sku", "product", "title", "description", "category", "maker", "price", "stock"),
    optional=(
        "size",
        "colour",
        "style",
        "gtin",
        "summary",
        "tags",
        "released_on",
        "lifespan_months",
        "guarantee_years",
        "tax_class",
        "content",
        "warnings",
        "maker_address",
        "maker_contact",
        "eu_representative",
        "image",
    ),
    long_texts=frozenset({"description", "summary", "warnings", "maker_address", "eu_representative"}),
    keeps_others=True,
)
LONGEST = {"size": 40, "colour": 40, "style": 40, "summary": 200, "warnings": 2000} | {
    "maker_address": 500,
    "maker_contact": 200,
    "eu_representative": 500,
}
# What is said of the maker, by the name of its column in the database.
MAKER_COLUMNS = {
    "postal_address": "maker_address",
    "electronic_address": "maker_contact",
    "eu_representative": "eu_representative",
}
LONGEST_KEY = 300
LONGEST_NAME = 80
DEEPEST_CATEGORY = 10
MOST_STOCK = 10_000_000
DEAREST = Decimal("99999999.99")
MOST_MONTHS = 600
FIRST_RELEASE = date(1000, 1, 1)  # of a book, say
RELEASES_AHEAD = 3660  # days


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """`product_key`: what its product is known by in files; `slug`: the address a new product would like.

    `given`: the optional product columns that this row fills; the rest is left as it is.
    """

    number: int
    sku: str
    product_key: str
    slug: str
    title: str
    category: tuple[str, ...]
    maker: str
    price: Decimal
    stock: int
    size: str
    colour: str
    style: str
    content: Content | None
    gtin: str
    maker_details: Mapping[str, str]
    images: tuple[str, ...]
    given: Mapping[str, object]
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def options_key(self) -> tuple[str, str, str]:
        return make_spelling_key(self.size), make_spelling_key(self.colour), make_spelling_key(self.style)


def read_catalog_rows(table: CsvTable) -> Iterator[CatalogRow | BadRow]:
    decimal = table.how.decimal
    return table.read_rows(lambda number, cells: _parse_catalog_row(number, cells, decimal))


def _parse_catalog_row(number: int, cells: Mapping[str, str], decimal: str) -> CatalogRow:
    for name, longest in LONGEST.items():
        if len(cells.get(name, "")) > longest:
            raise UnusableRowError(f"{name} is longer than {longest} characters")
    product = read_word(cells["product"], name="product", longest=160)
    title = read_title(cells["title"], longest=160)
    if not title:
        raise UnusableRowError("has no title")
    given = {name: read(cells[name]) for name, read in _FIELDS.items() if cells.get(name, "").strip()}
    return CatalogRow(
        number=number,
        sku=read_sku(cells["sku"]),
        product_key=_read_product_key(product),
        slug=read_slug(product, longest=160),
        title=title,
        category=_read_category_path(read_word(cells["category"], name="category", longest=800)),
        maker=_read_name(cells["maker"], "maker") if cells["maker"].strip() else "",
        price=read_amount(cells["price"], name="price", decimal=decimal, highest=DEAREST, currency=get_shop_currency()),
        stock=read_integer(cells["stock"].strip() or "0", name="stock", lowest=0, highest=MOST_STOCK),
        size=clean_spelling(cells.get("size", "")),
        colour=clean_spelling(cells.get("colour", "")),
        style=clean_spelling(cells.get("style", "")),
        content=_read_content(cells.get("content", "")),
        gtin=_read_gtin(cells.get("gtin", "")),
        maker_details=_read_maker_details(cells),
        images=tuple(_split_values(cells.get("image", ""), ";")),
        given=given,
        attributes=_read_attributes(cells),
    )


def read_sku(text: str) -> str:
    sku = read_word(text, name="sku", longest=60)
    if "@" in sku and "." in sku:
        raise UnusableRowError("sku holds an e-mail address: is the row shifted by a column?")
    return sku


def read_title(text: str, *, longest: int) -> str:
    """What everybody will read; empty for an empty one. A person's address in its place is refused."""
    title = clean_title(text)
    if len(title) > longest:
        raise UnusableRowError(f"title is longer than {longest} characters")
    if _ADDRESS.search(title):
        raise UnusableRowError("title holds an e-mail address, and everybody would read it: is the row shifted?")
    return title


def read_slug(text: str, *, longest: int) -> str:
    """An address for a name."""
    slug = make_slug(text, longest=longest)
    if not slug:
        raise UnusableRowError(f"{quote_cell(text)} makes no address: it has neither letters nor digits")
    return slug


def _read_product_key(product: str) -> str:
    key = make_name_key(product)
    if len(key) > LONGEST_KEY:
        raise UnusableRowError("product is too long")
    return key


def _read_category_path(text: str) -> tuple[str, ...]:
    names = tuple(_read_name(name, "category") for name in _split_values(text, ">"))
    if not 1 <= len(names) <= DEEPEST_CATEGORY:
        raise UnusableRowError(f"category is to be a name, or a path of at most {DEEPEST_CATEGORY}: Clothing > Socks")
    return names


def _read_name(text: str, column: str) -> str:
    """Of a shelf or a maker: it has a page, and so needs an address."""
    name = clean_title(text)
    if len(name) > LONGEST_NAME:
        raise UnusableRowError(f"{column} is longer than {LONGEST_NAME} characters")
    read_slug(name, longest=LONGEST_NAME)
    return name


def _read_attributes(cells: Mapping[str, str]) -> dict[str, str]:
    values = {name: _read_long_text(text) for name, text in cells.items() if name not in CATALOG_COLUMNS.known}
    return {name: value for name, value in values.items() if value}


def _read_tags(text: str) -> list[str]:
    words = (clean_title(word) for word in _split_values(text.replace(";", ",").replace("|", ","), ","))
    tags = list({make_spelling_key(word): word for word in words if word}.values())
    if any(len(tag) > 40 for tag in tags):
        raise UnusableRowError("a tag is longer than 40 characters")
    return tags


def _split_values(text: str, separator: str) -> Iterator[str]:
    return (part.strip() for part in text.split(separator) if part.strip())


def _read_maker_details(cells: Mapping[str, str]) -> dict[str, str]:
    """What a row says of its maker; the rest is left as it is."""
    found = {name: _read_long_text(cells.get(column, "")) for name, column in MAKER_COLUMNS.items()}
    return {name: text for name, text in found.items() if text}


def _read_content(text: str) -> Content | None:
    """How much is in it: “250 g”, “0.75 l”."""
    if not text.strip():
        return None
    try:
        return parse_content(text)
    except ValueError as error:
        raise UnusableRowError(f"content {quote_cell(text)} {error}") from None


def _read_gtin(text: str) -> str:
    """Empty leaves what is there."""
    try:
        return clean_gtin(text)
    except ValueError as error:
        raise UnusableRowError(f"gtin {quote_cell(text)} {error}") from None


def _read_long_text(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _read_release_day(text: str) -> date:
    return read_day(text, name="released_on", earliest=FIRST_RELEASE, latest=get_day_from_today(RELEASES_AHEAD))


def _read_lifespan(text: str) -> int:
    return read_integer(text, name="lifespan_months", lowest=0, highest=MOST_MONTHS)


def _read_guarantee(text: str) -> int:
    return read_integer(text, name="guarantee_years", lowest=LEAST_GUARANTEE_YEARS, highest=MOST_GUARANTEE_YEARS)


def _read_tax_class(text: str) -> str:
    word = text.strip().lower()
    if word not in TaxClass.values:
        raise UnusableRowError(f"tax_class {quote_cell(text)} is none of {', '.join(TaxClass.values)}")
    return word


_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]")
_FIELDS: dict[str, Callable[[str], object]] = {
    "description": _read_long_text,
    "summary": _read_long_text,
    "warnings": _read_long_text,
    "tags": _read_tags,
    "released_on": _read_release_day,
    "lifespan_months": _read_lifespan,
    "guarantee_years": _read_guarantee,
    "tax_class": _read_tax_class,
}
