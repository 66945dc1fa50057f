"""What a shopper narrowed a list to, and the orders it can be in."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


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
        return f"{_short(self.low)}-{_short(self.high)}"


BAND_EDGES = (2, 5, 10, 25, 50, 100)
PRICE_BANDS = tuple(
    PriceBand(Decimal(low) if low else None, Decimal(high) if high else None)
    for low, high in zip((0, *BAND_EDGES), (*BAND_EDGES, 0), strict=True)
)


@dataclass(frozen=True)
class Filters:
    """Nothing chosen means everything. `category_ids` holds a category with all that is under it."""

    category_ids: tuple[int, ...] = ()
    makers: tuple[str, ...] = ()  # slugs
    sizes: tuple[str, ...] = ()
    price: PriceBand | None = None
    in_stock: bool = False


def _short(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"
