"""A buyer withdraws: what they declare is written down under the order's lock, and counts from the moment it came.

Nobody is refused for the time of it: a declaration after the period is kept as late, and staff read it. The same goods
declared again change nothing: the first declaration stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from orders import events, shop_terms, stages, status
from orders.events import BUYER
from orders.locks import lock_order
from orders.models import Order, OrderEvent, OrderLine, Withdrawal, WithdrawalLine
from orders.returns import amounts, deadlines, pieces
from orders.shop_terms import Terms

MOST_IN_WORDS = 5  # declarations in words of one order; further ones wait for staff, and mail nobody
CONTRACT_STATUSES = (Order.Status.CONFIRMED, Order.Status.COMPLETED)
NOTHING_LEFT = "Of what you chose nothing is left to withdraw from: it was cancelled, or is on its way back already."


class WithdrawalRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """There is no contract to withdraw from, or nothing was named; the message says so, for people."""


@dataclass(frozen=True)
class Declaration:
    """What the buyer says. `quantities`: pieces by order line; empty for the whole order, unless `words` name goods."""

    full_name: str
    acknowledged_to: str
    quantities: Mapping[int, int] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True)
class Declared:
    """`withdrawal`: the one that stands. `is_new`: False where it was declared before, and nothing was written."""

    withdrawal: Withdrawal
    is_new: bool


def has_contract(order: Order) -> bool:
    """Whether there is something to withdraw from: it was paid, or a bank is paying, and it was not called off.

    What was sent in exchange belongs to the contract that it was exchanged under.
    """
    if order.source == Order.Source.EXCHANGE:
        return False
    return order.status in CONTRACT_STATUSES or order.payment_status == Order.PaymentStatus.PROCESSING


def declare_withdrawal(
    order_id: int,
    declaration: Declaration,
    *,
    way: Withdrawal.Way,
    declared_at: datetime | None = None,
    actor: str = BUYER,
) -> Declared:
    """Writes the declaration down with its event, and stops what has not left. Raises `WithdrawalRefused`.

    `declared_at`: None for now. `actor`: whoever of the shop enters it, for the way `STAFF`.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        if not has_contract(order):
            raise WithdrawalRefused(f"Order {order.number} was called off, so there is nothing left to withdraw from.")
        standing = list(order.withdrawals.standing().select_related("refund").prefetch_related("lines"))
        left = count_pieces_left(order, standing)
        wanted = _choose_pieces(order, declaration, left)
        if earlier := _find_earlier(standing, declaration, wanted, is_any_left=bool(left)):
            return Declared(earlier, is_new=False)
        if not wanted and not declaration.words:
            raise WithdrawalRefused(NOTHING_LEFT)
        if declaration.words and sum(bool(each.words) for each in standing) >= MOST_IN_WORDS:
            raise WithdrawalRefused(f"So much was declared of order {order.number} in words that somebody has to look.")
        made = _write_down(
            order,
            declaration,
            wanted,
            standing,
            way=way,
            entered_by=actor if way == Withdrawal.Way.STAFF else "",
            declared_at=declared_at or timezone.now(),
        )
        pieces.mark_returned_lines(order)
        events.record_order_event(order, OrderEvent.Kind.WITHDRAWN, actor=actor, withdrawal=made.pk)
        _stop_what_has_not_left(order, made)
    return Declared(made, is_new=True)


def count_pieces_left(order: Order, standing: Iterable[Withdrawal]) -> dict[OrderLine, int]:
    """By line, how many pieces nobody has withdrawn from yet, and are not going back otherwise; without the lines of
    which none is left.
    """
    lines = list(order.lines.all())
    left = {line.pk: line.open_quantity for line in lines}
    for line_id, count in pieces.count_going_back(order).items():
        left[line_id] -= count
    for each in standing:
        for named in each.lines.all():
            left[named.order_line_id] -= named.quantity
    return {line: left[line.pk] for line in lines if left[line.pk] > 0}


