"""What was sent in exchange for nothing is called off: what was paid for the goods that came back goes back."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from orders import cancellation, line_cancellation
from orders.models import Adjustment, Order, OrderEvent, Payment, Refund, StripeRecord
from orders.returns import steps
from tests import builders
from tests.paying import check_stock
from tests.returns.selling import Kind, Wanted, came, returned, take_back
from tests.returns.test_dearer_exchanges import PAID, bought, guest, received, sent
from tests.returns.test_dearer_troubles import exchange_again

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop():
    cache.clear()
    take_back()
    builders.shipping_method()


def test_its_buyer_is_promised_the_money_and_gets_it_out_of_the_first_payment(standin):
    order = bought(standin)
    new = sent(received(order, price=PAID))
    page = guest(new)
    assert page.sees("you can call it off, and get all your money back")
    page.press("Cancel this order")
    new.refresh_from_db()
    order.refresh_from_db()
    assert (new.status, order.payment_status) == ("cancelled", "partially_refunded")
    [given] = Refund.objects.all()
    assert (given.amount, given.payment.order, given.status) == (PAID, order, "succeeded")
    assert new.events.get(kind=OrderEvent.Kind.CANCELLED).data["amount"] == "14.00"
    assert guest(order).sees("£14.00 refunded")
    check_stock()


def test_what_cost_less_went_back_already_and_does_not_go_again(standin):
    order = bought(standin)
    new = sent(received(order, price=Decimal(10)))
    assert Refund.objects.get().amount == 4
    cancellation.cancel_order(new.pk, actor="Sam")
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [4, 10]


def test_some_of_it_called_off_gives_back_its_share_and_the_rest_the_rest(standin):
    order = came(quantity=3)
    Adjustment.objects.create(order=order, label="A pound off", amount=-1)
    new = sent(received(order, price=PAID, count=3))
    line = new.lines.get()
    assert line_cancellation.compute_gives_back(new, {line: 1}) == Decimal("13.67")
    assert line_cancellation.compute_gives_back(new, {line: 3}) == 41
    line_cancellation.cancel_lines(new.pk, {line.pk: 1}, actor="Sam", seen_cancelled=0)
    first = Refund.objects.get()
    assert (first.amount, first.payment.order) == (Decimal("13.67"), order)
    Refund.objects.update(status="succeeded", settled_at=timezone.now())  # Stripe knows no payment of it
    cancellation.cancel_order(new.pk, actor="Sam")
    assert sum(Refund.objects.values_list("amount", flat=True)) == 41
    check_stock()


def test_a_replacement_called_off_is_money_back(standin):
    order = bought(standin)
    made = returned(order, kind=Kind.FAULTY, wanted=Wanted.REPLACEMENT, words="It broke.")
    steps.receive_return(made.pk, actor="Sam")
    cancellation.cancel_order(sent(made).pk, actor="Sam")
    assert Refund.objects.get().amount == PAID


def test_of_an_exchange_of_an_exchange_the_first_payment_gives_it_back(standin):
    order = bought(standin)
    _, made = exchange_again(order)
    made.lines.update(exchange_unit_price=PAID)
    last = sent(made)
    assert last.source == Order.Source.EXCHANGE
    cancellation.cancel_order(last.pk, actor="Sam")
    assert [(each.amount, each.payment.order) for each in Refund.objects.all()] == [(PAID, order)]


def test_while_a_bank_disputes_the_first_payment_it_is_called_off_and_nothing_is_promised(standin):
    new = sent(received(bought(standin), price=PAID))
    payment = Payment.objects.get()
    StripeRecord.objects.create(
        kind="dispute", reference="dp_1", payment=payment, amount=payment.amount, currency="GBP",
        status="needs_response", created_at=timezone.now(), seen_at=timezone.now(), is_refundable=False,
    )  # fmt: skip
    page = guest(new)
    assert page.sees("you can call it off.")
    assert not page.sees("your money back")
    cancellation.cancel_order(new.pk, actor="Sam")
    assert not Refund.objects.exists()
    assert "amount" not in new.events.get(kind=OrderEvent.Kind.CANCELLED).data


def test_of_what_was_not_paid_here_no_money_is_promised(standin):
    order = came(source=Order.Source.IMPORT)
    Payment.objects.all().delete()
    page = guest(new := sent(received(order, price=PAID)))
    assert not page.sees("your money back")
    page.press("Cancel this order")
    new.refresh_from_db()
    assert new.status == "cancelled"
    assert not Refund.objects.exists()
