"""The shop's own clock: ages are counted from the last purchase, not from today, and a rest is no age."""

import csv
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.consent import consent, purposes
from accounts.models import Customer
from orders.models import Order
from recommendations import picks, training
from recommendations.engine.model import PurchaseModel
from recommendations.engine.published import ProductFacts, compute_published_tables
from recommendations.engine.purchases import REST_DAYS, Purchases
from recommendations.models import Contribution, ModelRun, ProductPopularity, ProductSimilarity
from shop.catalog import listing
from shop.catalog.models import Product
from tests import builders
from tests.recommendations.test_engine import NOON, purchases_of_some, row
from tests.recommendations.test_training import PURPOSE, buyers


def tables(rows, *, cutoff, k=1):
    goods = {name: ProductFacts(f"Thing {name}") for name in "abcdef"}
    return compute_published_tables(Purchases.of(rows, products=list(goods)), goods, cutoff=cutoff, k=k)


@settings(max_examples=60)
@given(purchases_of_some, st.sampled_from([1, 40, 400, 6000]))
def test_the_wall_clock_changes_nothing_on_the_shelves(rows, days):
    """A shop that rested, was restored, or imported its past shows what it showed on its last day."""
    last = max((each.bought_at for each in rows), default=NOON)
    closing = datetime.combine(last.date(), datetime.min.time()) + timedelta(days=1)
    assert tables(rows, cutoff=closing + timedelta(days=days)).together == tables(rows, cutoff=closing).together
    if rows:
        assert tables(rows, cutoff=closing + timedelta(days=days)) == tables(rows, cutoff=closing)


def test_within_a_days_work_the_clock_stands_still():
    rows = [row(name, item) for name in "mnopq" for item in "ab"]
    assert tables(rows, cutoff=NOON + timedelta(minutes=1)).clock_on == NOON.date()
    assert tables(rows, cutoff=NOON + timedelta(days=3)).clock_on == NOON.date() + timedelta(days=1)


def test_the_first_purchases_after_a_rest_do_not_empty_the_shelves():
    """Only one person has bought since; all the others bought the season before last."""
    past = [row(name, item, days_ago=400) for name in "mnopq" for item in "ab"]
    before = tables(past, cutoff=NOON - timedelta(days=399), k=5)
    after = tables([*past, row("new", "c"), row("new", "d")], cutoff=NOON + timedelta(hours=1), k=5)
    assert set(after.popular) == set(before.popular) == {"a", "b"}
    assert {(pair.product, pair.similar) for pair in after.together} == {("a", "b"), ("b", "a")}


def test_a_rest_counts_as_a_day_and_keeps_days_apart():
    rows = [row("m", "a", days_ago=days) for days in (900, 899, 500, 3, 0)]
    at = Purchases.of(rows).without_long_gaps().at
    assert [round(float(at[-1] - each), 6) for each in at] == [6, 5, 4, 3, 0]


def test_no_rest_is_made_of_an_ordinary_pause():
    rows = [row("m", "a", days_ago=days) for days in (2 * REST_DAYS, REST_DAYS, 0)]
    purchases = Purchases.of(rows)
    assert (purchases.without_long_gaps().at == purchases.at).all()


def test_old_purchases_still_count_less_than_new_ones():
    rows = [row(f"old{n}", item, days_ago=20) for n in range(5) for item in "ab"]
    rows += [row(f"new{n}", item) for n in range(5) for item in "ac"]
    model = PurchaseModel.frozen(Purchases.of(rows), end=1e6, titles=["", "", ""], k=1)
    assert model.pair_scores[[0], [2]][0] > model.pair_scores[[0], [1]][0]


# -- The same in a shop ----------------------------------------------------------------------------------------

LAST_DAY = datetime(2011, 11, 9, 15, tzinfo=UTC)


