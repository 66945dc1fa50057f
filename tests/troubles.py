"""What goes otherwise in a shop's year, over the history of `tests.history`: its orders stay as many as they were.

So many of each in 10,000 orders. They are guesses at a shop of this size; no queue is empty.
"""

import itertools
from collections.abc import Iterator
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from orders import stages
from orders.models import (
    Allocation,
    DelayNotice,
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    Refund,
    ReturnAuthorization,
    Shipment,
    ShipmentLine,
    StripeRecord,
    Withdrawal,
)
from orders.models.order import draw_pickup_code
from shop.catalog.models import StockRecord
from tests import builders

Stage = Shipment.Stage
ON_THE_ROAD = {
    Stage.WAITING: 40,
    Stage.PICKING: 15,
    Stage.PICKED: 20,
    Stage.PACKED: 25,
    Stage.DISPATCHED: 80,
    Stage.IN_TRANSIT: 150,
    Stage.OUT_FOR_DELIVERY: 40,
    Stage.FAILED_ATTEMPT: 12,
    Stage.UNDELIVERABLE: 6,
    Stage.RETURNED: 6,
    Stage.BACK: 4,
}
AT_THE_COUNTER = {Stage.PACKED: 5, Stage.READY: 20}
UNCOLLECTED, BACKORDERED, LATE, DENIED, HELD = 5, 60, 15, 10, 8
DELAYS, ANSWERED_DELAYS = 25, 60
AT_THE_BANK, BY_LINK, FLAGGED, LOST_REFUNDS = 20, 10, 3, 3
RETURNS, OPEN_RETURNS, WITHDRAWALS, OPEN_WITHDRAWALS, OVER_DISPUTES = 600, 40, 200, 15, 15
_PAYMENTS = """
    INSERT INTO orders_payment
        (order_id, provider, note, idempotency_key, provider_reference, payment_intent, redirect_url, amount, currency,
         status, problem, created_at, captured_at)
    SELECT id, 'stripe', '', gen_random_uuid(), 'cs_' || id, 'pi_' || id, '', total, currency, 'captured', '',
           placed_at, placed_at
    FROM orders_order WHERE id NOT IN (SELECT order_id FROM orders_payment)"""
_COUNT_IN = 10_000


class _Past:
    """Orders that went well, the latest first; each is taken for one thing alone."""

    def __init__(self) -> None:
        done = Order.objects.filter(status=Order.Status.COMPLETED).order_by("-placed_at")
        self._left: Iterator[int] = iter(list(done.values_list("pk", flat=True)))
        self._count = Order.objects.count()

    def take(self, share: int) -> list[int]:
        return list(itertools.islice(self._left, round(self._count * share / _COUNT_IN)))


def trouble_history() -> None:
    past = _Past()
    with connection.cursor() as cursor:
        cursor.execute(_PAYMENTS)
    _leave_on_the_road(past)
    _put_aside(past)
    _wait_for_goods(past)
    _tell_of_delays(past)
    _hold(past)
    _leave_unpaid(past)
    Shipment.objects.filter(order__in=past.take(DENIED)).update(denied_at=timezone.now())
    _take_back(past)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _open(orders: list[int], stage: Stage, *, ships_in: int = 1, **parcel: object) -> None:
    """Confirmed and come so far, with a day on which they were to leave."""
    now = timezone.now()
    row = stages.get_stage(stage)
    if not row.has_left:
        parcel = {"dispatched_at": None, **parcel}
    Shipment.objects.filter(order__in=orders).update(stage=stage, delivered_at=None, **parcel)
    Order.objects.filter(pk__in=orders).update(
        status=Order.Status.CONFIRMED,
        fulfilment_status=row.progress.fulfilment_status,
        ships_on=now.date() + timedelta(days=ships_in),
        promised_by_on=now.date() + timedelta(days=ships_in + 3),
    )


def _leave_on_the_road(past: _Past) -> None:
    for stage, share in ON_THE_ROAD.items():
        _open(past.take(share), stage)
    _open(past.take(LATE), Stage.WAITING, ships_in=-2)


def _put_aside(past: _Past) -> None:
    now = timezone.now()
    for stage, share in AT_THE_COUNTER.items():
        orders = past.take(share)
        _open(orders, stage, carrier="", ready_at=now if stage == Stage.READY else None)
        for order in orders:
            Order.objects.filter(pk=order).update(
                pickup_store=builders.store(), pickup_code=draw_pickup_code(), carrier=""
            )
    longest = Shipment.objects.filter(stage=Stage.READY).order_by("pk").values("pk")[:UNCOLLECTED]
    Shipment.objects.filter(pk__in=list(longest.values_list("pk", flat=True))).update(ready_at=now - timedelta(days=60))


def _wait_for_goods(past: _Past) -> None:
    orders = past.take(BACKORDERED)
    _open(orders, Stage.WAITING, ships_in=9)
    item = builders.variant(on_hand=0)
    record = item.stock.get()
    StockRecord.objects.filter(pk=record.pk).update(backorder_limit=len(orders), allocated=len(orders))
    lines = OrderLine.objects.bulk_create(
        OrderLine(
            order_id=order,
            product=item.product,
            variant=item,
            sku=item.sku,
            title=item.product.title,
            quantity=1,
            unit_price=item.price,
        )
        for order in orders
    )
    Allocation.objects.bulk_create(Allocation(order_line=line, record=record, quantity=1) for line in lines)
    parcels = dict(Shipment.objects.filter(order__in=orders).values_list("order", "pk"))
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment_id=parcels[line.order_id], order_line=line, quantity=1) for line in lines
    )


