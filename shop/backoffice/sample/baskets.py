"""Who might have bought what together: drawn from the themes of `baskets.toml`, the same each time. No database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shop.backoffice.sample import content
from shop.backoffice.sample.content import SampleProduct, SampleVariant
from shop.backoffice.sample.people import ALICE, BOB, Person

SHOE_SIZES, SHOE_WEIGHTS = [str(size) for size in range(5, 14)], [5, 8, 11, 14, 15, 13, 10, 6, 4]
LETTERS, LETTER_WEIGHTS = ["S", "M", "L", "XL"], [3, 5, 5, 2]
CHANCES = (("core", 0.94), ("often", 0.52), ("sometimes", 0.2))
MOST_LINES = 7
GIFT_CHANCE = 0.09


@dataclass(frozen=True)
class SampleLine:
    sku: str
    quantity: int = 1
    is_gift: bool = False


@dataclass(frozen=True)
class Basket:
    """`email`: whose; `days_ago`, `minute`: when, counted back from the load and within the day."""

    email: str
    days_ago: int
    minute: int
    lines: tuple[SampleLine, ...]


@dataclass(frozen=True)
class Tastes:
    themes: Sequence[dict[str, Any]]
    shoe_size: str
    letter: str


def drawn(people: Sequence[Person]) -> list[Basket]:
    """Fourteen months of baskets; Alice's and Bob's are written out by hand instead."""
    spoken = content.read("baskets")
    goods = {product.slug: product for product in content.products()}
    others = [person for person in people if person.email not in (ALICE, BOB)]
    baskets = [basket for person in others for basket in _of(person, spoken, goods)]
    return sorted(baskets, key=lambda basket: (-basket.days_ago, basket.minute, basket.email))


def _of(person: Person, spoken: Mapping[str, Any], goods: Mapping[str, SampleProduct]) -> Iterator[Basket]:
    draw = Random(f"baskets of {person.email}")  # noqa: S311  (the same each time, not secret)
    tastes = _tastes(spoken["theme"], draw)
    again, had = set(spoken["bought_again"]), set[str]()
    days = sorted((draw.randint(3, person.known_days) for _ in tastes.themes), reverse=True)
    for days_ago, theme in zip(days, tastes.themes, strict=True):
        wanted = [goods[slug] for slug in _slugs(theme, draw)]
        fresh = [
            product
            for product in wanted
            if product.released_days <= -days_ago and (product.category in again or product.slug not in had)
        ]
        had.update(product.slug for product in fresh)
        if fresh:
            lines = _lines(fresh[:MOST_LINES], tastes, draw)
            yield Basket(person.email, days_ago, draw.randint(7 * 60, 22 * 60), lines)


def _tastes(themes: Sequence[dict[str, Any]], draw: Random) -> Tastes:
    weights = [theme["weight"] for theme in themes]
    return Tastes(
        themes=draw.choices(themes, weights, k=draw.randint(4, 13)),
        shoe_size=draw.choices(SHOE_SIZES, SHOE_WEIGHTS)[0],
        letter=draw.choices(LETTERS, LETTER_WEIGHTS)[0],
    )


def _slugs(theme: Mapping[str, Any], draw: Random) -> list[str]:
    return [slug for part, chance in CHANCES for slug in theme[part] if draw.random() < chance]


def _lines(products: Sequence[SampleProduct], tastes: Tastes, draw: Random) -> tuple[SampleLine, ...]:
    is_gift = draw.random() < GIFT_CHANCE
    return tuple(
        SampleLine(_chosen(product, tastes, draw).sku, _quantity(product, draw), is_gift and "gift" in product.tags)
        for product in products
    )


def _chosen(product: SampleProduct, tastes: Tastes, draw: Random) -> SampleVariant:
    fitting = [each for each in product.variants if each.size in (tastes.shoe_size, tastes.letter)]
    return draw.choice(fitting or product.variants)


def _quantity(product: SampleProduct, draw: Random) -> int:
    price = product.variants[0].price
    if price > 30:
        return 1
    return draw.choices([1, 2, 3], [8, 3, 1])[0]