def order_file(path):
    """Twelve customers of a shop that closed in 2011: spoons with teacups, and hooks with one of them long before."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["order_number", "placed_at", "customer", "sku", "title", "quantity", "unit_price", "gift"])
        for number in range(12):
            at = LAST_DAY - timedelta(days=number % 3 + (300 if number > 6 else 0))
            for sku, title in [("SPOON", "Teaspoons"), ("CUP", "Teacup") if number <= 6 else ("HOOK", "Wall hook")]:
                rows.writerow([f"P{number}", at.isoformat(), f"c{number}", sku, title, 1, "2.50", 0])
    return path


def imported(path, tmp_path):
    consents = tmp_path / "consents.csv"
    with consents.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer", "purpose", "granted", "at"])
        rows.writerows([f"c{number}", PURPOSE, "yes", LAST_DAY.isoformat()] for number in range(12))
    call_command("import_orders", str(path), "--stock", "50", "--consents", str(consents), verbosity=0)


def on_the_shelf():
    similar = ProductSimilarity.objects.order_by("product", "rank")
    popular = ProductPopularity.objects.order_by("product")
    return (
        list(similar.values_list("product", "similar", "score", "cart_score", "rank")),
        list(popular.values_list("product", "score")),
    )


@pytest.mark.django_db
def test_an_imported_past_is_shown_as_on_its_last_day(tmp_path):
    imported(order_file(tmp_path / "orders.csv"), tmp_path)
    training.train_epoch(cutoff_at=LAST_DAY + timedelta(hours=9))  # the midnight after
    then = on_the_shelf()
    training.train_epoch()
    assert on_the_shelf() == then
    assert then[1], "best sellers"
    spoons = Product.objects.get(title="Teaspoons")
    first = picks.pick_frequently_bought_with([spoons.pk])[0]
    assert (first.product_id, first.why) == (Product.objects.get(title="Teacup").pk, "Often bought with Teaspoons")
    assert ModelRun.objects.get(is_current=True).clock_on == LAST_DAY.date() + timedelta(days=1)


@pytest.mark.django_db
def test_best_sellers_of_long_ago_are_not_said_to_sell_just_now(tmp_path):
    imported(order_file(tmp_path / "orders.csv"), tmp_path)
    training.train_epoch()
    assert {pick.why for pick in picks.pick_popular()} == {"Sells well here"}
    boots = builders.product("Boots").variants.get()
    listing.refresh_listings()
    buyers(5, boots)
    training.train_epoch()
    assert {pick.why for pick in picks.pick_popular()} == {"Sells well just now"}


@pytest.mark.django_db
def test_a_past_imported_after_the_first_epoch_makes_another_due(tmp_path):
    training.train_epoch()  # an empty shop learns nothing
    ModelRun.objects.update(cutoff_at=timezone.now() - timedelta(hours=7))
    assert training.train_when_due() is None
    imported(order_file(tmp_path / "orders.csv"), tmp_path)
    assert training.train_when_due() is not None
    assert Contribution.objects.count() == 24


@pytest.mark.django_db
def test_a_first_yes_to_old_purchases_makes_an_epoch_due():
    boots, socks = builders.variant(), builders.variant()
    people = buyers(5, boots, socks, ticks=())
    training.train_epoch()
    ModelRun.objects.update(cutoff_at=timezone.now() - timedelta(hours=7))
    for person in people[:4]:
        consent.set_consent(person, PURPOSE, granted=True, source="test")
    assert training.train_when_due() is None
    consent.set_consent(people[4], PURPOSE, granted=True, source="test")
    assert training.train_when_due() is not None


@pytest.mark.django_db
def test_the_reason_names_the_year_of_a_purchase_of_long_ago():
    boots, socks = builders.variant(), builders.variant()
    listing.refresh_listings()
    buyers(5, boots, socks)
    training.train_epoch()
    alice = builders.customer(ticks=(purposes.RECOMMEND_FROM_PURCHASES,))
    builders.paid_order(boots, customer=alice)
    Order.objects.filter(customer=alice).update(placed_at=datetime(2011, 3, 4, 12, tzinfo=UTC))
    [pick, *_] = picks.pick_for_customer(
        Customer.objects.get(pk=alice.pk), frozenset({purposes.RECOMMEND_FROM_PURCHASES})
    )
    assert pick.why.endswith("which you bought in March 2011")
