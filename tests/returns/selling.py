"""An order that came, and a shop that takes things back: what the tests of returns begin with."""

from datetime import timedelta

from django.utils import timezone

from orders.models import Allocation, Order, OrderLine, ReturnAuthorization, ShopSettings
from orders.returns.requesting import ReturnWish, request_return
from shop.catalog import listing, stock
from shop.catalog.models import Variant
from shop.storefront import page_cache
from tests import builders

Kind = ReturnAuthorization.Kind
Wanted = ReturnAuthorization.Wanted
Reason = ReturnAuthorization.Reason


def take_back(*, days: int = 30, **fields) -> ShopSettings:
    """The shop takes things back for so many days, and offers exchanges."""
    made = ShopSettings.current()
    for name, value in {"return_window_days": days, "offers_exchange": True, **fields}.items():
        setattr(made, name, value)
    made.save()
    page_cache.clear()
    return made


def came(*, quantity: int = 1, days_ago: int = 2, sizes: tuple[str, ...] = ("S", "M"), **fields) -> Order:
    """An order of one thing in size S, at the buyer's door; M is in stock."""
    fields.setdefault("email", "pat@example.com")
    jumper = builders.product("Wool jumper", sizes=sizes)
    listing.refresh_listings()
    order = builders.sent_order(
        jumper.variants.first(),
        quantity=quantity,
        delivered_at=timezone.now() - timedelta(days=days_ago),
        **fields,
    )
    for promised in Allocation.objects.filter(order_line__order=order):
        stock.consume_allocation(promised.record_id, quantity=promised.quantity, reference=order.number)
    Allocation.objects.filter(order_line__order=order).update(consumed_at=timezone.now())
    return order


def add_line(order: Order, variant: Variant) -> OrderLine:
    """One more thing in the same parcel."""
    line: OrderLine = order.lines.create(
        product=variant.product,
        variant=variant,
        sku=variant.sku,
        title=variant.product.title,
        options=variant.label,
        quantity=1,
        unit_price=variant.price,
    )
    order.shipments.get().lines.create(order_line=line, quantity=1)
    return line


def wish(order: Order, *, count: int = 1, line: OrderLine | None = None, **fields) -> ReturnWish:
    fields.setdefault("kind", Kind.RETURN)
    fields.setdefault("wanted", Wanted.REFUND if fields["kind"] == Kind.RETURN else Wanted.REPAIR)
    fields.setdefault("reason", Reason.TOO_SMALL)
    return ReturnWish(pieces={(line or order.lines.get()).pk: count}, **fields)


def returned(order: Order, **fields) -> ReturnAuthorization:
    return request_return(order.pk, wish(order, **fields)).made


def exchanged(order: Order, **fields) -> ReturnAuthorization:
    """Asked for in size M instead."""
    line = order.lines.get()
    other = line.product.variants.exclude(pk=line.variant_id).get()
    return returned(order, wanted=Wanted.EXCHANGE, variants={line.pk: other.pk}, **fields)
