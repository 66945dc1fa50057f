"""What is sent in exchange is reckoned at the price that its buyer saw when asking."""

import pytest

from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Refund, ReturnAuthorization
from orders.returns import steps
from shop.catalog.models import Variant
from tests.returns.selling import came, exchanged, take_back

pytestmark = pytest.mark.django_db

PAID, ASKED_AT = 14, 10


@pytest.fixture
def made(standin) -> ReturnAuthorization:
    """Size S for £14.00 came back, for M at £10.00."""
    take_back()
    order = came()
    line = order.lines.get()
    price_other(line.product.variants.exclude(pk=line.variant_id).get(), ASKED_AT)
    return steps.receive_return(exchanged(order).pk, actor="Sam")


def price_other(variant: Variant, price: int) -> None:
    variant.price = price
    variant.save()


@pytest.mark.parametrize("price", [8, 12, 20])
def test_an_exchange_is_reckoned_at_the_price_when_it_was_asked_for(made, price):
    price_other(made.lines.get().exchange_variant, price)
    sent = steps.send_exchange(made.pk, actor="Sam")
    made.refresh_from_db()
    assert sent.lines.get().unit_price == sent.subtotal == ASKED_AT
    assert sent.total == 0
    assert made.exchange_amount == ASKED_AT
    assert Refund.objects.get().amount == PAID - ASKED_AT


def test_one_asked_for_before_prices_were_kept_goes_at_todays(made):
    price_other(made.lines.get().exchange_variant, 12)
    made.lines.update(exchange_unit_price=None)
    steps.send_exchange(made.pk, actor="Sam")
    made.refresh_from_db()
    assert made.exchange_amount == 12
    assert Refund.objects.get().amount == PAID - 12


def test_where_the_other_size_is_no_longer_sold_the_first_is_not_sent_back(made):
    made.lines.update(exchange_variant=None)
    with pytest.raises(TransitionRefused, match="no longer has that"):
        steps.send_exchange(made.pk, actor="Sam")
    made.refresh_from_db()
    assert made.settled_at is None
    assert Order.objects.count() == 1
    assert not Refund.objects.exists()
