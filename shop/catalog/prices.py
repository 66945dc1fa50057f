"""The only way the price of something on sale changes, so that whoever follows it hears of every change."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F
from django.db.models.functions import Round

from shop.catalog.models import CatalogEvent, Variant
from shop.money import get_price_step


@dataclass(frozen=True)
class Price:
    """What one piece costs, tax included."""

    amount: Decimal
    currency: str


def set_prices(wanted: Mapping[int, Price]) -> set[int]:
    """`{variant id: Price}`; gives the ids of those that cost something else before. In the caller's transaction."""
    changed, events = [], []
    for variant in Variant.objects.select_for_update().filter(pk__in=wanted).order_by("pk"):
        old, new = Price(variant.price, variant.currency), wanted[variant.pk]
        if old == new:
            continue
        variant.price, variant.currency = new.amount, new.currency
        changed.append(variant)
        events.append(_describe_change(variant, old, new))
    Variant.objects.bulk_update(changed, ["price", "currency"])
    CatalogEvent.objects.bulk_create(events)
    return {variant.pk for variant in changed}


def _describe_change(variant: Variant, old: Price, new: Price) -> CatalogEvent:
    return CatalogEvent(
        kind=CatalogEvent.Kind.PRICE_CHANGED,
        product_id=variant.product_id,
        variant=variant,
        data={
            "old_price": str(old.amount),
            "old_currency": old.currency,
            "new_price": str(new.amount),
            "new_currency": new.currency,
        },
    )


def convert_prices(currency: str, *, rate: Decimal) -> int:
    """Every price in another currency times `rate`, to the nearest step. Gives how many; none of them is an event:
    the same price in other money is no news."""
    step = get_price_step(currency)
    foreign = Variant.objects.exclude(currency=currency)
    return foreign.update(currency=currency, price=Round(F("price") * rate / step) * step)
