"""The shop's own policy for sending things back, beyond what the law asks: from when to when, who pays, what not.

What was said when something was bought stands: an order keeps it, each line whether it was left out. Faulty goods have
no window here.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from orders.models import Order, OrderLine, Shipment
from orders.returns.deadlines import find_arrival_day
from orders.shop_terms import Terms
from shop.catalog.models import Product


@dataclass(frozen=True)
class ReturnPolicy:
    """`window_days`: 0 where the shop takes back no more than the law asks."""

    window_days: int
    pays_postage: bool
    offers_exchange: bool
    settle_days: int
    category_ids: Collection[int] = ()
    product_ids: Collection[int] = ()

    def is_excluded(self, product_id: int, category_id: int) -> bool:
        """Whether the policy leaves a product out, itself or by a category that it is in."""
        return product_id in self.product_ids or category_id in self.category_ids

    @property
    def postage_words(self) -> str:
        return "We pay for sending it back." if self.pays_postage else "You pay for sending it back."


def build_policy(terms: Terms) -> ReturnPolicy:
    chosen = terms.settings
    return ReturnPolicy(
        chosen.return_window_days,
        chosen.pays_return_postage,
        chosen.offers_exchange,
        chosen.return_refund_days,
        frozenset(category for category, _ in terms.return_exclusions if category),
        frozenset(product for _, product in terms.return_exclusions if product),
    )


def build_agreed_policy(order: Order, terms: Terms) -> ReturnPolicy:
    """As it was said when it was bought; where nothing was kept of that, as it is now."""
    today = build_policy(terms)
    agreed: dict[str, Any] = {
        "window_days": order.return_window_days,
        "pays_postage": order.pays_return_postage,
        "offers_exchange": order.offers_exchange,
        "settle_days": order.return_refund_days,
    }
    return replace(today, **{name: value for name, value in agreed.items() if value is not None})


def describe_for_product(policy: ReturnPolicy, *, is_excluded: bool) -> str:
    """What stands beside the price, before buying; empty where the shop has no policy of its own."""
    if not policy.window_days:
        return ""
    if is_excluded:
        return "We do not take this back once it was bought by choice; what is faulty we always do."
    ways = "money back or another size or colour" if policy.offers_exchange else "money back"
    return f"Send it back within {policy.window_days} days: {ways}. {policy.postage_words}"


def describe_for_cart(policy: ReturnPolicy, products: Iterable[Product]) -> str:
    """What is said before paying, of all that is bought; empty where the shop has no policy of its own."""
    return _describe_for_goods(
        policy, [(each.title, policy.is_excluded(each.pk, each.category_id)) for each in products]
    )


def describe_for_order(policy: ReturnPolicy, lines: Iterable[OrderLine]) -> str:
    """The same of an order that waits for its payment, as its lines were agreed."""
    return _describe_for_goods(policy, [(line.title, _is_left_out(line, policy)) for line in lines])


def _describe_for_goods(policy: ReturnPolicy, goods: Sequence[tuple[str, bool]]) -> str:
    """`goods`: each one's title, and whether it is left out."""
    if not policy.window_days:
        return ""
    left_out = [title for title, is_left_out in goods if is_left_out]
    if len(left_out) == len(goods):
        return describe_for_product(policy, is_excluded=True)
    words = describe_for_product(policy, is_excluded=False)
    titles = ", ".join(dict.fromkeys(left_out))
    return f"{words} Not taken back by choice, only if faulty: {titles}." if titles else words


@dataclass(frozen=True)
class ReturnWindow:
    """`ends_on`: its last day; None while not every parcel is known to be with the buyer. `days`: 0 without one."""

    days: int
    ends_on: date | None

    def is_open_at(self, moment: datetime) -> bool:
        return self.days > 0 and (self.ends_on is None or timezone.localdate(moment) <= self.ends_on)


def compute_return_window(parcels: Iterable[Shipment], policy: ReturnPolicy) -> ReturnWindow:
    arrived_on = find_arrival_day(parcels)
    return ReturnWindow(policy.window_days, arrived_on and arrived_on + timedelta(days=policy.window_days))


def list_excluded_lines(lines: Iterable[OrderLine], policy: ReturnPolicy) -> set[int]:
    """The keys of the lines that were left out when they were bought; where nobody noted that, whose product is now.

    Reads `product` of each.
    """
    return {line.pk for line in lines if _is_left_out(line, policy)}


def _is_left_out(line: OrderLine, policy: ReturnPolicy) -> bool:
    if line.is_left_out_of_returns is not None or line.product is None:
        return bool(line.is_left_out_of_returns)
    return policy.is_excluded(line.product.pk, line.product.category_id)
