"""What is priced in which currency, and how a shop moves to another."""

from collections import Counter
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Model, Q
from django.db.models.functions import Mod, Round

from orders.models import DeliveryZone, ShippingMethod, ShopSettings
from shop.catalog import listing, prices
from shop.catalog.models import Variant
from shop.money import get_price_step, get_shop_currency

# Whatever has a price the shop sells at, or measures an order by: its amounts, each in the row's `currency`.
Priced = tuple[tuple[type[Model], tuple[str, ...]], ...]
TERMS: Priced = (
    (ShippingMethod, ("price", "free_from")),
    (DeliveryZone, ("surcharge",)),
    (ShopSettings, ("approve_up_to",)),
)
PRICED: Priced = ((Variant, ("price",)), *TERMS)


def find_foreign_prices() -> Counter[str]:
    """How many prices cannot be charged in the shop's currency, by what they are: "3 shipping methods in GBP"."""
    currency = get_shop_currency()
    found: Counter[str] = Counter()
    for model, names in PRICED:
        steps = {f"{name}_rest": Mod(name, get_price_step(currency)) for name in names}
        said = Q(*((f"{name}__isnull", False) for name in names), _connector=Q.OR)
        finer = Q(*((f"{name}__gt", 0) for name in steps), _connector=Q.OR)
        wrong = model._default_manager.filter(said).annotate(**steps).filter(~Q(currency=currency) | finer)  # noqa: SLF001
        for other, count in wrong.order_by().values_list("currency").annotate(Count("pk")):
            words = model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural  # noqa: SLF001
            found[f"{words} in {other}" if other != currency else f"{words} in parts of {currency}"] += count
    return found


def describe_foreign_prices() -> str:
    """For whoever starts the shop; empty when all is priced in its currency."""
    found, currency = find_foreign_prices(), get_shop_currency()
    if not found:
        return ""
    named = ", ".join(f"{count:,} {words}" for words, count in sorted(found.items()))
    return (
        f"CURRENCY is {currency}, but the shop holds {named}. Set CURRENCY to what goods are priced in, "
        f"or give everything its price in {currency}: manage.py change_currency {currency} --rate RATE"
    )


@transaction.atomic
def change_currency(currency: str, *, rate: Decimal) -> int:
    """Every price in another currency times `rate`, to the nearest step of the new one. Returns how many rows changed.

    Orders, payments and refunds stay as they are: they say what was agreed and paid.
    """
    changed = prices.convert_prices(currency, rate=rate)
    step = get_price_step(currency)
    for model, names in TERMS:
        amounts: dict[str, Any] = {name: Round(F(name) * rate / step) * step for name in names}
        changed += model._default_manager.exclude(currency=currency).update(currency=currency, **amounts)  # noqa: SLF001
    listing.refresh_listings()
    return changed
