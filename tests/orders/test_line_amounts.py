"""What of an order's money belongs to some of its goods, and what becomes of a line that is cancelled alone."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from orders.models import Adjustment, Order, OrderLine
from orders.payments import line_amounts
from orders.returns.declaring import count_pieces_left
from tests import builders

GOODS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 99_999)), min_size=1, max_size=4)


class Rows(list):
    """Stands for a prefetched relation."""

    def all(self):
        return self


def unsaved_order(goods: list[tuple[int, int]], discount: int) -> Order:
    order = Order(pk=1, currency="GBP")
    lines = [
        OrderLine(pk=place, order=order, quantity=count, unit_price=Decimal(pence) / 100)
        for place, (count, pence) in enumerate(goods, start=1)
    ]
    order._prefetched_objects_cache = {
        "lines": Rows(lines),
        "adjustments": Rows([Adjustment(amount=-Decimal(discount) / 100)]),
    }
    return order


@given(GOODS, st.integers(0, 1_000_000), st.data())
def test_taken_in_any_parts_the_shares_come_to_what_all_of_it_was_paid_for(goods, discount, data):
    order = unsaved_order(goods, discount)
    left = {line: line.quantity for line in order.lines.all()}
    taken, given_back = dict.fromkeys(left, 0), Decimal(0)
    while any(left.values()):
        part = {line: data.draw(st.integers(0, count)) for line, count in left.items()}
        if not any(part.values()):
            part = dict(left)
        share = line_amounts.compute_goods_share(order, part, before=taken)
        assert share >= 0
        given_back += share
        for line, count in part.items():
            left[line] -= count
            taken[line] += count
    assert given_back == line_amounts.compute_goods_paid(order)


def test_goods_that_cost_nothing_have_no_share():
    order = unsaved_order([(1, 0), (2, 0)], 0)
    assert line_amounts.compute_goods_share(order, dict.fromkeys(order.lines.all(), 1)) == 0


@pytest.mark.django_db
def test_a_line_that_is_wholly_cancelled_is_neither_bought_nor_to_be_withdrawn_from():
    order = builders.placed_order(builders.variant(), builders.variant(), quantity=2)
    first, second = order.lines.all()
    order.lines.filter(pk=first.pk).update(cancelled_quantity=1)
    assert OrderLine.objects.bought().count() == 2
    assert count_pieces_left(order, []) == {first: 1, second: 2}
    order.lines.filter(pk=first.pk).update(cancelled_quantity=2)
    assert OrderLine.objects.bought().get() == second
    assert count_pieces_left(order, []) == {second: 2}
    first.refresh_from_db()
    assert first.set_aside_at  # what was computed from it is hidden from now on


@pytest.mark.django_db
def test_no_more_can_be_cancelled_than_was_ordered():
    line = builders.placed_order().lines.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(cancelled_quantity=2)
    assert OrderLine.objects.get().cancelled_quantity == 0
