"""What a shopper narrowed a list to, and the orders it can be in."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from shop.money import convert_roughly


class Sort(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    CHEAPEST = "price"
    DEAREST = "price-down"
    NAME = "name"


@dataclass(frozen=True)
class PriceBand:
    """From `low` up to, not including, `high`; None is open."""

    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def key(self) -> str:
        """As in an address: 10-25, -10, 100-."""
        return f"{_format_band_edge(self.low)}-{_format_band_edge(self.high)}"


BAND_EDGES_IN_POUNDS = (2, 5, 10, 25, 50, 100)


@cache
def get_band_edges(currency: str) -> tuple[Decimal, ...]:
    """Where one band of prices ends and the next begins."""
    return tuple(convert_roughly(Decimal(edge), currency) for edge in BAND_EDGES_IN_POUNDS)


@cache
def get_price_bands(currency: str) -> tuple[PriceBand, ...]:
    edges = get_band_edges(currency)
    return tuple(PriceBand(low, high) for low, high in zip((None, *edges), (*edges, None), strict=True))


@dataclass(frozen=True)
class Filters:
    """Nothing chosen means everything. `category_ids` holds a category with all that is under it."""

    category_ids: tuple[int, ...] = ()
    makers: tuple[str, ...] = ()  # slugs
    sizes: tuple[str, ...] = ()
    price: PriceBand | None = None
    in_stock: bool = False


def _format_band_edge(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"
