"""What staff do about a return: it came, it was looked at, and it ends: money, other goods, a repair, or a no.

Each is one transaction under the order's lock, with its event, and refused with a sentence where it does not fit.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders import events, shop_terms, status
from orders.fulfilment.transitions import TransitionRefused
from orders.legal_guarantee import LEAST_YEARS, YEARS_AFTER_REPAIR, is_notice_due
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Payment, Refund, ReturnAuthorization, ReturnLine
from orders.payments import refunds
from orders.payments.paid_orders import lock_paid_order
from orders.payments.refund_parts import RefundSum, allot_to_goods, share_by_weight
from orders.returns import dearer_exchange, exchanging, pieces, restocking
from orders.returns.policy import build_agreed_policy
from orders.returns.restocking import Inspection

Kind = OrderEvent.Kind
Wanted = ReturnAuthorization.Wanted
CAME_IN = (Payment.Status.CAPTURED, Payment.Status.FLAGGED)


@transaction.atomic
def receive_return(return_id: int, *, actor: str) -> ReturnAuthorization:
    """The goods are here: from today the days run in which it is settled."""
    noted = _lock_standing(return_id)
    if noted.received_at is not None:
        raise TransitionRefused(f"{noted.number} is here already.")
    days = build_agreed_policy(noted.order, shop_terms.load_terms()).settle_days
    noted.received_at = timezone.now()
    noted.due_on = timezone.localdate() + timedelta(days=days)
    noted.save(update_fields=["received_at", "due_on"])
    _record(noted, Kind.RETURN_RECEIVED, actor=actor)
    return noted


@transaction.atomic
def inspect_return(return_id: int, found: Mapping[int, Inspection], *, actor: str) -> ReturnAuthorization:
    """Staff looked at what came: on the shelf again, or written off. `found`: by the keys of its lines.

    What is repaired goes back to its buyer, so of that nothing moves.
    """
    noted = _lock_received(return_id)
    if noted.inspected_at is not None:
        raise TransitionRefused(f"{noted.number} was looked at already.")
    lines = list(noted.lines.select_related("order_line"))
    restocking.inspect_lines(lines, found, reference=noted.number, actor=actor)
    noted.inspected_at = timezone.now()
    noted.save(update_fields=["inspected_at"])
    _record(noted, Kind.RETURN_INSPECTED, actor=actor)
    return noted


def refund_return(
    return_id: int, *, amount: Decimal | None, actor: str, reason: str = "", seen_left: Decimal | None = None
) -> Refund:
    """Gives money back through the one door for that, and settles the return with it, in one transaction.

    Raises `TransitionRefused`, and `RefundRefused` as that door does.
    """
    with transaction.atomic():
        noted = _lock_unsettled(return_id)
        paid = lock_paid_order(noted.order)
        wanted = noted.goods_amount if amount is None else amount
        given = _note_refund(noted, paid, amount=wanted, actor=actor, reason=reason, seen_left=seen_left)
        _settle(noted, Wanted.EXCHANGE if _find_order_sent(noted) else Wanted.REFUND, actor=actor, refund=given)
    refunds.try_send_refund(given.pk)
    given.refresh_from_db()
    return given


def _note_refund(
    noted: ReturnAuthorization,
    paid: Order,
    *,
    amount: Decimal,
    actor: str,
    reason: str,
    seen_left: Decimal | None = None,
) -> Refund:
    """For the pieces of the return, by their lines."""
    pieces_of = {line.order_line: line.quantity for line in noted.lines.select_related("order_line")}
    due = allot_to_goods(noted.order, pieces_of, goods=noted.goods_amount)
    return refunds.note_refund(paid, amount=amount, actor=actor, reason=reason, seen_left=seen_left, due=due)


def send_exchange(return_id: int, *, actor: str) -> Order:
    """Sends what the buyer wants instead, as an order of its own; what it costs less goes back as money.

    What costs more waits for its payment by link, and the money for what came goes back now. Raises
    `TransitionRefused`, also where all that was paid went back already and nothing more is paid, and `RefundRefused`
    where money cannot go back.
    """
    with transaction.atomic():
        noted = _lock_unsettled(return_id)
        if noted.exchange_order_id is not None:
            raise TransitionRefused(
                f"{noted.number}: the order in exchange was made already, and only its refund failed. Press “Refund” "
                "to try that again."
            )
        lines = list(noted.lines.select_related("order_line__variant__product", "exchange_variant__product"))
        send = _ask_for_payment if dearer_exchange.is_dearer(lines) else _send_for_nothing
        sent, given = send(noted, lines, actor=actor)
    if given is not None:
        refunds.try_send_refund(given.pk)
        given.refresh_from_db()
    return sent


def _send_for_nothing(
    noted: ReturnAuthorization, lines: list[ReturnLine], *, actor: str
) -> tuple[Order, Refund | None]:
    _refuse_what_is_paid_back(noted)
    sent = exchanging.create_exchange_order(noted, lines, actor=actor)
    noted.exchange_order, noted.exchange_amount = sent, exchanging.compute_exchange_amount(noted, lines)
    outcome = Wanted.REPLACEMENT if noted.kind == ReturnAuthorization.Kind.FAULTY else Wanted.EXCHANGE
    _settle(noted, outcome, actor=actor)
    return sent, _request_difference(noted, actor=actor)


def _refuse_what_is_paid_back(noted: ReturnAuthorization) -> None:
    """Where all the money went back meanwhile, by a refund of the order or to the buyer's bank, none is left to go on
    into other goods.
    """
    paid = lock_paid_order(noted.order)
    is_any_left = refunds.find_refundable_payment(paid)[0] or refunds.find_unrefundable_payment(paid)
    if noted.goods_amount and not is_any_left and paid.payments.filter(status__in=CAME_IN).exists():
        raise TransitionRefused(
            f"{noted.number}: all that was paid for {paid.number} went back already, so nothing goes in exchange for "
            "it. Press “Settled another way”."
        )


def _ask_for_payment(noted: ReturnAuthorization, lines: list[ReturnLine], *, actor: str) -> tuple[Order, Refund | None]:
    """The order that waits for its payment, and the refund of what was paid for what came, None where none is left.

    Money first: stock is locked last. What was not paid here could not go back, and its buyer would pay twice.
    """
    paid = lock_paid_order(noted.order)
    if noted.goods_amount and not paid.payments.filter(status__in=CAME_IN).exists():
        raise TransitionRefused(
            f"{noted.number}: {paid.number} was not paid here, so its money cannot go back from here. Give it back "
            "yourself, press “Settled another way”, and enter an order for what is wanted instead."
        )
    payment, left = refunds.find_refundable_payment(paid)
    amount = min(noted.goods_amount, left) if payment else noted.goods_amount
    is_owed = bool(amount) and (payment is not None or refunds.find_unrefundable_payment(paid) is not None)
    reason = f"{noted.number}: exchanged for what costs more."
    given = _note_refund(noted, paid, amount=amount, actor=actor, reason=reason) if is_owed else None
    noted.exchange_order = dearer_exchange.draft_exchange_order(noted, lines, actor=actor)
    _settle(noted, Wanted.EXCHANGE, actor=actor, refund=given)
    return noted.exchange_order, given


@transaction.atomic
def mark_repaired(return_id: int, *, actor: str) -> ReturnAuthorization:
    """Repaired and on its way back to the buyer, who has it again: the legal guarantee grows where the law says so."""
    noted = _lock_unsettled(return_id)
    if noted.kind != ReturnAuthorization.Kind.FAULTY:
        raise TransitionRefused(f"{noted.number} is no repair: nothing was said to be wrong with it.")
    noted.guarantee_until = compute_guarantee_after_repair(noted.order)
    _settle(noted, Wanted.REPAIR, actor=actor)
    return noted


@transaction.atomic
def settle_return(return_id: int, *, actor: str) -> ReturnAuthorization:
    """Money or goods went another way that staff know of."""
    noted = _lock_unsettled(return_id)
    is_nothing_sent = noted.exchange_order is not None and _find_order_sent(noted) is None
    _settle(noted, Wanted.REFUND if is_nothing_sent else Wanted(noted.wanted), actor=actor)
    return noted


@transaction.atomic
def refuse_return(return_id: int, *, actor: str, reason: str) -> ReturnAuthorization:
    """It is not taken back, for a reason the buyer reads. Its pieces are theirs again."""
    noted = _lock_standing(return_id)
    if noted.is_settled:
        raise TransitionRefused(f"{noted.number} is settled already.")
    if sent := _find_order_sent(noted):
        raise TransitionRefused(f"{noted.number}: {sent.number} was made in exchange for it. Call that off first.")
    noted.refused_at, noted.refused_by, noted.refused_reason = timezone.now(), actor, reason[:200]
    noted.settled_at, noted.settled_by, noted.settled_as = None, "", ""
    noted.save(update_fields=["refused_at", "refused_by", "refused_reason", "settled_at", "settled_by", "settled_as"])
    pieces.mark_returned_lines(noted.order)
    _record(noted, Kind.RETURN_REFUSED, actor=actor, reason=noted.refused_reason)
    return noted


def compute_guarantee_after_repair(order: Order) -> date | None:
    """A year past the two of the legal guarantee, where the goods went to a member state; None elsewhere.

    Directive (EU) 2019/771, article 10a, as Directive (EU) 2024/1799 has it. See docs/law.md.
    """
    if not is_notice_due(str(order.country)):
        return None
    arrived = order.shipments.exclude(delivered_at=None).order_by("-delivered_at").first()
    began = timezone.localdate(arrived.delivered_at) if arrived and arrived.delivered_at else timezone.localdate()
    return _add_years(began, LEAST_YEARS + YEARS_AFTER_REPAIR)


def _add_years(day: date, count: int) -> date:
    try:
        return day.replace(year=day.year + count)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + count, month=3, day=1)


def _request_difference(noted: ReturnAuthorization, *, actor: str) -> Refund | None:
    difference = noted.goods_amount - (noted.exchange_amount or exchanging.NOTHING)
    if difference <= 0:
        return None
    paid = lock_paid_order(noted.order)
    lines = noted.lines.select_related("order_line", "exchange_variant__product")
    cheaper = {line.order_line: exchanging.compute_saving(line) for line in lines}
    goods = share_by_weight(difference, {line: saved for line, saved in cheaper.items() if saved > 0}, noted.currency)
    given = refunds.request_refund(
        paid,
        amount=difference,
        actor=actor,
        reason=f"{noted.number}: it costs less.",
        due=RefundSum({}, goods),
    )
    status.recalculate_and_record_hold(paid)
    return given


def _find_order_sent(noted: ReturnAuthorization) -> Order | None:
    """The order in exchange, unless it was called off or nobody paid it in time."""
    sent = noted.exchange_order
    return None if sent is None or sent.status == Order.Status.CANCELLED else sent


def _settle(noted: ReturnAuthorization, outcome: str, *, actor: str, refund: Refund | None = None) -> None:
    noted.settled_at, noted.settled_by, noted.settled_as = timezone.now(), actor, outcome
    noted.refund = refund
    noted.save()
    pieces.mark_returned_lines(noted.order)
    sent = _find_order_sent(noted)
    _record(
        noted,
        Kind.RETURN_SETTLED,
        actor=actor,
        outcome=str(outcome),
        sent=sent.number if sent else "",
        is_to_pay=sent is not None and sent.waits_for_link,
    )


def _record(noted: ReturnAuthorization, kind: OrderEvent.Kind, *, actor: str, **data: Any) -> None:
    events.record_order_event(noted.order, kind, actor=actor, return_id=noted.pk, number=noted.number, **data)


def _lock_standing(return_id: int) -> ReturnAuthorization:
    """The return with its order locked first. Needs a transaction."""
    order = lock_order(ReturnAuthorization.objects.values_list("order_id", flat=True).get(pk=return_id))
    noted = ReturnAuthorization.objects.select_for_update(of=("self",)).select_related("refund").get(pk=return_id)
    noted.order = order
    if noted.refused_at is not None:
        raise TransitionRefused(f"{noted.number} was refused.")
    return noted


def _lock_received(return_id: int) -> ReturnAuthorization:
    noted = _lock_standing(return_id)
    if noted.received_at is None:
        raise TransitionRefused(f"{noted.number} is not here yet. Press “Received” first.")
    return noted


def _lock_unsettled(return_id: int) -> ReturnAuthorization:
    noted = _lock_received(return_id)
    if noted.is_settled:
        raise TransitionRefused(f"{noted.number} is settled already.")
    return noted


def list_lines(noted: ReturnAuthorization) -> list[ReturnLine]:
    return list(noted.lines.select_related("order_line", "exchange_variant__product"))
