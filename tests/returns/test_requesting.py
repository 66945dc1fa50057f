"""What goes back: no more than was bought, in time, what the policy takes, and what may be had instead."""

from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.consent import purposes
from orders.models import Order, OrderEvent, OrderLine, ReturnExclusion, ReturnLine, Withdrawal
from orders.returns.declaring import Declaration, WithdrawalRefused, declare_withdrawal
from orders.returns.refusal import ReturnRefused
from orders.returns.requesting import request_return
from orders.returns.steps import refuse_return
from shop.catalog import stock
from shop.storefront import page_cache
from tests import builders
from tests.returns.selling import Kind, Wanted, add_line, came, exchanged, returned, take_back, wish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy():
    take_back()


def refuse(order: Order, **fields) -> str:
    """The sentence; and nothing was written."""
    before = order.returns.count()
    with pytest.raises(ReturnRefused) as refusal:
        request_return(order.pk, wish(order, **fields))
    assert order.returns.count() == before
    assert order.events.filter(kind=OrderEvent.Kind.RETURN_REQUESTED).count() == before
    return str(refusal.value)


def test_it_gets_a_number_nobody_guesses_and_what_was_paid():
    order = came(quantity=3)
    made = returned(order, count=2)
    assert made.number.startswith("RMA-")
    assert len(set(made.number)) > 5
    assert (made.goods_text, made.piece_count) == ("£28.00", 2)
    assert order.events.get(kind=OrderEvent.Kind.RETURN_REQUESTED).data["number"] == made.number


def test_a_discount_is_shared_by_what_goes_back():
    order = came(quantity=2)
    order.adjustments.create(label="Ten percent", amount="-2.80")
    assert returned(order).goods_text == "£12.60"


@pytest.mark.parametrize("count", [3, 99])
def test_more_than_was_bought_is_refused_with_a_sentence(count):
    assert "you can send back 2, not" in refuse(came(quantity=2), count=count)


def test_while_its_buyer_says_that_it_did_not_come_no_window_ends():
    order = came(days_ago=40)
    refuse(order)
    order.shipments.update(denied_at=timezone.now())
    assert returned(order).piece_count == 1


def test_what_goes_back_already_does_not_go_back_again():
    order = came(quantity=3)
    returned(order, count=2)
    assert "you can send back 1, not 2" in refuse(order, count=2, words="Again")
    returned(order, count=1)
    assert "nothing left to send back" in refuse(order, count=1, words="Again")


def test_what_was_withdrawn_from_does_not_go_back_again_and_the_other_way_round():
    order = came(quantity=3)
    line = order.lines.get()
    declare_withdrawal(order.pk, Declaration("Pat", order.email, {line.pk: 1}), way=Withdrawal.Way.ORDER)
    assert "you can send back 2, not 3" in refuse(order, count=3)
    returned(order, count=2)
    declared = declare_withdrawal(order.pk, Declaration("Pat", order.email, {line.pk: 3}), way=Withdrawal.Way.ORDER)
    assert not declared.is_new
    assert Withdrawal.objects.count() == 1


def test_the_rest_withdrawn_from_after_a_return_is_its_share_and_no_more():
    order = came(quantity=3)
    returned(order, count=2)
    made = declare_withdrawal(order.pk, Declaration("Pat", order.email), way=Withdrawal.Way.ORDER).withdrawal
    assert (made.piece_count, made.goods_amount, made.delivery_amount) == (1, 14, 0)


def test_refused_its_pieces_may_go_back_again():
    order = came()
    refuse_return(returned(order).pk, actor="Sam", reason="Worn.")
    assert returned(order, words="Not worn").piece_count == 1


def test_the_same_sent_twice_is_one():
    order = came(quantity=3)
    first = request_return(order.pk, wish(order))
    again = request_return(order.pk, wish(order))
    assert (again.is_new, again.made) == (False, first.made)
    assert order.events.filter(kind=OrderEvent.Kind.RETURN_REQUESTED).count() == 1


def test_the_same_for_another_size_is_not_the_same():
    order = came(sizes=("S", "M", "L"))
    line = order.lines.get()
    medium, large = line.product.variants.exclude(pk=line.variant_id).order_by("pk")
    first = request_return(order.pk, wish(order, wanted=Wanted.EXCHANGE, variants={line.pk: medium.pk}))
    again = request_return(order.pk, wish(order, wanted=Wanted.EXCHANGE, variants={line.pk: medium.pk}))
    assert (again.is_new, again.made) == (False, first.made)
    with pytest.raises(ReturnRefused, match="nothing left"):
        request_return(order.pk, wish(order, wanted=Wanted.EXCHANGE, variants={line.pk: large.pk}))
    assert ReturnLine.objects.get().exchange_variant == medium


def test_what_has_not_left_cannot_go_back():
    order = builders.placed_order(builders.product("Wool jumper").variants.get(), email="pat@example.com")
    assert "nothing left to send back" in refuse(order)


def test_a_cancelled_order_has_nothing_to_send_back():
    order = came()
    Order.objects.filter(pk=order.pk).update(status=Order.Status.CANCELLED)
    assert "was called off" in refuse(order)


def test_until_the_last_day_and_not_after():
    assert returned(came(days_ago=30)).pk
    assert "time for sending things back is over" in refuse(came(days_ago=31))


def test_unknown_delivery_is_in_time():
    order = came(days_ago=200)
    order.shipments.update(delivered_at=None, stage="dispatched")
    assert returned(order).pk


def test_what_was_said_when_it_was_bought_stands():
    kept = came(days_ago=20, return_window_days=30)
    take_back(days=7)
    assert returned(kept).pk
    assert "over" in refuse(came(days_ago=20, return_window_days=7))


