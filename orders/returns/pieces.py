"""How many pieces of an order's lines may still go back: bought, less what was withdrawn from or is going back already.

Read under the order's lock by whoever takes some of them, so that two at once never take more than there are.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q, Sum

from orders import stages
from orders.models import Order, OrderLine, ReturnLine, Shipment, ShipmentLine, WithdrawalLine
from orders.models.withdrawal import MONEY_IS_BACK
from orders.order_facts import OrderFacts
from orders.payments import refund_parts


def count_sent_pieces_left(order: Order) -> dict[OrderLine, int]:
    """Of the pieces that are left, those in parcels that came or are on their way to the buyer, and that were not paid
    back. Six queries.
    """
    return _count_sent_less(order, dict(_count_withdrawn(order)), count_going_back(order))


def has_anything_gone_back(order: Order, facts: OrderFacts) -> bool:
    """Whether goods or money of it may have: where not, a page need not count. Prefetch `withdrawals`."""
    is_paid_back = order.payment_status in MONEY_IS_BACK
    return is_paid_back or facts.has_returns or facts.has_refunds or bool(order.withdrawals.all())


def is_any_kept(order: Order, facts: OrderFacts) -> bool:
    """Of what was sent. Six queries for an order of which something went back. Prefetch `withdrawals`."""
    if stages.KEPT_STAGES.isdisjoint(facts.stages):
        return False
    return not has_anything_gone_back(order, facts) or bool(count_sent_pieces_left(order))


def list_parcels_to_deny(order: Order, facts: OrderFacts) -> set[int]:
    """The keys of the parcels of which the buyer may say that they did not come.

    Said to be delivered, with something in it that has not come back, is not sent back by them and was not paid back.
    Six queries, or seven, for an order of which something went back. Prefetch `shipments` and `withdrawals`.
    """
    if order.status == Order.Status.CANCELLED or order.payment_status in MONEY_IS_BACK:
        return set()
    said_here = {parcel.pk for parcel in order.shipments.all() if parcel.stage == Shipment.Stage.DELIVERED}
    if not said_here or not has_anything_gone_back(order, facts):
        return said_here
    seen = Q(withdrawal__goods_back_at__isnull=False) | Q(withdrawal__settled_at__isnull=False)
    withdrawn = WithdrawalLine.objects.filter(seen, withdrawal__order=order, withdrawal__set_aside_at=None)
    sent_back = ReturnLine.objects.filter(return_authorization__in=order.returns.standing().values("pk"))
    left = _count_sent_less(order, dict(_sum_by_line(withdrawn)), dict(_sum_by_line(sent_back)))
    holding = order.shipments.filter(Q(lines__order_line__in=left) | Q(lines=None), pk__in=said_here)
    return set(holding.values_list("pk", flat=True))


def _count_sent_less(order: Order, *gone: Mapping[int, int]) -> dict[OrderLine, int]:
    """Pieces in parcels that did not come back, less those gone; money that went back for a piece takes it as well."""
    if order.payment_status in MONEY_IS_BACK:
        return {}
    sent = ShipmentLine.objects.filter(shipment__order=order, shipment__stage__in=stages.KEPT_STAGES)
    counts, refunded = dict(_sum_by_line(sent)), refund_parts.count_refunded_pieces(order)
    left = {}
    for line in order.lines.select_related("product"):
        taken = max(sum(each.get(line.pk, 0) for each in gone), refunded[line] - line.cancelled_quantity)
        if (count := counts.get(line.pk, 0) - taken) > 0:
            left[line] = count
    return left


def count_gone(order: Order) -> dict[OrderLine, int]:
    """Pieces by line that were cancelled, withdrawn from, or go back already."""
    gone = dict(_count_withdrawn(order))
    for line_id, count in count_going_back(order).items():
        gone[line_id] = gone.get(line_id, 0) + count
    return {line: gone.get(line.pk, 0) + line.cancelled_quantity for line in order.lines.all()}


def count_going_back(order: Order) -> dict[int, int]:
    """Pieces by line that are on their way back or came back, and were not repaired."""
    taken = order.returns.taking().values("pk")
    return dict(_sum_by_line(ReturnLine.objects.filter(return_authorization__in=taken)))


def mark_returned_lines(order: Order) -> None:
    """Marks the lines of which nothing is kept, and no others: recommendations read those alone that are kept.

    What is being repaired is kept. The caller holds the order's lock and has written what takes pieces or gives them
    back.
    """
    gone = dict(_count_withdrawn(order))
    leaving = order.returns.leaving().values("pk")
    for line_id, count in _sum_by_line(ReturnLine.objects.filter(return_authorization__in=leaving)):
        gone[line_id] = gone.get(line_id, 0) + count
    for line in order.lines.all():
        is_returned = gone.get(line.pk, 0) >= max(line.open_quantity, 1)
        if line.is_returned != is_returned:
            order.lines.filter(pk=line.pk).update(is_returned=is_returned)


def _count_withdrawn(order: Order) -> list[tuple[int, int]]:
    return _sum_by_line(WithdrawalLine.objects.filter(withdrawal__order=order, withdrawal__set_aside_at=None))


def _sum_by_line(rows: Any) -> list[tuple[int, int]]:
    return list(rows.order_by().values_list("order_line").annotate(count=Sum("quantity")))


def describe_pieces(pieces: Mapping[OrderLine, int] | Iterable[tuple[OrderLine, int]]) -> list[str]:
    """A line of text for each thing."""
    items = pieces.items() if isinstance(pieces, Mapping) else pieces
    return [f"{count} × {line.title}" + (f" ({line.options})" if line.options else "") for line, count in items]
