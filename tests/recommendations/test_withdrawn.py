"""What is withdrawn is hidden at once, and out of what is published within a minute, whatever else is under way."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Interest
from accounts.preferences import interests
from orders import cancellation, forgotten_purchases
from orders.models import Order, OrderLine
from orders.payments import checkout_sessions
from recommendations import picks, tasks, training
from recommendations.models import Contribution, ModelRun, ProductPopularity, ProductSimilarity
from shop.catalog import listing
from tests import builders
from tests.recommendations.test_training import PURPOSE, buyers, pairs

SOON_SECONDS = 20  # on a busy machine; a recompute of the test takes longer


def line_of(person, variant):
    return OrderLine.objects.filter(order__customer=person, variant=variant)


def mark_one(person, variant):
    line = line_of(person, variant).get()
    line.is_gift = True
    line.save()


WITHDRAWALS: dict[str, Callable] = {
    "a gift mark": lambda person, variant: line_of(person, variant).update(is_gift=True),
    "a gift mark on one line": mark_one,
    "an exclusion": lambda person, variant: line_of(person, variant).update(is_excluded=True),
    "a cancelled order": lambda person, variant: cancellation.cancel_order(person.orders.get().pk, actor="Sam"),
    "a cancelled order, by hand": lambda person, variant: person.orders.update(status=Order.Status.CANCELLED),
    "an order that was somebody else's": lambda person, variant: person.orders.update(customer=builders.customer()),
    "a forgotten past": lambda person, variant: forgotten_purchases.forget_purchases(person, PURPOSE),
    "a no": lambda person, variant: consent.set_consent(person, PURPOSE, granted=False, source="test"),
    "the master switch": lambda person, variant: consent.set_master(person, on=False, source="test"),
}


@pytest.fixture
def goods():
    made = [builders.product(title, category=builders.category(title)) for title in ("Boots", "Socks")]
    listing.refresh_listings()
    return [product.variants.get() for product in made]


@pytest.fixture
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr(checkout_sessions, "try_send_refund", lambda refund_id: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("_stripe_does_not_answer")
@pytest.mark.parametrize("how", WITHDRAWALS)
@pytest.mark.parametrize("seen_from", [0, 1], ids=["beside it", "as what is beside"])
def test_whatever_withdraws_a_purchase_hides_at_once_what_it_stood_behind(goods, how, seen_from):
    leaver, *_ = buyers(6, *goods)
    training.train_epoch()
    given, other = goods[seen_from].product_id, goods[1 - seen_from].product_id
    assert [pick.product_id for pick in picks.pick_frequently_bought_with([given])] == [other]
    assert {pick.product_id for pick in picks.pick_popular()} == {given, other}
    WITHDRAWALS[how](leaver, goods[0])
    assert picks.pick_frequently_bought_with([given]) == []  # before any job has run
    assert goods[0].product_id not in {pick.product_id for pick in picks.pick_popular()}
    training.rebuild_without_withdrawn()
    assert [pick.product_id for pick in picks.pick_frequently_bought_with([given])] == [other]  # five are left
    assert not Contribution.objects.filter(customer=leaver, product=goods[0].product_id).exists()


@pytest.mark.django_db
def test_a_gift_mark_hides_only_what_the_gift_stood_behind(goods):
    mug = builders.product("Mug", category=builders.category("Mugs"))
    listing.refresh_listings()
    leaver, *_ = buyers(6, *goods, mug.variants.get())
    training.train_epoch()
    line_of(leaver, goods[0]).update(is_gift=True)
    assert [pick.product_id for pick in picks.pick_frequently_bought_with([goods[1].product_id])] == [mug.pk]


@pytest.mark.django_db
def test_a_gift_mark_taken_back_shows_again_at_once(goods):
    leaver, *_ = buyers(6, *goods)
    training.train_epoch()
    for is_gift in (True, False):
        line_of(leaver, goods[0]).update(is_gift=is_gift)
    assert picks.pick_frequently_bought_with([goods[0].product_id])
    assert training.rebuild_without_withdrawn() is None


@pytest.mark.django_db
def test_a_best_seller_withdrawn_leads_no_told_shelf(goods):
    """Things told are shown with the best sellers first; a count that holds a withdrawn purchase orders nothing."""
    boots, socks = goods
    newer = builders.product("Sandals", category=boots.product.category)
    listing.refresh_listings()
    leaver, *_ = buyers(5, boots, socks)
    training.train_epoch()
    alice = builders.customer(ticks=(purposes.RECOMMEND_FROM_TOLD,))
    Interest.objects.create(customer=alice, kind=Interest.Kind.CATEGORY, category=boots.product.category)
    granted = frozenset({purposes.RECOMMEND_FROM_TOLD})
    assert (
        picks.pick_for_customer(alice, granted, told=interests.get_interests(alice))[0].product_id == boots.product_id
    )
    line_of(leaver, boots).update(is_gift=True)
    assert picks.pick_for_customer(alice, granted, told=interests.get_interests(alice))[0].product_id == newer.pk


# -- While a training is under way -----------------------------------------------------------------------------


def elsewhere(work: Callable[[], object]) -> None:
    """Does it in another connection, and waits for it: longer only if it waits for us."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (told by the test)
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SOON_SECONDS)
    assert not thread.is_alive(), "it waited for the training"
    assert raised == []


