"""Who bought what on which day, interned into arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BASKET_CAP = 1000  # products of one basket that count: the cost of pairs grows with its square
REST_DAYS = 28  # a shop in which nothing was bought for longer was resting
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - shop-local wall time throughout


class PurchaseRow(NamedTuple):
    """One line of an order. `bought_at` is the shop's wall time, without a zone: a basket is a customer's day."""

    customer: Any
    product: Any
    bought_at: datetime
    quantity: int = 1


def sort_distinct(keys: Ints) -> Ints:
    """The sorted keys, each once. (A plain sort: several times faster than `np.unique` here.)"""
    ordered: Ints = np.sort(keys)
    return np.asarray(ordered[np.diff(ordered, prepend=-1) != 0])


def to_epoch_days(at: datetime) -> float:
    """Days since 1970, with the time of day as the fraction."""
    return (at - _EPOCH).total_seconds() / 86400


def from_epoch_day(number: int) -> date:
    """The date of a count of days since 1970."""
    return (_EPOCH + timedelta(days=number)).date()


@dataclass(frozen=True)
class Purchases:
    """Rows as arrays, in one order whatever order they came in. Indexes point into `customers` and `products`.

    Quantity is left out: what somebody takes twelve of tells nothing more about what goes with it.
    """

    customers: tuple[Any, ...]
    products: tuple[Any, ...]
    customer: Ints
    product: Ints
    at: Floats

    @classmethod
    def of(cls, rows: Iterable[PurchaseRow], *, products: Sequence[Any] = ()) -> "Purchases":
        """Interns rows. `products` adds things nobody has bought yet; a quantity of 0 or less is no purchase."""
        kept = [row for row in rows if row.quantity > 0]
        people = sorted({row.customer for row in kept})
        things = sorted({row.product for row in kept}.union(products))
        person_at = {key: index for index, key in enumerate(people)}
        thing_at = {key: index for index, key in enumerate(things)}
        customer = np.array([person_at[row.customer] for row in kept], dtype=np.int64)
        product = np.array([thing_at[row.product] for row in kept], dtype=np.int64)
        at = np.array([to_epoch_days(row.bought_at) for row in kept], dtype=np.float64)
        order = np.lexsort((product, at, customer))
        return cls(tuple(people), tuple(things), customer[order], product[order], at[order])

    def between(self, start: float = -np.inf, end: float = np.inf) -> "Purchases":
        """The rows of [start, end), under the same indexes."""
        wanted = (self.at >= start) & (self.at < end)
        return Purchases(self.customers, self.products, self.customer[wanted], self.product[wanted], self.at[wanted])

    def without_long_gaps(self) -> "Purchases":
        """The same on the shop's own calendar: a rest of more than `REST_DAYS` without a purchase counts as one day.

        What was bought before is moved towards what was bought after. So a shop that closed for a season, or opens on
        the history of another, goes on from where it stopped, instead of having forgotten nearly all of it.
        """
        day = np.floor(self.at)
        days = np.unique(day)
        gaps = np.diff(days)
        skipped = np.where(gaps > REST_DAYS, gaps - 1, 0.0)
        ahead = np.append(np.cumsum(skipped[::-1])[::-1], 0.0)  # days skipped after each day
        moved = self.at + ahead[np.searchsorted(days, day)]
        return Purchases(self.customers, self.products, self.customer, self.product, moved)

    def day_after_last(self, *, end: float) -> int:
        """The clock that ages are counted from: the day after the last purchase, and never later than the day of `end`.

        The wall's clock would make everything old where nothing was bought for long.
        """
        return min(int(end), int(np.floor(self.at.max())) + 1) if len(self.at) else int(end)

    @cached_property
    def baskets(self) -> "Baskets":
        return Baskets.of(self)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.customers), len(self.products)

    @cached_property
    def ever(self) -> sparse.csr_array:
        """Customers × products: 1 where the customer bought it at all."""
        keys = sort_distinct(self.customer * len(self.products) + self.product)
        where = (keys // max(len(self.products), 1), keys % max(len(self.products), 1))
        return sparse.csr_array((np.ones(len(keys)), where), shape=self.shape)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which products of the index anybody has bought."""
        seen = np.zeros(len(self.products), dtype=bool)
        seen[self.product] = True
        return seen

    @cached_property
    def product_index(self) -> dict[Any, int]:
        return {key: index for index, key in enumerate(self.products)}

    @cached_property
    def customer_index(self) -> dict[Any, int]:
        return {key: index for index, key in enumerate(self.customers)}


@dataclass(frozen=True)
class Baskets:
    """One basket per customer and day, sorted by customer, then day. `contents` is baskets × products of 0 and 1."""

    customer: Ints
    day: Ints
    contents: sparse.csr_array

    @classmethod
    def of(cls, purchases: Purchases) -> "Baskets":
        width = len(purchases.products)
        day = np.floor(purchases.at).astype(np.int64)
        first = day.min(initial=0)
        span = int(day.max(initial=0) - first) + 1
        visit = purchases.customer * span + (day - first)
        visits = sort_distinct(visit)
        lines = sort_distinct(np.searchsorted(visits, visit) * width + purchases.product)
        basket = lines // max(width, 1)
        starts = np.searchsorted(basket, np.arange(len(visits)))
        kept = np.arange(len(lines)) - starts[basket] < BASKET_CAP
        contents = sparse.csr_array(
            (np.ones(int(kept.sum())), (basket[kept], lines[kept] % max(width, 1))), shape=(len(visits), width)
        )
        return cls(visits // span, visits % span + first, contents)

    @property
    def count(self) -> int:
        return len(self.day)

    @cached_property
    def sizes(self) -> Ints:
        return np.diff(self.contents.indptr).astype(np.int64)

    @cached_property
    def line_basket(self) -> Ints:
        """The basket of each line of `contents`; its product is `contents.indices`."""
        return np.repeat(np.arange(self.count), self.sizes)
