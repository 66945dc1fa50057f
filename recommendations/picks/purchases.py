"""What a customer bought and lets us use, by product: what steers their shelves, and what they need not be offered."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import QuerySet, Value
from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent import purposes
from accounts.models import Customer
from orders.models import OrderLine
from recommendations.engine.names import read_name

RECENT_PURCHASES = 40  # products that steer "for you"
MONTH = timedelta(days=30)


class RecentPurchase(NamedTuple):
    """The latest purchase of a product. `lifespan_months`: how long it lasts, where it wears out or is used up."""

    line_id: int
    placed_at: datetime | None
    title: str
    lifespan_months: int | None

    @property
    def is_due_again(self) -> bool:
        """Whether it is likely worn out or used up by now."""
        if self.placed_at is None or self.lifespan_months is None:
            return False
        return timezone.now() - self.placed_at >= MONTH * self.lifespan_months


@dataclass(frozen=True)
class Owned:
    """What somebody bought, as far as it may be used, by product; the newest first."""

    products: Mapping[int, RecentPurchase]

    @property
    def latest(self) -> dict[int, RecentPurchase]:
        """What steers."""
        return dict(islice(self.products.items(), RECENT_PURCHASES))

    @property
    def left_out(self) -> list[int]:
        """What is not offered again: all of it, until it has had its life."""
        return [product_id for product_id, bought in self.products.items() if not bought.is_due_again]

    @cached_property
    def _names(self) -> frozenset[frozenset[str]]:
        return frozenset(read_name(bought.title).words for bought in self.products.values() if not bought.is_due_again)

    def has_in_another_make(self, title: str) -> bool:
        """Whether a product of this title is one of them in another colour, size or count."""
        return read_name(title).words in self._names


def read_owned(customer: Customer, granted: Collection[str]) -> Owned:
    """What the customer bought and lets us use, by product the latest purchase, the newest first. At most one query."""
    if purposes.RECOMMEND_FROM_PURCHASES not in granted:
        return Owned({})
    return make_owned(find_latest_purchases(customer))


def find_latest_purchases(customer: Customer) -> QuerySet[OrderLine, tuple[Any, ...]]:
    """Of each product the latest purchase that may be used, as rows for `make_owned`."""
    lines = OrderLine.objects.usable_for(purposes.RECOMMEND_FROM_PURCHASES).filter(order__customer=customer)
    latest = lines.filter(product__isnull=False).order_by("product", "-order__placed_at", "-pk").distinct("product")
    return latest.annotate(is_look=Value(value=False)).values_list(
        "product", "pk", "order__placed_at", "product__title", "product__lifespan_months", "is_look"
    )


def make_owned(rows: Iterable[tuple[Any, ...]]) -> Owned:
    bought = [(row[0], RecentPurchase(*row[1:5])) for row in rows]
    bought.sort(key=lambda item: (item[1].placed_at is not None, item[1].placed_at, item[1].line_id), reverse=True)
    return Owned(dict(bought))


def format_purchase_month(at: datetime | None) -> str:
    """“March”, or “March 2024” where the last March could be meant; “the past” for what was never placed here."""
    if at is None:
        return "the past"
    is_recent = timezone.now() - at < timedelta(days=330)
    return date_format(timezone.localtime(at), "F" if is_recent else "F Y")
