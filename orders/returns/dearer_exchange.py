"""An exchange for something that costs more: an order that its buyer pays by link, while the money for what came back
goes back to them (ADR 75).

So no order is paid in two payments: refunds, invoices, withdrawals and disputes of both are those of any order.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Decimal

from accounts.models.address import ADDRESS_FIELDS
from orders import shop_terms, staff_orders
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, ReturnAuthorization, ReturnLine, ShippingMethod
from orders.payments.line_amounts import NOTHING
from orders.payments.refund_parts import share_by_weight
from orders.pricing import list_ways_to_address
from orders.returns.exchanging import get_exchange_price
from orders.shop_terms import Terms
from orders.staff_orders import Channel, DraftLine, DraftRefused, OrderDraft
from shop.money import get_price_step, get_shop_currency


def is_dearer(lines: Iterable[ReturnLine]) -> bool:
    """Whether all that is wanted instead costs more than what it is for."""
    return _compute_more(lines) > 0


def _compute_more(lines: Iterable[ReturnLine]) -> Decimal:
    return sum(((get_exchange_price(line) - line.order_line.unit_price) * line.quantity for line in lines), NOTHING)


def draft_exchange_order(made: ReturnAuthorization, lines: Sequence[ReturnLine], *, actor: str) -> Order:
    """The order that waits for its payment, its goods set aside and its postage free.

    Raises `TransitionRefused`. Needs a transaction, and the lock of the order that the return is of.
    """
    order, terms = made.order, shop_terms.load_terms()
    if made.currency != get_shop_currency():
        words = f"was paid in {made.currency}, and the shop sells in {get_shop_currency()} now"
        raise TransitionRefused(f"{made.number}: it {words}. Give the money back instead.")
    draft = OrderDraft(
        lines=_price_lines(made, lines),
        address={name: str(getattr(order, name)) for name in ADDRESS_FIELDS},
        method=_find_way(made, terms),
        channel=Channel.EXCHANGE,
        email=order.email,
        company_name=order.company_name,
        vat_id=order.vat_id,
        customer=order.customer,
        is_postage_free=True,
    )
    try:
        return staff_orders.create_draft_order(draft, actor=actor, terms=terms)
    except DraftRefused as refusal:
        raise TransitionRefused(f"{made.number}: {refusal} Give the money back instead.") from refusal


def _find_way(made: ReturnAuthorization, terms: Terms) -> ShippingMethod:
    """As the order went, collected in the same store if it was; else the first way there, as where its own is not
    offered any more or one that came from elsewhere names none.
    """
    order = made.order
    first = order.shipping_method
    if first is not None and order.pickup_store_id:
        return first
    ways = list_ways_to_address(terms, str(order.country), order.postcode)
    if not ways:
        raise TransitionRefused(f"{made.number}: no way of delivery goes there now. Give the money back instead.")
    return first if first in ways else ways[0]


def _price_lines(made: ReturnAuthorization, lines: Sequence[ReturnLine]) -> list[DraftLine]:
    """All of them at what was paid for the old ones and the difference between both as priced, so that a discount on
    the first order stands; shared by what each costs.
    """
    weights = {line.order_line: get_exchange_price(line) * line.quantity for line in lines}
    shares = share_by_weight(made.goods_amount + _compute_more(lines), weights, made.currency)
    return [_price_line(made, line, shares[line.order_line]) for line in lines]


def _price_line(made: ReturnAuthorization, line: ReturnLine, share: Decimal) -> DraftLine:
    """A piece of it, rounded to the buyer's gain."""
    variant, old = line.exchange_variant, line.order_line
    if variant is None:
        raise TransitionRefused(f"{made.number}: the shop no longer has that to send. Give the money back instead.")
    return DraftLine(
        variant,
        line.quantity,
        unit_price=(share / line.quantity).quantize(get_price_step(made.currency), rounding=ROUND_FLOOR),
        price_reason=f"In exchange, {made.number}",
        is_gift=old.is_gift,
        is_excluded=old.is_excluded,
    )