@pytest.fixture
def during_training(monkeypatch):
    """Has something happen while the next tables are computed, once."""

    def arrange(work: Callable[[], object]) -> None:
        compute, waiting = training.compute_published_tables, [work]

        def interrupted(*args, **kwargs):
            if waiting:
                elsewhere(waiting.pop())
            return compute(*args, **kwargs)

        monkeypatch.setattr(training, "compute_published_tables", interrupted)

    return arrange


def say_no(person):
    consent.set_consent(person, PURPOSE, granted=False, source="test")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_guarded", [True, False], ids=["guard on", "guard off"])
def test_no_epoch_is_published_with_what_was_withdrawn_meanwhile(goods, during_training, monkeypatch, is_guarded):
    if not is_guarded:
        monkeypatch.setattr(training, "_delete_withdrawn_from_run", lambda run: 0)
    leaver, *_ = buyers(6, *goods)
    during_training(lambda: say_no(leaver))
    training.train_epoch()
    assert Contribution.objects.filter(customer=leaver).exists() != is_guarded
    assert ProductSimilarity.objects.exists() != is_guarded


@pytest.mark.django_db(transaction=True)
def test_no_recompute_is_published_with_what_was_withdrawn_meanwhile(goods, during_training):
    first, second, *_ = buyers(7, *goods)
    training.train_epoch()
    say_no(first)
    training.delete_withdrawn_lines()
    during_training(lambda: say_no(second))
    assert training._rebuild_once() is not None
    assert not Contribution.objects.filter(customer=second).exists()
    assert not ProductSimilarity.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_is_taken_out_without_waiting_for_a_training(goods, during_training):
    first, second, *_ = buyers(7, *goods)
    training.train_epoch()
    seen = []

    def withdraw_and_look():
        say_no(second)
        assert training.delete_withdrawn_lines() == 2
        seen.append((pairs(), ProductPopularity.objects.count(), Contribution.objects.filter(customer=second).count()))

    during_training(withdraw_and_look)
    say_no(first)
    training.rebuild_without_withdrawn()
    assert seen == [(set(), 0, 0)]


@pytest.mark.django_db(transaction=True)
def test_whoever_withdraws_during_a_recompute_waits_for_no_tick(goods, during_training):
    """One call of the job leaves the epoch as it would be without either."""
    first, second, *_ = buyers(7, *goods)
    now = timezone.now()
    training.train_epoch(cutoff_at=now)
    say_no(first)
    during_training(lambda: say_no(second))
    training.rebuild_without_withdrawn()
    assert pairs() == {("Boots", "Socks"), ("Socks", "Boots")}
    assert set(ProductSimilarity.objects.values_list("support", flat=True)) == {5}
    run = ModelRun.objects.get(is_current=True)
    assert (run.customer_count, run.contributions.count()) == (5, run.line_count)
    scores = list(ProductSimilarity.objects.order_by("product").values_list("score", flat=True))
    training.train_epoch(cutoff_at=now)
    assert list(ProductSimilarity.objects.order_by("product").values_list("score", flat=True)) == scores


@pytest.mark.django_db(transaction=True)
def test_the_job_that_publishes_an_epoch_goes_on_to_withdraw(goods, during_training):
    leaver, *_ = buyers(6, *goods)
    training.train_epoch()
    ModelRun.objects.update(cutoff_at=timezone.now() - timedelta(hours=7))
    buyers(5, *goods)
    during_training(lambda: say_no(leaver))
    tasks.train()
    assert set(ProductSimilarity.objects.values_list("support", flat=True)) == {10}


@pytest.mark.django_db
def test_taking_out_leaves_the_pairs_of_others(goods):
    mug, jug = builders.variant(), builders.variant()
    buyers(5, mug, jug)
    leaver, *_ = buyers(5, *goods)
    training.train_epoch()
    say_no(leaver)
    assert training.delete_withdrawn_lines() == 2
    assert pairs() == {(mug.product.title, jug.product.title), (jug.product.title, mug.product.title)}
    assert Contribution.objects.count() == 2 * 9
    assert training.delete_withdrawn_lines() == 0
