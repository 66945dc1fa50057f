"""Calling off some of an order before it leaves: its goods go back on the shelf, its share of the money to the buyer.

One transaction under the order's lock. A parcel that was picked or packed already goes back to the packing table, with
nothing scanned; one of which nothing is left is cancelled. Whoever calls off all that is left cancels the order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders import cancellation, events, stages, status
from orders.fulfilment import backorders, undoing
from orders.fulfilment.release import close_allocation, get_open_allocations
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, OrderEvent, OrderLine, PackingScan, Refund, Shipment, ShipmentLine
from orders.payments import line_refunds, refund_parts
from orders.payments.line_amounts import compute_goods_shares
from orders.payments.paid_orders import find_paid_order, lock_paid_order
from orders.payments.refund_parts import RefundSum
from orders.payments.refunds import find_refundable_payment, find_unrefundable_payment, try_send_refund
from orders.returns.declaring import count_pieces_left
from shop.catalog import stock

Stage = Shipment.Stage


@dataclass(frozen=True)
class CancelledLines:
    """`refund`: None where no money goes back. `is_whole`: nothing was left, so the order is cancelled."""

    order: Order
    refund: Refund | None
    is_whole: bool


def may_cancel_some(order: Order, lines: Iterable[OrderLine]) -> bool:
    """Whether something of it may be called off that “Cancel this order” does not do. For a page: no query.

    Prefetch `shipments`.
    """
    if order.status != Order.Status.CONFIRMED:
        return False
    gone = stages.DISPATCHED_STAGES | stages.OFF_THE_ROAD
    parcels = order.shipments.all()
    is_any_here = order.approved_at is None or any(parcel.stage not in gone for parcel in parcels)
    has_any_left = any(parcel.stage in stages.DISPATCHED_STAGES for parcel in parcels)
    return is_any_here and (has_any_left or sum(line.open_quantity for line in lines) > 1)


def count_cancellable_pieces(order: Order) -> dict[OrderLine, int]:
    """By line, how many pieces have not left and nobody has withdrawn from; without the lines of which none is so."""
    if order.status != Order.Status.CONFIRMED:
        return {}
    standing = order.withdrawals.standing().prefetch_related("lines")
    left = count_pieces_left(order, standing)
    if order.approved_at is not None:
        here = _count_pieces_here(order)
        left = {line: min(count, here.get(line.pk, 0)) for line, count in left.items()}
    return {line: count for line, count in left.items() if count > 0}


def _count_pieces_here(order: Order) -> dict[int, int]:
    counts: dict[int, int] = {}
    for row in _find_lines_here(order):
        counts[row.order_line_id] = counts.get(row.order_line_id, 0) + row.quantity
    return counts


def _find_lines_here(order: Order) -> list[ShipmentLine]:
    """What has not left: first what nobody has begun, then by parcel, the newest first."""
    gone = [*stages.DISPATCHED_STAGES, *stages.OFF_THE_ROAD]
    rows = ShipmentLine.objects.filter(shipment__order=order).exclude(shipment__stage__in=gone)
    found = rows.select_related("shipment").order_by("pk")
    return sorted(found, key=lambda row: (row.shipment.stage == Stage.WAITING, row.shipment_id), reverse=True)


def count_cancelled(order: Order) -> int:
    """What a form shows and sends back, so that one sent twice cancels once."""
    return sum(line.cancelled_quantity for line in order.lines.all())


def compute_cancelled_share(order: Order, pieces: Mapping[OrderLine, int]) -> RefundSum:
    """What goes back for them: their share, no more than is left; with the last of the order, all that is left."""
    _, left = find_refundable_payment(find_paid_order(order))
    refunded = refund_parts.count_refunded_pieces(order)
    paid = {line: min(count, line.quantity - refunded[line]) for line, count in pieces.items()}
    owed = {line: count for line, count in paid.items() if count > 0}
    shares = compute_goods_shares(order, owed, before=refunded)
    return refund_parts.cut_to_what_is_left(RefundSum(owed, shares), left)


def compute_gives_back(order: Order, pieces: Mapping[OrderLine, int]) -> Decimal:
    """The sum that is shown before."""
    if is_all_that_is_open(order, pieces):
        return cancellation.compute_money_back(order)
    return compute_cancelled_share(order, pieces).total


def is_all_that_is_open(order: Order, pieces: Mapping[OrderLine, int]) -> bool:
    return {line: line.open_quantity for line in order.lines.all() if line.open_quantity} == dict(pieces)


def cancel_lines(
    order_id: int, quantities: Mapping[int, int], *, actor: str, seen_cancelled: int, reason: str = ""
) -> CancelledLines:
    """Cancels so many pieces of these lines, by their keys. Raises `TransitionRefused`, and then nothing changes.

    `seen_cancelled`: the `count_cancelled` that whoever asks was shown.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        if count_cancelled(order) != seen_cancelled:
            raise TransitionRefused(f"{order.number} was changed meanwhile. Look again.")
        pieces = _choose_pieces(order, quantities)
        is_whole = is_all_that_is_open(order, pieces)
        if is_whole:
            refund = cancellation.cancel_locked_order(order, actor=actor, reason=reason)
        else:
            refund = _cancel_some(order, pieces, actor=actor, reason=reason)
    if refund:
        try_send_refund(refund.pk)
        refund.refresh_from_db()
        order.refresh_from_db()
    return CancelledLines(order, refund, is_whole)


