"""Writes the stories of `histories` as orders: in bulk, the way history is imported, and only once.

Events are written as dealt with, so nobody is mailed about the past. Live orders hold or have moved real stock.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer
from orders import stages
from orders.carriers.check_digits import compute_mod7_digit, compute_s10_digit
from orders.models import Allocation, Order, OrderEvent, OrderLine, OrderTick, Shipment, ShipmentLine, ShippingMethod
from orders.models.shipment import copy_address
from shop.catalog import stock
from shop.catalog.models import Store, Variant
from shop.money import compute_included_tax, get_shop_currency
from shop.sample.histories import OPEN_STAGES, PLACED, SampleOrderHistory
from shop.sample.people import SamplePerson

Kind = OrderEvent.Kind
Stage = Shipment.Stage
EVENT_KINDS: dict[str, OrderEvent.Kind] = {PLACED: Kind.PLACED} | {row.stage: row.event for row in stages.ROAD}
DATE_FIELDS = {row.date_field: row.stage for row in stages.ROAD if row.date_field}
TAX_RATE = Decimal("0.20")
APPROVED_BY = "Sam"
PROMISED_WITHIN = timedelta(days=3)
FRIDAY = 4


@dataclass(frozen=True)
class WrittenOrder:
    """A story beside the order and the lines written for it."""

    story: SampleOrderHistory
    order: Order
    lines: list[OrderLine]


def has_sample_orders() -> bool:
    return _find_sample_orders().exists()


def _find_sample_orders() -> QuerySet[Order]:
    return Order.objects.filter(external_reference__startswith="sample-")


@transaction.atomic
def write_sample_orders(stories: Sequence[SampleOrderHistory], people: Sequence[SamplePerson], store: Store) -> int:
    """Returns how many orders are new."""
    told = _bulk_create_orders(stories, {person.email: person for person in people})
    _bulk_create_shipments(told, store)
    _bulk_create_events(told)
    OrderTick.objects.bulk_create(
        OrderTick(
            order=each.order, purpose=key, granted=True, wording_version=purposes.get_purpose(key).wording_version
        )
        for each in told
        for key in each.story.ticks
    )
    for each in told:
        if each.story.is_live and not each.story.ending:
            _allocate_sample_stock(each)
    return len(told)


def _bulk_create_orders(
    stories: Sequence[SampleOrderHistory], people: Mapping[str, SamplePerson]
) -> list[WrittenOrder]:
    wanted = {line.sku for story in stories for line in story.lines}
    variants = {variant.sku: variant for variant in Variant.objects.select_related("product").filter(sku__in=wanted)}
    customers = {customer.email: customer for customer in Customer.objects.filter(email__in=people)}
    method = ShippingMethod.objects.filter(is_active=True, store=None).first()
    told = []
    for story in stories:
        lines = [_build_order_line(each.quantity, variants[each.sku], is_gift=each.is_gift) for each in story.lines]
        order = _build_order(story, lines, method)
        order.customer = customers.get(story.email)
        for name, value in _get_postal_fields(story.email, people).items():
            setattr(order, name, value)
        told.append(WrittenOrder(story, order, lines))
    Order.objects.bulk_create([each.order for each in told], batch_size=1000)
    _find_sample_orders().update(created_at=F("placed_at"))
    OrderLine.objects.bulk_create(list(_iterate_order_lines(told)), batch_size=2000)
    return told


def _iterate_order_lines(told: Iterable[WrittenOrder]) -> Iterator[OrderLine]:
    for each in told:
        for line in each.lines:
            line.order = each.order
            yield line


def _build_order_line(quantity: int, variant: Variant, *, is_gift: bool) -> OrderLine:
    return OrderLine(
        product=variant.product,
        variant=variant,
        sku=variant.sku,
        title=variant.product.title,
        options=variant.label,
        quantity=quantity,
        unit_price=variant.price,
        tax_rate=TAX_RATE,
        tax_amount=_compute_tax(variant.price * quantity),
        is_gift=is_gift,
    )


def _build_order(story: SampleOrderHistory, lines: Sequence[OrderLine], method: ShippingMethod | None) -> Order:
    subtotal = sum((line.line_total for line in lines), Decimal(0))
    shipping = method.price_for(subtotal) if method else Decimal(0)
    leaves_at = story.steps.get(Stage.DISPATCHED, story.placed_at + timedelta(days=1))
    return Order(
        external_reference=story.reference,
        source=Order.Source.IMPORT,
        email=story.email,
        status=_get_order_status(story),
        payment_status=Order.PaymentStatus.REFUNDED if story.ending else Order.PaymentStatus.PAID,
        fulfilment_status=_get_fulfilment_status(story),
        subtotal=subtotal,
        shipping_total=shipping,
        tax_total=sum(
            (line.tax_amount for line in lines),
            compute_included_tax(shipping, rate=TAX_RATE, currency=get_shop_currency()),
        ),
        total=subtotal + shipping,
        shipping_method=method,
        shipping_name=method.name if method else "",
        carrier=method.carrier if method else "",
        gift_note=story.gift_note,
        ships_on=_get_next_weekday(leaves_at),
        promised_from_on=_get_next_weekday(leaves_at + timedelta(days=2)),
        promised_by_on=_get_next_weekday(leaves_at + PROMISED_WITHIN),
        placed_at=story.placed_at,
        approved_at=story.steps.get(Stage.WAITING),
        cancelled_at=story.ended_at if story.ending == "cancelled" else None,
    )


def _compute_tax(gross: Decimal) -> Decimal:
    return compute_included_tax(gross, rate=TAX_RATE, currency=get_shop_currency())


def _get_next_weekday(moment: datetime) -> date:
    """Nothing leaves or arrives on a weekend."""
    day = timezone.localdate(moment)
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > FRIDAY else 0)


def _get_order_status(story: SampleOrderHistory) -> str:
    if story.ending == "cancelled":
        return Order.Status.CANCELLED
    return Order.Status.COMPLETED if story.stage == Stage.DELIVERED else Order.Status.CONFIRMED


def _get_fulfilment_status(story: SampleOrderHistory) -> str:
    standing = [] if story.ending == "cancelled" or story.stage == PLACED else [story.stage]
    return stages.summarize_progress(standing).fulfilment_status


def _get_postal_fields(email: str, people: Mapping[str, SamplePerson]) -> dict[str, str]:
    """A sample customer's address; a guest's is the shop's neighbour's."""
    if email in people:
        return people[email].postal
    name = email.partition("@")[0].replace(".", " ").title()
    return {"full_name": name, "line1": "3 Harbour Row", "city": "Whitby", "postcode": "YO21 3PU", "country": "GB"}


def _bulk_create_shipments(told: Sequence[WrittenOrder], store: Store) -> None:
    parcels = [(each, _build_shipment(each, store)) for each in told if Stage.WAITING in each.story.steps]
    Shipment.objects.bulk_create([shipment for _, shipment in parcels], batch_size=1000)
    Shipment.objects.filter(order__in=_find_sample_orders(), dispatched_at__isnull=False).update(
        created_at=F("dispatched_at")
    )
    ShipmentLine.objects.bulk_create(
        (
            ShipmentLine(shipment=shipment, order_line=line, quantity=line.quantity)
            for each, shipment in parcels
            for line in each.lines
        ),
        batch_size=2000,
    )


def _build_shipment(told: WrittenOrder, store: Store) -> Shipment:
    steps, has_left = told.story.steps, Stage.DISPATCHED in told.story.steps
    is_packed = Stage.PACKED in steps
    return Shipment(
        order=told.order,
        store=store,
        stage=Stage.CANCELLED if told.story.ending == "cancelled" else told.story.stage,
        carrier=told.order.carrier,
        tracking_number=_make_tracking_number(told.order) if has_left else "",
        went_to=copy_address(told.order) if has_left else None,
        packing_note=told.story.note if is_packed else "",
        packed_by=told.story.packed_by if is_packed else "",
        followed_at=steps.get(Stage.DISPATCHED),  # nobody is asked about parcels that never were
        **{field: steps.get(stage) for field, stage in DATE_FIELDS.items()},
    )


def _make_tracking_number(order: Order) -> str:
    """As the carrier would give it, check digit included."""
    digits = "".join(mark for mark in str(order.external_reference) if mark.isdigit()).zfill(9)[:9]
    if order.carrier == "dhl":
        return digits + compute_mod7_digit(digits)
    if order.carrier == "dpd":
        return f"15501{digits}"
    return f"SW{digits[-8:]}{compute_s10_digit(digits[-8:])}GB"


def _bulk_create_events(told: Sequence[WrittenOrder]) -> None:
    """The time an event was dealt with is the time it happened; then so is the time it was written."""
    ids = [each.order.pk for each in told]
    parcels = {shipment.order_id: shipment for shipment in Shipment.objects.filter(order__in=ids)}
    OrderEvent.objects.bulk_create(
        [event for each in told for event in _build_events(each, parcels.get(each.order.pk))], batch_size=2000
    )
    OrderEvent.objects.filter(order__in=ids).update(created_at=F("relayed_at"))


def _build_events(told: WrittenOrder, parcel: Shipment | None) -> Iterator[OrderEvent]:
    story = told.story
    for stage, at in story.steps.items():
        is_of_parcel = stage not in (PLACED, Stage.WAITING)
        actor = "" if stage == PLACED else story.packed_by if is_of_parcel else APPROVED_BY
        yield _build_event(told, EVENT_KINDS[stage], at, parcel if is_of_parcel else None, actor)
    if story.ended_at and story.ending == "cancelled":
        yield _build_event(told, Kind.CANCELLED, story.ended_at, None, APPROVED_BY, reason="Ordered twice by mistake.")
    if story.ended_at:
        amount = str(told.order.total)
        yield _build_event(told, Kind.REFUNDED, story.ended_at + timedelta(minutes=2), None, APPROVED_BY, amount=amount)


def _build_event(
    told: WrittenOrder, kind: OrderEvent.Kind, at: datetime, parcel: Shipment | None, actor: str, **data: str
) -> OrderEvent:
    return OrderEvent(order=told.order, kind=kind, shipment=parcel, actor=actor, data=data, relayed_at=at)


def _allocate_sample_stock(told: WrittenOrder) -> None:
    """What is on the bench is promised on the shelf; what has left has been taken from it."""
    lines = [(line.variant_id, line) for line in told.lines if line.variant_id]
    wanted = Counter[int]()
    for variant_id, line in lines:
        wanted[variant_id] += line.quantity
    records = stock.allocate_stock(wanted)
    is_gone = told.story.stage not in OPEN_STAGES
    Allocation.objects.bulk_create(
        Allocation(
            order_line=line,
            record_id=records[variant_id],
            quantity=line.quantity,
            consumed_at=told.story.steps[Stage.DISPATCHED] if is_gone else None,
        )
        for variant_id, line in lines
    )
    if is_gone:
        for variant_id, quantity in sorted(wanted.items()):
            stock.consume_allocation(
                records[variant_id], quantity=quantity, reference=told.order.number, actor=told.story.packed_by
            )
