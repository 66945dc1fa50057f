"""However money is given back, what it is for adds up to it, and the credit note lists just that."""

import ast
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from orders import cancellation, line_cancellation
from orders.gateways.stripe_records import StripeItem
from orders.models import Adjustment, Invoice, Order, Payment, Refund, Withdrawal
from orders.papers import issuing
from orders.payments import line_refunds, recording, refunds
from orders.payments.line_refunds import RefundParts, count_refundable_pieces
from orders.returns import handling, steps
from orders.returns.declaring import Declaration, declare_withdrawal
from orders.returns.requesting import request_return
from tests import builders
from tests.papers.test_invoices import read_invoice
from tests.returns.selling import came, exchanged, take_back, wish

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
ROOMS = ("accounts", "notifications", "orders", "recommendations", "shop")
STANDARD, REDUCED = Decimal("0.2000"), Decimal("0.0500")


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, line_cancellation, line_refunds, cancellation.checkout_sessions):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def socks_and_tea(*, sent: bool = False, discount: int = 0) -> Order:
    """Two pairs of socks at £12.00 with 20 % inside, a tea at £8.00 with 5 %, delivery at £3.50."""
    socks = builders.variant(builders.product("Wool socks"), price="12.00")
    tea = builders.variant(builders.product("Green tea"), price="8.00")
    order = (builders.sent_order if sent else builders.placed_order)(socks, tea)
    first, second = order.lines.all()
    for line, count, rate, tax in ((first, 2, STANDARD, "4.00"), (second, 1, REDUCED, "0.38")):
        order.lines.filter(pk=line.pk).update(quantity=count, tax_rate=rate, tax_amount=Decimal(tax))
    if sent:
        order.shipments.get().lines.filter(order_line=first).update(quantity=2)
    if discount:
        Adjustment.objects.create(order=order, label="Thank you", amount=-discount)
    total = Decimal("35.50") - discount
    sums = {"subtotal": 32, "shipping_total": Decimal("3.50"), "tax_total": Decimal("4.96"), "total": total}
    Order.objects.filter(pk=order.pk).update(ordinary_shipping_total=Decimal("3.50"), **sums)
    order.payments.update(amount=total)
    return Order.objects.get(pk=order.pk)


def give_all(**fields) -> Order:
    order = socks_and_tea(**fields)
    refunds.refund_order(order.pk, amount=None, actor="Sam")
    return order


def give_a_sum() -> Order:
    order = socks_and_tea()
    refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam")
    return order


def give_parts_then_the_rest() -> Order:
    order = socks_and_tea()
    first = order.lines.first()
    parts = RefundParts({first.pk: 1}, Decimal(2), Decimal(1))
    line_refunds.refund_parts(order.pk, parts, actor="Sam", seen_left=Decimal("35.50"), seen_sum=Decimal(15))
    refunds.refund_order(order.pk, amount=None, actor="Sam")
    return order


def give_what_was_taken_by_hand() -> Order:
    order = socks_and_tea()
    order.payments.update(provider=Payment.Provider.BY_HAND)
    given = refunds.refund_order(order.pk, amount=None, actor="Sam")
    refunds.confirm_refund_by_hand(given.pk)
    return order


def cancel_all() -> Order:
    order = socks_and_tea()
    cancellation.cancel_order(order.pk, actor="Sam")
    return order


def cancel_some() -> Order:
    order = socks_and_tea()
    first = order.lines.first()
    line_cancellation.cancel_lines(order.pk, {first.pk: 1}, actor="Sam", seen_cancelled=0)
    return order


def withdraw(order: Order, *counts: int) -> Withdrawal:
    keys = order.lines.values_list("pk", flat=True)
    quantities = dict(zip(keys, counts, strict=True)) if counts else {}
    declaration = Declaration("Pat Reader", order.email, quantities=quantities)
    return declare_withdrawal(order.pk, declaration, way=Withdrawal.Way.ORDER).withdrawal


def withdraw_from_all() -> Order:
    order = socks_and_tea(sent=True)
    made = withdraw(order)
    handling.refund_withdrawal(made.pk, amount=made.owed, actor="Sam")
    return order


