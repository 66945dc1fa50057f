"""How the sample shop sends, taxes and rests: its store, shipping methods, tax rate, pages of words and holidays."""

from datetime import date, time
from decimal import Decimal
from typing import Any

from django.db import transaction

from orders.models import Holiday, InfoPage, ShippingMethod, ShopSettings, TaxRate
from shop.catalog.models import OpeningHours, Store
from shop.catalog.models.product import TaxClass
from shop.money import convert_roughly, get_shop_currency
from shop.sample import content


@transaction.atomic
def create_terms() -> Store:
    """Makes what is missing; what staff have set since stays. Returns the store."""
    written = content.read_toml("shop")
    store = _create_store(written)
    shop = ShopSettings.current()
    if not shop.contact_email:
        shop.contact_email = written["contact_email"]
        for name, value in written["returns"].items():
            setattr(shop, name, value)
        shop.save()
    if not ShippingMethod.objects.exists():
        ShippingMethod.objects.bulk_create(
            ShippingMethod(**_convert_method_prices(row), position=at)
            for at, row in enumerate(written["shipping_method"])
        )
        ShippingMethod.objects.create(
            **_convert_method_prices(written["pickup_method"]), store=store, position=len(written["shipping_method"])
        )
    for row in written["tax_rate"]:
        TaxRate.objects.get_or_create(
            country=row["country"],
            tax_class=TaxClass.STANDARD,
            valid_from=None,
            defaults={"name": row["name"], "rate": Decimal(row["rate"])},
        )
    for page in written["page"]:
        words = {name: page[name].strip() for name in ("body", "facts") if name in page}
        InfoPage.objects.filter(slug=page["slug"], body="").update(**words, is_published=True)
    Holiday.objects.bulk_create(
        [Holiday(falls_on=date.fromisoformat(day), name=name) for day, name in written["holidays"].items()],
        ignore_conflicts=True,
    )
    return store


def _create_store(written: dict[str, Any]) -> Store:
    store, is_new = Store.objects.get_or_create(name=written["store"]["name"], defaults=written["store"])
    if is_new:
        OpeningHours.objects.bulk_create(
            OpeningHours(
                store=store,
                weekday=OpeningHours.Weekday[day],
                opens_at=time.fromisoformat(opens_at),
                closes_at=time.fromisoformat(closes_at),
            )
            for day, (opens_at, closes_at) in written["opening_hours"].items()
        )
    return store


def _convert_method_prices(row: dict[str, Any]) -> dict[str, Any]:
    money = {name: Decimal(row[name]) for name in ("price", "free_from", "extra_parcel_price") if name in row}
    return row | {name: convert_roughly(amount, get_shop_currency()) for name, amount in money.items()}
