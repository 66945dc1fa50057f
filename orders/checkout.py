"""From a cart to an order waiting for its payment. Stock is allocated for as long as the payment may still come.

The same form sent twice, or twenty times at once, is one order and one payment: the cart's row lock puts them in a
line, and whoever finds the cart's own unfinished order with the same fingerprint goes on with its payment.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer
from orders import cart_lines, carts, confirmation, pickup, pricing
from orders.contracting import ContractedGoods, allocate_goods, create_order_lines, snapshot_terms
from orders.models import Cart, CartLine, DeliveryZone, Order, OrderLine, OrderTick, Payment, ShippingMethod
from orders.parcel_plan import ParcelPlan, WantedGoods, plan_parcels
from orders.payments import checkout_sessions
from orders.pricing import Totals
from orders.shop_terms import Terms
from shop import prepared
from shop.catalog import stock
from shop.catalog.stock import OutOfStock
from shop.prepared import PreparedStatement

TRIES = 3  # for a cart whose earlier payment has to be ended first
_FIND_UNFINISHED = PreparedStatement("""
SELECT payment.id FROM orders_order o JOIN orders_payment payment ON payment.order_id = o.id
WHERE o.cart_id = %(cart)s AND o.status = %(pending)s AND payment.status = ANY(%(live)s)
ORDER BY payment.id DESC LIMIT 1
""")
_FIND_PENDING = PreparedStatement("SELECT id FROM orders_order WHERE cart_id = %(cart)s AND status = %(pending)s")
_STATEMENTS = (*cart_lines.FOR_CHECKOUT, _FIND_UNFINISHED, *stock.FOR_ALLOCATING)


class CheckoutRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """Not as it stands; nothing was ordered. The message says why, for people."""


class CartIsEmpty(CheckoutRefused):
    def __init__(self) -> None:
        super().__init__("There is nothing in your cart to order.")


class SoldOut(CheckoutRefused):
    """`lines`: what cannot be had as asked."""

    def __init__(self, lines: list[CartLine]) -> None:
        named = "; ".join(_describe_shortage(line) for line in lines)
        super().__init__(f"{named}. Nothing was ordered or charged.")
        self.lines = lines


class NotAllThere(CheckoutRefused):
    """Something of it is no longer in the store where it was to be collected."""

    def __init__(self) -> None:
        super().__init__(
            "Not all of it is in that store any more. Nothing was ordered or charged; please choose again how you "
            "get it."
        )


class OverLimit(CheckoutRefused):
    """Staff lowered how many of one thing the shop sells in one order."""

    def __init__(self, line: CartLine, limit: int) -> None:
        super().__init__(f"{carts.describe_limit(limit)} Make it {limit:,} of {line.variant}. Nothing was ordered.")


class NotDeliveredThere(CheckoutRefused):
    def __init__(self, method: ShippingMethod, zone: DeliveryZone) -> None:
        super().__init__(f"{method} does not go to {zone}. Nothing was ordered; please choose another way or address.")


class TotalChanged(CheckoutRefused):
    def __init__(self, total: str) -> None:
        super().__init__(
            f"All of it comes to {total} now: a price, the delivery or your cart changed since you opened this page. "
            "Nothing was ordered yet; please have a look and continue."
        )


@dataclass(frozen=True)
class CheckoutDetails:
    """What the buyer says. `ticks`: a guest's own for this order, purpose to answer; a customer has none.

    `expected_total`: what all of it came to on the page, when it said so. `in_two`: what is here at once, the rest
    when it comes, if any of it is to come.
    """

    email: str
    address: Mapping[str, str]
    method: ShippingMethod
    gift_note: str = ""
    company_name: str = ""
    vat_id: str = ""
    carrier_may_write: bool = False
    ticks: Mapping[str, bool] = field(default_factory=dict)
    expected_total: Decimal | None = None
    in_two: bool = False

    @property
    def country(self) -> str:
        return self.address["country"]

    @property
    def postcode(self) -> str:
        return self.address.get("postcode", "")


@dataclass(frozen=True)
class StartedCheckout:
    """`payment` is None when there is nothing to pay: the order is confirmed then."""

    order: Order
    payment: Payment | None


def start_checkout(cart: Cart, details: CheckoutDetails, *, customer: Customer | None, terms: Terms) -> StartedCheckout:
    """Makes the order and its payment, or finds the ones the same cart and details made before.

    Raises `CheckoutRefused`, and `StripeUnreachable` when an earlier payment of the cart can't be ended now.
    """
    attempt = partial(_try_start_checkout, cart, details, customer, terms)
    for _ in range(TRIES):
        found = prepared.run_in_transaction(attempt, statements=_STATEMENTS)
        if isinstance(found, StartedCheckout):
            return found
        checkout_sessions.expire_payment(found)
    raise checkout_sessions.StripeUnreachable("The cart's earlier payment would not end.")


def _try_start_checkout(
    cart: Cart, details: CheckoutDetails, customer: Customer | None, terms: Terms
) -> StartedCheckout | Payment:
    """The order, or the earlier payment that has to end first."""
    _lock_cart_for_checkout(cart)
    lines = carts.get_priced_lines(cart)
    plan = plan_cart_parcels(lines, details.method, terms, country=details.country, postcode=details.postcode)
    details = replace(details, in_two=details.in_two and plan.may_split)
    totals = _check_and_price_lines(lines, details, terms)
    fingerprint = _compute_cart_fingerprint(lines, totals, details, customer)
    earlier = _find_unfinished_payment(cart)
    if earlier is not None:
        return _reuse_unfinished(earlier, fingerprint) or earlier
    order = _create_order(cart, plan, totals, details, customer, terms, fingerprint)
    goods = [ContractedGoods(line.variant, line.quantity, line.variant.price, is_gift=line.is_gift) for line in lines]
    order_lines = create_order_lines(order, goods, totals, plan, terms)
    OrderTick.objects.bulk_create(_build_order_ticks(order, details.ticks))
    payment = _create_payment(order)
    _set_aside(lines, order_lines)
    if payment is None:
        _confirm_free_order(order)
    return StartedCheckout(order, payment)


def _lock_cart_for_checkout(cart: Cart) -> None:
    if not cart_lines.lock_cart(cart.pk):
        raise CartIsEmpty


def _check_and_price_lines(lines: list[CartLine], details: CheckoutDetails, terms: Terms) -> Totals:
    if not lines:
        raise CartIsEmpty
    place = terms.get_pickup(details.method)
    lacking = [line for line in lines if not line.is_sellable or (line.is_short and place is None)]
    if lacking:
        raise SoldOut(lacking)
    if details.method.store_id and not (place and pickup.holds_all(place, lines)):
        raise NotAllThere
    limit = terms.settings.quantity_limit
    if over := next((line for line in lines if line.quantity + line.other_line_count > limit), None):
        raise OverLimit(over, limit)
    zone = terms.find_zone(details.country, details.postcode, details.method)
    if zone and zone.is_refused:
        raise NotDeliveredThere(details.method, zone)
    totals = pricing.compute_totals(
        lines, details.method, details.country, terms=terms, zone=zone, in_two=details.in_two
    )
    if details.expected_total not in (None, totals.total):
        raise TotalChanged(totals.total_text)
    return totals


def find_pending_order(cart: Cart) -> Order | None:
    """The cart's own order that waits for its payment; a cart has one at the most. One query where there is none."""
    found = _FIND_PENDING.fetch_rows({"cart": cart.pk, "pending": Order.Status.PENDING})
    return Order.objects.filter(pk__in=[pk for (pk,) in found]).first() if found else None


