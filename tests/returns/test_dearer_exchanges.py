"""What is wanted instead and costs more is an order that its buyer pays by link; the money for the first goes back."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from orders import order_access, staff_orders
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused, approve_order
from orders.models import Adjustment, Order, Payment, Refund, ReturnAuthorization, ShippingMethod, StripeRecord
from orders.payments.refunds import RefundRefused
from orders.returns import steps
from orders.returns.declaring import has_contract
from orders.returns.return_wording import TO_PAY_WORDS
from shop.catalog import listing, stock
from shop.catalog.models import StockRecord
from tests import builders
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.orders.test_staff_orders import lapse
from tests.paying import check_out, check_stock, fill, pay
from tests.person import Person
from tests.returns.selling import came, exchanged, take_back

__all__ = ["sink"]

pytestmark = pytest.mark.django_db

PAID, DEARER = Decimal(14), Decimal(18)


@pytest.fixture(autouse=True)
def _shop():
    cache.clear()
    take_back()
    builders.shipping_method()


def bought(standin) -> Order:
    """Size S, paid at Stripe, its parcel at the buyer's door."""
    jumper = builders.product("Wool jumper", sizes=("S", "M"))
    listing.refresh_listings()
    client = Client()
    fill(client, jumper.variants.first())
    order = pay(client, standin, check_out(client))
    approve_order(order.pk, actor="Sam")
    parcel = order.shipments.get()
    for step in (transitions.mark_shipment_picked, transitions.mark_shipment_packed):
        step(parcel.pk, actor="Sam")
    transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="royal_mail", tracking_number="")
    transitions.mark_shipment_delivered(parcel.pk, actor="Sam")
    return order


def received(order: Order, *, price: Decimal = DEARER, **fields) -> ReturnAuthorization:
    """Size S is back, for M at that price."""
    line = order.lines.get()
    line.product.variants.exclude(pk=line.variant_id).update(price=price)
    return steps.receive_return(exchanged(order, **fields).pk, actor="Sam")


def sent(made: ReturnAuthorization) -> Order:
    found = steps.send_exchange(made.pk, actor="Sam")
    made.refresh_from_db()
    return found


def guest(order: Order) -> Person:
    return Person().open(order_access.build_order_link(order))


def test_the_form_says_how_much_more_it_costs():
    order = came()
    line = order.lines.get()
    line.product.variants.exclude(pk=line.variant_id).update(price=DEARER)
    person = guest(order).click("Return or exchange something")
    assert person.sees("M, £18.00 (£4.00 more)")
    assert person.sees("If it costs more, you pay for it through a link once what you send back is here")


def test_the_new_order_waits_for_its_payment_and_the_first_money_goes_back(standin):
    order = bought(standin)
    made = received(order)
    order_sent = sent(made)
    [line] = order_sent.lines.all()
    assert (order_sent.status, order_sent.source, order_sent.payment_status) == ("pending", "staff", "unpaid")
    assert (order_sent.subtotal, order_sent.shipping_total, order_sent.total) == (DEARER, 0, DEARER)
    assert (line.variant.size, line.unit_price, line.price_reason) == ("M", DEARER, f"In exchange, {made.number}")
    assert (order_sent.full_name, order_sent.email, order_sent.customer) == (
        order.full_name,
        order.email,
        order.customer,
    )
    assert StockRecord.objects.get(variant=line.variant).allocated == 1
    given = Refund.objects.get()
    assert (given.amount, given.payment.order, given.status) == (PAID, order, "succeeded")
    assert (made.settled_as, made.refund, made.exchange_order, made.exchange_amount) == (
        "exchange",
        given,
        order_sent,
        None,
    )


def test_its_buyer_reads_what_to_pay_pays_and_it_is_an_order_like_any_other(standin, sink):
    made = received(bought(standin))
    order_sent = sent(made)
    person = guest(made.order)
    assert person.sees(TO_PAY_WORDS)
    assert person.sees("£18.00, to be paid by")
    assert person.sees("You get £14.00 back for what you sent us.")
    assert person.click("Look at it and pay").path == f"/orders/{order_sent.number}/"
    relay_and_deliver()
    [letter] = [mail for mail in sink.received if mail.topic == "order_to_pay"]
    assert f"It is what you want instead of what you sent back ({made.number})." in letter.text
    assert "You get £14.00 back for what you sent us." in letter.text
    buyer = Client()
    buyer.get(order_access.build_order_link(order_sent).split("localhost:8000")[-1])
    buyer.post(f"/orders/{order_sent.number}/payments/")
    buyer.get(f"/orders/{order_sent.number}/payment/")
    paid = pay(buyer, standin, Payment.objects.get(order=order_sent))
    assert (paid.status, paid.payment_status) == ("confirmed", "paid")
    assert guest(made.order).sees("What you want instead is on its way")
    assert has_contract(paid)
    check_stock()


