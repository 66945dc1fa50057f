"""Plain builders for tests: each makes one thing with sensible defaults and returns it."""

import itertools
from collections.abc import Iterable
from decimal import Decimal

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.utils import timezone

from accounts.consent import consent
from accounts.models import Customer, User
from orders import events
from orders.models import (
    Allocation,
    Cart,
    CartLine,
    DeliveryZone,
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    Shipment,
    ShipmentLine,
    ShippingMethod,
    TaxRate,
)
from shop.catalog import stock
from shop.catalog.models import Category, Maker, Product, StockMovement, StockRecord, Store, Variant

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def store(name: str = "Harbour Row") -> Store:
    return Store.objects.get_or_create(name=name)[0]


def pickup_method() -> ShippingMethod:
    """One by which buyers come to the store."""
    place = store()
    Store.objects.filter(pk=place.pk).update(welcomes_visitors=True)
    return ShippingMethod.objects.get_or_create(name="Collect", store=place, defaults={"price": 0, "position": 9})[0]


def category(name: str = "Socks", *, parent: Category | None = None) -> Category:
    slug = name.lower().replace(" ", "-")
    return Category.objects.get_or_create(slug=slug, defaults={"name": name, "parent": parent})[0]


def maker(name: str = "Fell & Dale") -> Maker:
    slug = name.lower().replace(" & ", "-").replace(" ", "-")
    return Maker.objects.get_or_create(slug=slug, defaults={"name": name})[0]


def product(
    title: str = "", *, price: str = "14.00", on_hand: int = 10, sizes: tuple[str, ...] = ("",), **fields
) -> Product:
    """A published product with a variant per size, each with stock in the one store."""
    number = next(_numbers)
    title = title or f"Thing q{''.join(chr(97 + int(digit)) for digit in str(number))}"  # two are of two kinds
    fields.setdefault("category", category())
    fields.setdefault("maker", maker())
    fields.setdefault("slug", f"{title.lower().replace(' ', '-')}-{number}")
    made = Product.objects.create(title=title, price_from=Decimal(price), **fields)
    for position, size in enumerate(sizes):
        variant(made, size=size, price=price, on_hand=on_hand, position=position)
    return made


def variant(of: Product | None = None, *, price: str = "14.00", on_hand: int = 10, **fields) -> Variant:
    if of is None:
        return product(price=price, on_hand=on_hand).variants.get()
    fields.setdefault("sku", f"SKU-{next(_numbers):05d}")
    made = Variant.objects.create(product=of, price=Decimal(price), **fields)
    record = StockRecord.objects.create(variant=made, store=store())
    if on_hand:
        stock.receive_stock(record.id, quantity=on_hand, kind=StockMovement.Kind.OPENING)
    return made


def customer(email: str = "", *, with_login: bool = True, ticks: tuple[str, ...] = (), **fields) -> Customer:
    """A customer with a proved address; `ticks` are the purposes they said yes to."""
    email = email or f"person{next(_numbers)}@example.com"
    user = User.objects.create_user(email, PASSWORD) if with_login else None
    made = Customer.objects.create(user=user, email=email, email_proved_at=timezone.now(), **fields)
    _tick([made], ticks)
    return made


def crowd(count: int, *, ticks: tuple[str, ...] = ()) -> list[Customer]:
    """So many customers with a login and no password, in a handful of statements."""
    emails = [f"person{next(_numbers)}@example.com" for _ in range(count)]
    users = User.objects.bulk_create(User(email=email, password=UNUSABLE_PASSWORD_PREFIX) for email in emails)
    made = Customer.objects.bulk_create(
        Customer(user=user, email=user.email, email_proved_at=timezone.now()) for user in users
    )
    _tick(made, ticks)
    return made


def _tick(customers: Iterable[Customer], ticks: tuple[str, ...]) -> None:
    answers = [(each.pk, purpose, True, timezone.now()) for each in customers for purpose in ticks]
    if answers:
        consent.import_consents(answers, source="test")


def shipping_method(name: str = "Royal Mail", *, price: str = "3.50", **fields) -> ShippingMethod:
    fields.setdefault("carrier", "royal_mail")
    return ShippingMethod.objects.get_or_create(name=name, defaults={"price": Decimal(price), **fields})[0]