def _find_unfinished_payment(cart: Cart) -> Payment | None:
    values = {"cart": cart.pk, "pending": Order.Status.PENDING, "live": list(checkout_sessions.LIVE)}
    found = next((pk for (pk,) in _FIND_UNFINISHED.fetch_rows(values)), None)
    return Payment.objects.select_related("order").get(pk=found) if found else None


def _reuse_unfinished(earlier: Payment, fingerprint: str) -> StartedCheckout | None:
    """The unfinished order with a payment to go on with, when it is still what the buyer asks for."""
    age = timezone.now() - earlier.created_at
    if earlier.order.cart_fingerprint != fingerprint or age > timedelta(seconds=settings.PAYMENT_HOLD_SECONDS):
        return None
    if not earlier.problem:
        return StartedCheckout(earlier.order, earlier)
    # Stripe failed over this payment's key and may go on saying so. Nobody ever saw a page of it: a new key is safe.
    Payment.objects.filter(pk=earlier.pk).update(status=Payment.Status.EXPIRED)
    return StartedCheckout(earlier.order, _create_payment(earlier.order))


def _create_order(
    cart: Cart,
    plan: ParcelPlan,
    totals: Totals,
    details: CheckoutDetails,
    customer: Customer | None,
    terms: Terms,
    fingerprint: str,
) -> Order:
    return Order.objects.create(
        **snapshot_terms(details.address, details.method, totals, plan.together, terms, in_two=details.in_two),
        email=details.email,
        customer=customer if customer and customer.is_proved else None,
        cart=cart,
        cart_fingerprint=fingerprint,
        gift_note=details.gift_note,
        company_name=details.company_name,
        vat_id=details.vat_id,
        carrier_may_write=details.carrier_may_write,
    )


