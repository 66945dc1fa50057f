"""All the money went back while goods to be exchanged were on their way: nothing goes for nothing then."""

from decimal import Decimal

import pytest

from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Payment, ReturnAuthorization
from orders.payments import refunds
from orders.returns import steps
from shop.catalog.models import StockRecord
from tests.returns.selling import Kind, came, exchanged, returned, take_back

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(refunds, "try_send_refund", lambda refund_id: None)


@pytest.fixture(params=["another size", "the same again, for what is faulty"])
def made(request) -> ReturnAuthorization:
    take_back()
    order = came(quantity=2)
    asked = exchanged(order) if request.param == "another size" else returned(order, kind=Kind.FAULTY)
    return steps.receive_return(asked.pk, actor="Sam")


def test_what_is_paid_back_whole_meanwhile_is_not_exchanged_as_well(made):
    refunds.refund_order(made.order_id, amount=None, actor="Kit")
    with pytest.raises(TransitionRefused, match=r"all that was paid for .* went back already"):
        steps.send_exchange(made.pk, actor="Sam")
    made.refresh_from_db()
    assert not made.is_settled
    assert Order.objects.count() == 1
    assert not StockRecord.objects.exclude(allocated=0).exists()
    steps.settle_return(made.pk, actor="Sam")


def test_after_money_for_goodwill_it_goes_all_the_same(made):
    refunds.refund_order(made.order_id, amount=Decimal(5), actor="Kit")
    assert steps.send_exchange(made.pk, actor="Sam").total == 0


def test_what_was_not_paid_here_goes_all_the_same(made):
    Payment.objects.all().delete()
    assert steps.send_exchange(made.pk, actor="Sam").total == 0