def tax_rate(country: str = "GB", rate: str = "0.2000", **fields) -> TaxRate:
    fields = {"tax_class": "standard", "valid_from": None} | fields
    return TaxRate.objects.get_or_create(country=country, **fields, defaults={"rate": Decimal(rate)})[0]


def cart(*variants: Variant, customer: Customer | None = None, quantity: int = 1) -> Cart:
    made = Cart.objects.create(customer=customer)
    for item in variants:
        CartLine.objects.create(cart=made, variant=item, quantity=quantity)
    return made


def delivery_zone(postcodes: str = "HS, IV, KW1-KW14", *, country: str = "GB", **fields) -> DeliveryZone:
    """By default a place that takes two working days more and costs 4.00 on top."""
    if not fields.get("is_refused"):
        fields = {"extra_days": 2, "surcharge": Decimal("4.00")} | fields
    zone = DeliveryZone(**{"name": "Scottish islands"} | fields, country=country, postcodes=postcodes)
    zone.full_clean()
    zone.save()
    return zone


def paid_order(
    *variants: Variant, customer: Customer | None = None, placed_at=None, is_gift: bool = False, **fields
) -> Order:
    """A confirmed order as history holds it: no stock moved, no events."""
    items = variants or (variant(),)
    total = sum((item.price for item in items), Decimal(0))
    fields.setdefault("email", (customer.email or "") if customer else "guest@example.com")
    fields.setdefault("country", "GB")
    made = Order.objects.create(
        customer=customer,
        full_name="Pat Reader",
        line1="1 High Street",
        city="Leeds",
        postcode="LS1 1AA",
        status=Order.Status.CONFIRMED,
        payment_status=Order.PaymentStatus.PAID,
        subtotal=total,
        total=total,
        placed_at=placed_at or timezone.now(),
        **fields,
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=made,
            product=item.product,
            variant=item,
            sku=item.sku,
            title=item.product.title,
            options=item.label,
            quantity=1,
            unit_price=item.price,
            is_gift=is_gift,
        )
        for item in items
    )
    return made


def placed_order(*variants: Variant, quantity: int = 1, **fields) -> Order:
    """A paid order as checkout leaves it: its stock promised, its payment captured, its event recorded."""
    items = variants or (variant(),)
    made = paid_order(*items, **fields)
    made.lines.update(quantity=quantity)
    made.total = made.subtotal = made.total * quantity
    made.save(update_fields=["total", "subtotal"])
    with transaction.atomic():
        taken = stock.allocate_stock({item.pk: quantity for item in items})
    Allocation.objects.bulk_create(
        Allocation(order_line=line, record_id=taken[line.variant_id], quantity=quantity) for line in made.lines.all()
    )
    payment(made)
    events.record_order_event(made, OrderEvent.Kind.PLACED)
    return made


def payment(order: Order, *, status: str = Payment.Status.CAPTURED, **fields) -> Payment:
    """The order's payment, as Stripe would have left it."""
    number = next(_numbers)
    fields.setdefault("amount", order.total)
    return Payment.objects.create(
        order=order,
        status=status,
        currency=order.currency,
        provider_reference=f"cs_test_{number}",
        payment_intent=f"pi_test_{number}",
        captured_at=order.placed_at if status == Payment.Status.CAPTURED else None,
        **fields,
    )


def sent_order(*variants: Variant, delivered_at=None, **fields) -> Order:
    """A paid order whose one parcel has left; with `delivered_at` None nobody knows when it came."""
    made = placed_order(*variants, **fields)
    sent_parcel(made, delivered_at=delivered_at)
    Order.objects.filter(pk=made.pk).update(
        status=Order.Status.COMPLETED if delivered_at else Order.Status.CONFIRMED,
        approved_at=made.placed_at,
        fulfilment_status=Order.FulfilmentStatus.DELIVERED if delivered_at else Order.FulfilmentStatus.DISPATCHED,
    )
    made.refresh_from_db()
    return made


def sent_parcel(order: Order, *, delivered_at=None) -> Shipment:
    at = Shipment.Stage.DELIVERED if delivered_at else Shipment.Stage.DISPATCHED
    parcel = Shipment.objects.create(order=order, store=store(), stage=at, delivered_at=delivered_at)
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment=parcel, order_line=line, quantity=line.quantity) for line in order.lines.all()
    )
    return parcel
