"""A buyer sends something back: by the shop's policy, or because something is wrong with it.

Written down under the order's lock, with its event, so that never more goes back than was bought.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from orders import events, shop_terms
from orders.events import BUYER
from orders.locks import lock_order
from orders.models import Order, OrderEvent, OrderLine, ReturnAuthorization, ReturnLine
from orders.payments.line_amounts import compute_goods_share
from orders.returns import exchanging, pieces, policy
from orders.returns.declaring import CONTRACT_STATUSES
from orders.returns.policy import ReturnPolicy
from orders.returns.refusal import ReturnRefused
from shop.catalog.models import Variant

Kind = ReturnAuthorization.Kind
Wanted = ReturnAuthorization.Wanted
BY_KIND = {Kind.RETURN: (Wanted.REFUND, Wanted.EXCHANGE), Kind.FAULTY: (Wanted.REPAIR, Wanted.REPLACEMENT)}
SENT_TWICE = timedelta(minutes=10)  # the same again within it is one form sent twice


@dataclass(frozen=True)
class ReturnWish:
    """What the buyer wants. `pieces`: how many by order line; `variants`: for an exchange, what instead, by line."""

    kind: ReturnAuthorization.Kind
    wanted: ReturnAuthorization.Wanted
    reason: ReturnAuthorization.Reason
    pieces: Mapping[int, int]
    variants: Mapping[int, int] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True)
class RequestedReturn:
    """`is_new`: False where the same was sent a moment ago, and nothing was written."""

    made: ReturnAuthorization
    is_new: bool


def request_return(order_id: int, wish: ReturnWish, *, actor: str = BUYER) -> RequestedReturn:
    """Writes it down with its number. Raises `ReturnRefused`, and nothing is written then.

    `actor`: whoever of the shop enters it, if its buyer does not.
    """
    entered_by = "" if actor == BUYER else actor
    with transaction.atomic():
        order = lock_order(order_id)
        if earlier := _find_sent_twice(order, wish):
            return RequestedReturn(earlier, is_new=False)
        chosen = _choose_pieces(order, wish)
        if wish.kind == Kind.RETURN:
            _check_policy(order, chosen)
        variants = _choose_variants(order, wish, chosen)
        made = _write_down(order, wish, chosen, variants, entered_by=entered_by)
        pieces.mark_returned_lines(order)
        events.record_order_event(
            order,
            OrderEvent.Kind.RETURN_REQUESTED,
            actor=actor,
            return_id=made.pk,
            number=made.number,
            is_entered=bool(entered_by),
        )
    return RequestedReturn(made, is_new=True)


def find_returnable_pieces(
    order: Order, kind: ReturnAuthorization.Kind, rule: ReturnPolicy
) -> tuple[dict[OrderLine, int], list[OrderLine]]:
    """How many pieces of each line may be named today, and the lines that the policy leaves out."""
    if order.status not in CONTRACT_STATUSES:
        return {}, []
    left = pieces.count_sent_pieces_left(order)
    if kind == Kind.FAULTY:
        return left, []
    if not policy.compute_return_window(order.shipments.all(), rule).is_open_at(timezone.now()):
        return {}, []
    excluded = policy.list_excluded_lines(left, rule)
    return (
        {line: count for line, count in left.items() if line.pk not in excluded},
        [line for line in left if line.pk in excluded],
    )


def _choose_variants(order: Order, wish: ReturnWish, chosen: Mapping[OrderLine, int]) -> dict[int, Variant]:
    """By line, where other goods are wanted."""
    if wish.wanted != Wanted.EXCHANGE:
        return {}
    return exchanging.choose_variants(chosen, wish.variants, store_id=order.pickup_store_id)


def _find_sent_twice(order: Order, wish: ReturnWish) -> ReturnAuthorization | None:
    since = timezone.now() - SENT_TWICE
    recent = order.returns.standing().filter(
        requested_at__gt=since, received_at=None, kind=wish.kind, wanted=wish.wanted, words=wish.words
    )
    variants = wish.variants if wish.wanted == Wanted.EXCHANGE else {}
    asked = {line: (count, variants.get(line)) for line, count in wish.pieces.items() if count > 0}
    for each in recent.prefetch_related("lines"):
        if asked == {line.order_line_id: (line.quantity, line.exchange_variant_id) for line in each.lines.all()}:
            return each
    return None


def _choose_pieces(order: Order, wish: ReturnWish) -> dict[OrderLine, int]:
    if wish.wanted not in BY_KIND[wish.kind]:
        raise ReturnRefused("Please say what you would like instead.")
    if order.status not in CONTRACT_STATUSES:
        raise ReturnRefused(f"Order {order.number} was called off, so there is nothing to send back.")
    left = {line.pk: (line, count) for line, count in pieces.count_sent_pieces_left(order).items()}
    asked = {line_id: count for line_id, count in wish.pieces.items() if count > 0}
    if not asked:
        raise ReturnRefused("Please say what you send back: at least one thing.")
    problems = {line_id: _find_problem(left.get(line_id), count) for line_id, count in asked.items()}
    if refused := {line_id: words for line_id, words in problems.items() if words}:
        raise ReturnRefused(by_line=refused)
    return {left[line_id][0]: count for line_id, count in asked.items()}


def _find_problem(found: tuple[OrderLine, int] | None, count: int) -> str:
    """What is wrong with sending back so many of it; empty where nothing is. `found`: the line, and how many may."""
    if found is None:
        return "Of that there is nothing left to send back. Look at what you sent back before."
    line, most = found
    if count > most:
        return f"Of “{line.title}” you can send back {most:,}, not {count:,}. Lower the number."
    return ""


def _check_policy(order: Order, chosen: Mapping[OrderLine, int]) -> None:
    rule = policy.build_agreed_policy(order, shop_terms.load_terms())
    window = policy.compute_return_window(order.shipments.all(), rule)
    if not window.is_open_at(timezone.now()):
        raise ReturnRefused("The time for sending things back is over. If something is wrong, say so instead.")
    excluded = policy.list_excluded_lines(chosen, rule)
    if left_out := next((line for line in chosen if line.pk in excluded), None):
        raise ReturnRefused(f"“{left_out.title}” is not taken back once bought. If it is faulty, say so instead.")


def _write_down(
    order: Order,
    wish: ReturnWish,
    chosen: Mapping[OrderLine, int],
    variants: Mapping[int, Variant],
    *,
    entered_by: str,
) -> ReturnAuthorization:
    made = ReturnAuthorization.objects.create(
        order=order,
        kind=wish.kind,
        wanted=wish.wanted,
        reason=wish.reason,
        words=wish.words,
        piece_count=sum(chosen.values()),
        currency=order.currency,
        goods_amount=compute_goods_share(order, chosen, before=pieces.count_gone(order)),
        requested_at=timezone.now(),
        entered_by=entered_by,
    )
    ReturnLine.objects.bulk_create(
        _build_line(made, line, count, variants.get(line.pk)) for line, count in chosen.items()
    )
    return made


def _build_line(made: ReturnAuthorization, line: OrderLine, count: int, instead: Variant | None) -> ReturnLine:
    return ReturnLine(
        return_authorization=made,
        order_line=line,
        quantity=count,
        exchange_variant=instead,
        exchange_unit_price=instead.price if instead else None,
    )
