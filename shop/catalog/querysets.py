"""Sets of products, by adjective, and their stock as an annotation."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce, JSONObject, Now, TruncDate

if TYPE_CHECKING:
    from shop.catalog.models import Product  # noqa: F401  (named in a string)


class ProductQuerySet(models.QuerySet["Product"]):
    def published(self) -> "ProductQuerySet":
        return self.filter(is_published=True)


def build_stock_json() -> JSONObject:
    """Over stock records: what can be promised, what leaves now, and when more are due."""
    on_shelf = F("on_hand") - F("allocated")
    return JSONObject(
        available=Coalesce(Sum(on_shelf + F("backorder_limit")), 0),
        on_shelf=Coalesce(Sum(on_shelf, filter=Q(on_hand__gt=F("allocated"))), 0),
        restock_on=models.Min("restock_on", filter=Q(restock_on__gte=TruncDate(Now()))),
    )