def withdraw_from_worn_goods() -> Order:
    order = socks_and_tea(sent=True)
    made = withdraw(order)
    handling.refund_withdrawal(made.pk, amount=Decimal("19.50"), actor="Sam")
    return order


def withdraw_piece_by_piece() -> Order:
    order = socks_and_tea(sent=True)
    for counts in ((1, 0), (1, 1)):
        made = withdraw(order, *counts)
        handling.refund_withdrawal(made.pk, amount=made.owed, actor="Sam")
    return order


def send_back() -> Order:
    take_back()
    order = came(quantity=2)
    made = steps.receive_return(request_return(order.pk, wish(order)).made.pk, actor="Sam")
    steps.refund_return(made.pk, amount=None, actor="Sam")
    return order


def exchange_for_less_and_send_that_back() -> Order:
    take_back()
    order = came()
    line = order.lines.get()
    line.product.variants.exclude(pk=line.variant_id).update(price=10)
    sent = steps.send_exchange(steps.receive_return(exchanged(order).pk, actor="Sam").pk, actor="Sam")
    sent.shipments.update(stage="delivered", delivered_at=timezone.now())
    again = steps.receive_return(request_return(sent.pk, wish(sent)).made.pk, actor="Sam")
    steps.refund_return(again.pk, amount=None, actor="Sam")
    return order


def give_at_stripe(order: Order, *amounts: str, **marks: str) -> Order:
    payment = order.payments.get()
    for number, amount in enumerate(amounts):
        now, pence = timezone.now(), int(Decimal(amount) * 100)
        item = StripeItem(
            kind=recording.Kind.REFUND, reference=f"re_{number}", charge="ch_1", payment_intent=payment.payment_intent,
            amount=pence, currency="GBP", status="succeeded", reason="", created_at=now, asked_at=now, metadata=marks,
        )  # fmt: skip
        recording.record_item(item)
    return order


def give_at_stripe_in_two() -> Order:
    return give_at_stripe(socks_and_tea(), "5.00", "30.50")


def find_a_cancellation_after_a_restore() -> Order:
    return give_at_stripe(socks_and_tea(), "35.50", cancelled="yes")


SOCKS, TEA = ("Wool socks", 2, "24.00"), ("Green tea", 1, "8.00")
ALL = [SOCKS, TEA, ("Delivery", 1, "3.50")]
REST = [("Wool socks", 2, "24.00"), ("Green tea", 1, "6.50")]
WAYS = {
    give_all: [ALL],
    give_a_sum: [[("Goodwill", 1, "5.00")]],
    give_parts_then_the_rest: [
        [("Wool socks", 1, "12.00"), ("Delivery", 1, "2.00"), ("Goodwill", 1, "1.00")],
        [("Wool socks", 1, "12.00"), TEA, ("Delivery", 1, "0.50")],
    ],
    give_what_was_taken_by_hand: [ALL],
    cancel_all: [ALL],
    cancel_some: [[("Wool socks", 1, "12.00")]],
    withdraw_from_all: [ALL],
    withdraw_from_worn_goods: [[("Wool socks", 2, "12.00"), ("Green tea", 1, "4.00"), ("Delivery", 1, "3.50")]],
    withdraw_piece_by_piece: [
        [("Wool socks", 1, "12.00")],
        [("Wool socks", 1, "12.00"), TEA, ("Delivery", 1, "3.50")],
    ],
    send_back: [[("Wool jumper", 1, "14.00")]],
    exchange_for_less_and_send_that_back: [[("Wool jumper", 1, "4.00")], [("Wool jumper", 1, "10.00")]],
    give_at_stripe_in_two: [[("Goodwill", 1, "5.00")], [*REST]],
    find_a_cancellation_after_a_restore: [ALL],
}


@pytest.mark.parametrize("give", WAYS, ids=lambda give: give.__name__)
def test_what_money_goes_back_for_adds_up_to_it_and_stands_on_the_credit_note(give):
    order = give()
    given = list(Refund.objects.order_by("pk"))
    for refund in given:
        goods = sum(refund.lines.values_list("amount", flat=True))
        assert goods + refund.delivery_amount + refund.goodwill_amount == refund.amount
    Refund.objects.update(status=Refund.Status.SUCCEEDED, settled_at=timezone.now())
    invoice = issuing.issue_for_order(order.pk)
    notes = list(order.invoices.filter(kind="credit_note"))
    assert [[(row["title"], row["quantity"], row["total"]) for row in note.lines] for note in notes] == WAYS[give]
    assert [note.total for note in notes] == [refund.amount for refund in given]
    if sum(note.total for note in notes) == invoice.total:
        assert sum(note.tax for note in notes) == invoice.tax