def has_some_here(order: Order, *, of_first: bool) -> bool:
    """Whether any of it can be called off: nothing has left, or not everything; of two parcels, one of them."""
    if not order.ships_as_ready:
        return cancellation.may_cancel(order) or bool(count_cancellable_pieces(order))
    return bool(_choose_parcel(count_cancellable_pieces(order), of_first=of_first))


def cancel_what_is_here(order: Order, *, of_first: bool, actor: str, reason: str = "") -> Refund | None:
    """The whole order where nothing has left, else the rest of it. Raises `TransitionRefused` once all has left.

    Of an order in two parcels one of them: the first where it is `of_first`, else the other. The caller holds the
    order's lock, and sends the refund after it.
    """
    pieces = count_cancellable_pieces(order)
    mine = _choose_parcel(pieces, of_first=of_first) if order.ships_as_ready else pieces
    if pieces and not mine:
        raise TransitionRefused(f"{order.number}: that parcel has left; it can no longer be cancelled.")
    if mine and not (cancellation.may_cancel(order) and mine == pieces):
        return _cancel_some(order, mine, actor=actor, reason=reason)
    return cancellation.cancel_locked_order(order, actor=actor, reason=reason)


def _choose_parcel(pieces: Mapping[OrderLine, int], *, of_first: bool) -> dict[OrderLine, int]:
    return {line: count for line, count in pieces.items() if line.goes_first == of_first}


def _choose_pieces(order: Order, quantities: Mapping[int, int]) -> dict[OrderLine, int]:
    if order.status != Order.Status.CONFIRMED:
        raise TransitionRefused(f"{order.number} is not a paid, open order.")
    if find_unrefundable_payment(find_paid_order(order)) is not None:
        raise TransitionRefused(
            f"{order.number}: the buyer's bank holds the money, so none of it can go back. Wait for its decision, or "
            "cancel the whole order."
        )
    cancellable = {line.pk: (line, count) for line, count in count_cancellable_pieces(order).items()}
    wanted = {line_id: count for line_id, count in quantities.items() if count > 0}
    if not wanted:
        raise TransitionRefused(f"{order.number}: say what is cancelled, at least one thing.")
    for line_id, count in wanted.items():
        if line_id not in cancellable or count > cancellable[line_id][1]:
            raise TransitionRefused(_explain_too_many(order, line_id, cancellable))
    return {cancellable[line_id][0]: count for line_id, count in wanted.items()}


