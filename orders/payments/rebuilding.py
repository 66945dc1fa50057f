"""An order of which nothing is left but what Stripe knows: it was paid after the backup that was restored.

Its number, e-mail address, goods and sums are there. Its postal address, its ticks and its gifts never were, and are
not guessed: it is on hold, nobody is mailed, and none of its lines say anything about anybody.
"""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils import timezone

from orders import stages
from orders.fulfilment.transitions import TransitionRefused
from orders.gateways import stripe
from orders.gateways.amounts import from_stripe_amount
from orders.gateways.stripe import CheckoutSession, SessionItem
from orders.locks import lock_order
from orders.models import Allocation, Order, OrderLine, Payment, ShopSettings
from orders.payments import checkout_sessions
from shop.catalog import stock
from shop.catalog.models import Variant
from shop.catalog.stock import OutOfStock
from shop.money import compute_included_tax

NOTHING = Decimal(0)


@dataclass(frozen=True)
class RebuiltPayment:
    """`payment` of an order that was there, or of one that was made. `short`: SKUs of which too few are left."""

    payment: Payment
    is_new_order: bool
    short: list[str] = field(default_factory=list)


def rebuild_paid_order(payment_intent: str) -> RebuiltPayment | None:
    """What this shop sold for that money, made again; None when the money is none of its orders'.

    The payment is `open`: `checkout_sessions.apply_session_state` settles it. Raises `StripeUnreachable`.
    """
    session = stripe.find_session_paid_by(payment_intent)
    if session is None or not (session.order_number and checkout_sessions.is_idempotency_key(session.key)):
        return None
    items = stripe.fetch_session_items(session.reference)
    with transaction.atomic():
        order = Order.objects.filter(number=session.order_number).first()
        if order is not None:
            return RebuiltPayment(_create_rebuilt_payment(order, session), is_new_order=False)
        if not all(_has_our_marks(item) for item in items):
            return None
        order, short = _rebuild_order(session, items)
        return RebuiltPayment(_create_rebuilt_payment(order, session), is_new_order=True, short=short)


@transaction.atomic
def set_rebuilt_address(order_id: int, **address: str) -> Order:
    """What the buyer said where it goes. Raises `TransitionRefused` for any other order, and once it has left."""
    order = lock_order(order_id)
    if order.source != Order.Source.REBUILT or order.fulfilment_status in stages.DISPATCHED_STATUSES:
        raise TransitionRefused(f"{order.number}: its address is not to be changed.")
    for name, value in address.items():
        setattr(order, name, value)
    order.save(update_fields=list(address))
    return order


def _has_our_marks(item: SessionItem) -> bool:
    return "sku" in item.marks or "shipping" in item.marks


def _create_rebuilt_payment(order: Order, session: CheckoutSession) -> Payment:
    return Payment.objects.create(
        order=order,
        status=Payment.Status.OPEN,
        idempotency_key=session.key,
        provider_reference=session.reference,
        amount=from_stripe_amount(session.amount, session.currency),
        currency=session.currency,
    )


def _rebuild_order(session: CheckoutSession, items: list[SessionItem]) -> tuple[Order, list[str]]:
    currency = session.currency
    goods = [item for item in items if "sku" in item.marks]
    rate = max((_read_tax_rate(item) for item in goods), default=NOTHING)
    shipping = next((item for item in items if "shipping" in item.marks), None)
    shipping_total = from_stripe_amount(shipping.unit_amount, currency) if shipping else NOTHING
    total = from_stripe_amount(session.amount, currency)
    order = Order.objects.create(
        number=session.order_number,
        email=session.email,
        source=Order.Source.REBUILT,
        unsure_at=timezone.now(),
        country=ShopSettings.current().default_country,
        currency=currency,
        subtotal=total - shipping_total,
        shipping_total=shipping_total,
        tax_total=compute_included_tax(shipping_total, rate=rate, currency=currency),
        total=total,
        shipping_name=shipping.name[:80] if shipping else "",
    )
    lines = [_rebuild_line(order, item) for item in goods]
    order.tax_total += sum((line.tax_amount for line in lines), NOTHING)
    order.save(update_fields=["tax_total"])
    return order, [
        line.sku for line in sorted(lines, key=lambda line: line.variant_id or 0) if not _try_allocate_line(line)
    ]


def _rebuild_line(order: Order, item: SessionItem) -> OrderLine:
    sku = item.marks["sku"]
    variant = Variant.objects.select_related("product").filter(sku=sku).first()
    price = from_stripe_amount(item.unit_amount, order.currency)
    return OrderLine.objects.create(
        order=order,
        product=variant.product if variant else None,
        variant=variant,
        sku=sku,
        title=(variant.product.title if variant else item.name)[:200],
        options=variant.label if variant else "",
        quantity=item.quantity,
        unit_price=price,
        tax_rate=_read_tax_rate(item),
        tax_amount=compute_included_tax(price * item.quantity, rate=_read_tax_rate(item), currency=order.currency),
        is_excluded=True,
    )


def _read_tax_rate(item: SessionItem) -> Decimal:
    try:
        return Decimal(item.marks.get("tax_rate", "0"))
    except InvalidOperation:
        return NOTHING


def _try_allocate_line(line: OrderLine) -> bool:
    """Whether the line's goods could be set aside: they may have left before the restore, or been sold again."""
    if line.variant_id is None:
        return False
    try:
        with transaction.atomic():
            records = stock.allocate_stock({line.variant_id: line.quantity})
    except OutOfStock:
        return False
    Allocation.objects.create(order_line=line, record_id=records[line.variant_id], quantity=line.quantity)
    return True
