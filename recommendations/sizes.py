"""Sizes guessed from what a customer kept, for them to confirm. A guess steers nothing: what they tell us does."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from accounts.consent import purposes
from accounts.models import Customer, Interest
from orders.models import OrderLine
from orders.models.order_line import KEPT_IN_A_SIZE
from shop.catalog.category_tree import CategoryTree

MOST_READ = 200  # of the things kept, the latest


class KeptPurchase(NamedTuple):
    """One thing the customer bought and kept."""

    size: str
    category_id: int
    department: str
    title: str
    options: str
    bought_at: datetime


@dataclass(frozen=True)
class SizeGuess:
    """A size that may be the customer's in one department. `kept`: what they kept in it, the latest first."""

    size: str
    category_id: int
    department: str
    kept: tuple[KeptPurchase, ...]

    @property
    def key(self) -> str:
        """Names the guess in a form: “12:L”."""
        return f"{self.category_id}:{self.size}"

    @property
    def title(self) -> str:
        return f"Size {self.size} in {self.department}"

    def to_interest(self, kind: Interest.Kind) -> Interest:
        """What the customer tells us by answering, not saved."""
        return Interest(kind=kind, words=self.size, category_id=self.category_id)


def guess_sizes(customer: Customer, told: Collection[Interest], tree: CategoryTree) -> list[SizeGuess]:
    """At most one for each department: the size of more than half of what the customer kept there. One query.

    Empty without the purpose's yes. `told`: all they told us. Departments they gave a size for are theirs to say, and
    what they said is not theirs counts no more.
    """
    by_department: dict[int, list[KeptPurchase]] = {}
    for each in _find_kept_purchases(customer):
        if not _is_already_told(each, told, tree):
            by_department.setdefault(each.category_id, []).append(each)
    found = map(_guess_from_purchases, by_department.values())
    return [each for each in found if each is not None]


def _find_kept_purchases(customer: Customer) -> list[KeptPurchase]:
    lines = OrderLine.objects.usable_for(purposes.GUESS_SIZES).filter(KEPT_IN_A_SIZE, order__customer=customer)
    latest = lines.order_by("-order__placed_at", "-pk").values_list(
        *("variant__size", "product__category", "product__category__name", "title", "options", "order__placed_at")
    )
    return [KeptPurchase(*row) for row in latest[:MOST_READ]]


def _is_already_told(kept: KeptPurchase, told: Collection[Interest], tree: CategoryTree) -> bool:
    above = {step.id for step in tree.path(kept.category_id)}
    here = [each for each in told if each.category_id is None or each.category_id in above]
    return any(
        each.kind == Interest.Kind.SIZE
        or (each.kind == Interest.Kind.NOT_SIZE and each.words.casefold() == kept.size.casefold())
        for each in here
    )


def _guess_from_purchases(kept: list[KeptPurchase]) -> SizeGuess | None:
    size, count = Counter(each.size for each in kept).most_common(1)[0]
    if 2 * count <= len(kept):
        return None
    same = tuple(each for each in kept if each.size == size)
    return SizeGuess(size, same[0].category_id, same[0].department, same)
