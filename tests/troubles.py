"""What goes otherwise in a shop's year, over the history of `tests.history`: its orders stay as many as they were.

So many of each in 10,000 orders. They are guesses at a shop of this size; no queue is empty. What waits for staff is as
much however long the past is (`fill_queues`); what came to an end grows with it (`leave_traces`).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

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
    ReturnLine,
    Shipment,
    ShipmentLine,
    StripeRecord,
    Withdrawal,
    WithdrawalStatement,
)
from orders.models.order import draw_pickup_code
from shop.catalog.models import StockRecord
from tests import builders
from tests.history import COUNT_PROMISED

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
UNCOLLECTED, BACKORDERED, LATE, IN_TWO, DENIED, HELD = 5, 60, 15, 20, 10, 8
DELAYS, ANSWERED_DELAYS = 25, 60
AT_THE_BANK, BY_LINK, FLAGGED, LOST_REFUNDS = 20, 10, 3, 3
OPEN_RETURNS, FAILED_RETURNS, RETURNS, REFUSED_RETURNS = 40, 2, 560, 30
OPEN_WITHDRAWALS, WITHDRAWALS, LATE_WITHDRAWALS, SET_ASIDE = 15, 185, 4, 10
STRAY_STATEMENTS, OVER_DISPUTES = 3, 15
# Goods that have not left are promised again.
_UNSEND = """
    UPDATE orders_allocation SET consumed_at = NULL
    FROM orders_shipmentline inside JOIN orders_shipment s ON s.id = inside.shipment_id
    WHERE inside.order_line_id = orders_allocation.order_line_id AND s.dispatched_at IS NULL"""
_COUNT_IN = 10_000
DAY = timedelta(days=1)


class _Past:
    """Orders that went well, the latest first; each is taken for one thing alone."""

    def __init__(self, *, after: int = 0) -> None:
        every = Order.objects.filter(pk__gt=after)
        done = every.filter(status=Order.Status.COMPLETED, payment_status=Order.PaymentStatus.PAID)
        self._left = list(done.order_by("-placed_at").values_list("pk", flat=True))
        self._share = every.count() / _COUNT_IN

    def take(self, count: int) -> list[int]:
        """The latest."""
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def take_with_two_lines(self, count: int) -> list[int]:
        taken = [pk for pk in self._left if pk % 3 == 0][:count]
        return self._without(taken)

    def take_share(self, share: int) -> list[int]:
        """So many in 10,000, from all the year."""
        count = round(share * self._share)
        return self._without(self._left[:: max(1, len(self._left) // count)][:count] if count else [])

    def _without(self, taken: list[int]) -> list[int]:
        gone = set(taken)
        self._left = [pk for pk in self._left if pk not in gone]
        return taken


def trouble_history() -> None:
    past = _Past()
    fill_queues(past)
    leave_traces(past)


def lengthen_past(*, after: int) -> None:
    """The same of orders that came into the history since the one of that key, all of which are done."""
    leave_traces(_Past(after=after))


def fill_queues(past: _Past) -> None:
    _leave_on_the_road(past)
    _put_aside(past)
    _wait_for_goods(past)
    _send_in_two(past)
    open_orders = past.take(DELAYS)
    _open(open_orders, Stage.WAITING, ships_in=7)
    _tell_of_delays(open_orders, answer="")
    _hold(past)
    _leave_unpaid(past)
    denied = past.take(DENIED)
    Shipment.objects.filter(order__in=denied).update(denied_at=timezone.now() - DAY)
    Order.objects.filter(pk__in=denied).update(has_denied_delivery=True)
    _ask_to_send_back(past)
    with connection.cursor() as cursor:
        for statement in (_UNSEND, COUNT_PROMISED):
            cursor.execute(statement)


def leave_traces(past: _Past) -> None:
    _tell_of_delays(past.take_share(ANSWERED_DELAYS), answer=DelayNotice.Answer.WAIT)
    _dispute(past.take_share(OVER_DISPUTES), status="won")
    returns = past.take_share(RETURNS)
    _send_back(returns, refunds=_refund(returns))
    _send_back(past.take_share(REFUSED_RETURNS), refused_at=timezone.now(), refused_reason="Worn")
    withdrawn = past.take_share(WITHDRAWALS)
    _withdraw(withdrawn, refunds=_refund(withdrawn), goods_back_at=timezone.now())
    _withdraw(past.take_share(SET_ASIDE), set_aside_at=timezone.now(), set_aside_reason="Said twice")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _open(orders: list[int], stage: Stage, *, ships_in: int = 1, **parcel: object) -> None:
    """Confirmed and come so far, with a day on which they were to leave."""
    now = timezone.now()
    row = stages.get_stage(stage)
    if not row.has_left:
        parcel = {"dispatched_at": None, "tracking_number": "", **parcel}
    Shipment.objects.filter(order__in=orders).update(stage=stage, delivered_at=None, **parcel)
    Order.objects.filter(pk__in=orders).update(
        status=Order.Status.CONFIRMED,
        fulfilment_status=row.progress.fulfilment_status,
        ships_on=now.date() + timedelta(days=ships_in),
        promised_by_on=now.date() + timedelta(days=ships_in + 3),
    )


def _leave_on_the_road(past: _Past) -> None:
    for stage, count in ON_THE_ROAD.items():
        _open(past.take(count), stage)
    _open(past.take(LATE), Stage.WAITING, ships_in=-2)


def _put_aside(past: _Past) -> None:
    now = timezone.now()
    for stage, count in AT_THE_COUNTER.items():
        orders = past.take(count)
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


def _send_in_two(past: _Past) -> None:
    """The first parcel of each is on the road, of every fourth late to leave; the rest waits."""
    orders, today = past.take_with_two_lines(IN_TWO), timezone.localdate()
    late, sent = orders[::4], [pk for pk in orders if pk not in orders[::4]]
    _open(sent, Stage.IN_TRANSIT, ships_in=8)
    _open(late, Stage.WAITING, ships_in=8)
    Order.objects.filter(pk__in=orders).update(ships_as_ready=True)
    Order.objects.filter(pk__in=sent).update(fulfilment_status=Order.FulfilmentStatus.PARTLY_SENT)
    first = {line.order_id: line.pk for line in OrderLine.objects.filter(order__in=orders).order_by("-pk")}
    days = {"ships_on": today - DAY, "promised_from_on": today + DAY, "promised_by_on": today + 2 * DAY}
    OrderLine.objects.filter(pk__in=first.values()).update(goes_first=True, **days)
    store = builders.store()
    parcels = Shipment.objects.bulk_create(Shipment(order_id=order, store=store) for order in orders)
    for parcel in parcels:
        rest = ShipmentLine.objects.filter(order_line__order=parcel.order_id).exclude(order_line=first[parcel.order_id])
        rest.update(shipment=parcel)


def _tell_of_delays(orders: list[int], *, answer: str) -> None:
    today, now = timezone.localdate(), timezone.now()
    DelayNotice.objects.bulk_create(
        DelayNotice(
            order_id=order,
            number=1,
            reason=DelayNotice.Reason.BEHIND,
            rule=DelayNotice.Rule.SILENCE_CANCELS if order % 3 == 0 else DelayNotice.Rule.SILENCE_WAITS,
            was_by_on=today,
            new_by_on=today + timedelta(days=10),
            deadline_on=today + timedelta(days=10) if order % 3 == 0 else None,
            answer=answer,
            answered_at=now if answer else None,
        )
        for order in orders
    )


def _hold(past: _Past) -> None:
    held = past.take(HELD)
    _open(held, Stage.WAITING)
    Order.objects.filter(pk__in=held).update(hold=Order.Hold.DISPUTED, payment_status=Order.PaymentStatus.DISPUTED)
    _dispute(held, status="needs_response")


def _dispute(orders: list[int], *, status: str) -> None:
    now = timezone.now()
    StripeRecord.objects.bulk_create(
        StripeRecord(
            kind=StripeRecord.Kind.DISPUTE,
            reference=f"dp_{paid.pk}",
            charge=f"ch_{paid.pk}",
            payment=paid,
            amount=paid.amount,
            currency=paid.currency,
            status=status,
            reason="product_not_received",
            created_at=now - 2 * DAY,
            seen_at=now,
            due_at=now + timedelta(days=5),
        )
        for paid in Payment.objects.filter(order__in=orders)
    )


def _leave_unpaid(past: _Past) -> None:
    at_the_bank, by_link = past.take(AT_THE_BANK), past.take(BY_LINK)
    unpaid = [*at_the_bank, *by_link]
    Allocation.objects.filter(order_line__order__in=unpaid).update(consumed_at=None)
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


def _refund(orders: list[int], *, status: str = Refund.Status.SUCCEEDED) -> dict[int, Refund]:
    """By the order's key. It was paid out ten days after the order, where that is over."""
    now = timezone.now()
    made = Refund.objects.bulk_create(
        Refund(
            payment=paid,
            amount=paid.amount,
            currency=paid.currency,
            status=status,
            settled_at=min(now, (paid.captured_at or now) + 10 * DAY),
        )
        for paid in Payment.objects.filter(order__in=orders)
    )
    if status == Refund.Status.SUCCEEDED:
        Order.objects.filter(pk__in=orders).update(payment_status=Order.PaymentStatus.REFUNDED)
    return {each.payment.order_id: each for each in made}


