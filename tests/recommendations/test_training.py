from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from orders.models import Order, OrderLine
from recommendations import training
from recommendations.models import Contribution, ModelRun, ProductPopularity, ProductSimilarity
from tests import builders

pytestmark = pytest.mark.django_db

PURPOSE = purposes.COUNT_IN_ALSO_BOUGHT


def buyers(count, *variants, ticks=(PURPOSE,), **fields):
    """So many customers, each of whom bought these together a week ago."""
    week_ago = timezone.now() - timedelta(days=7)
    people = builders.crowd(count, ticks=ticks)
    for person in people:
        builders.paid_order(*variants, customer=person, placed_at=week_ago, **fields)
    return people


def pairs():
    return set(ProductSimilarity.objects.values_list("product__title", "similar__title"))


def published():
    """Everything the shelves read, without the run's own numbers."""
    similar = ProductSimilarity.objects.order_by("product", "rank")
    popular = ProductPopularity.objects.order_by("product")
    return (
        list(similar.values_list("product", "similar", "score", "support", "rank")),
        list(popular.values_list("product", "score")),
    )


@pytest.fixture
def boots():
    return builders.product("Boots").variants.get()


@pytest.fixture
def socks():
    return builders.product("Socks").variants.get()


def test_five_customers_make_a_pair_and_four_do_not(boots, socks):
    buyers(4, boots, socks)
    training.train_epoch()
    assert pairs() == set()
    buyers(1, boots, socks)
    training.train_epoch()
    assert pairs() == {("Boots", "Socks"), ("Socks", "Boots")}
    assert set(ProductSimilarity.objects.values_list("support", flat=True)) == {5}


def test_one_customer_who_buys_ten_times_is_one(boots, socks):
    [person] = buyers(1, boots, socks)
    for days in range(10):
        builders.paid_order(boots, socks, customer=person, placed_at=timezone.now() - timedelta(days=days + 1))
    training.train_epoch()
    assert pairs() == set()


@pytest.mark.parametrize("ticks", [(), (purposes.RECOMMEND_FROM_PURCHASES,)])
def test_those_who_did_not_say_yes_to_being_counted_are_not(boots, socks, ticks):
    buyers(8, boots, socks, ticks=ticks)
    training.train_epoch()
    assert pairs() == set()
    assert not Contribution.objects.exists()
    assert not ProductPopularity.objects.exists()


def test_gifts_exclusions_cancelled_and_unpaid_orders_never_count(boots, socks):
    buyers(8, boots, socks, is_gift=True)
    buyers(8, boots, socks)
    OrderLine.objects.filter(is_gift=False).update(is_excluded=True)
    buyers(4, boots, socks)
    people = buyers(8, boots, socks)
    Order.objects.filter(customer__in=people[:4]).update(status=Order.Status.CANCELLED)
    Order.objects.filter(customer__in=people[4:]).update(status=Order.Status.PENDING)
    training.train_epoch()
    assert pairs() == set()


def test_guests_are_not_counted(boots, socks):
    for _ in range(8):
        builders.paid_order(boots, socks)
    training.train_epoch()
    assert pairs() == set()


def test_a_withdrawal_leaves_what_the_same_epoch_would_be_without_that_customer(boots, socks):
    mug = builders.product("Mug").variants.get()
    buyers(6, boots, socks)
    leaver, *_ = buyers(6, boots, socks, mug)
    now = timezone.now()
    training.train_epoch(cutoff_at=now)
    before = published()

    consent.set_consent(leaver, PURPOSE, granted=False, source="preferences")
    assert training.rebuild_without_withdrawn() is not None
    after = published()
    assert after != before

    Order.objects.filter(customer=leaver).delete()
    training.train_epoch(cutoff_at=now)
    assert published() == after


def test_below_k_after_a_withdrawal_the_pair_is_gone(boots, socks):
    leaver, *_ = buyers(5, boots, socks)
    training.train_epoch()
    consent.set_consent(leaver, PURPOSE, granted=False, source="preferences")
    training.rebuild_without_withdrawn()
    assert pairs() == set()
    assert not Contribution.objects.filter(customer=leaver).exists()


def test_a_no_taken_back_at_once_still_waits_for_the_next_epoch(boots, socks):
    leaver, *_ = buyers(5, boots, socks)
    training.train_epoch()
    for granted in (False, True):
        consent.set_consent(leaver, PURPOSE, granted=granted, source="preferences")
    training.rebuild_without_withdrawn()
    assert pairs() == set()
    training.train_epoch()
    assert pairs() == {("Boots", "Socks"), ("Socks", "Boots")}


def test_a_purchase_marked_as_a_gift_afterwards_is_taken_out(boots, socks):
    [person, *_] = buyers(5, boots, socks)
    training.train_epoch()
    OrderLine.objects.filter(order__customer=person, product=boots.product).update(is_gift=True)
    training.rebuild_without_withdrawn()
    assert pairs() == set()


def test_an_erased_customer_is_taken_out(boots, socks):
    [person, *_] = buyers(5, boots, socks)
    training.train_epoch()
    Order.objects.filter(customer=person).delete()
    person.consents.all().delete()
    Contribution.objects.filter(customer=person).delete()  # goes with the customer, and leaves no line to compare
    assert training.rebuild_without_withdrawn() is not None
    assert pairs() == set()


def test_nothing_is_recomputed_when_nothing_was_withdrawn(boots, socks):
    buyers(5, boots, socks)
    run = training.train_epoch()
    buyers(3, boots, socks)  # new purchases wait for the next epoch
    assert training.rebuild_without_withdrawn() is None
    assert ModelRun.objects.get(is_current=True) == run


def test_an_epoch_is_due_when_old_and_k_customers_have_bought_since(boots, socks):
    assert training.train_when_due() is not None  # the first
    assert training.train_when_due() is None
    ModelRun.objects.update(cutoff_at=timezone.now() - timedelta(days=8))
    buyers(4, boots, socks)
    assert training.train_when_due() is None
    buyers(1, boots, socks)
    assert training.train_when_due() is not None


def test_the_same_data_publishes_the_same_tables(boots, socks):
    buyers(7, boots, socks)
    now = timezone.now()
    training.train_epoch(cutoff_at=now)
    first = published()
    training.train_epoch(cutoff_at=now)
    assert published() == first
    assert ModelRun.objects.filter(is_current=True).count() == 1
