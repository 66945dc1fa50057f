"""Which orders approve themselves: one rule, in sentences that staff read and edit in the shop's settings.

`find_objections` is the rule: asked as an order is paid, by the job that comes round, and by the dry run over past
orders. `approve_by_rule` does it, by the verb staff use, as “rule”.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models.address import ADDRESS_FIELDS
from accounts.people.postal_rules import get_postal_rules
from orders.events import RULE
from orders.fulfilment import transitions
from orders.fulfilment.queue import IS_TO_APPROVE
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, OrderEvent, ShopSettings
from shop.money import format_amount
from shop.retrying import loops
from shop.retrying.loops import Loop

DRY_RUN_COUNT = 100
APPROVALS = loops.register_loop(
    Loop(
        "approvals",
        "An order that would approve itself",
        "It waits under “To approve”: approve it there, or look at what its page says.",
        model="orders.order",
    )
)
OPEN_PAYMENTS = {
    Order.PaymentStatus.PROCESSING: "its bank is still paying",
    Order.PaymentStatus.UNPAID: "it is not paid",
    Order.PaymentStatus.PARTIALLY_REFUNDED: "some of its money went back",
    Order.PaymentStatus.REFUNDED: "its money went back",
    Order.PaymentStatus.DISPUTED: "its payment is disputed",
    Order.PaymentStatus.CHARGED_BACK: "its money went back by the bank",
}

ASKED_ABOUT = ("currency", "total", "gift_note", *ADDRESS_FIELDS)


@dataclass(frozen=True)
class ApprovalRule:
    """`up_to`: the highest total, in `currency`; None: no order approves itself."""

    up_to: Decimal | None
    currency: str
    takes_first_orders: bool = True

    @classmethod
    def from_settings(cls) -> "ApprovalRule":
        kept = ShopSettings.current()
        return cls(kept.approve_up_to, kept.currency, takes_first_orders=kept.approve_first_orders)

    def list_conditions(self) -> list[str]:
        """The rule as staff read it; empty while it is off."""
        if self.up_to is None:
            return []
        conditions = [
            "is paid, and none of the money went back or is disputed,",
            f"comes to {format_amount(self.up_to, self.currency)} or less,",
            "goes to a whole address: name, street, place and, where there are any, postcode,",
            "brings no note from its buyer,",
            "is not on hold",
        ]
        if not self.takes_first_orders:
            conditions[-1] += ","
            conditions.append("is not the first that its buyer has paid")
        return conditions


def find_objections(order: Order, rule: ApprovalRule, *, is_first: bool) -> list[str]:
    """Why the order does not approve itself, in words that follow “because”; empty where it does.

    `is_first`: no earlier order of its buyer was paid.
    """
    if rule.up_to is None:
        return ["the rule is off"]
    checks: Iterable[tuple[str, Callable[[], bool]]] = [
        (OPEN_PAYMENTS.get(Order.PaymentStatus(order.payment_status), ""), lambda: _has_open_payment(order)),
        (f"it is in {order.currency}", lambda: order.currency != rule.currency),
        (f"it comes to {order.total_text}", lambda: order.total > (rule.up_to or 0)),
        ("its address is not whole", lambda: not is_address_whole(order)),
        ("its buyer wrote a note", lambda: bool(order.gift_note.strip())),
        ("it is on hold", lambda: bool(order.hold)),
        ("it is its buyer’s first", lambda: is_first and not rule.takes_first_orders),
    ]
    return [words for words, applies in checks if applies()]


def _has_open_payment(order: Order) -> bool:
    return order.placed_at is None or order.payment_status != Order.PaymentStatus.PAID


def is_address_whole(order: Order) -> bool:
    """What every parcel needs; a postcode in those countries that have them."""
    country = order.country.code or ""
    rules = get_postal_rules(country)
    needed = [country, order.full_name, order.line1]
    needed += [order.city] if rules.needs_city else []
    needed += [order.postcode] if rules.needs_postcode else []
    return all(part.strip() for part in needed)


def build_earlier_filter() -> Exists:
    """Of an order: whether its buyer, by account or e-mail, had paid one before it that was not called off."""
    same = Q(customer=OuterRef("customer")) | (Q(email=OuterRef("email")) & ~Q(email=""))
    earlier = Order.objects.order_by().filter(same, placed_at__lt=OuterRef("placed_at"))
    return Exists(earlier.exclude(status=Order.Status.CANCELLED))


def approve_by_rule(order: Order) -> bool:
    """Approves the order if the rule does. What it does not waits for staff; it is paid for all the same.

    The caller holds the order's lock.
    """
    rule = ApprovalRule.from_settings()
    is_first = not rule.takes_first_orders and _is_first(order)
    if find_objections(order, rule, is_first=is_first):
        return False
    try:
        transitions.approve_order(order.pk, actor=RULE)
    except TransitionRefused:
        return False
    return True


def _is_first(order: Order) -> bool:
    return not Order.objects.filter(build_earlier_filter(), pk=order.pk).exists()


def approve_waiting_orders() -> int:
    """What waits and may approve itself, since the rule was changed or a hold ended, say. Returns how many did.

    Not an order of which somebody took the approval back: that one is for people.
    """
    rule = ApprovalRule.from_settings()
    waiting = Order.objects.filter(IS_TO_APPROVE, status=Order.Status.CONFIRMED)
    APPROVALS.forget_settled(waiting)
    if rule.up_to is None:
        return 0
    kind, undone = OrderEvent.Kind.TAKEN_BACK, [OrderEvent.Kind.APPROVED.value]
    taken_back = OrderEvent.objects.filter(order=OuterRef("pk"), kind=kind, data__undone__contains=undone)
    obvious = waiting.filter(~Exists(taken_back), total__lte=rule.up_to, currency=rule.currency, gift_note="")
    count = 0
    for pk, number in list(APPROVALS.due(obvious).order_by("placed_at").values_list("pk", "number")):
        with APPROVALS.attempt(pk, subject=f"{APPROVALS.title} {number}"):
            count += _approve_waiting_order(pk)
    return count


@transaction.atomic
def _approve_waiting_order(order_id: int) -> bool:
    return approve_by_rule(lock_order(order_id))


@dataclass(frozen=True)
class Verdict:
    """What the rule says of a past order: approved, or why not."""

    order: Order
    objections: list[str]

    @property
    def is_approved(self) -> bool:
        return not self.objections


def try_rule_on_past(rule: ApprovalRule) -> list[Verdict]:
    """What the rule would have done with the last hundred orders that were paid here. One query; changes nothing."""
    paid = Order.objects.filter(placed_at__isnull=False, source__in=[Order.Source.WEB, Order.Source.STAFF])
    latest = paid.annotate(has_earlier=build_earlier_filter()).order_by("-placed_at", "-pk")[:DRY_RUN_COUNT]
    return [Verdict(order, _judge_past_order(order, rule, is_first=not order.has_earlier)) for order in latest]


def _judge_past_order(order: Order, rule: ApprovalRule, *, is_first: bool) -> list[str]:
    """As it was when it was paid: what became of it since, a refund say, is not held against it."""
    was = Order(
        placed_at=order.placed_at,
        payment_status=Order.PaymentStatus.PAID,
        **{name: getattr(order, name) for name in ASKED_ABOUT},
    )
    return find_objections(was, rule, is_first=is_first)