def _tell_of_delays(past: _Past) -> None:
    today, now = timezone.localdate(), timezone.now()
    open_orders, answered = past.take(DELAYS), past.take(ANSWERED_DELAYS)
    _open(open_orders, Stage.WAITING, ships_in=7)
    DelayNotice.objects.bulk_create(
        DelayNotice(
            order_id=order,
            number=1,
            reason=DelayNotice.Reason.BEHIND,
            rule=DelayNotice.Rule.SILENCE_CANCELS if order % 3 == 0 else DelayNotice.Rule.SILENCE_WAITS,
            was_by_on=today,
            new_by_on=today + timedelta(days=10),
            deadline_on=today + timedelta(days=10) if order % 3 == 0 else None,
            answer="" if order in open_orders else DelayNotice.Answer.WAIT,
            answered_at=None if order in open_orders else now,
        )
        for order in (*open_orders, *answered)
    )


def _hold(past: _Past) -> None:
    held, over = past.take(HELD), past.take(OVER_DISPUTES)
    _open(held, Stage.WAITING)
    Order.objects.filter(pk__in=held).update(hold=Order.Hold.DISPUTED, payment_status=Order.PaymentStatus.DISPUTED)
    now = timezone.now()
    StripeRecord.objects.bulk_create(
        StripeRecord(
            kind=StripeRecord.Kind.DISPUTE,
            reference=f"dp_{paid.pk}",
            charge=f"ch_{paid.pk}",
            payment=paid,
            amount=paid.amount,
            currency=paid.currency,
            status="needs_response" if paid.order_id in held else "won",
            reason="product_not_received",
            created_at=now,
            seen_at=now,
            due_at=now + timedelta(days=5),
        )
        for paid in Payment.objects.filter(order__in=[*held, *over])
    )


def _leave_unpaid(past: _Past) -> None:
    at_the_bank, by_link = past.take(AT_THE_BANK), past.take(BY_LINK)
    unpaid = [*at_the_bank, *by_link]
    for table in (Shipment, OrderEvent):
        table.objects.filter(order__in=unpaid).delete()
    Payment.objects.filter(order__in=by_link).delete()
    Payment.objects.filter(order__in=at_the_bank).update(status=Payment.Status.PROCESSING, captured_at=None)
    fields = {"status": Order.Status.PENDING, "fulfilment_status": Order.FulfilmentStatus.UNFULFILLED}
    fields |= {"placed_at": None, "approved_at": None}
    Order.objects.filter(pk__in=at_the_bank).update(payment_status=Order.PaymentStatus.PROCESSING, **fields)
    Order.objects.filter(pk__in=by_link).update(
        payment_status=Order.PaymentStatus.UNPAID, pay_by_at=timezone.now() + timedelta(days=2), **fields
    )
    Payment.objects.filter(order__in=past.take(FLAGGED)).update(status=Payment.Status.FLAGGED)
    _refund(past.take(LOST_REFUNDS), status=Refund.Status.FAILED)


def _refund(orders: list[int], *, status: str) -> dict[int, Refund]:
    """By the order's key."""
    paid = Payment.objects.filter(order__in=orders)
    made = Refund.objects.bulk_create(
        Refund(payment=each, amount=each.amount, currency=each.currency, status=status, settled_at=timezone.now())
        for each in paid
    )
    return {each.payment.order_id: each for each in made}


def _take_back(past: _Past) -> None:
    back, withdrawn = past.take(RETURNS), past.take(WITHDRAWALS)
    still_open = {*back[:OPEN_RETURNS], *withdrawn[:OPEN_WITHDRAWALS]}
    refunds = _refund([pk for pk in (*back, *withdrawn) if pk not in still_open], status=Refund.Status.SUCCEEDED)
    ReturnAuthorization.objects.bulk_create(_build_return(order, refunds.get(order)) for order in back)
    Withdrawal.objects.bulk_create(_build_withdrawal(order, refunds.get(order)) for order in withdrawn)


def _build_return(order: int, refund: Refund | None) -> ReturnAuthorization:
    """Settled where there is a refund. Every fifth thing is faulty; of every second the goods are here."""
    is_faulty, is_here, now = order % 5 == 0, order % 2 == 1, timezone.now()
    kinds, wanted = ReturnAuthorization.Kind, ReturnAuthorization.Wanted
    return ReturnAuthorization(
        order_id=order,
        kind=kinds.FAULTY if is_faulty else kinds.RETURN,
        wanted=wanted.REPAIR if is_faulty else wanted.REFUND,
        reason=ReturnAuthorization.Reason.OTHER,
        piece_count=1,
        currency="GBP",
        goods_amount=20,
        requested_at=now,
        received_at=now if is_here else None,
        due_on=_draw_due_day(order) if is_here else None,
        settled_at=now if refund else None,
        settled_as=wanted.REFUND if refund else "",
        refund=refund,
    )


def _build_withdrawal(order: int, refund: Refund | None) -> Withdrawal:
    now = timezone.now()
    return Withdrawal(
        order_id=order,
        way=Withdrawal.Way.ORDER,
        contents="1 × Thing",
        piece_count=1,
        declared_at=now,
        has_left=True,
        currency="GBP",
        goods_amount=20,
        delivery_amount=0,
        due_on=_draw_due_day(order),
        settled_at=now if refund else None,
        refund=refund,
    )


def _draw_due_day(order: int) -> date:
    """From three days ago on."""
    return timezone.localdate() + timedelta(days=order % 9 - 3)
