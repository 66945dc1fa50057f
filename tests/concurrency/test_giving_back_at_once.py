"""Staff end a return or a withdrawal several times at once: the money goes back once, and so do other goods. And
unlocked.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from django.db import IntegrityError
from django.utils import timezone

from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Refund, ReturnAuthorization, Withdrawal
from orders.payments import refunds
from orders.payments.refunds import RefundRefused
from orders.returns import handling, steps
from orders.returns.declaring import Declaration, declare_withdrawal
from orders.returns.restocking import Inspection
from shop.catalog import stock
from shop.catalog.models import StockMovement
from tests import builders
from tests.concurrency.racing import at_once, oversell
from tests.patience import stretched
from tests.returns.selling import came, exchanged, returned, take_back

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 5


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(refunds, "try_send_refund", lambda refund_id: None)


@pytest.fixture
def unlocked(monkeypatch):
    """The mutant: whoever reads thinks for a moment, and locks nothing."""

    def read_return(return_id: int) -> ReturnAuthorization:
        found = ReturnAuthorization.objects.select_related("order", "refund").get(pk=return_id)
        time.sleep(stretched(0.3))
        return found

    def read_withdrawal(withdrawal_id: int) -> Withdrawal:
        found = Withdrawal.objects.select_related("order", "refund").get(pk=withdrawal_id)
        time.sleep(stretched(0.3))
        return found

    monkeypatch.setattr(steps, "_lock_standing", read_return)
    monkeypatch.setattr(handling, "_lock_withdrawal", read_withdrawal)


def try_at_once(*steps_taken: Callable[[], object]) -> None:
    """As several members of staff press a button each; who is refused reads why."""

    def press(step: Callable[[], object]) -> None:
        with suppress(TransitionRefused, RefundRefused):
            step()

    at_once([partial(press, step) for step in steps_taken])


def count_events(order: Order, kind: OrderEvent.Kind) -> int:
    return order.events.filter(kind=kind).count()


def received(made: ReturnAuthorization) -> ReturnAuthorization:
    return steps.receive_return(made.pk, actor="Sam")


def receive_and_inspect_at_once() -> None:
    take_back()
    made = returned(came(quantity=2))
    try_at_once(*[lambda: steps.receive_return(made.pk, actor="Sam")] * TIMES)
    assert count_events(made.order, OrderEvent.Kind.RETURN_RECEIVED) == 1
    seen = {line.pk: Inspection(restocked=1, written_off=0) for line in made.lines.all()}
    before = StockMovement.objects.count()
    try_at_once(*[lambda: steps.inspect_return(made.pk, seen, actor="Sam")] * TIMES)
    assert StockMovement.objects.count() == before + 1


def refund_return_at_once() -> None:
    """Half of what was paid, so that there is money for a second time."""
    take_back()
    made = received(returned(came(quantity=4)))
    try_at_once(*[lambda: steps.refund_return(made.pk, amount=None, actor="Sam")] * TIMES)
    assert Refund.objects.count() == count_events(made.order, OrderEvent.Kind.RETURN_SETTLED) == 1


def exchange_at_once() -> None:
    take_back()
    made = received(exchanged(came(quantity=2)))
    try_at_once(*[lambda: steps.send_exchange(made.pk, actor="Sam")] * TIMES)
    assert Order.objects.filter(source=Order.Source.EXCHANGE).count() == 1


def dearer_exchange_at_once() -> None:
    take_back()
    builders.shipping_method()
    order = came(quantity=2)
    line = order.lines.get()
    line.product.variants.exclude(pk=line.variant_id).update(price=line.unit_price + 4)
    made = received(exchanged(order))
    try_at_once(*[lambda: steps.send_exchange(made.pk, actor="Sam")] * TIMES)
    assert Order.objects.filter(source=Order.Source.STAFF).count() == 1
    assert Refund.objects.count() == count_events(order, OrderEvent.Kind.RETURN_SETTLED) == 1


def refund_or_exchange_at_once() -> None:
    take_back()
    made = received(exchanged(came(quantity=2)))
    try_at_once(
        lambda: steps.send_exchange(made.pk, actor="Sam"),
        lambda: steps.refund_return(made.pk, amount=None, actor="Sam"),
    )
    assert Refund.objects.count() + Order.objects.filter(source=Order.Source.EXCHANGE).count() == 1


def exchange_last_piece_at_once() -> None:
    """Several buyers were each offered the last size M, and staff send it to each of them at once."""
    take_back()
    first = came()
    small, medium = first.lines.get().product.variants.order_by("pk")
    others = [builders.sent_order(small, delivered_at=timezone.now()) for _ in range(TIMES - 1)]
    shelf = medium.stock.get()
    stock.receive_stock(shelf.pk, quantity=1 - shelf.on_hand, kind="counted")
    asked = [received(exchanged(order)) for order in (first, *others)]
    try_at_once(*[partial(steps.send_exchange, made.pk, actor="Sam") for made in asked])
    shelf.refresh_from_db()
    assert (shelf.on_hand, shelf.allocated) == (1, 1)
    assert Order.objects.filter(source=Order.Source.EXCHANGE).count() == 1
    assert ReturnAuthorization.objects.unsettled().count() == len(asked) - 1


def refund_withdrawal_at_once() -> None:
    order = builders.sent_order(quantity=4, delivered_at=timezone.now())
    piece = {order.lines.get().pk: 1}
    declaration = Declaration("Pat Reader", order.email, quantities=piece)
    made = declare_withdrawal(order.pk, declaration, way=Withdrawal.Way.ORDER).withdrawal
    try_at_once(*[lambda: handling.refund_withdrawal(made.pk, amount=made.owed, actor="Sam")] * TIMES)
    assert Refund.objects.count() == count_events(order, OrderEvent.Kind.WITHDRAWAL_SETTLED) == 1


def test_received_and_looked_at_at_once_it_is_once():
    receive_and_inspect_at_once()


def test_without_locks_it_is_received_again_and_again(unlocked):
    with pytest.raises((AssertionError, IntegrityError)):
        receive_and_inspect_at_once()


def test_a_returns_money_given_back_at_once_goes_once():
    refund_return_at_once()


def test_without_locks_a_returns_money_goes_again_and_again(unlocked):
    with pytest.raises((AssertionError, IntegrityError)):
        refund_return_at_once()


def test_other_goods_sent_at_once_go_once():
    exchange_at_once()


def test_without_locks_other_goods_go_again_and_again(unlocked):
    with pytest.raises((AssertionError, IntegrityError)):
        exchange_at_once()


def test_other_goods_that_cost_more_are_asked_to_be_paid_once():
    dearer_exchange_at_once()


def test_without_locks_other_goods_that_cost_more_are_asked_for_again_and_again(unlocked):
    with pytest.raises((AssertionError, IntegrityError)):
        dearer_exchange_at_once()


def test_money_or_other_goods_at_once_is_one_of_both():
    refund_or_exchange_at_once()


def test_without_locks_both_go(unlocked):
    with pytest.raises((AssertionError, IntegrityError)):
        refund_or_exchange_at_once()


def test_the_last_piece_sent_in_exchange_at_once_goes_to_one_buyer():
    exchange_last_piece_at_once()


def test_without_the_stock_guard_the_last_piece_goes_to_several_in_exchange(monkeypatch):
    monkeypatch.setattr(stock, "_allocate_variant", oversell)
    with pytest.raises(AssertionError):
        exchange_last_piece_at_once()


def test_a_withdrawals_money_given_back_at_once_goes_once():
    refund_withdrawal_at_once()


def test_without_locks_a_withdrawals_money_goes_again_and_again(unlocked):
    with pytest.raises((AssertionError, IntegrityError)):
        refund_withdrawal_at_once()


def test_killed_before_stripe_was_asked_a_withdrawal_and_its_refund_are_both_noted(monkeypatch):
    def die(refund_id: int) -> None:
        raise SystemExit

    monkeypatch.setattr(refunds, "try_send_refund", die)
    order = builders.sent_order(delivered_at=timezone.now())
    made = declare_withdrawal(order.pk, Declaration("Pat Reader", order.email), way=Withdrawal.Way.ORDER).withdrawal
    with pytest.raises(SystemExit):
        handling.refund_withdrawal(made.pk, amount=made.owed, actor="Sam")
    made.refresh_from_db()
    assert made.is_settled
    assert made.refund == Refund.objects.get(status=Refund.Status.REQUESTED)
