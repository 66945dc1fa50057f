"""An exchange for something dearer in trouble: how the first order was paid, what fails, what changes meanwhile."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from orders import cancellation, staff_orders
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Adjustment, Order, Payment, Refund, ReturnAuthorization, StripeRecord, Withdrawal
from orders.models.order import draw_pickup_code
from orders.papers import issuing
from orders.payments import line_refunds, refunds
from orders.payments.paid_orders import find_paid_order
from orders.payments.refunds import RefundRefused
from orders.returns import exchanging, handling, steps
from orders.returns.declaring import Declaration, WithdrawalRefused, declare_withdrawal
from orders.returns.refusal import ReturnRefused
from orders.returns.requesting import request_return
from orders.returns.return_wording import TO_PAY_WORDS
from shop.catalog.models import Variant
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member
from tests.backoffice.test_returns import act
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.orders.test_staff_orders import lapse
from tests.papers.test_invoices import read_invoice
from tests.returns.selling import Wanted, add_line, came, exchanged, returned, take_back, wish
from tests.returns.test_dearer_exchanges import DEARER, PAID, bought, guest, received, sent

__all__ = ["sink"]

pytestmark = pytest.mark.django_db

VAT_ID = "GB980780684"  # pragma: allowlist secret
FAILED_WORDS = "£14.00 for what you sent us could not be paid back. We will find another way."


@pytest.fixture(autouse=True)
def _shop():
    cache.clear()
    take_back()
    builders.shipping_method()


def check_nothing_happened(made: ReturnAuthorization, *, orders: int = 1) -> None:
    made.refresh_from_db()
    assert made.settled_at is None
    assert made.exchange_order is None
    assert Order.objects.count() == orders
    assert not Refund.objects.exists()


def arrive(order: Order) -> Order:
    """It was paid, sent, and is at its buyer's door."""
    staff_orders.mark_paid_by_hand(order.pk, how="Cash", actor="Sam")
    builders.sent_parcel(order, delivered_at=timezone.now())
    Order.objects.filter(pk=order.pk).update(status="completed", fulfilment_status="delivered")
    order.refresh_from_db()
    return order


# -- How the first order was paid --------------------------------------------------------------------------------


def test_what_was_not_paid_here_is_not_asked_to_be_paid_again_in_full(standin):
    order = came(source=Order.Source.IMPORT)
    Payment.objects.all().delete()
    made = received(order)
    with pytest.raises(TransitionRefused, match=r"was not paid here.*“Settled another way”"):
        steps.send_exchange(made.pk, actor="Sam")
    check_nothing_happened(made)


def test_money_that_came_by_hand_goes_back_by_hand_and_staff_read_so(standin):
    order = came()
    Payment.objects.update(provider=Payment.Provider.BY_HAND, provider_reference="", payment_intent="")
    made = received(order)
    said = act(signed_in(staff_member(role="Staff: orders")), "send_instead", made)
    assert f"Give £14.00 back by hand, and note it on the page of {order.number}." in said[-1]
    made.refresh_from_db()
    assert made.refund.status == Refund.Status.REQUESTED
    assert guest(order).sees("You get £14.00 back for what you sent us.")


def test_what_was_sold_in_another_currency_is_not_exchanged_at_prices_of_this_one(standin):
    order = came(currency="EUR")
    line = order.lines.get()
    assert exchanging.list_exchange_variants([line])[line.pk] == []
    with pytest.raises(ReturnRefused):
        exchanged(order)
    assert not ReturnAuthorization.objects.exists()


def test_asked_for_before_the_shop_changed_its_currency_it_is_refused_with_a_sentence(standin, settings):
    made = received(came())
    settings.CURRENCY = "EUR"
    with pytest.raises(TransitionRefused, match=r"GBP.*EUR now"):
        steps.send_exchange(made.pk, actor="Sam")
    check_nothing_happened(made)


