"""Unlike steps that take the same pieces or the same money, at once: never more goes than was bought and paid. And
unlocked.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError
from django.utils import timezone

from orders import line_cancellation
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Refund, Withdrawal
from orders.payments import line_refunds, refunds
from orders.payments.refunds import RefundRefused
from orders.returns import declaring, handling, requesting, steps
from orders.returns.declaring import Declaration, WithdrawalRefused, declare_withdrawal
from orders.returns.pieces import count_gone
from orders.returns.refusal import ReturnRefused
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched
from tests.paying import check_stock
from tests.returns.selling import came, returned, take_back, wish

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = (AssertionError, IntegrityError)  # the database's constraints stand behind the locks
REFUSALS = (TransitionRefused, RefundRefused, ReturnRefused, WithdrawalRefused)
TRIES = 4
BOUGHT = 3


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation, line_refunds):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def unlock(monkeypatch, *modules) -> None:
    def read(order_id: int) -> Order:
        found = Order.objects.get(pk=order_id)
        time.sleep(stretched(0.02))
        return found

    for module in modules:
        monkeypatch.setattr(module, "lock_order", read)


def think_before_writing(monkeypatch) -> None:
    """Whoever found out how much is left to give back takes a while to write."""
    write = refunds.write_refund

    def write_late(*said, **more) -> Refund:
        time.sleep(stretched(0.3))
        return write(*said, **more)

    monkeypatch.setattr(refunds, "write_refund", write_late)


def attempt(step: Callable[[], object]) -> bool:
    """Whether it was done, and not refused."""
    try:
        step()
    except REFUSALS:
        return False
    return True


def take_at_once(*steps_taken: Callable[[], object]) -> list[bool]:
    return at_once([partial(attempt, step) for step in steps_taken], slowed_ms=10)


def withdraw(order: Order, count: int) -> Callable[[], object]:
    declaration = Declaration("Pat Reader", order.email, {order.lines.first().pk: count})
    return lambda: declare_withdrawal(order.pk, declaration, way=Withdrawal.Way.ORDER)


def send_back(order: Order, count: int) -> Callable[[], object]:
    return lambda: requesting.request_return(order.pk, wish(order, count=count))


def call_off(order: Order, count: int) -> Callable[[], object]:
    pieces = {order.lines.first().pk: count}
    return lambda: line_cancellation.cancel_lines(order.pk, pieces, actor="Sam", seen_cancelled=0)


def refund_pieces(order: Order, count: int) -> Callable[[], object]:
    parts = line_refunds.RefundParts({order.lines.first().pk: count})
    left, due = order.total, line_refunds.compute_refund_sum(order, parts).total
    return lambda: line_refunds.refund_parts(order.pk, parts, actor="Sam", seen_left=left, seen_sum=due)


def sum_noted(order: Order) -> Decimal:
    """Money that went back or is on its way, and what is owed for what is withdrawn from or was sent back."""
    noted = sum(Refund.objects.filter(payment__order=order).values_list("amount", flat=True), Decimal(0))
    withdrawn = (each.owed for each in order.withdrawals.filter(refund=None))
    back = order.returns.filter(refund=None).values_list("goods_amount", flat=True)
    return noted + sum(withdrawn, Decimal(0)) + sum(back, Decimal(0))


def withdraw_and_send_back() -> None:
    """Two of three by the law, and two of three by the shop's policy: of either there is one left then."""
    take_back()
    for _ in range(TRIES):
        order = came(quantity=BOUGHT)
        take_at_once(withdraw(order, 2), send_back(order, 2))
        assert max(count_gone(order).values()) in (2, BOUGHT)
        assert sum_noted(order) <= order.payments.get().amount


