"""A product for machines that read pages: schema.org's words for it as JSON-LD. Data, not a script: nothing runs it."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from orders.promise import Promise
from shop.catalog.details import ProductDetails
from shop.storefront.product_display import ProductPicture, VariantOption

_ESCAPES = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&"}  # nothing in it ends the element it stands in
YEARS, DAY = "ANN", "DAY"  # UN/CEFACT's codes


def write_product_data(
    product: ProductDetails,
    options: Sequence[VariantOption],
    *,
    url: str,
    pictures: Sequence[ProductPicture],
    today: date,
) -> SafeString:
    """What the page says: name, maker, warnings, pictures, price, whether it can be had, the maker's guarantee."""
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.title,
        "url": url,
        "description": product.summary,
        "image": [_make_absolute(each.url) for each in pictures],
        "brand": {"@type": "Brand", "name": product.maker} if product.maker else None,
        "manufacturer": _describe_maker(product) if product.has_maker_details else None,
        "additionalProperty": _describe_warnings(product.warnings) if product.warnings else None,
        "offers": _describe_offer(product, options, today) if options else None,
    }
    text = json.dumps({name: value for name, value in found.items() if value}, ensure_ascii=False)
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308  # nosec B308 B703


def _describe_maker(product: ProductDetails) -> dict[str, Any]:
    contact = product.maker_contact or ""
    found = {
        "@type": "Organization",
        "name": product.maker,
        "address": product.maker_address,
        "email" if "@" in contact and "/" not in contact else "url": contact,
        "contactPoint": _describe_representative(product.eu_representative) if product.eu_representative else None,
    }
    return {name: value for name, value in found.items() if value}


def _describe_representative(words: str) -> dict[str, str]:
    """Whoever answers for the maker in the Union, as staff wrote it; schema.org has no narrower word for them."""
    return {
        "@type": "ContactPoint",
        "contactType": "Responsible person in the EU",
        "areaServed": "EU",
        "description": words,
    }


def _describe_warnings(words: str) -> dict[str, str]:
    """Schema.org has warnings of medicines and food alone; of anything else they are a property like another."""
    return {"@type": "PropertyValue", "name": "Safety warnings", "value": words}


def _describe_offer(product: ProductDetails, options: Sequence[VariantOption], today: date) -> dict[str, Any]:
    prices = [option.variant.price for option in options]
    is_one = min(prices) == max(prices)
    offer: dict[str, Any] = {
        "@type": "Offer" if is_one else "AggregateOffer",
        "priceCurrency": options[0].variant.currency,
        "availability": f"https://schema.org/{_name_availability(product, options, today)}",
    }
    offer |= {"price": str(prices[0])} if is_one else {"lowPrice": str(min(prices)), "highPrice": str(max(prices))}
    if promised := next((option.promised for option in options if option.is_chosen), None):
        offer["shippingDetails"] = _describe_delivery(promised, today)
    if product.guarantee_years:
        offer["warranty"] = _describe_guarantee(product.guarantee_years)
    return offer


def _describe_delivery(promised: Promise, today: date) -> dict[str, Any]:
    """The days that the page names for the option it shows, counted from today."""
    return {
        "@type": "OfferShippingDetails",
        "deliveryTime": {
            "@type": "ShippingDeliveryTime",
            "handlingTime": _describe_days(promised.ships_on, promised.ships_on, since=today),
            "transitTime": _describe_days(promised.from_on, promised.by_on, since=promised.ships_on),
        },
    }


def _describe_days(first_on: date, last_on: date, *, since: date) -> dict[str, Any]:
    first, last = (first_on - since).days, (last_on - since).days
    return {"@type": "QuantitativeValue", "minValue": first, "maxValue": last, "unitCode": DAY}


def _name_availability(product: ProductDetails, options: Sequence[VariantOption], today: date) -> str:
    if all(option.is_gone for option in options):
        return "OutOfStock"
    if product.released_on and product.released_on > today:
        return "PreOrder"
    return "InStock" if any(option.words.kind == "in" for option in options) else "BackOrder"


def _describe_guarantee(years: int) -> dict[str, Any]:
    return {
        "@type": "WarrantyPromise",
        "durationOfWarranty": {"@type": "QuantitativeValue", "value": years, "unitCode": YEARS},
    }


def _make_absolute(url: str) -> str:
    return f"{settings.SITE_URL}{url}" if url.startswith("/") else url