def exchange_again(order: Order) -> tuple[Order, ReturnAuthorization]:
    """What went for nothing in exchange for it came, and came back for something dearer."""
    swapped = sent(received(order, price=PAID))
    builders.sent_parcel(swapped, delivered_at=timezone.now())
    Order.objects.filter(pk=swapped.pk).update(status="completed", fulfilment_status="delivered")
    large = builders.variant(swapped.lines.get().product, size="L", price=DEARER)
    asked = wish(swapped, wanted=Wanted.EXCHANGE, variants={swapped.lines.get().pk: large.pk})
    return swapped, steps.receive_return(request_return(swapped.pk, asked).made.pk, actor="Sam")


def test_what_came_in_exchange_is_exchanged_again_at_what_the_first_was_paid(standin):
    order = bought(standin)
    Adjustment.objects.create(order=order, label="A pound off", amount=-1)
    _, made = exchange_again(order)
    last = sent(made)
    assert last.total == DEARER - 1
    assert (made.refund.amount, made.refund.payment.order, made.refund.status) == (PAID - 1, order, "succeeded")
    assert find_paid_order(last) == last


def test_whoever_has_the_first_link_follows_what_came_of_it_to_the_end(standin):
    order = bought(standin)
    swapped, made = exchange_again(order)
    last = sent(made)
    person = guest(order)
    assert person.click("Follow it").path == f"/orders/{swapped.number}/"
    person.click("Look at it and pay")
    assert (person.path, person.status) == (f"/orders/{last.number}/", 200)
    stranger = guest(builders.sent_order())
    assert stranger.open(last.get_absolute_url()).status == 404


def test_a_business_stands_on_the_new_invoice_and_the_credit_note_is_of_the_first(standin):
    order = bought(standin)
    Order.objects.filter(pk=order.pk).update(
        company_name="Reader Ltd", vat_id="GB980780684"
    )  # pragma: allowlist secret
    last = arrive(sent(received(order)))
    issuing.issue_due_invoices()
    assert {(each.kind, each.order, each.total) for each in order.invoices.all()} == {
        ("invoice", order, order.total),
        ("credit_note", order, PAID),
    }
    [invoice] = last.invoices.all()
    assert invoice.total == DEARER
    words = read_invoice(invoice)
    assert "Reader Ltd" in words
    assert VAT_ID in words


# -- Odd numbers -------------------------------------------------------------------------------------------------


def test_a_dearer_and_a_cheaper_thing_come_to_what_was_paid_and_the_difference(standin):
    """Paid £2.00 for £28.00 of goods; the one costs £10.00 more, the other £8.00 less: £4.00, however it is shared."""
    order = came()
    first = order.lines.get()
    cap = builders.product("Wool cap", sizes=("S", "M"))
    add_line(order, cap.variants.first())
    Adjustment.objects.create(order=order, label="Nearly all off", amount=-26)
    first.product.variants.exclude(pk=first.variant_id).update(price=24)
    cap.variants.filter(size="M").update(price=6)
    other = {line: line.product.variants.get(size="M").pk for line in order.lines.all()}
    asked = wish(order, line=first, wanted=Wanted.EXCHANGE, variants={line.pk: pk for line, pk in other.items()})
    asked.pieces.update({line.pk: 1 for line in other})
    made = request_return(order.pk, asked).made
    steps.receive_return(made.pk, actor="Sam")
    assert made.goods_amount == 2
    assert sent(made).total == Decimal("4.00")


def test_of_several_pieces_at_odd_pennies_the_buyer_never_pays_more_than_the_difference(standin):
    order = came(quantity=7)
    Adjustment.objects.create(order=order, label="Some off", amount=Decimal("-10.01"))
    made = received(order, count=3, price=Decimal("14.05"))
    new = sent(made)
    asked = new.total - made.goods_amount
    assert Decimal("0.15") - Decimal("0.03") < asked <= Decimal("0.15")
    assert new.lines.get().quantity == 3


# -- What changes meanwhile --------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", ["15.00", "99.00"])
def test_it_costs_what_it_did_when_it_was_asked_for(standin, price):
    made = received(came())
    Variant.objects.filter(size="M").update(price=price)
    assert sent(made).total == DEARER


def test_what_is_off_sale_meanwhile_is_sent_all_the_same(standin):
    made = received(came())
    Variant.objects.filter(size="M").update(is_active=False)
    assert arrive(sent(made)).lines.get().variant.size == "M"


