"""Whatever is cancelled, refunded or withdrawn from, in whatever order: no more goes back than came."""

from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orders import line_cancellation
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, Order, Refund, Withdrawal
from orders.payments import line_refunds, refunds
from orders.payments.refunds import RefundRefused, find_refundable_payment
from orders.returns.declaring import Declaration, WithdrawalRefused, declare_withdrawal
from tests import builders
from tests.paying import check_stock

pytestmark = pytest.mark.django_db

REFUSALS = (TransitionRefused, RefundRefused, WithdrawalRefused)
PIECES = st.tuples(st.integers(0, 3), st.integers(0, 3))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("cancel"), PIECES),
        st.tuples(st.just("refund"), PIECES),
        st.tuples(st.just("withdraw"), PIECES),
        st.tuples(st.just("goodwill"), st.integers(1, 6000)),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation, line_refunds):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def take_step(order: Order, kind: str, what) -> None:
    keys = list(order.lines.values_list("pk", flat=True))
    if kind == "goodwill":
        refunds.refund_order(order.pk, amount=Decimal(what) / 100, actor="Sam")
        return
    counts = dict(zip(keys, what, strict=True))
    if kind == "cancel":
        seen = line_cancellation.count_cancelled(order)
        line_cancellation.cancel_lines(order.pk, counts, actor="Sam", seen_cancelled=seen)
    elif kind == "refund":
        parts = line_refunds.RefundParts(counts)
        due = line_refunds.compute_refund_sum(order, parts).total
        left = find_refundable_payment(order)[1]
        line_refunds.refund_parts(order.pk, parts, actor="Sam", seen_left=left, seen_sum=due)
    else:
        declare_withdrawal(order.pk, Declaration("Pat", "pat@example.com", counts), way=Withdrawal.Way.ORDER)


def check(order: Order) -> None:
    order.refresh_from_db()
    given_back = sum(Refund.objects.filter(payment__order=order).values_list("amount", flat=True))
    assert given_back <= order.payments.get().amount
    is_over = order.status == Order.Status.CANCELLED
    for line in order.lines.all():
        standing = Allocation.objects.filter(order_line=line, released_at=None, consumed_at=None)
        assert sum(standing.values_list("quantity", flat=True)) == (0 if is_over else line.open_quantity)
    check_stock()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
@example([("cancel", (3, 0)), ("withdraw", (1, 0))])  # of what was cancelled nothing is left
def test_in_whatever_order_no_more_goes_back_than_came_and_what_is_promised_is_what_is_open(steps):
    with transaction.atomic():
        order = builders.placed_order(builders.variant(price="10.00"), builders.variant(price="3.33"), quantity=3)
        for kind, what in steps:
            try:
                with transaction.atomic():
                    take_step(order, kind, what)
            except REFUSALS:
                pass
            check(order)
        transaction.set_rollback(True)
