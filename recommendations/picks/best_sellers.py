"""What sells well, counted over those who allow it; the same for all but for what they never want to see."""

from datetime import date, timedelta

from django.db.models import Subquery
from django.utils import timezone

from accounts.preferences.interests import NO_INTERESTS, Exclusions
from recommendations.models import ModelRun, ProductPopularity
from recommendations.picks.pick import Pick
from recommendations.picks.shelf import Page, Shelf
from recommendations.withdrawn_sql import build_withdrawn_products_query
from shop.catalog.models import Product
from shop.catalog.querysets import ProductQuerySet

SELLS = "sells"  # how a best seller comes to a shelf
SELLS_NOW = timedelta(days=28)  # as old as what is counted may be, and still be called “just now”

SELLS_WELL = Shelf("sells_well", "Sells well just now", (Page.HOME,), frozenset({SELLS}), plain_title="Sells well here")


def pick_popular(*, limit: int = 8, hidden: Exclusions = NO_INTERESTS.hidden) -> list[Pick]:
    """What sells well, counted over those who allow it; one query. Empty before the first epoch."""
    current = ModelRun.objects.filter(is_current=True).order_by().values("pk")[:1]
    counted = ProductPopularity.objects.filter(
        run=Subquery(current),  # one value, not a set: then the index's own order can be used
        product__in=_get_showable_products(hidden),
    ).exclude(product__in=build_withdrawn_products_query())
    best = counted.order_by("-score", "product_id").values_list("product_id", "run__clock_on")[:limit]
    return [Pick(product_id, _describe_sales(clock_on), way=SELLS) for product_id, clock_on in best]


def _describe_sales(clock_on: date | None) -> str:
    """“Just now” only where the last purchase counted was lately."""
    is_lately = clock_on is not None and timezone.localdate() - clock_on < SELLS_NOW
    return SELLS_WELL.title if is_lately else SELLS_WELL.plain_title


def _get_showable_products(hidden: Exclusions) -> ProductQuerySet:
    goods = Product.objects.published().released().filter(is_available=True)
    if hidden.product_ids:
        goods = goods.exclude(pk__in=hidden.product_ids)
    if hidden.category_ids:
        goods = goods.exclude(category__in=hidden.category_ids)
    return goods.exclude(maker__in=hidden.maker_ids) if hidden.maker_ids else goods