def _ask_to_send_back(past: _Past) -> None:
    """Of every second return the goods are here; the refund of a few has failed."""
    _send_back(past.take(OPEN_RETURNS))
    failed = past.take(FAILED_RETURNS)
    _send_back(failed, refunds=_refund(failed, status=Refund.Status.FAILED))
    declared = past.take(OPEN_WITHDRAWALS)
    _withdraw(declared[::2])
    _withdraw(declared[1::2], goods_back_at=timezone.now())
    too_late = {"is_late": True, "ends_on": timezone.localdate() - 3 * DAY}
    _withdraw(past.take(LATE_WITHDRAWALS), **too_late)
    now = timezone.now()
    WithdrawalStatement.objects.bulk_create(
        WithdrawalStatement(
            number=f"{number}",
            email="who@example.com",
            full_name="Who",
            declared_at=now,
            looked_up_at=now,
            digest=number,
        )
        for number in range(STRAY_STATEMENTS)
    )


def _send_back(orders: list[int], *, refunds: dict[int, Refund] | None = None, **fields: object) -> None:
    lines = {line.order_id: line.pk for line in OrderLine.objects.filter(order__in=orders).order_by("-pk")}
    asked_at = _find_days_after(orders, 5)
    made = ReturnAuthorization.objects.bulk_create(
        _build_return(order, asked_at[order], (refunds or {}).get(order), fields) for order in orders
    )
    ReturnLine.objects.bulk_create(
        ReturnLine(return_authorization=each, order_line_id=lines[each.order_id], quantity=1) for each in made
    )


