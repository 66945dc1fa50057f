"""Staff cancel and refund some of an order: the sum is shown first, and never more goes back than was paid."""

from decimal import Decimal

import pytest

from orders import line_cancellation
from orders.models import Order, Refund, RefundLine, Shipment
from orders.payments import line_refunds, refunds
from shop.catalog.models import StockRecord
from tests.backoffice.steps import page_of, said, take
from tests.orders.test_line_cancellation import nothing_changed, two_things

Stage = Shipment.Stage


@pytest.fixture
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation, line_refunds):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_stripe_does_not_answer")]


def test_staff_see_the_sum_first_and_then_cancel(staff):
    order = two_things(Stage.PICKED)
    first, _ = order.lines.all()
    assert "Cancel some of it" in staff.get(page_of(order)).text
    asked = {"confirm": "1", f"line-{first.pk}": "1", "seen_cancelled": "0", "reason": "The last one is torn"}
    page = take(staff, "cancel_lines", order, **asked).text
    assert "£10.00 goes back." in page
    assert nothing_changed(order)
    for value in ("1", "The last one is torn", "10.00"):  # the second step is sent as the first was typed
        assert f'value="{value}"' in page
    assert "[&#x27;" not in page
    take(staff, "cancel_lines", order, **asked, seen_sum="10.00")
    assert Refund.objects.get().reason.endswith("The last one is torn")
    assert said(take(staff, "cancel_lines", order, **asked, seen_sum="10.00")) == [
        f"{order.number} was changed meanwhile. Look again."
    ]
    assert "1 cancelled" in staff.get(page_of(order)).text
    assert StockRecord.objects.get(variant=first.variant).allocated == 2


def delivered_order() -> Order:
    order = two_things(Stage.DELIVERED)
    Order.objects.filter(pk=order.pk).update(shipping_total="4.00", total=order.total + 4)
    order.payments.update(amount=order.total + 4)
    return Order.objects.get(pk=order.pk)


def ask(order: Order, **fields: str) -> dict[str, str]:
    first, second = order.lines.all()
    named = {"first": f"line-{first.pk}", "second": f"line-{second.pk}"}
    return {"confirm": "1", "seen_left": "49.00"} | {named.get(name, name): value for name, value in fields.items()}


def test_lines_postage_and_goodwill_go_back_as_one_sum_that_is_shown_first(staff):
    order = delivered_order()
    assert "Refund goods or postage" in staff.get(page_of(order)).text
    asked = ask(order, first="1", second="2", delivery="4.00", goodwill="1.50", reason="A scratch")
    page = take(staff, "refund_parts", order, **asked).text
    assert "£25.50 goes back." in page
    assert not Refund.objects.exists()
    take(staff, "refund_parts", order, **asked, seen_sum="25.50")
    refund = Refund.objects.get()
    assert (refund.amount, refund.delivery_amount, refund.goodwill_amount) == (
        Decimal("25.50"),
        Decimal(4),
        Decimal("1.50"),
    )
    assert list(RefundLine.objects.order_by("pk").values_list("quantity", "amount")) == [
        (1, Decimal(10)),
        (2, Decimal(10)),
    ]
    assert refund.reason.endswith("delivery, goodwill. A scratch")
    assert said(take(staff, "refund_parts", order, **asked, seen_sum="25.50")) != ["Refunded"]
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"first": "4"}, "there are 3"),
        ({"first": "-1"}, "from 0 up"),
        ({"delivery": "4.01"}, "more than was paid for delivery"),
        ({"goodwill": "49.01"}, "£49.01, and £49.00 of what was paid is left"),
        ({"first": "3", "second": "3", "delivery": "4", "goodwill": "0.01"}, "Lower a number"),
        ({}, "Say what money goes back for"),
        ({"goodwill": "NaN"}, "Enter a number"),
    ],
)
def test_what_is_more_than_was_paid_gets_a_sentence_and_nothing_goes(staff, fields, sentence):
    order = delivered_order()
    response = take(staff, "refund_parts", order, **ask(order, **fields), seen_sum=fields.get("goodwill", "0"))
    assert sentence in response.text.replace("&#x27;", "'")
    assert not Refund.objects.exists()


def test_no_piece_is_refunded_twice_until_a_refund_fails(staff):
    order = delivered_order()
    take(staff, "refund_parts", order, **ask(order, first="3"), seen_sum="30.00")
    again = ask(order, first="1", seen_left="19.00")
    assert "errorlist" in take(staff, "refund_parts", order, **again).text or Refund.objects.count() == 1
    Refund.objects.update(status=Refund.Status.FAILED)
    take(staff, "refund_parts", order, **ask(order, first="1"), seen_sum="10.00")
    assert list(Refund.objects.order_by("pk").values_list("amount", flat=True)) == [Decimal(30), Decimal(10)]


def test_several_at_once_are_refused_in_words(staff):
    orders = [two_things(), two_things()]
    for action in ("refund_parts", "cancel_lines"):
        [words] = said(take(staff, action, *orders))
        assert words.startswith("Choose one order")
    assert all(nothing_changed(order) for order in orders)


def test_a_shown_sum_that_changed_meanwhile_is_refused():
    order = delivered_order()
    line = order.lines.first()
    parts = line_refunds.RefundParts({line.pk: 1})
    with pytest.raises(refunds.RefundRefused, match="meanwhile"):
        line_refunds.refund_parts(order.pk, parts, actor="Sam", seen_left=Decimal(48), seen_sum=Decimal(10))
    assert not Refund.objects.exists()
