"""Goods sent in the place of others: another size or colour, or the same again for what was faulty.

They go as an order of their own that costs nothing, with its own number, stock, parcels and dates (ADR 64), the way the
first one went: what was collected in a store is collected there again. What costs less leaves something over, which
goes back as money, reckoned at the price when it was asked for. Of what was paid, `exchange_amount` goes on into the
new order, so that it is known should that be sent back too. What costs more is `orders.returns.dearer_exchange`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from accounts.models.address import ADDRESS_FIELDS
from orders import events, pickup, promise, shop_terms
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Adjustment, Allocation, Order, OrderEvent, OrderLine, ReturnAuthorization, ReturnLine
from orders.models.order import draw_pickup_code
from orders.promise import Promise, ReservedGoods
from orders.returns.refusal import ReturnRefused
from shop.catalog import stock
from shop.catalog.models import Variant
from shop.catalog.stock import OutOfStock
from shop.money import round_amount

NOTHING = Decimal(0)


def list_exchange_variants(lines: Iterable[OrderLine], *, store_id: int | None = None) -> dict[int, list[Variant]]:
    """By line, what may be had instead: the same product, another variant, on sale in the order's currency, on the
    shelf. Two queries. `store_id`: on the shelf of that store. Reads `order` of each line.
    """
    wanted = list(lines)
    found = (
        Variant.objects.sellable()
        .filter(product__in={line.product_id for line in wanted if line.product_id})
        .select_related("product")
        .prefetch_related("stock__store")
        .order_by("position", "pk")
    )
    on_shelf = [variant for variant in found if _count_on_shelf(variant, store_id) > 0]
    return {
        line.pk: [
            variant
            for variant in on_shelf
            if variant.product_id == line.product_id
            and variant.pk != line.variant_id
            and variant.currency == line.order.currency
        ]
        for line in wanted
    }


def _count_on_shelf(variant: Variant, store_id: int | None) -> int:
    """In that store, or in those that send."""
    return sum(
        record.on_hand - record.allocated
        for record in variant.stock.all()
        if (record.store_id == store_id if store_id else record.store.ships_orders)
    )


def choose_variants(
    chosen: Mapping[OrderLine, int], asked: Mapping[int, int], *, store_id: int | None
) -> dict[int, Variant]:
    """The variant for each line, at its price now, checked against what is there. Raises `ReturnRefused`."""
    offered = list_exchange_variants(chosen, store_id=store_id)
    named: dict[int, Variant] = {}
    wanted: dict[Variant, dict[OrderLine, int]] = {}  # two lines may be exchanged for the same
    for line, count in chosen.items():
        variant = next((each for each in offered[line.pk] if each.pk == asked.get(line.pk)), None)
        if variant is None:
            words = f"Please choose what you would like instead of “{line.title}”."
            raise ReturnRefused(by_line={line.pk: words})
        named[line.pk] = variant
        wanted.setdefault(variant, {})[line] = count
    for variant, counts in wanted.items():
        if (left := _count_on_shelf(variant, store_id)) < sum(counts.values()):
            words = f"Of {variant} there are only {left:,} left. Choose fewer."
            raise ReturnRefused(by_line={line.pk: words for line in counts})
    return named


def compute_exchange_amount(made: ReturnAuthorization, lines: Iterable[ReturnLine]) -> Decimal:
    """How much of what was paid goes on into the goods sent: all of it, or as much less as they cost less."""
    old = sum((line.order_line.unit_price * line.quantity for line in lines), NOTHING)
    new = sum((get_exchange_price(line) * line.quantity for line in lines), NOTHING)
    if not old or new >= old:
        return made.goods_amount
    return round_amount(made.goods_amount * new / old, made.currency)


def compute_saving(line: ReturnLine) -> Decimal:
    """How much less what is sent instead cost when it was asked for."""
    return (line.order_line.unit_price - get_exchange_price(line)) * line.quantity


def get_exchange_price(line: ReturnLine) -> Decimal:
    """Of one piece, as its buyer was told; at today's price where it was asked for before that was kept."""
    if line.exchange_unit_price is not None:
        return line.exchange_unit_price
    return line.exchange_variant.price if line.exchange_variant else line.order_line.unit_price


def _find_variant(line: ReturnLine) -> Variant | None:
    """What goes: another where another was asked for, else the same again. None where the shop no longer has it."""
    is_other = line.exchange_unit_price is not None
    return line.exchange_variant or (None if is_other else line.order_line.variant)