def test_a_piece_sent_back_and_paid_for_does_not_shut_the_others():
    """Two of three are the buyer's still: money may go back for them."""
    take_back()
    order = came(quantity=3)
    line = order.lines.get()
    made = steps.receive_return(request_return(order.pk, wish(order)).made.pk, actor="Sam")
    assert count_refundable_pieces(order) == {line: 2}
    steps.refund_return(made.pk, amount=None, actor="Sam")
    assert count_refundable_pieces(order) == {line: 2}
    Refund.objects.update(status=Refund.Status.FAILED)
    assert count_refundable_pieces(order) == {line: 2}


def test_each_part_takes_the_tax_of_its_own_rate():
    order = socks_and_tea()
    tea = order.lines.last()
    parts = RefundParts({tea.pk: 1})
    line_refunds.refund_parts(order.pk, parts, actor="Sam", seen_left=Decimal("35.50"), seen_sum=Decimal(8))
    Refund.objects.update(status=Refund.Status.SUCCEEDED, settled_at=timezone.now())
    issuing.issue_for_order(order.pk)
    note = Invoice.objects.get(kind="credit_note")
    assert [(row["rate"], row["gross"], Decimal(row["tax"])) for row in note.taxes] == [
        ("0.0500", "8.00", Decimal("0.38"))
    ]
    words = read_invoice(note)
    for expected in ("Green tea", tea.sku, "£8.00", "5 %", "Total given back: £8.00"):
        assert expected in words
    assert "Refund of invoice" not in words


def test_what_a_discount_made_cheaper_has_no_price_for_each():
    order = give_all(discount=8)
    Refund.objects.update(status=Refund.Status.SUCCEEDED, settled_at=timezone.now())
    issuing.issue_for_order(order.pk)
    note = Invoice.objects.get(kind="credit_note")
    assert [(row["price"], row["total"]) for row in note.lines] == [("", "18.00"), ("", "6.00"), ("3.50", "3.50")]


def test_what_was_paid_but_not_owed_is_for_nothing_of_the_order():
    order = socks_and_tea()
    order.payments.update(status=Payment.Status.FLAGGED)
    refunds.refund_order(order.pk, amount=None, actor="Sam")
    refund = Refund.objects.get()
    assert (refund.goodwill_amount, refund.lines.count()) == (refund.amount, 0)
    assert set(count_refundable_pieces(order).values()) == {1, 2}


def test_money_given_for_a_piece_already_is_for_its_price_alone_when_it_comes_back():
    order = socks_and_tea(sent=True)
    first = order.lines.first()
    parts = RefundParts({first.pk: 2})
    line_refunds.refund_parts(order.pk, parts, actor="Sam", seen_left=Decimal("35.50"), seen_sum=Decimal(24))
    made = withdraw(order)
    handling.refund_withdrawal(made.pk, amount=Decimal("11.50"), actor="Sam")
    last = Refund.objects.last()
    counts = dict(last.lines.values_list("order_line__title", "quantity"))
    assert counts == {"Wool socks": 0, "Green tea": 1}
    assert sum(last.lines.values_list("amount", flat=True)) + last.delivery_amount == last.amount


def find_writers() -> Iterator[str]:
    """Modules that write a row of `Refund` or `RefundLine`."""
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in {"Refund", "RefundLine"} or called.endswith(
                (
                    "Refund.objects.create",
                    "Refund.objects.get_or_create",
                    "refunds.create",
                    "Refund.objects.bulk_create",
                )
            ):
                yield str(path.relative_to(ROOT))


def test_refunds_are_written_at_one_place():
    """`gateways/stripe.py` asks Stripe for one, and writes no row."""
    assert set(find_writers()) - {"orders/gateways/stripe.py"} == {"orders/payments/refund_parts.py"}