def test_it_goes_another_way_where_the_first_is_not_offered_any_more(standin):
    first = builders.shipping_method("By bicycle", is_active=False)
    new = sent(received(came(shipping_method=first)))
    assert new.shipping_method.is_active
    assert new.shipping_total == 0


def collected(**fields) -> Order:
    method = builders.pickup_method()
    return came(pickup_store=method.store, pickup_code=draw_pickup_code(), shipping_method=method, **fields)


def test_what_was_collected_is_collected_again_once_it_is_paid(standin):
    order = collected()
    new = sent(received(order))
    assert (new.pickup_store, new.is_payable_by_link, new.total) == (order.pickup_store, True, DEARER)
    assert new.pickup_code != order.pickup_code
    assert guest(order).sees(TO_PAY_WORDS)


def test_where_nothing_is_collected_any_more_staff_read_to_give_the_money_back(standin):
    order = collected()
    made = received(order)
    type(order.shipping_method).objects.filter(pk=order.shipping_method_id).update(is_active=False)
    with pytest.raises(TransitionRefused, match=r"is not offered any more.*Give the money back"):
        steps.send_exchange(made.pk, actor="Sam")
    check_nothing_happened(made)


def test_of_several_at_once_the_one_that_is_refused_stops_no_other(standin):
    first, gone, last = (received(order) for order in (came(), came(), came()))
    Variant.objects.filter(pk=gone.lines.get().exchange_variant_id).get().stock.update(on_hand=0)
    said = act(signed_in(staff_member(role="Staff: orders")), "send_instead", first, gone, last)
    assert [gone.number in words for words in said].count(True) == 1
    for made in (first, last):
        made.refresh_from_db()
        assert any(f"{made.exchange_order.number} waits for £18.00" in words for words in said)
    gone.refresh_from_db()
    assert gone.settled_at is None
    assert Order.objects.count() == 5


# -- The money does not go back ----------------------------------------------------------------------------------


def test_where_stripe_refuses_the_refund_staff_and_buyer_read_so(standin, sink):
    order = came()  # Stripe knows no payment of it
    made = received(order)
    staff = signed_in(staff_member(role="Staff: orders"))
    said = act(staff, "send_instead", made)
    made.refresh_from_db()
    assert made.refund.status == Refund.Status.FAILED
    assert any("Stripe refused the refund of £14.00" in words for words in said)
    assert not any("goes back" in words for words in said)
    assert guest(order).sees(FAILED_WORDS)
    relay_and_deliver()
    [letter] = [mail for mail in sink.received if mail.topic == "order_to_pay"]
    assert FAILED_WORDS in letter.text


def test_given_back_at_last_it_is_still_an_exchange_that_waits_for_its_payment(standin):
    made = received(came())
    new = sent(made)
    Payment.objects.filter(order=made.order).update(provider=Payment.Provider.BY_HAND)
    steps.refund_return(made.pk, amount=None, actor="Sam")
    made.refresh_from_db()
    assert (made.settled_as, made.exchange_order, made.is_settled) == ("exchange", new, True)
    [first, second] = made.order.events.filter(kind="return_settled").order_by("pk")
    assert first.data["is_to_pay"] is second.data["is_to_pay"] is True
    assert second.data["sent"] == new.number


@pytest.mark.parametrize("way", ["refunded", "another way"])
def test_given_back_after_nobody_paid_nothing_is_said_to_be_on_its_way(standin, way):
    made = received(came())
    lapse(sent(made))
    staff_orders.end_unpaid_orders()
    if way == "refunded":
        steps.refund_return(made.pk, amount=None, actor="Sam")
    else:
        steps.settle_return(made.pk, actor="Sam")
    made.refresh_from_db()
    assert made.settled_as == "refund"
    assert made.order.events.filter(kind="return_settled").order_by("pk").last().data["sent"] == ""


def test_while_the_order_in_exchange_stands_the_return_is_not_refused(standin):
    made = received(came())
    new = sent(made)
    with pytest.raises(TransitionRefused, match=f"{new.number} was made in exchange for it"):
        steps.refuse_return(made.pk, actor="Sam", reason="It was worn.")
    made.refresh_from_db()
    assert made.refused_at is None
    staff_orders.cancel_draft_order(new.pk, actor="Sam")
    steps.refuse_return(made.pk, actor="Sam", reason="It was worn.")