def _find_days_after(orders: Sequence[int], days: int) -> dict[int, datetime]:
    """So long after each was placed, or now."""
    placed = Order.objects.filter(pk__in=orders).values_list("pk", "placed_at")
    return {pk: min(timezone.now(), at + days * DAY) for pk, at in placed if at}


def _build_return(
    order: int, asked_at: datetime, refund: Refund | None, fields: dict[str, object]
) -> ReturnAuthorization:
    """Settled where there is a refund. Every fifth thing is faulty; of every second that is open the goods are here."""
    is_faulty, now = order % 5 == 0, timezone.now()
    is_here = refund is not None or (order % 2 == 1 and "refused_at" not in fields)
    kinds, wanted = ReturnAuthorization.Kind, ReturnAuthorization.Wanted
    reasons = ReturnAuthorization.Reason.values
    return ReturnAuthorization(
        order_id=order,
        kind=kinds.FAULTY if is_faulty else kinds.RETURN,
        wanted=wanted.REPAIR if is_faulty else wanted.REFUND,
        reason=reasons[order % len(reasons)],
        piece_count=1,
        currency="GBP",
        goods_amount=20,
        requested_at=asked_at,
        received_at=min(now, asked_at + 3 * DAY) if is_here else None,
        due_on=_draw_due_day(order) if is_here else None,
        inspected_at=now if refund else None,
        settled_at=now if refund else None,
        settled_as=wanted.REFUND if refund else "",
        refund=refund,
        **fields,
    )


def _withdraw(orders: list[int], *, refunds: dict[int, Refund] | None = None, **fields: object) -> None:
    refunds, declared_at = refunds or {}, _find_days_after(orders, 4)
    Withdrawal.objects.bulk_create(
        Withdrawal(
            order_id=order,
            way=Withdrawal.Way.ORDER,
            contents="1 × Thing",
            piece_count=1,
            declared_at=declared_at[order],
            has_left=True,
            currency="GBP",
            goods_amount=20,
            delivery_amount=0,
            due_on=_draw_due_day(order),
            settled_at=timezone.now() if order in refunds else None,
            refund=refunds.get(order),
            **fields,
        )
        for order in orders
    )


def _draw_due_day(order: int) -> date:
    """From three days ago on."""
    return timezone.localdate() + timedelta(days=order % 9 - 3)
