"""Forget what I bought so far: the orders stay, one purpose never reads them again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import ForgottenPast
from accounts.privacy import stored_data
from orders import forgotten_purchases
from orders.models import Order, OrderLine
from recommendations import picks, training
from recommendations.models import Contribution, ModelRun
from shop.catalog import listing
from tests import builders
from tests.recommendations.test_training import buyers, pairs

pytestmark = pytest.mark.django_db

BOUGHT = purposes.RECOMMEND_FROM_PURCHASES
COUNTED = purposes.COUNT_IN_ALSO_BOUGHT


def usable(purpose):
    return set(OrderLine.objects.usable_for(purpose).values_list("order__customer", flat=True))


def test_what_was_bought_before_is_never_read_again_and_what_comes_after_is():
    ann, ben = builders.customer(ticks=(BOUGHT,)), builders.customer(ticks=(BOUGHT,))
    for person in (ann, ben):
        builders.paid_order(customer=person)
    assert forgotten_purchases.count_readable_purchases(ann)[BOUGHT] == 1
    assert forgotten_purchases.forget_purchases(ann, BOUGHT) == 1
    assert usable(BOUGHT) == {ben.pk}
    assert forgotten_purchases.count_readable_purchases(ann)[BOUGHT] == 0
    assert Order.objects.filter(customer=ann).count() == 1
    builders.paid_order(customer=ann, placed_at=timezone.now() + timedelta(seconds=1))
    assert usable(BOUGHT) == {ann.pk, ben.pk}
    assert forgotten_purchases.count_readable_purchases(ann)[BOUGHT] == 1


def test_it_is_forgotten_for_that_purpose_alone():
    ann = builders.customer(ticks=(BOUGHT, COUNTED))
    builders.paid_order(customer=ann)
    forgotten_purchases.forget_purchases(ann, BOUGHT)
    assert usable(BOUGHT) == set()
    assert usable(COUNTED) == {ann.pk}


def bought(customer, days_ago, *variants, **fields):
    return builders.paid_order(
        *variants, customer=customer, placed_at=timezone.now() - timedelta(days=days_ago), **fields
    )


def lines(customer, purpose=BOUGHT):
    return set(OrderLine.objects.usable_for(purpose).filter(order__customer=customer).values_list("pk", flat=True))


def forget_at(customer, days_ago, purpose=BOUGHT):
    moment = timezone.now() - timedelta(days=days_ago)
    forgotten_purchases.forget_purchases(customer, purpose, until=moment)
    return ForgottenPast.objects.get(before_at=moment, purpose=purpose)


def test_each_forgetting_takes_what_came_since_the_last_and_is_taken_back_alone():
    ann = builders.customer(ticks=(BOUGHT,))
    early, late = bought(ann, 5).lines.get().pk, bought(ann, 3).lines.get().pk
    first, second = forget_at(ann, 4), forget_at(ann, 2)
    assert (first.line_count, second.line_count, second.after_at) == (1, 1, first.before_at)
    assert lines(ann) == set()
    stored_data.take_back(ann, BOUGHT, first.pk)
    assert lines(ann) == {early}
    third = forget_at(ann, 1)
    assert (third.line_count, third.after_at) == (1, None)
    stored_data.take_back(ann, BOUGHT, third.pk)
    assert lines(ann) == {early}
    stored_data.take_back(ann, BOUGHT, second.pk)
    assert lines(ann) == {early, late}


def test_what_was_excluded_or_given_as_a_gift_stays_so_after_an_undo():
    ann = builders.customer(ticks=(BOUGHT,))
    kept, excluded, gift = (bought(ann, 5).lines.get() for _ in range(3))
    OrderLine.objects.filter(pk=excluded.pk).update(is_excluded=True)
    past = forget_at(ann, 4)
    OrderLine.objects.filter(pk=gift.pk).update(is_gift=True)
    stored_data.take_back(ann, BOUGHT, past.pk)
    assert lines(ann) == {kept.pk}


def test_a_purchase_without_the_day_of_its_payment_is_forgotten_too():
    ann = builders.customer(ticks=(BOUGHT,))
    order = builders.paid_order(customer=ann)
    Order.objects.filter(pk=order.pk).update(placed_at=None)
    assert forgotten_purchases.forget_purchases(ann, BOUGHT) == 1
    assert lines(ann) == set()


def test_after_an_undo_the_counts_wait_for_the_next_epoch():
    boots, socks = builders.product("Boots").variants.get(), builders.product("Socks").variants.get()
    ann, *_ = buyers(5, boots, socks, ticks=(COUNTED,))
    listing.refresh_listings()
    training.train_epoch()
    assert picks.pick_frequently_bought_with([boots.product_id])[0].why == "Often bought with Boots"
    stored_data.delete_for_purpose(ann, COUNTED)
    stored_data.take_back(ann, COUNTED, ForgottenPast.objects.get().pk)
    assert lines(ann, COUNTED)
    assert "Often bought" not in str(picks.pick_frequently_bought_with([boots.product_id]))  # hidden all the same
    training.rebuild_without_withdrawn()
    assert pairs() == set()
    ModelRun.objects.update(created_at=timezone.now() - timedelta(hours=6))
    ForgottenPast.objects.update(before_at=timezone.now() - timedelta(hours=5))
    training.train_epoch()
    assert pairs() == {("Boots", "Socks"), ("Socks", "Boots")}


def test_suggestions_from_it_stop_at_once():
    boots, socks = builders.product("Boots").variants.get(), builders.product("Socks").variants.get()
    listing.refresh_listings()
    buyers(5, boots, socks)
    training.train_epoch()
    ann = builders.customer(ticks=(BOUGHT,))
    builders.paid_order(boots, customer=ann)
    assert [pick.product_id for pick in picks.pick_for_customer(ann, frozenset({BOUGHT}))] == [socks.product_id]
    forgotten_purchases.forget_purchases(ann, BOUGHT)
    assert picks.pick_for_customer(ann, frozenset({BOUGHT})) == []


def test_the_counts_drop_it_at_the_next_withdrawal():
    boots, socks = builders.product("Boots").variants.get(), builders.product("Socks").variants.get()
    ann, *_ = buyers(5, boots, socks, ticks=(BOUGHT, COUNTED))
    training.train_epoch()
    forgotten_purchases.forget_purchases(ann, BOUGHT)
    assert pairs()
    forgotten_purchases.forget_purchases(ann, COUNTED)
    training.rebuild_without_withdrawn()
    assert pairs() == set()
    assert not Contribution.objects.filter(customer=ann).exists()
