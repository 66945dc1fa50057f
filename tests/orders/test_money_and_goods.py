"""Whatever is cancelled, refunded, withdrawn from, sent back or exchanged, in whatever order: no more goes back than
came.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet, Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orders import line_cancellation, staff_orders
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import (
    Allocation,
    Order,
    Payment,
    Refund,
    ReturnAuthorization,
    ReturnLine,
    Withdrawal,
    WithdrawalLine,
)
from orders.payments import line_refunds, refunds
from orders.payments.paid_orders import find_paid_order
from orders.payments.refund_parts import count_refunded_pieces
from orders.payments.refunds import RefundRefused, find_refundable_payment
from orders.returns import handling, steps
from orders.returns.declaring import Declaration, WithdrawalRefused, declare_withdrawal
from orders.returns.refusal import ReturnRefused
from orders.returns.requesting import ReturnWish, request_return
from orders.returns.restocking import build_inspections
from shop.catalog.models import Product, StockMovement
from tests import builders
from tests.paying import check_stock
from tests.returns.selling import Kind, Reason, Wanted, take_back

pytestmark = pytest.mark.django_db

REFUSALS = (TransitionRefused, RefundRefused, WithdrawalRefused, ReturnRefused)
BOUGHT = 3
SIZES = {"S": ("10.00", "3.33"), "M": ("8.00", "3.33"), "L": ("13.00", "5.00")}  # S is bought; M costs less, L more
PIECES = st.tuples(st.integers(0, BOUGHT), st.integers(0, BOUGHT))
OF_ANY_ORDER = [
    st.tuples(st.just("cancel"), PIECES),
    st.tuples(st.just("refund"), PIECES),
    st.tuples(st.just("withdraw"), PIECES),
    st.tuples(st.just("goodwill"), st.integers(1, 6000)),
]
OF_ONE_THAT_CAME = [
    st.tuples(st.just("return"), PIECES),
    st.tuples(st.sampled_from(["exchange for M", "exchange for L"]), PIECES),
    st.tuples(st.just("settle"), st.just(())),
    st.tuples(st.just("go on"), st.just(())),  # with what goes in exchange, if there is any
    st.tuples(st.just("call off the exchange"), PIECES),
]


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation, line_refunds):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


@pytest.fixture
def goods() -> list[Product]:
    """Two, each in three sizes, of a shop that takes things back."""
    take_back()
    builders.shipping_method()
    made = [builders.product(sizes=tuple(SIZES)) for _ in SIZES["S"]]
    for size, prices in SIZES.items():
        for product, price in zip(made, prices, strict=True):
            product.variants.filter(size=size).update(price=Decimal(price))
    return made


def send(order: Order) -> None:
    """What a buyer withdrew from a part of is looked at and let go on."""
    order.refresh_from_db()
    if order.hold:
        transitions.release_order_from_hold(order.pk, actor="Sam")
    if order.approved_at is None:
        transitions.approve_order(order.pk, actor="Sam")
    parcel = order.shipments.get()
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="royal_mail", tracking_number="")


def count_by_line(order: Order, counts: Iterable[int]) -> dict[int, int]:
    return dict(zip(order.lines.order_by("pk").values_list("pk", flat=True), counts, strict=False))


def cancel(order: Order, counts: Mapping[int, int]) -> None:
    seen = line_cancellation.count_cancelled(order)
    line_cancellation.cancel_lines(order.pk, counts, actor="Sam", seen_cancelled=seen)


class Deal:
    """What a buyer and the shop's staff do with an order, and with those sent in exchange for what came of it."""

    def __init__(self, goods: Iterable[Product]) -> None:
        bought = [product.variants.get(size="S") for product in goods]
        self.order = builders.placed_order(*bought, quantity=BOUGHT)

    def take_step(self, kind: str, what) -> bool:
        """Taken whole, or refused whole."""
        try:
            with transaction.atomic():
                self._take_step(kind, what)
        except REFUSALS:
            return False
        return True

    def _take_step(self, kind: str, what) -> None:
        if kind == "send":
            send(self.order)
        elif kind == "goodwill":
            refunds.refund_order(find_paid_order(self.order).pk, amount=Decimal(what) / 100, actor="Sam")
        elif kind == "settle":
            settle()
        elif kind == "go on":
            self.order = send_what_goes_instead() or self.order
        elif kind == "call off the exchange":
            if instead := find_what_goes_instead():
                cancel(instead, count_by_line(instead, what))
        else:
            self._take_pieces(kind, count_by_line(self.order, what))

    def _take_pieces(self, kind: str, counts: Mapping[int, int]) -> None:
        order = self.order
        if kind == "cancel":
            cancel(order, counts)
        elif kind == "refund":
            parts = line_refunds.RefundParts(counts)
            due = line_refunds.compute_refund_sum(order, parts).total
            left = find_refundable_payment(order)[1]
            line_refunds.refund_parts(order.pk, parts, actor="Sam", seen_left=left, seen_sum=due)
        elif kind == "withdraw":
            declare_withdrawal(order.pk, Declaration("Pat", "pat@example.com", counts), way=Withdrawal.Way.ORDER)
        elif kind == "return":
            request_return(order.pk, ReturnWish(Kind.RETURN, Wanted.REFUND, Reason.TOO_SMALL, counts))
        else:
            size = kind.removeprefix("exchange for ")
            other = {line.pk: line.product.variants.get(size=size).pk for line in order.lines.all()}
            request_return(order.pk, ReturnWish(Kind.RETURN, Wanted.EXCHANGE, Reason.TOO_SMALL, counts, other))


