"""What an order copies of the terms it was made under: however it came, it holds the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.models.address import ADDRESS_FIELDS
from orders import pricing
from orders.models import Allocation, Order, OrderLine, ShippingMethod
from orders.models.order import draw_pickup_code
from orders.parcel_plan import ParcelPlan
from orders.pricing import Totals
from orders.promise import Promise
from orders.returns.policy import build_policy
from orders.shop_terms import Terms
from shop.catalog import stock
from shop.catalog.models import Variant


def snapshot_terms(
    address: Mapping[str, str],
    method: ShippingMethod,
    totals: Totals,
    promised: Promise | None,
    terms: Terms,
    *,
    in_two: bool = False,
) -> dict[str, Any]:
    """The columns of an order that say where it goes, how, by when, for how much, and how it may come back."""
    country, postcode = address["country"], address.get("postcode", "")
    zone = terms.find_zone(country, postcode, method)
    return {
        **{name: address.get(name, "") for name in ADDRESS_FIELDS},
        "currency": totals.currency,
        "subtotal": totals.subtotal,
        "shipping_total": totals.shipping,
        "ordinary_shipping_total": pricing.find_ordinary_shipping(
            terms, country=country, postcode=postcode, subtotal=totals.subtotal
        ),
        "zone_name": zone.name if zone else "",
        "zone_days": zone.extra_days if zone else 0,
        "zone_surcharge": totals.surcharge,
        "tax_total": totals.tax,
        "total": totals.total,
        "shipping_method": method,
        "shipping_name": method.name,
        "carrier": method.carrier,
        **_snapshot_pickup(method, promised),
        "ships_as_ready": in_two,
        "return_window_days": terms.settings.return_window_days,
        "pays_return_postage": terms.settings.pays_return_postage,
        "offers_exchange": terms.settings.offers_exchange,
        "return_refund_days": terms.settings.return_refund_days,
        "ships_on": promised.ships_on if promised else None,
        "promised_from_on": promised.from_on if promised else None,
        "promised_by_on": promised.by_on if promised else None,
        "moved_days": (promised.moved_days if promised else None) or 0,
    }


def _snapshot_pickup(method: ShippingMethod, promised: Promise | None) -> dict[str, Any]:
    if method.store_id is None:
        return {}
    return {
        "pickup_store_id": method.store_id,
        "pickup_code": draw_pickup_code(),
        "pickup_ready_at": promised.ready_at if promised else None,
    }


@dataclass(frozen=True)
class ContractedGoods:
    """So many of one variant at a price. `price_reason`: why, where it is not the shop's own."""

    variant: Variant
    quantity: int
    unit_price: Decimal
    price_reason: str = ""
    is_gift: bool = False
    is_excluded: bool = False


def create_order_lines(
    order: Order, goods: Sequence[ContractedGoods], totals: Totals, plan: ParcelPlan, terms: Terms
) -> list[OrderLine]:
    """`totals` and `plan` are of these goods, in their order."""
    days, returns = plan.list_line_promises(in_two=order.ships_as_ready), build_policy(terms)
    return OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=each.variant.product,
            variant=each.variant,
            sku=each.variant.sku,
            title=each.variant.product.title,
            options=each.variant.label,
            quantity=each.quantity,
            unit_price=each.unit_price,
            price_reason=each.price_reason,
            tax_rate=rate,
            tax_amount=tax,
            guarantee_years=each.variant.product.guarantee_years,
            is_gift=each.is_gift,
            is_excluded=each.is_excluded,
            is_left_out_of_returns=returns.is_excluded(each.variant.product_id, each.variant.product.category_id),
            goes_first=order.ships_as_ready and is_here,
            **(_snapshot_days(promised) if order.ships_as_ready else {}),
        )
        for each, rate, tax, promised, is_here in zip(
            goods, totals.line_rates, totals.line_taxes, days, plan.are_here, strict=True
        )
    )


def _snapshot_days(promised: Promise | None) -> dict[str, Any]:
    if promised is None:
        return {}
    return {"ships_on": promised.ships_on, "promised_from_on": promised.from_on, "promised_by_on": promised.by_on}


def allocate_goods(order_lines: Sequence[OrderLine]) -> None:
    """Sets the goods of one order aside, in the store where it is collected, if it is. Last in its transaction, so that
    the rows everybody wants are held the shortest.

    Raises `OutOfStock`.
    """
    wanted: Counter[int] = Counter()
    for line in order_lines:  # a gift and no gift of one variant are two lines
        wanted[line.variant_id or 0] += line.quantity
    store_id = order_lines[0].order.pickup_store_id if order_lines else None
    records = stock.allocate_stock(wanted, store_id=store_id)
    Allocation.objects.bulk_create(
        Allocation(order_line=line, record_id=records[line.variant_id or 0], quantity=line.quantity)
        for line in order_lines
    )
