"""Which stores have a product, for its page: what stands there, and when they are open."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from shop.catalog.details import ProductDetails, StoreWithGoods
from shop.catalog.opening_hours import HoursLine, describe_opening, list_hours


@dataclass(frozen=True, slots=True)
class StoreWords:
    name: str
    address: str
    phone: str
    goods: str  # which options are there; empty where all there are, or where there is nothing to choose
    opening: str
    hours: list[HoursLine]


def list_stores(product: ProductDetails, *, now: datetime) -> list[StoreWords]:
    today = timezone.localdate(now)
    return [
        StoreWords(
            *(store.name, store.address, store.phone),
            goods=_describe_goods(product, store),
            opening=describe_opening(store.calendar, now),
            hours=list_hours(store.calendar, today) if store.calendar.weekly or store.calendar.special else [],
        )
        for store in product.stores
    ]


def _describe_goods(product: ProductDetails, store: StoreWithGoods) -> str:
    here = [variant.label for variant in product.variants if variant.pk in store.variant_ids]
    return "" if len(here) == len(product.variants) else " · ".join(here)
