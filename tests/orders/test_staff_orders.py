"""Orders that staff enter: set aside, paid by link or by hand, ended in time; from then on like any other."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from notifications.models import OutgoingEmail
from orders import cancellation, order_access, staff_orders
from orders.fulfilment import queue
from orders.fulfilment.transitions import TransitionRefused, approve_order
from orders.models import Order, OrderEvent, OrderTick, Payment, Refund
from orders.payments import reconciliation, refunds
from orders.payments.refunds import RefundRefused
from orders.shop_terms import load_terms
from orders.staff_orders import Channel, DraftLine, DraftRefused, OrderDraft
from shop.catalog import listing
from shop.catalog.models import StockRecord, Variant
from tests import builders
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words
from tests.paying import BUYER, check_out, check_stock, fill, pay
from tests.returns.selling import take_back

__all__ = ["sink"]

pytestmark = pytest.mark.django_db

ADDRESS = {name: value for name, value in BUYER.items() if name != "email"}


def mug(**fields) -> Variant:
    made = builders.product("Tin mug", **fields).variants.get()
    listing.refresh_listings()
    return made


def enter(*lines: DraftLine, **fields) -> Order:
    fields.setdefault("email", "pat@example.com")
    fields.setdefault("method", builders.shipping_method())
    draft = OrderDraft(lines=lines or (DraftLine(mug(), 1),), address=ADDRESS, channel=Channel.PHONE, **fields)
    return staff_orders.create_draft_order(draft, actor="Sam", terms=load_terms())


def opened_by(order: Order) -> Client:
    """Whoever has the link from the mail."""
    client = Client()
    path = order_access.build_order_link(order).split("localhost:8000")[-1]
    assert client.get(path).status_code == 303
    return client


def lapse(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(pay_by_at=timezone.now() - timedelta(minutes=1))


def kinds(order: Order) -> list[str]:
    return list(order.events.values_list("kind", flat=True))


def test_an_entered_order_waits_with_its_goods_set_aside_and_nothing_ticked():
    order = enter(DraftLine(mug(price="14.00"), 2))
    assert (order.status, order.source, order.payment_status) == ("pending", "staff", "unpaid")
    assert (order.subtotal, order.shipping_total, order.total) == (Decimal("28.00"), Decimal("3.50"), Decimal("31.50"))
    assert order.ships_on
    assert StockRecord.objects.get().allocated == 2
    assert not OrderTick.objects.exists()
    assert kinds(order) == ["order_drafted"]
    check_stock()


def test_its_buyer_gets_the_link_looks_pays_and_gets_the_receipt(sink, standin):
    order = enter()
    relay_and_deliver()
    [mail] = [mail for mail in sink.received if mail.topic == "order_to_pay"]
    assert order.number in mail.text
    assert "Tin mug" in mail.text
    buyer = opened_by(order)
    page = " ".join(read_words(buyer.get(f"/orders/{order.number}/").text).split())
    assert "We set this aside for you until" in page
    assert "Continue to payment – order and pay £17.50" in page
    begun = buyer.post(f"/orders/{order.number}/payments/")
    assert begun.url == f"/orders/{order.number}/payment/"
    assert buyer.get(begun.url).status_code == 303
    paid = pay(buyer, standin, Payment.objects.get())
    assert (paid.status, paid.payment_status) == ("confirmed", "paid")
    relay_and_deliver()
    assert [mail.topic for mail in sink.received] == ["order_to_pay", "receipt"]
    approve_order(order.pk, actor="Sam")
    assert order.shipments.count() == 1
    check_stock()


def test_who_turns_back_may_come_again_until_the_last_day(standin):
    order = enter()
    buyer = opened_by(order)
    buyer.post(f"/orders/{order.number}/payments/")
    buyer.get(f"/orders/{order.number}/payment/")
    first = Payment.objects.get()
    turned_back = buyer.get(f"/orders/{order.number}/unpaid/")
    assert turned_back.url == f"/orders/{order.number}/"
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=2))
    reconciliation.reconcile_with_stripe()
    first.refresh_from_db()
    order.refresh_from_db()
    assert (first.status, order.status) == ("expired", "pending")
    assert StockRecord.objects.get().allocated == 1
    second = staff_orders.start_link_payment(order.pk)
    assert second.pk != first.pk
    assert staff_orders.start_link_payment(order.pk).pk == second.pk


def test_what_nobody_pays_in_time_ends_and_the_goods_go_back():
    order, other = enter(), enter()
    lapse(order)
    assert staff_orders.end_unpaid_orders() == 1
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.status, other.status) == ("cancelled", "pending")
    assert kinds(order) == ["order_drafted", "order_draft_ended"]
    assert sum(StockRecord.objects.values_list("allocated", flat=True)) == 1
    assert staff_orders.end_unpaid_orders() == 0
    refused = opened_by(order).post(f"/orders/{order.number}/payments/", follow=True)
    assert "does not wait for a payment any more" in refused.text
    assert not Payment.objects.exists()
    check_stock()


def test_whoever_is_paying_as_the_time_runs_out_is_left_to_it(standin):
    order = enter()
    buyer = opened_by(order)
    buyer.post(f"/orders/{order.number}/payments/")
    buyer.get(f"/orders/{order.number}/payment/")
    lapse(order)
    assert staff_orders.end_unpaid_orders() == 0
    assert pay(buyer, standin, Payment.objects.get()).status == "confirmed"


def test_a_session_that_ends_after_the_last_day_ends_the_order(standin):
    order = enter()
    buyer = opened_by(order)
    buyer.post(f"/orders/{order.number}/payments/")
    buyer.get(f"/orders/{order.number}/payment/")
    lapse(order)
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=2))
    reconciliation.reconcile_with_stripe()
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert StockRecord.objects.get().allocated == 0


def test_paid_by_hand_it_is_placed_at_once_and_sends_no_link(sink):
    order = enter(paid_how="Cash")
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    payment = order.payments.get()
    assert (payment.provider, payment.status, payment.note, payment.amount) == (
        "by_hand",
        "captured",
        "Cash",
        order.total,
    )
    relay_and_deliver()
    assert [mail.topic for mail in sink.received] == ["receipt"]


def test_money_that_comes_later_is_noted_and_ends_an_open_payment_page(standin):
    order = enter()
    buyer = opened_by(order)
    buyer.post(f"/orders/{order.number}/payments/")
    buyer.get(f"/orders/{order.number}/payment/")
    staff_orders.mark_paid_by_hand(order.pk, how="Transfer", actor="Sam")
    order.refresh_from_db()
    assert order.status == "confirmed"
    assert sorted(order.payments.values_list("provider", "status")) == [("by_hand", "captured"), ("stripe", "expired")]
    with pytest.raises(TransitionRefused):
        staff_orders.mark_paid_by_hand(order.pk, how="Transfer", actor="Sam")
    assert order.payments.filter(status="captured").count() == 1


def test_paid_at_stripe_meanwhile_nothing_is_noted_by_hand(standin):
    order = enter()
    buyer = opened_by(order)
    buyer.post(f"/orders/{order.number}/payments/")
    buyer.get(f"/orders/{order.number}/payment/")
    standin.pay(Payment.objects.get().provider_reference)
    with pytest.raises(TransitionRefused, match="does not wait"):
        staff_orders.mark_paid_by_hand(order.pk, how="Transfer", actor="Sam")
    assert Payment.objects.get().provider == "stripe"
    assert Order.objects.get().status == "confirmed"


def test_money_taken_by_hand_goes_back_by_hand_and_waits_for_staff(sink):
    order = enter(paid_how="Cash")
    cancellation.cancel_order(order.pk, actor="Sam")
    refund = Refund.objects.get()
    assert refund.status == "requested"
    reconciliation.reconcile_with_stripe()
    refund.refresh_from_db()
    assert refund.status == "requested"
    assert list(queue.filter_by_queue(Order.objects.all(), "look")) == [order]
    refunds.confirm_refund_by_hand(refund.pk)
    order.refresh_from_db()
    assert order.payment_status == "refunded"
    assert not queue.filter_by_queue(Order.objects.all(), "look").exists()
    with pytest.raises(RefundRefused):
        refunds.confirm_refund_by_hand(refund.pk)
    assert kinds(order).count("order_refunded") == 1


def test_a_price_of_ones_own_needs_a_reason_and_stands_with_it():
    goods = mug()
    with pytest.raises(DraftRefused, match="needs a reason"):
        enter(DraftLine(goods, 1, Decimal("10.00")))
    assert not Order.objects.exists()
    order = enter(DraftLine(goods, 3, Decimal("10.00"), "Chipped"))
    line = order.lines.get()
    assert (line.unit_price, line.price_reason, order.subtotal) == (Decimal("10.00"), "Chipped", Decimal("30.00"))


def test_more_than_there_is_is_refused_whole():
    plenty, last = mug(), builders.product("Lamp", on_hand=1).variants.get()
    with pytest.raises(DraftRefused, match="Lamp cannot be had in that number"):
        enter(DraftLine(plenty, 1), DraftLine(last, 2))
    assert not Order.objects.exists()
    assert not OrderEvent.objects.exists()
    assert not StockRecord.objects.filter(allocated__gt=0).exists()


def test_the_same_form_sent_twice_is_one_order():
    key, line = uuid.uuid4(), DraftLine(mug(), 1)
    assert enter(line, key=key).pk == enter(line, key=key).pk
    assert StockRecord.objects.get().allocated == 1
    assert OrderEvent.objects.count() == 1


def test_without_an_address_to_write_to_the_link_is_for_staff_to_give(standin):
    order = enter(email="")
    relay_and_deliver()
    assert not OutgoingEmail.objects.exclude(state="skipped").exists()
    buyer = opened_by(order)
    buyer.post(f"/orders/{order.number}/payments/")
    assert buyer.get(f"/orders/{order.number}/payment/").status_code == 303
    assert pay(buyer, standin, Payment.objects.get()).status == "confirmed"


def test_called_off_it_is_over_for_its_buyer_too(standin):
    order = enter()
    buyer = opened_by(order)
    buyer.post(f"/orders/{order.number}/payments/")
    buyer.get(f"/orders/{order.number}/payment/")
    staff_orders.cancel_draft_order(order.pk, actor="Sam", reason="Not wanted")
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert Payment.objects.get().status == "expired"
    assert "never paid for" in buyer.get(f"/orders/{order.number}/").text
    check_stock()


def test_its_address_proves_nothing_until_its_owner_does():
    known = builders.customer("pat@example.com")
    order = enter()
    assert order.customer is None
    order_access.join_orders_to_customer(known)
    order.refresh_from_db()
    assert order.customer == known


def test_nobody_else_may_pay_or_see_it():
    order = enter()
    assert Client().get(f"/orders/{order.number}/").status_code == 404
    assert Client().post(f"/orders/{order.number}/payments/").status_code == 404
    assert not Payment.objects.exists()


def test_it_holds_the_same_terms_as_an_order_from_the_cart(client, standin):
    """Whatever a checkout copies, but for what tells the two apart."""
    builders.tax_rate()
    goods = mug()
    fill(client, goods)
    from_cart = check_out(client).order
    entered = enter(DraftLine(goods, 1))
    own = {"id", "number", "source", "cart", "cart_fingerprint", "created_at", "pay_by_at"}
    for field in Order._meta.concrete_fields:
        if field.name not in own:
            assert getattr(entered, field.attname) == getattr(from_cart, field.attname), field.name
    assert entered.return_window_days is not None


def test_its_page_names_the_goods_the_total_the_days_and_what_may_come_back_directly_beside_the_button():
    take_back()
    order = enter(DraftLine(mug(price="14.00"), 2), DraftLine(mug(), 1))
    page = " ".join(read_words(opened_by(order).get(f"/orders/{order.number}/").text).replace("&nbsp;", " ").split())
    before = page[: page.index("Continue to payment")]
    beside = before[before.rindex("Goes to") :]
    assert "2 × Tin mug" in beside
    assert f"Total £{order.total}" in beside
    assert "With you" in beside
    assert "Send it back within 30 days: money back or another size or colour." in page[len(before) :]