def settle() -> None:
    """All that was sent back or withdrawn from is here, as good as new; the buyer gets the money, or other goods."""
    for withdrawal in Withdrawal.objects.unsettled():
        handling.refund_withdrawal(withdrawal.pk, amount=withdrawal.owed, actor="Sam")
    for made in ReturnAuthorization.objects.unsettled():
        steps.receive_return(made.pk, actor="Sam")
        good = {line.pk: line.quantity for line in made.lines.all()}
        steps.inspect_return(made.pk, build_inspections(good, made.lines.all()), actor="Sam")
        if made.wanted == Wanted.EXCHANGE:
            steps.send_exchange(made.pk, actor="Sam")
        else:
            steps.refund_return(made.pk, amount=None, actor="Sam")


def find_what_goes_instead() -> Order | None:
    waiting = Order.objects.filter(source__in=[Order.Source.EXCHANGE, Order.Source.STAFF])
    return waiting.filter(fulfilment_status=Order.FulfilmentStatus.UNFULFILLED).order_by("pk").last()


def send_what_goes_instead() -> Order | None:
    """Once it is paid, where it costs more."""
    if (instead := find_what_goes_instead()) is None:
        return None
    if instead.status == Order.Status.PENDING:
        instead = staff_orders.mark_paid_by_hand(instead.pk, how="Transfer", actor="Sam")
    send(instead)
    return instead


def check() -> None:
    for order in Order.objects.all():
        check_money(order)
        check_pieces(order)
    check_stock()
    check_shelf()


def check_shelf() -> None:
    """Nothing is put back on it that has not left it."""
    left = Allocation.objects.exclude(consumed_at=None)
    back = StockMovement.objects.filter(kind=StockMovement.Kind.RETURNED)
    assert not count_by_record(back) - count_by_record(left)


def count_by_record(rows: QuerySet[Any]) -> Counter[int]:
    return Counter(dict(rows.order_by().values_list("record").annotate(count=Sum("quantity"))))


def check_money(order: Order) -> None:
    given_back = sum(Refund.objects.filter(payment__order=order).values_list("amount", flat=True))
    paid = order.payments.filter(status=Payment.Status.CAPTURED)
    assert given_back <= sum(paid.values_list("amount", flat=True))


def check_pieces(order: Order) -> None:
    """None goes two ways, none is paid back twice, and what is promised or has left is what was not called off."""
    is_over = order.status == Order.Status.CANCELLED
    refunded = count_refunded_pieces(order)
    for line in order.lines.all():
        withdrawn, sent_back = (
            sum(rows.objects.filter(order_line=line).values_list("quantity", flat=True))
            for rows in (WithdrawalLine, ReturnLine)
        )
        assert max(line.cancelled_quantity + withdrawn + sent_back, refunded[line]) <= line.quantity
        standing = Allocation.objects.filter(order_line=line, released_at=None)
        assert sum(standing.values_list("quantity", flat=True)) == (0 if is_over else line.open_quantity)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.one_of(OF_ANY_ORDER), max_size=2),
    once_sent=st.lists(st.one_of(OF_ONE_THAT_CAME + OF_ANY_ORDER), max_size=4),
)
@example(before=[("cancel", (3, 0)), ("withdraw", (1, 0))], once_sent=[])  # of what was cancelled nothing is left
@example(
    before=[("cancel", (1, 0))],
    once_sent=[
        ("exchange for L", (2, 1)),
        ("return", (1, 2)),  # of the first none is left
        ("return", (0, 2)),
        ("settle", ()),
        ("go on", ()),
        ("return", (1, 0)),
    ],
)
@example(
    before=[],
    once_sent=[
        ("exchange for M", (2, 1)),
        ("settle", ()),
        ("go on", ()),
        ("exchange for L", (1, 0)),
        ("return", (1, 1)),
        ("settle", ()),
        ("goodwill", 1667),  # a penny more than was paid for what is kept
    ],
)
@example(
    before=[],
    once_sent=[
        ("exchange for M", (2, 1)),
        ("settle", ()),
        ("call off the exchange", (1, 0)),
        ("call off the exchange", (1, 1)),
        ("refund", (1, 2)),
        ("goodwill", 1),  # all of it is back
    ],
)
def test_in_whatever_order_no_more_goes_back_than_came_and_what_is_promised_is_what_is_open(goods, before, once_sent):
    with transaction.atomic():
        deal = Deal(goods)
        for kind, what in [*before, ("send", ()), *once_sent]:
            if deal.take_step(kind, what):
                check()
        transaction.set_rollback(True)