def test_without_a_policy_nothing_goes_back_by_choice_but_what_is_faulty_does():
    take_back(days=0)
    order = came()
    refuse(order)
    assert returned(order, kind=Kind.FAULTY).kind == Kind.FAULTY


def test_faulty_goods_have_no_window():
    assert returned(came(days_ago=700), kind=Kind.FAULTY, wanted=Wanted.REPLACEMENT).pk


@pytest.mark.parametrize("what", ["product", "its category", "a category above"])
def test_what_the_policy_leaves_out_is_refused_and_what_is_faulty_is_not(what):
    order = came()
    product = order.lines.get().product
    above = builders.category("Clothing")
    product.category.parent = above
    product.category.save()
    left_out = {"product": {"product": product}, "its category": {"category": product.category}}
    ReturnExclusion.objects.create(**left_out.get(what, {"category": above}))
    page_cache.clear()
    assert "not taken back" in refuse(order)
    assert returned(order, kind=Kind.FAULTY).pk


def test_each_kind_has_its_own_ways():
    order = came()
    refuse(order, kind=Kind.FAULTY, wanted=Wanted.EXCHANGE)
    refuse(order, kind=Kind.RETURN, wanted=Wanted.REPAIR)


# -- Something else instead ------------------------------------------------------------------------------------


def test_another_size_of_the_same_is_kept_with_the_return():
    order = came()
    [line] = exchanged(order).lines.all()
    assert line.exchange_variant.size == "M"


def test_what_is_gone_or_another_thing_is_not_had_instead():
    order = came()
    line = order.lines.get()
    other = line.product.variants.exclude(pk=line.variant_id).get()
    stranger = builders.variant()
    for variant in (stranger.pk, line.variant_id, 0):
        assert "choose what you would like" in refuse(order, wanted=Wanted.EXCHANGE, variants={line.pk: variant})
    stock.receive_stock(other.stock.get().pk, quantity=-10, kind="counted")
    assert "choose what you would like" in refuse(order, wanted=Wanted.EXCHANGE, variants={line.pk: other.pk})


def test_no_more_is_had_instead_than_is_there():
    order = came(quantity=3)
    line = order.lines.get()
    other = line.product.variants.exclude(pk=line.variant_id).get()
    stock.receive_stock(other.stock.get().pk, quantity=-8, kind="counted")
    assert "only 2 left" in refuse(order, count=3, wanted=Wanted.EXCHANGE, variants={line.pk: other.pk})


def test_of_two_lines_exchanged_for_the_same_the_sum_has_to_be_there():
    order = came(sizes=("S", "M", "L"))
    line = order.lines.get()
    _, medium, large = line.product.variants.order_by("pk")
    second = add_line(order, large)
    stock.receive_stock(medium.stock.get().pk, quantity=1 - medium.stock.get().on_hand, kind="counted")
    asked = replace(
        wish(order, line=line, wanted=Wanted.EXCHANGE),
        pieces={line.pk: 1, second.pk: 1},
        variants={line.pk: medium.pk, second.pk: medium.pk},
    )
    with pytest.raises(ReturnRefused, match="only 1 left") as refusal:
        request_return(order.pk, asked)
    assert set(refusal.value.by_line) == {line.pk, second.pk}
    assert not order.returns.exists()
    assert not order.events.filter(kind=OrderEvent.Kind.RETURN_REQUESTED).exists()
    stock.receive_stock(medium.stock.get().pk, quantity=1, kind="counted")
    assert request_return(order.pk, asked).made.piece_count == 2


def test_every_line_of_which_too_many_are_named_is_said():
    order = came(sizes=("S", "M", "L"))
    line = order.lines.get()
    second = add_line(order, line.product.variants.last())
    asked = replace(wish(order, line=line), pieces={line.pk: 2, second.pk: 3})
    with pytest.raises(ReturnRefused) as refusal:
        request_return(order.pk, asked)
    assert "send back 1, not 2" in refusal.value.by_line[line.pk]
    assert "send back 1, not 3" in refusal.value.by_line[second.pk]
    assert not order.returns.exists()


# -- What recommendations may read -----------------------------------------------------------------------------


def usable(order: Order) -> int:
    return OrderLine.objects.usable_for(purposes.RECOMMEND_FROM_PURCHASES).filter(order=order).count()


def test_a_return_takes_the_purchase_out_of_what_recommendations_may_read():
    buyer = builders.customer(ticks=(purposes.RECOMMEND_FROM_PURCHASES,))
    order = came(quantity=2, customer=buyer)
    returned(order)
    assert usable(order) == 1  # one of two is kept
    made = returned(order, words="The other too")
    assert usable(order) == 0
    assert order.lines.get().set_aside_at is not None
    refuse_return(made.pk, actor="Sam", reason="Worn.")
    assert usable(order) == 1


def test_so_does_a_withdrawal_and_what_is_repaired_is_kept():
    buyer = builders.customer(ticks=(purposes.RECOMMEND_FROM_PURCHASES,))
    order, mended = came(customer=buyer), came(customer=buyer)
    returned(mended, kind=Kind.FAULTY)
    declare_withdrawal(order.pk, Declaration("Pat", order.email), way=Withdrawal.Way.ORDER)
    assert (usable(order), usable(mended)) == (0, 1)


def test_what_was_sent_in_exchange_is_no_contract_of_its_own():
    order = came()
    Order.objects.filter(pk=order.pk).update(source=Order.Source.EXCHANGE)
    with pytest.raises(WithdrawalRefused):
        declare_withdrawal(order.pk, Declaration("Pat", order.email), way=Withdrawal.Way.ORDER)
    assert not Withdrawal.objects.exists()
