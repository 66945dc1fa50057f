"""Who might have bought what together: drawn from the themes of `baskets.toml`, the same each time. No database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shop.sample import content
from shop.sample.content import SampleProduct, SampleVariant
from shop.sample.people import ALICE, BOB, SamplePerson

SHOE_SIZES, SHOE_WEIGHTS = [str(size) for size in range(5, 14)], [5, 8, 11, 14, 15, 13, 10, 6, 4]
LETTER_SIZES, LETTER_WEIGHTS = ["S", "M", "L", "XL"], [3, 5, 5, 2]
CHANCE_BY_PART = (("core", 0.94), ("often", 0.52), ("sometimes", 0.2))
MOST_LINES = 7
GIFT_CHANCE = 0.09


@dataclass(frozen=True)
class SampleLine:
    sku: str
    quantity: int = 1
    is_gift: bool = False


@dataclass(frozen=True)
class SampleBasket:
    """`email`: whose; `days_ago`, `minute`: when, counted back from the load and within the day."""

    email: str
    days_ago: int
    minute: int
    lines: tuple[SampleLine, ...]


@dataclass(frozen=True)
class SampleTastes:
    themes: Sequence[dict[str, Any]]
    shoe_size: str
    letter: str


def draw_baskets(people: Sequence[SamplePerson]) -> list[SampleBasket]:
    """Fourteen months of baskets; Alice's and Bob's are written out by hand instead."""
    spoken = content.read_toml("baskets")
    goods = {product.slug: product for product in content.read_products()}
    others = [person for person in people if person.email not in (ALICE, BOB)]
    baskets = [basket for person in others for basket in _draw_person_baskets(person, spoken, goods)]
    return sorted(baskets, key=lambda basket: (-basket.days_ago, basket.minute, basket.email))


def _draw_person_baskets(
    person: SamplePerson, spoken: Mapping[str, Any], goods: Mapping[str, SampleProduct]
) -> Iterator[SampleBasket]:
    draw = Random(f"baskets of {person.email}")  # noqa: S311  (the same each time, not secret)
    tastes = _draw_tastes(spoken["theme"], draw)
    again, had = set(spoken["bought_again"]), set[str]()
    days = sorted((draw.randint(3, person.known_days) for _ in tastes.themes), reverse=True)
    for days_ago, theme in zip(days, tastes.themes, strict=True):
        wanted = [goods[slug] for slug in _draw_slugs(theme, draw)]
        fresh = [
            product
            for product in wanted
            if product.released_days <= -days_ago and (product.category in again or product.slug not in had)
        ]
        had.update(product.slug for product in fresh)
        if fresh:
            lines = _draw_lines(fresh[:MOST_LINES], tastes, draw)
            yield SampleBasket(person.email, days_ago, draw.randint(7 * 60, 22 * 60), lines)


def _draw_tastes(themes: Sequence[dict[str, Any]], draw: Random) -> SampleTastes:
    weights = [theme["weight"] for theme in themes]
    return SampleTastes(
        themes=draw.choices(themes, weights, k=draw.randint(4, 13)),
        shoe_size=draw.choices(SHOE_SIZES, SHOE_WEIGHTS)[0],
        letter=draw.choices(LETTER_SIZES, LETTER_WEIGHTS)[0],
    )


def _draw_slugs(theme: Mapping[str, Any], draw: Random) -> list[str]:
    return [slug for part, chance in CHANCE_BY_PART for slug in theme[part] if draw.random() < chance]


def _draw_lines(products: Sequence[SampleProduct], tastes: SampleTastes, draw: Random) -> tuple[SampleLine, ...]:
    is_gift = draw.random() < GIFT_CHANCE
    return tuple(
        SampleLine(
            _choose_variant(product, tastes, draw).sku,
            _draw_quantity(product, draw),
            is_gift and "gift" in product.tags,
        )
        for product in products
    )


def _choose_variant(product: SampleProduct, tastes: SampleTastes, draw: Random) -> SampleVariant:
    fitting = [each for each in product.variants if each.size in (tastes.shoe_size, tastes.letter)]
    return draw.choice(fitting or product.variants)


def _draw_quantity(product: SampleProduct, draw: Random) -> int:
    price = product.variants[0].price
    if price > 30:
        return 1
    return draw.choices([1, 2, 3], [8, 3, 1])[0]
