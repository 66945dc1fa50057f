"""A buyer withdraws: what is written down, what is owed for it, what it stops, and that the first one stands."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders import status
from orders.cancellation import cancel_order
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Adjustment, Order, OrderEvent, Refund, Withdrawal, WithdrawalStatement
from orders.returns import statements
from orders.returns.declaring import MOST_IN_WORDS, Declaration, Declared, WithdrawalRefused, declare_withdrawal
from tests import builders

pytestmark = pytest.mark.django_db

WHOLE = Declaration("Pat Reader", "pat@example.com")
ORDER = Withdrawal.Way.ORDER


def declare(order: Order, declaration: Declaration = WHOLE, **more) -> Declared:
    return declare_withdrawal(order.pk, declaration, way=ORDER, **more)


def some_of(order: Order, **pieces: int) -> Declaration:
    """`pieces`: how many of the line of that title."""
    lines = {line.title: line.pk for line in order.lines.all()}
    return Declaration("Pat Reader", "pat@example.com", {lines[title]: count for title, count in pieces.items()})


def mugs_and_socks(*, mugs: int = 3, **fields) -> Order:
    """Mugs at 10.00 and one pair of socks at 14.00, delivered yesterday, unless `fields` say otherwise."""
    mug, socks = builders.product("Mug", price="10.00"), builders.product("Socks", price="14.00")
    fields.setdefault("delivered_at", timezone.now() - timedelta(days=1))
    order = builders.sent_order(mug.variants.get(), socks.variants.get(), **fields)
    order.lines.filter(title="Mug").update(quantity=mugs)
    order.subtotal = Decimal(10) * mugs + Decimal(14)
    order.total = order.subtotal + order.shipping_total
    order.save(update_fields=["subtotal", "total"])
    return order


def owed(order: Order) -> list[tuple[Decimal, Decimal]]:
    return [(each.goods_amount, each.delivery_amount) for each in order.withdrawals.all()]


def test_the_whole_order_is_withdrawn_from_and_counts_from_that_moment():
    order, before = mugs_and_socks(), timezone.now()
    made = declare(order).withdrawal
    assert before <= made.declared_at <= timezone.now()
    assert made.contents == "3 × Mug\n1 × Socks"
    assert not made.is_late
    assert made.due_on == timezone.localdate() + timedelta(days=14)
    event = order.events.get(kind=OrderEvent.Kind.WITHDRAWN)
    assert event.data == {"withdrawal": made.pk}


def test_some_pieces_of_a_line_can_be_withdrawn_from_alone():
    order = mugs_and_socks()
    made = declare(order, some_of(order, Mug=2)).withdrawal
    assert made.contents == "2 × Mug"
    assert [(line.order_line.title, line.quantity) for line in made.lines.all()] == [("Mug", 2)]
    assert made.owed == Decimal(20)


def test_no_more_is_withdrawn_from_than_was_bought():
    order = mugs_and_socks()
    assert declare(order, some_of(order, Mug=30)).withdrawal.contents == "3 × Mug"


def test_nothing_named_is_no_declaration():
    order = mugs_and_socks()
    for nothing in ({0: 1}, {order.lines.first().pk: 0}):
        with pytest.raises(WithdrawalRefused):
            declare(order, Declaration("Pat", "pat@example.com", nothing))
    assert not Withdrawal.objects.exists()
    assert not order.events.filter(kind=OrderEvent.Kind.WITHDRAWN).exists()


@pytest.mark.parametrize(("noted", "goes_back"), [("3.50", "3.50"), ("9.00", "7.00"), (None, "4.00")])
def test_with_the_whole_order_goes_what_ordinary_delivery_costs_and_not_what_an_express_took_beyond(noted, goes_back):
    builders.shipping_method("Royal Mail", price="4.00")
    order = mugs_and_socks(shipping_total=Decimal(7), ordinary_shipping_total=noted and Decimal(noted))
    declare(order)
    assert owed(order) == [(Decimal(44), Decimal(goes_back))]


def test_with_a_part_goes_no_delivery_until_the_last_of_it_is_withdrawn_from():
    order = mugs_and_socks(shipping_total=Decimal(7), ordinary_shipping_total=Decimal("3.50"))
    declare(order, some_of(order, Mug=2))
    declare(order)
    assert owed(order) == [(Decimal(20), Decimal(0)), (Decimal(24), Decimal("3.50"))]


def test_a_discount_on_the_order_is_shared_by_its_goods_and_adds_up():
    order = mugs_and_socks()
    Adjustment.objects.create(order=order, label="Ten pence in the pound off", amount=Decimal("-4.40"))
    declare(order, some_of(order, Socks=1))
    declare(order)
    assert owed(order) == [(Decimal("12.60"), Decimal(0)), (Decimal("27.00"), Decimal(0))]


def test_the_same_again_changes_nothing_and_names_the_first():
    order = mugs_and_socks()
    first = declare(order)
    again = declare(order, some_of(order, Mug=1))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.withdrawal == first.withdrawal == Withdrawal.objects.get()
    assert order.events.filter(kind=OrderEvent.Kind.WITHDRAWN).count() == 1


def test_of_two_partial_ones_the_one_that_named_the_goods_stands():
    order = mugs_and_socks()
    declare(order, some_of(order, Mug=3))
    socks = declare(order, some_of(order, Socks=1)).withdrawal
    assert declare(order, some_of(order, Socks=1)).withdrawal == socks


def test_goods_in_the_buyers_own_words_wait_for_staff_to_read_them():
    order = mugs_and_socks()
    said = Declaration("Pat", "pat@example.com", words="The blue mug")
    made = declare(order, said).withdrawal
    assert made.contents == "The blue mug"
    assert made.owed is None
    assert not declare(order, said).is_new
    assert declare(order).withdrawal.owed == Decimal(44)


def test_once_all_is_withdrawn_from_goods_in_words_are_the_same_said_again():
    order = mugs_and_socks()
    whole = declare(order).withdrawal
    again = declare(order, Declaration("Pat", "pat@example.com", words="The blue mug"))
    assert (again.withdrawal, again.is_new) == (whole, False)


def test_what_went_back_for_goods_in_words_is_not_owed_again_with_the_rest():
    order = mugs_and_socks()
    in_words = declare(order, Declaration("Pat", "pat@example.com", words="The socks")).withdrawal
    given = Refund.objects.create(payment=order.payments.get(), amount=14, currency="GBP", status="succeeded")
    Withdrawal.objects.filter(pk=in_words.pk).update(refund=given, settled_at=timezone.now())
    assert declare(order).withdrawal.owed == Decimal(30)


def test_declared_in_ever_other_words_the_sixth_waits_for_staff_and_mails_nobody():
    order = mugs_and_socks(email="pat@example.com")
    for number in range(7):
        said = {"number": order.number, "email": "pat@example.com", "full_name": "Mal", "words": f"Thing {number}"}
        statements.write_down_statement(**said)
        statements.bring_statements_to_orders()
    assert Withdrawal.objects.count() == MOST_IN_WORDS
    assert order.events.filter(kind=OrderEvent.Kind.WITHDRAWN).count() == MOST_IN_WORDS
    assert WithdrawalStatement.objects.stray().count() == 2


def test_what_is_declared_late_is_kept_as_late_and_stops_nothing():
    order = mugs_and_socks(delivered_at=timezone.now() - timedelta(days=30))
    made = declare(order).withdrawal
    assert made.is_late
    assert made.ends_on < timezone.localdate()
    assert list(Withdrawal.objects.unsettled()) == [made]


def test_declared_in_time_is_in_time_whenever_it_is_worked_through():
    order = mugs_and_socks(delivered_at=timezone.now() - timedelta(days=30))
    assert not declare(order, declared_at=timezone.now() - timedelta(days=20)).withdrawal.is_late


def test_unknown_delivery_is_still_in_time():
    order = mugs_and_socks(delivered_at=None, placed_at=timezone.now() - timedelta(days=300))
    made = declare(order).withdrawal
    assert (made.is_late, made.ends_on) == (False, None)


def test_before_it_has_left_it_is_stopped_and_the_buyer_may_still_cancel():
    order = builders.placed_order()
    made = declare(order).withdrawal
    order.refresh_from_db()
    assert order.hold == Order.Hold.WITHDRAWN
    assert status.may_customer_cancel(order, lost=status.lost_total(order))
    assert not made.may_wait
    with pytest.raises(TransitionRefused):
        transitions.approve_order(order.pk, actor="Sam")
    transitions.release_order_from_hold(order.pk, actor="Sam")
    transitions.approve_order(order.pk, actor="Sam")


def test_cancelled_instead_its_withdrawal_waits_for_nobody(standin):
    order = builders.placed_order()
    declare(order)
    cancel_order(order.pk, actor="Sam")
    Order.objects.filter(pk=order.pk).update(payment_status=Order.PaymentStatus.REFUNDED)
    assert not Withdrawal.objects.unsettled().exists()
    with pytest.raises(WithdrawalRefused):
        declare(order)


def test_an_order_that_was_never_paid_is_no_contract():
    order = builders.paid_order()
    Order.objects.filter(pk=order.pk).update(status=Order.Status.PENDING, payment_status=Order.PaymentStatus.UNPAID)
    with pytest.raises(WithdrawalRefused):
        declare(order)
    Order.objects.filter(pk=order.pk).update(payment_status=Order.PaymentStatus.PROCESSING)
    assert declare(order).is_new