def test_a_plain_refund_that_fails_is_not_said_to_be_on_its_way(standin):
    order = came()
    made = steps.receive_return(returned(order).pk, actor="Sam")
    steps.refund_return(made.pk, amount=None, actor="Sam")
    page = guest(order)
    assert page.sees("Your money could not be paid back")
    assert page.sees("We will find another way.")
    assert not page.sees("Your money is on its way back")


def test_killed_before_stripe_was_asked_the_order_and_the_refund_are_both_noted(standin, monkeypatch):
    def die(refund_id: int) -> None:
        raise SystemExit

    made = received(bought(standin))
    with monkeypatch.context() as patched:
        patched.setattr(refunds, "try_send_refund", die)
        with pytest.raises(SystemExit):
            steps.send_exchange(made.pk, actor="Sam")
    made.refresh_from_db()
    assert (made.is_settled, made.refund.status, made.exchange_order.total) == (True, "requested", DEARER)
    refunds.send_refund(made.refund.pk)
    assert Refund.objects.get().status == "succeeded"


# -- What becomes of the new order -------------------------------------------------------------------------------


def test_a_guest_who_has_the_first_link_alone_goes_on_to_pay(standin):
    made = received(bought(standin))
    new = sent(made)
    person = guest(made.order).click("Look at it and pay")
    person.press("Continue to payment – order and pay £18.00")
    assert person.status == 200
    assert Payment.objects.get(order=new).amount == DEARER


def test_called_off_once_it_was_paid_it_is_not_said_to_be_on_its_way(standin):
    made = received(bought(standin))
    new = sent(made)
    staff_orders.mark_paid_by_hand(new.pk, how="Cash", actor="Sam")
    cancellation.cancel_order(new.pk, actor="Sam")
    new.refresh_from_db()
    assert new.status == "cancelled"
    page = guest(made.order)
    assert page.sees("What you wanted instead was called off")
    assert not page.sees("is on its way")


def test_the_new_order_is_withdrawn_from_for_its_own_price_and_of_the_first_nothing_is_left(standin):
    order = bought(standin)
    new = arrive(sent(received(order)))
    with pytest.raises(WithdrawalRefused):
        declare_withdrawal(order.pk, Declaration("Pat Reader", order.email), way=Withdrawal.Way.ORDER)
    made = declare_withdrawal(new.pk, Declaration("Pat Reader", new.email), way=Withdrawal.Way.ORDER).withdrawal
    assert (made.goods_amount, made.delivery_amount) == (DEARER, 0)
    assert handling.refund_withdrawal(made.pk, amount=None, actor="Sam").payment.order == new


def test_the_new_order_is_sent_back_for_its_own_price_out_of_its_own_payment(standin):
    new = arrive(sent(received(bought(standin))))
    made = steps.receive_return(returned(new).pk, actor="Sam")
    given = steps.refund_return(made.pk, amount=None, actor="Sam")
    assert (given.amount, given.payment.order) == (DEARER, new)


def test_a_bank_takes_the_first_payment_and_the_new_order_goes_on(standin):
    order = bought(standin)
    new = arrive(sent(received(order)))
    payment = order.payments.get()
    StripeRecord.objects.create(
        kind="dispute", reference="dp_1", payment=payment, amount=payment.amount, currency="GBP", status="lost",
        created_at=timezone.now(), seen_at=timezone.now(), is_refundable=False,
    )  # fmt: skip
    assert refunds.find_refundable_payment(order) == (None, 0)
    assert refunds.find_refundable_payment(new)[1] == DEARER
    assert guest(new).status == 200


def test_of_the_first_order_no_more_goes_back_than_is_left(standin):
    order = bought(standin)
    sent(received(order))
    assert refunds.find_refundable_payment(order)[1] == order.total - PAID
    assert set(line_refunds.count_refundable_pieces(order).values()) == {0}
    with pytest.raises(RefundRefused):
        refunds.refund_order(order.pk, amount=PAID, actor="Sam")
    assert Refund.objects.count() == 1
