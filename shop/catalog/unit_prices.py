"""What a kilogram, litre or metre costs of what is sold by weight, volume or length (Directive 98/6/EC, article 3)."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.db import models

from shop.money import format_amount


class ContentUnit(models.TextChoices):
    GRAM = "g", "g"
    KILOGRAM = "kg", "kg"
    MILLILITRE = "ml", "ml"
    LITRE = "l", "l"
    CENTIMETRE = "cm", "cm"
    METRE = "m", "m"
    SQUARE_METRE = "m2", "m²"


# What each is measured by, and how many of it that holds.
_BASES = {
    "g": ("kg", 1000),
    "kg": ("kg", 1),
    "ml": ("l", 1000),
    "l": ("l", 1),
    "cm": ("m", 100),
    "m": ("m", 1),
    "m2": ("m2", 1),
}
_CONTENT = re.compile(rf"([0-9]{{1,6}}(?:[.,][0-9]{{1,3}})?) ?({'|'.join(ContentUnit)}|m²)", re.IGNORECASE)
_WORDS = {"kg": "kg", "l": "litre", "m": "metre", "m2": "m²"}


@dataclass(frozen=True)
class Content:
    """How much of something is in a thing: 250 g."""

    amount: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {ContentUnit(self.unit).label}"


def parse_content(text: str) -> Content:
    """From how it is written: “250 g”, “0.75 l”. Raises `ValueError`, for people, with the end of a sentence."""
    found = _CONTENT.fullmatch(text.strip())
    amount = Decimal(found[1].replace(",", ".")) if found else Decimal(0)
    if found is None or not amount:
        raise ValueError(f"is not like 250 g: a number and {', '.join(ContentUnit.labels)}")
    return Content(amount, found[2].replace("²", "2").lower())


def format_unit_price(price: Decimal, currency: str, content: Content | None) -> str:
    """“£32.00 per kg”; empty for what is not sold by measure."""
    if content is None:
        return ""
    base, count = _BASES[content.unit]
    return format_base_price(price * count / content.amount, currency, base)


def format_base_price(price: Decimal, currency: str, base: str) -> str:
    """Of a price that is one of a whole kilogram, litre or metre already."""
    return f"{format_amount(price, currency)} per {_WORDS[base]}"


def write_base_price_sql(variant: str) -> str:
    """SQL: what a kilogram, litre or metre of a variant costs; NULL for what is not sold by measure."""
    counts = " ".join(f"WHEN '{unit}' THEN {count}" for unit, (_, count) in _BASES.items())
    return f"round({variant}.price * CASE {variant}.content_unit {counts} END / {variant}.content_amount, 4)"


def write_base_sql(variant: str) -> str:
    """SQL: the measure that price is of; NULL for none."""
    bases = " ".join(f"WHEN '{unit}' THEN '{base}'" for unit, (base, _) in _BASES.items())
    return f"CASE {variant}.content_unit {bases} END"