def plan_cart_parcels(
    lines: Iterable[CartLine], method: ShippingMethod, terms: Terms, *, country: str, postcode: str = ""
) -> ParcelPlan:
    """How all of it can go there, ordered now with this method; without a postcode, by the country's ordinary days."""
    lines = list(lines)
    place = terms.get_pickup(method)
    if place is not None:
        return pickup.plan_pickup(lines, place, terms.get_calendar(country), timezone.now())
    goods = [WantedGoods(line, line.quantity, line.variant.product.released_on) for line in lines]
    return plan_parcels(goods, method, terms.get_calendar(country, postcode), timezone.now())


def _build_order_ticks(order: Order, ticks: Mapping[str, bool]) -> Iterable[OrderTick]:
    return (
        OrderTick(order=order, purpose=key, granted=granted, wording_version=purposes.get_purpose(key).wording_version)
        for key, granted in ticks.items()
    )


def _create_payment(order: Order) -> Payment | None:
    if not order.total:
        return None
    return Payment.objects.create(order=order, amount=order.total, currency=order.currency)


def _set_aside(lines: list[CartLine], order_lines: list[OrderLine]) -> None:
    try:
        allocate_goods(order_lines)
    except OutOfStock as refusal:
        if order_lines[0].order.pickup_store_id:
            raise NotAllThere from refusal
        raise SoldOut([line for line in lines if line.variant_id == refusal.variant_id]) from refusal


def _confirm_free_order(order: Order) -> None:
    """Nothing to pay: the order is placed at once."""
    order.payment_status = Order.PaymentStatus.PAID
    confirmation.confirm_order(order)


def _compute_cart_fingerprint(
    lines: list[CartLine], totals: Totals, details: CheckoutDetails, customer: Customer | None
) -> str:
    asked: list[Any] = [
        sorted((line.variant_id, line.quantity, str(line.variant.price), line.is_gift) for line in lines),
        [str(totals.total), str(totals.tax), totals.currency, details.method.pk, details.in_two],
        [details.email, dict(sorted(details.address.items())), details.gift_note, details.carrier_may_write],
        [details.company_name, details.vat_id],
        dict(sorted(details.ticks.items())),
        customer.pk if customer else None,
    ]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _describe_shortage(line: CartLine) -> str:
    title = str(line.variant)
    if not line.is_sellable:
        return f"{title} is no longer for sale"
    if 0 < line.available < line.quantity:
        return f"Only {line.available} of {title} left"
    return f"{title} has just sold out"
