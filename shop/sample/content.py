"""Reads what is written in the TOML files into plain objects. No database here."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from shop.catalog.unit_prices import Content

FOLDER = Path(__file__).parent
PICTURES = FOLDER / "pictures"
OTHER_CHOICES = ("grind", "format", "scent", "nib", "ruling", "pattern", "cut", "pieces")


@dataclass(frozen=True)
class SampleVariant:
    """`restock_days`: more come so many days after the store is loaded."""

    sku: str
    size: str
    colour: str
    style: str
    content: Content | None
    price: Decimal
    on_hand: int
    restock_days: int | None

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(option for option in (self.size, self.colour, self.style) if option)


@dataclass(frozen=True)
class SampleProduct:
    """`released_days`: days from the load, negative when it is out already."""

    slug: str
    title: str
    category: str
    maker: str
    summary: str
    description: str
    alt: str
    tags: list[str]
    goes_with: list[str]
    attributes: dict[str, str]
    released_days: int
    lifespan_months: int | None
    guarantee_years: int | None
    variants: tuple[SampleVariant, ...] = field(repr=False)

    @property
    def picture(self) -> Path:
        return PICTURES / f"{self.slug}.svg"


@cache
def read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text())


def read_categories() -> list[dict[str, Any]]:
    """Parents before their children."""
    rows: list[dict[str, Any]] = read_toml("categories")["category"]
    return sorted(rows, key=lambda row: "parent" in row)


def read_makers() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_toml("makers")["maker"]
    return rows


@cache
def read_products() -> tuple[SampleProduct, ...]:
    return tuple(_parse_products())


def _parse_products() -> Iterator[SampleProduct]:
    for path in sorted((FOLDER / "products").glob("*.toml")):
        for row in tomllib.loads(path.read_text())["product"]:
            yield SampleProduct(
                slug=row["slug"],
                title=row["title"],
                category=row["category"],
                maker=row["maker"],
                summary=row["summary"],
                description=row["description"].strip(),
                alt=row["alt"],
                tags=row["tags"],
                goes_with=row["goes_with"],
                attributes=row["attributes"],
                released_days=row["released"],
                lifespan_months=row.get("lifespan_months"),
                guarantee_years=row.get("guarantee_years"),
                variants=tuple(_parse_variant(row, each) for each in row["variants"]),
            )


def _parse_variant(product: dict[str, Any], row: dict[str, Any]) -> SampleVariant:
    size, colour = row.get("size", ""), row.get("colour", "")
    style = next((row[name] for name in OTHER_CHOICES if name in row), "")
    codes = [_make_sku_code(option) for option in (colour, style, size) if option]
    return SampleVariant(
        sku="-".join([product["sku"], *codes]),
        size=size,
        colour=colour,
        style=style,
        content=_parse_content(size)
        or _parse_content(product.get("content", product["attributes"].get("Net weight", ""))),
        price=Decimal(row.get("price", product["price"])),
        on_hand=row["stock"],
        restock_days=row.get("restock"),
    )


def _parse_content(words: str) -> Content | None:
    """What a size or a weight says of how much is in it; None where it says something else."""
    found = re.fullmatch(r"(\d+) (g|kg|ml|l)(?: refill)?", words)
    return Content(Decimal(found[1]), found[2]) if found else None


def _make_sku_code(option: str) -> str:
    """“Sea blue” is SEABLUE, “24 cm” 24CM, “1,000” 1000."""
    words = "".join(mark if mark.isalnum() else " " for mark in option.replace(",", "")).split()
    return "".join(word[:4] if word[0].isdigit() else word[:5] for word in words).upper()