def withdraw_and_call_off() -> None:
    for _ in range(TRIES):
        order = builders.placed_order(builders.variant(price="10.00"), builders.variant(price="5.00"), quantity=BOUGHT)
        take_at_once(withdraw(order, 2), call_off(order, 2))
        assert count_gone(order)[order.lines.first()] in (2, BOUGHT)
        assert sum_noted(order) <= order.payments.get().amount
        check_stock()


def send_back_and_refund_pieces() -> None:
    """The buyer sends two of three back while staff give the money for two of three, as they never came."""
    take_back()
    for _ in range(TRIES):
        order = came(quantity=BOUGHT)
        done = take_at_once(send_back(order, 2), refund_pieces(order, 2))
        assert sorted(done) == [False, True]
        assert sum_noted(order) <= order.payments.get().amount


def refund_a_return_and_goodwill() -> None:
    """All for what came back, and half of it as goodwill: more than was paid."""
    take_back()
    for _ in range(TRIES):
        order = came(quantity=2)
        made = steps.receive_return(returned(order, count=2).pk, actor="Sam")
        goodwill = partial(refunds.refund_order, order.pk, amount=order.total / 2, actor="Kit")
        done = take_at_once(partial(steps.refund_return, made.pk, amount=None, actor="Sam"), goodwill)
        assert sum(Refund.objects.filter(payment__order=order).values_list("amount", flat=True)) <= order.total
        assert sorted(done) == [False, True]


def refund_a_withdrawal_and_goodwill() -> None:
    for _ in range(TRIES):
        order = builders.sent_order(quantity=2, delivered_at=timezone.now())
        made = declare_withdrawal(order.pk, Declaration("Pat Reader", order.email), way=Withdrawal.Way.ORDER).withdrawal
        goodwill = partial(refunds.refund_order, order.pk, amount=order.total / 2, actor="Kit")
        done = take_at_once(partial(handling.refund_withdrawal, made.pk, amount=made.owed, actor="Sam"), goodwill)
        assert sum(Refund.objects.filter(payment__order=order).values_list("amount", flat=True)) <= order.total
        assert sorted(done) == [False, True]


def test_withdrawn_from_while_they_are_sent_back_no_more_pieces_go_than_were_bought():
    withdraw_and_send_back()


def test_without_the_orders_lock_a_piece_is_withdrawn_from_and_sent_back(monkeypatch):
    unlock(monkeypatch, declaring, requesting)
    with pytest.raises(WRONG):
        withdraw_and_send_back()


def test_withdrawn_from_while_they_are_cancelled_no_more_pieces_go_than_were_bought():
    withdraw_and_call_off()


def test_without_the_orders_lock_a_piece_is_withdrawn_from_and_cancelled(monkeypatch):
    unlock(monkeypatch, declaring, line_cancellation)
    with pytest.raises(WRONG):
        withdraw_and_call_off()


def test_sent_back_while_their_money_goes_back_it_is_one_or_the_other():
    send_back_and_refund_pieces()


def test_without_the_orders_lock_they_are_sent_back_for_money_that_went_back(monkeypatch):
    unlock(monkeypatch, requesting, line_refunds)
    with pytest.raises(WRONG):
        send_back_and_refund_pieces()


def test_a_returns_money_while_goodwill_is_given_is_no_more_than_was_paid():
    refund_a_return_and_goodwill()


def test_without_the_orders_lock_a_return_and_goodwill_are_more_than_was_paid(monkeypatch):
    unlock(monkeypatch, steps, refunds)
    think_before_writing(monkeypatch)
    with pytest.raises(WRONG):
        refund_a_return_and_goodwill()


def test_a_withdrawals_money_while_goodwill_is_given_is_no_more_than_was_paid():
    refund_a_withdrawal_and_goodwill()


def test_without_the_orders_lock_a_withdrawal_and_goodwill_are_more_than_was_paid(monkeypatch):
    unlock(monkeypatch, handling, refunds)
    think_before_writing(monkeypatch)
    with pytest.raises(WRONG):
        refund_a_withdrawal_and_goodwill()