def create_exchange_order(made: ReturnAuthorization, lines: list[ReturnLine], *, actor: str) -> Order:
    """An approved order of the goods sent instead, its stock promised. Raises `TransitionRefused` where they are gone.

    Needs a transaction, and the lock of the order that the return is of.
    """
    goods = [(line, _find_variant(line)) for line in lines]
    if any(variant is None for _, variant in goods):
        raise TransitionRefused(f"{made.number}: the shop no longer has that to send. Give the money back instead.")
    sent = _copy_order(made.order, made, sum((get_exchange_price(line) * line.quantity for line in lines), NOTHING))
    order_lines = [_make_line(sent, line, variant) for line, variant in goods if variant is not None]
    OrderLine.objects.bulk_create(order_lines)
    Adjustment.objects.create(order=sent, label=f"In exchange, {made.number}", amount=-sent.subtotal)
    _allocate(made, order_lines)
    events.record_order_event(sent, OrderEvent.Kind.PLACED, actor=actor)
    return transitions.approve_order(sent.pk, actor=actor)


def _copy_order(order: Order, made: ReturnAuthorization, subtotal: Decimal) -> Order:
    now = timezone.now()
    promised = _promise_again(order, now)
    return Order.objects.create(
        **{name: getattr(order, name) for name in ADDRESS_FIELDS},
        email=order.email,
        customer=order.customer,
        source=Order.Source.EXCHANGE,
        status=Order.Status.CONFIRMED,
        payment_status=Order.PaymentStatus.PAID,
        currency=made.currency,
        subtotal=subtotal,
        total=0,
        shipping_method=order.shipping_method,
        shipping_name="Collected in exchange" if order.pickup_store_id else "Sent in exchange",
        carrier=order.carrier,
        pickup_store_id=order.pickup_store_id,
        pickup_code=draw_pickup_code() if order.pickup_store_id else "",
        pickup_ready_at=promised.ready_at if promised else None,
        zone_name=order.zone_name,
        zone_days=order.zone_days,
        carrier_may_write=order.carrier_may_write,
        return_window_days=order.return_window_days,
        pays_return_postage=order.pays_return_postage,
        offers_exchange=order.offers_exchange,
        return_refund_days=order.return_refund_days,
        placed_at=now,
        ships_on=promised.ships_on if promised else None,
        promised_from_on=promised.from_on if promised else None,
        promised_by_on=promised.by_on if promised else None,
        moved_days=(promised.moved_days if promised else None) or 0,
    )


def _promise_again(order: Order, now: datetime) -> Promise | None:
    """From now on, the way it went before."""
    if order.shipping_method is None:
        return None
    terms = shop_terms.load_terms()
    calendar = terms.get_order_calendar(order)
    promised = promise.compute_promise(calendar, order.shipping_method, availability=ReservedGoods(), now=now)
    if promised is None or not order.pickup_store_id:
        return promised
    return pickup.set_ready_again(promised, order.shipping_method, calendar, terms, now)


def _make_line(sent: Order, line: ReturnLine, variant: Variant) -> OrderLine:
    old = line.order_line
    return OrderLine(
        order=sent,
        product=variant.product,
        variant=variant,
        sku=variant.sku,
        title=variant.product.title,
        options=variant.label,
        quantity=line.quantity,
        unit_price=get_exchange_price(line),
        guarantee_years=old.guarantee_years,
        is_gift=old.is_gift,
        is_excluded=old.is_excluded,
        is_left_out_of_returns=old.is_left_out_of_returns,
    )


def _allocate(made: ReturnAuthorization, order_lines: list[OrderLine]) -> None:
    wanted: Counter[int] = Counter()
    for line in order_lines:
        wanted[line.variant_id or 0] += line.quantity
    try:
        records = stock.allocate_stock(wanted, store_id=made.order.pickup_store_id)
    except OutOfStock as refusal:
        gone = next(line for line in order_lines if line.variant_id == refusal.variant_id)
        raise TransitionRefused(
            f"{made.number}: of {gone.title} {gone.options} there is not enough left. Wait for more, or give the "
            "money back."
        ) from refusal
    Allocation.objects.bulk_create(
        Allocation(order_line=line, record_id=records[line.variant_id or 0], quantity=line.quantity)
        for line in order_lines
    )
