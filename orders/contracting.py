"""What an order copies of the terms it was made under: however it came, it holds the same."""

from collections.abc import Mapping
from typing import Any

from accounts.models.address import ADDRESS_FIELDS
from orders import pricing
from orders.models import ShippingMethod
from orders.pricing import Totals
from orders.promise import Promise
from orders.shop_terms import Terms


def snapshot_terms(
    address: Mapping[str, str], method: ShippingMethod, totals: Totals, promised: Promise | None, terms: Terms
) -> dict[str, Any]:
    """The columns of an order that say where it goes, how, by when, for how much, and how long it may come back."""
    return {
        **{name: address.get(name, "") for name in ADDRESS_FIELDS},
        "currency": totals.currency,
        "subtotal": totals.subtotal,
        "shipping_total": totals.shipping,
        "ordinary_shipping_total": pricing.find_cheapest_shipping(
            terms.methods, country=address["country"], subtotal=totals.subtotal
        ),
        "tax_total": totals.tax,
        "total": totals.total,
        "shipping_method": method,
        "shipping_name": method.name,
        "carrier": method.carrier,
        "return_window_days": terms.settings.return_window_days,
        "ships_on": promised.ships_on if promised else None,
        "promised_from_on": promised.from_on if promised else None,
        "promised_by_on": promised.by_on if promised else None,
    }
