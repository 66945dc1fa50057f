"""The same withdrawal declared twenty times at once, from the order's page and by number and e-mail. And unlocked."""

import time

import pytest
from django.utils import timezone

from orders.models import Order, OrderEvent, Withdrawal, WithdrawalStatement
from orders.returns import declaring, statements
from orders.returns.declaring import Declaration, declare_withdrawal
from tests import builders
from tests.concurrency.racing import at_once
from tests.patience import stretched

pytestmark = pytest.mark.django_db(transaction=True)

DECLARATION = Declaration("Pat Reader", "pat@example.com")


def declare_at_once() -> None:
    order = builders.sent_order(delivered_at=timezone.now())
    job = lambda: declare_withdrawal(order.pk, DECLARATION, way=Withdrawal.Way.ORDER)  # noqa: E731
    said = at_once([job] * 20, slowed_ms=5)
    assert [each.is_new for each in said].count(True) == 1
    assert {each.withdrawal for each in said} == {Withdrawal.objects.get()}
    assert order.events.filter(kind=OrderEvent.Kind.WITHDRAWN).count() == 1


def state_at_once() -> None:
    """Twenty posts, and two workers who bring them to their order."""
    order = builders.sent_order(delivered_at=timezone.now(), email="pat@example.com")
    said = {"number": order.number, "email": "pat@example.com", "full_name": "Pat"}
    posts = [lambda: statements.write_down_statement(**said)] * 20
    at_once(posts, slowed_ms=5)
    at_once([statements.bring_statements_to_orders] * 4, slowed_ms=5)
    assert Withdrawal.objects.count() == 1
    assert order.events.filter(kind=OrderEvent.Kind.WITHDRAWN).count() == 1


def test_declared_twenty_times_at_once_it_is_one():
    declare_at_once()


def test_stated_twenty_times_at_once_it_is_one():
    state_at_once()


def unlock(monkeypatch) -> None:
    def read(order_id: int) -> Order:
        time.sleep(stretched(0.02))
        return Order.objects.get(pk=order_id)

    monkeypatch.setattr(declaring, "lock_order", read)


def test_without_the_orders_lock_it_is_declared_again_and_again(monkeypatch):
    unlock(monkeypatch)
    with pytest.raises(AssertionError):
        declare_at_once()


def test_without_its_row_and_the_orders_lock_a_statement_is_several_withdrawals(monkeypatch):
    unlock(monkeypatch)
    monkeypatch.setattr(
        statements, "_lock_waiting_statement", lambda pk: WithdrawalStatement.objects.filter(pk=pk).first()
    )
    with pytest.raises(AssertionError):
        state_at_once()