def test_what_nobody_pays_is_not_sent_and_the_money_stays_given_back(standin):
    made = received(bought(standin))
    order_sent = sent(made)
    lapse(order_sent)
    assert staff_orders.end_unpaid_orders() == 1
    assert guest(made.order).sees("What you wanted instead was not paid, so it was not sent")
    assert Refund.objects.get().amount == PAID
    assert made.is_settled
    check_stock()


def test_a_discount_on_the_first_order_stands_for_what_goes_instead(standin):
    """Of three pieces at £14.00 that were paid £41.00 the buyer pays 41 back again and 3 × £4.00, to their gain."""
    order = came(quantity=3)
    Adjustment.objects.create(order=order, label="Ten off a hundred", amount=Decimal("-1.00"))
    made = received(order, count=3)
    assert made.goods_amount == Decimal("41.00")
    order_sent = sent(made)
    assert order_sent.lines.get().unit_price == Decimal("17.66")
    assert order_sent.total == Decimal("52.98")
    assert Refund.objects.get().amount == Decimal("41.00")


def test_a_gift_stays_a_gift(standin):
    order = came()
    order.lines.update(is_gift=True, is_excluded=True)
    line = sent(received(order)).lines.get()
    assert line.is_gift
    assert line.is_excluded


def test_pressed_again_it_is_one_order_and_one_refund(standin):
    made = received(bought(standin))
    sent(made)
    with pytest.raises(TransitionRefused, match="settled already"):
        steps.send_exchange(made.pk, actor="Sam")
    Refund.objects.update(status=Refund.Status.FAILED)
    with pytest.raises(TransitionRefused, match="made already"):
        steps.send_exchange(made.pk, actor="Sam")
    assert Order.objects.count() == 2
    assert Refund.objects.count() == 1


def test_while_the_first_payment_is_disputed_nothing_is_written(standin):
    made = received(came())
    payment = Payment.objects.get()
    StripeRecord.objects.create(
        kind="dispute", reference="dp_1", payment=payment, amount=payment.amount, currency="GBP",
        status="needs_response", created_at=timezone.now(), seen_at=timezone.now(), is_refundable=False,
    )  # fmt: skip
    with pytest.raises(RefundRefused):
        steps.send_exchange(made.pk, actor="Sam")
    made.refresh_from_db()
    assert made.settled_at is None
    assert Order.objects.count() == 1
    assert not Refund.objects.exists()


@pytest.mark.parametrize("why", ["gone", "no way"])
def test_what_cannot_go_is_refused_with_a_sentence_and_nothing_is_written(standin, why):
    order = came()
    made = received(order)
    if why == "gone":
        stock.receive_stock(made.lines.get().exchange_variant.stock.get().pk, quantity=-10, kind="counted")
    else:
        ShippingMethod.objects.all().delete()
    with pytest.raises(TransitionRefused, match="Nothing was entered" if why == "gone" else "no way of delivery"):
        steps.send_exchange(made.pk, actor="Sam")
    made.refresh_from_db()
    assert made.settled_at is None
    assert Order.objects.count() == 1
    assert not Refund.objects.exists()


def test_where_no_money_is_left_nothing_goes_back_and_the_order_is_made(standin):
    made = received(came())
    payment = Payment.objects.get()
    Refund.objects.create(payment=payment, amount=payment.amount, currency="GBP", status=Refund.Status.SUCCEEDED)
    assert sent(made).total == DEARER
    assert made.refund is None
    assert made.is_settled


def test_what_costs_the_same_in_all_goes_for_nothing(standin):
    made = received(came(), price=PAID)
    order_sent = sent(made)
    assert (order_sent.source, order_sent.total) == ("exchange", 0)
    assert not Refund.objects.exists()


def test_a_guest_without_an_address_gets_the_link_from_staff(standin, sink):
    order = came(email="")
    order_sent = sent(received(order))
    relay_and_deliver()
    assert order_sent.is_payable_by_link
    assert not sink.received
    assert guest(order_sent).sees("We set this aside for you until")


def test_a_stranger_sees_neither(client):
    made = received(came())
    order_sent = sent(made)
    other = Client()
    other.get(order_access.build_order_link(builders.sent_order()).split("localhost:8000")[-1])
    for each in (client, other):
        assert each.get(order_sent.get_absolute_url()).status_code == 404