def _explain_too_many(order: Order, line_id: int, cancellable: Mapping[int, tuple[OrderLine, int]]) -> str:
    title = next((line.title for line in order.lines.all() if line.pk == line_id), "that")
    if line_id not in cancellable:
        return f"{order.number}: {title} has left, was cancelled, or was withdrawn from. Look again."
    return f"{order.number}: of {title} {cancellable[line_id][1]} can be cancelled. Look again."


def _cancel_some(order: Order, pieces: Mapping[OrderLine, int], *, actor: str, reason: str) -> Refund | None:
    paid = lock_paid_order(order)
    due = compute_cancelled_share(order, pieces)
    refund = line_refunds.request_refund_of_parts(paid, due, actor=actor, reason=reason) if due.total else None
    for line, count in pieces.items():
        order.lines.filter(pk=line.pk).update(cancelled_quantity=F("cancelled_quantity") + count)
    taken_from = _take_out_of_parcels(order, pieces, actor=actor)
    _release_pieces(order, pieces)
    what = ", ".join(refund_parts.describe_pieces(line, count) for line, count in pieces.items())
    amount: dict[str, Any] = {"amount": str(due.total)} if due.total else {}
    told = f"{what}. {taken_from}{reason}".strip()
    events.record_order_event(order, OrderEvent.Kind.LINES_CANCELLED, actor=actor, what=what, reason=told, **amount)
    status.recalculate_and_record_hold(order)
    if paid is not order:
        status.recalculate_and_record_hold(paid)
    _complete_if_all_has_come(order)
    return refund


def _take_out_of_parcels(order: Order, pieces: Mapping[OrderLine, int], *, actor: str) -> str:
    """Also says what staff have to do about it, if anything."""
    missing, touched = {line.pk: count for line, count in pieces.items()}, set()
    for row in _find_lines_here(order):
        taken = min(row.quantity, missing.get(row.order_line_id, 0))
        if not taken:
            continue
        missing[row.order_line_id] -= taken
        touched.add(row.shipment_id)
        if taken == row.quantity:
            row.delete()
        else:
            ShipmentLine.objects.filter(pk=row.pk).update(quantity=F("quantity") - taken)
    parcels = Shipment.objects.select_for_update().filter(pk__in=touched).order_by("pk")
    return "".join({_open_again(order, parcel, actor=actor) for parcel in parcels})


def _open_again(order: Order, parcel: Shipment, *, actor: str) -> str:
    """A parcel that holds less than it did: empty, it is cancelled; begun, it is packed again from an empty box."""
    was_begun, was_packed = parcel.stage in (Stage.PICKED, Stage.PACKED), parcel.stage == Stage.PACKED
    if not parcel.lines.exists():
        parcel.stage = Stage.CANCELLED
    elif was_packed:
        undone = undoing.take_back_stage(parcel)
        events.record_order_event(
            order, OrderEvent.Kind.TAKEN_BACK, shipment=parcel, actor=actor, undone=undone, reason="Packed"
        )
    PackingScan.objects.filter(shipment_line__shipment=parcel).delete()
    parcel.packer = parcel.packing_begun_at = None
    parcel.save()
    return "Take it out: it was picked already. " if was_begun else ""


def _release_pieces(order: Order, pieces: Mapping[OrderLine, int]) -> None:
    """In the order in which stock is locked."""
    missing = {line.pk: count for line, count in pieces.items()}
    promised = list(get_open_allocations(order))
    for item in promised:
        released = min(item.quantity, missing.get(item.order_line_id, 0))
        if not released:
            continue
        missing[item.order_line_id] -= released
        stock.release_allocation(item.record_id, quantity=released)
        close_allocation(item, released, released_at=timezone.now())
    backorders.serve_waiting([item.record_id for item in promised])


def _complete_if_all_has_come(order: Order) -> None:
    """The rest was delivered before: nothing more is to come."""
    if order.fulfilment_status == Order.FulfilmentStatus.DELIVERED:
        order.status = Order.Status.COMPLETED
        order.save(update_fields=["status"])