def _choose_pieces(order: Order, declaration: Declaration, left: Mapping[OrderLine, int]) -> dict[OrderLine, int]:
    """What is newly withdrawn from; no more than is left. Goods named in words are for staff to read."""
    if declaration.words:
        return {}
    if not declaration.quantities:
        return dict(left)
    asked = declaration.quantities
    if not {line.pk for line in order.lines.all()} & {pk for pk, count in asked.items() if count > 0}:
        raise WithdrawalRefused("Please say what you withdraw from: at least one thing.")
    chosen = {line: min(count, asked.get(line.pk, 0)) for line, count in left.items()}
    return {line: count for line, count in chosen.items() if count > 0}


def _find_earlier(
    standing: list[Withdrawal], declaration: Declaration, wanted: Mapping[OrderLine, int], *, is_any_left: bool
) -> Withdrawal | None:
    """The first declaration that says the same already, if there is one."""
    if wanted or not standing:
        return None
    if declaration.words:
        same = (each for each in standing if each.words == declaration.words)
        return next(same, None if is_any_left else standing[0])
    asked = set(declaration.quantities)
    touching = (each for each in standing if not asked or asked & {line.order_line_id for line in each.lines.all()})
    return next(touching, standing[0])


def _write_down(
    order: Order,
    declaration: Declaration,
    wanted: Mapping[OrderLine, int],
    standing: list[Withdrawal],
    *,
    way: Withdrawal.Way,
    entered_by: str,
    declared_at: datetime,
) -> Withdrawal:
    terms = shop_terms.load_terms()
    parcels = order.shipments.all()
    period = deadlines.find_withdrawal_period(order, terms)
    made = Withdrawal(
        order=order,
        way=way,
        entered_by=entered_by,
        full_name=declaration.full_name,
        acknowledged_to=declaration.acknowledged_to,
        contents=_describe_contents(wanted, declaration.words),
        words=declaration.words,
        piece_count=sum(wanted.values()),
        declared_at=declared_at,
        ends_on=period.ends_on,
        is_late=not period.is_open_at(declared_at),
        has_left=any(parcel.stage in stages.DISPATCHED_STAGES for parcel in parcels),
        currency=order.currency,
        due_on=deadlines.compute_refund_day(declared_at),
    )
    _set_amounts(made, order, wanted, standing, terms)
    made.save()
    WithdrawalLine.objects.bulk_create(
        WithdrawalLine(withdrawal=made, order_line=line, quantity=count) for line, count in wanted.items()
    )
    return made


def _set_amounts(
    made: Withdrawal, order: Order, wanted: Mapping[OrderLine, int], standing: list[Withdrawal], terms: Terms
) -> None:
    if not wanted:
        return
    is_rest = dict(wanted) == count_pieces_left(order, standing) and not order.returns.taking().exists()
    owed = amounts.compute_owed(order, wanted, is_rest=is_rest, earlier=standing, methods=terms.methods)
    made.goods_amount, made.delivery_amount = owed.goods, owed.delivery


def _describe_contents(wanted: Mapping[OrderLine, int], words: str) -> str:
    """A line of text for each thing."""
    if words:
        return words
    return "\n".join(
        f"{count} × {line.title}" + (f" ({line.options})" if line.options else "") for line, count in wanted.items()
    )


def _stop_what_has_not_left(order: Order, made: Withdrawal) -> None:
    """An order of which nothing more is to leave waits until staff have looked (`orders.fulfilment.holds`)."""
    order.withdrawn_at = order.withdrawn_at or made.declared_at
    order.save(update_fields=["withdrawn_at"])
    status.recalculate_and_record_hold(order)


def is_all_withdrawn(
    lines: Iterable[OrderLine], withdrawals: Iterable[Withdrawal], *, going_back_count: int = 0
) -> bool:
    """Whether nothing of the order is left to withdraw from; by counts alone, without a query."""
    withdrawn_count = sum(each.piece_count for each in withdrawals if not each.set_aside_at)
    return sum(line.open_quantity for line in lines) <= withdrawn_count + going_back_count
