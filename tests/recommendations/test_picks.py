from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from recommendations import history, picks, training
from recommendations.models import ProductView
from recommendations.picks import for_you
from shop.catalog import listing
from shop.catalog.models import Product
from tests import builders
from tests.recommendations.test_training import buyers

pytestmark = pytest.mark.django_db

BOUGHT = purposes.RECOMMEND_FROM_PURCHASES
LOOKED = purposes.RECOMMEND_FROM_BROWSING


def thing(title, shelf="Socks"):
    made = builders.product(title, category=builders.category(shelf))
    listing.refresh_listings([made.pk])
    return made.variants.get()


@pytest.fixture
def boots():
    return thing("Boots", "Footwear")


@pytest.fixture
def socks():
    return thing("Socks", "Hosiery")


def shown(found):
    return [(Product.objects.get(pk=pick.product_id).title, pick.why) for pick in found]


def test_what_five_bought_together_is_shown_with_its_reason(boots, socks):
    buyers(5, boots, socks)
    training.train_epoch()
    assert shown(picks.pick_frequently_bought_with([boots.product_id])) == [("Socks", "Often bought with Boots")]


def test_without_five_there_is_no_shelf_unless_staff_chose(boots, socks):
    thing("Clogs", "Footwear")
    buyers(4, boots, socks)
    training.train_epoch()
    training.compute_similar_products()
    assert picks.pick_frequently_bought_with([boots.product_id]) == []
    boots.product.goes_with.add(socks.product)
    assert shown(picks.pick_frequently_bought_with([boots.product_id])) == [("Socks", "We would put it with Boots")]


def test_serving_hides_a_pair_the_moment_somebody_behind_it_says_no(boots, socks):
    leaver, *_ = buyers(6, boots, socks)
    training.train_epoch()
    assert picks.pick_frequently_bought_with([boots.product_id])
    consent.set_consent(leaver, purposes.COUNT_IN_ALSO_BOUGHT, granted=False, source="preferences")
    assert picks.pick_frequently_bought_with([boots.product_id]) == []  # before any job has run
    training.rebuild_without_withdrawn()
    assert picks.pick_frequently_bought_with([boots.product_id])  # five are left


def test_what_is_in_the_cart_or_cannot_be_had_is_not_shown(boots, socks):
    buyers(5, boots, socks)
    training.train_epoch()
    assert picks.pick_frequently_bought_with([boots.product_id, socks.product_id]) == []
    assert picks.pick_frequently_bought_with([boots.product_id], exclude=[socks.product_id]) == []
    Product.objects.filter(pk=socks.product_id).update(is_published=False)
    assert picks.pick_frequently_bought_with([boots.product_id]) == []


def test_a_shelf_is_one_query(boots, socks, django_assert_num_queries):
    buyers(5, boots, socks)
    training.train_epoch()
    with django_assert_num_queries(1):
        picks.pick_frequently_bought_with([boots.product_id, socks.product_id])
    with django_assert_num_queries(0):
        assert picks.pick_frequently_bought_with([]) == []


def test_for_you_names_the_purchase_it_came_from(boots, socks):
    buyers(5, boots, socks)
    training.train_epoch()
    alice = builders.customer(ticks=(BOUGHT,))
    builders.paid_order(boots, customer=alice, placed_at=timezone.now() - timedelta(days=2))
    month = f"{timezone.localtime(timezone.now() - timedelta(days=2)):%B}"
    found = picks.pick_for_customer(alice, frozenset({BOUGHT}))
    assert shown(found) == [("Socks", f"Goes with Boots, which you bought in {month}")]
    assert found[0].purpose == BOUGHT


def test_for_you_is_empty_without_a_switch_even_when_the_page_thinks_otherwise(boots, socks):
    buyers(5, boots, socks)
    training.train_epoch()
    bob = builders.customer()
    builders.paid_order(boots, customer=bob)
    ProductView.objects.create(customer=bob, product=boots.product, viewed_at=timezone.now())
    assert picks.pick_for_customer(bob, frozenset()) == []
    assert picks.pick_for_customer(bob, frozenset({BOUGHT, LOOKED})) == []  # a page that read the answers too early
    assert picks.pick_for_customer(None, frozenset({BOUGHT})) == []


def test_a_gift_never_steers(boots, socks):
    buyers(5, boots, socks)
    training.train_epoch()
    alice = builders.customer(ticks=(BOUGHT,))
    builders.paid_order(boots, customer=alice, is_gift=True)
    assert picks.pick_for_customer(alice, frozenset({BOUGHT})) == []


def test_what_was_looked_at_counts_only_under_its_own_switch(boots, socks):
    buyers(5, boots, socks)
    training.train_epoch()
    alice = builders.customer(ticks=(LOOKED,))
    history.record_customer_view(alice, boots.product_id)
    assert shown(picks.pick_for_customer(alice, frozenset({LOOKED}))) == [("Socks", "You looked at Boots")]
    assert picks.pick_for_customer(alice, frozenset({BOUGHT})) == []


def test_a_look_is_recorded_only_while_it_is_allowed(boots):
    bob, alice = builders.customer(), builders.customer(ticks=(LOOKED,))
    for person in (None, bob, alice, alice):
        history.record_customer_view(person, boots.product_id)
    assert ProductView.objects.get().customer == alice
    consent.set_consent(alice, LOOKED, granted=False, source="preferences")
    seen_at = ProductView.objects.get().viewed_at
    history.record_customer_view(alice, boots.product_id)
    assert ProductView.objects.get().viewed_at == seen_at


def test_a_look_is_forgotten_after_thirty_days(boots, socks):
    alice = builders.customer(ticks=(LOOKED,))
    history.record_customer_view(alice, boots.product_id)
    ProductView.objects.update(viewed_at=timezone.now() - timedelta(days=31))
    history.record_customer_view(alice, socks.product_id)
    assert [row[0] for row in for_you._find_recent_views(alice)] == [socks.product_id]
    assert history.retire_views() == 1
    assert ProductView.objects.get().product_id == socks.product_id


def test_the_offer_goes_with_the_order_and_is_what_we_have_most_of(boots, socks):
    plenty = builders.product("Dubbin", on_hand=180, category=builders.category("Care"))
    listing.refresh_listings([plenty.pk])
    buyers(5, boots, socks, plenty.variants.get())
    training.train_epoch()
    order = builders.paid_order(boots)
    offer = picks.pick_receipt_offer(order)
    assert shown([offer]) == [("Dubbin", "Goes with Boots")]
    assert offer.purpose == purposes.RECEIPT_OFFER


def test_the_letter_is_filled_up_with_what_is_the_same_for_everybody(boots, socks):
    buyers(5, boots, socks)
    training.train_epoch()
    bob = builders.customer(ticks=(purposes.MAIL_RECOMMENDATIONS,))
    found = picks.pick_for_mail(bob, frozenset({purposes.MAIL_RECOMMENDATIONS}))
    assert {why for _, why in shown(found)} == {"Sells well just now"}
    assert {pick.purpose for pick in found} == {None}


def test_a_gift_in_the_order_steers_no_offer(boots, socks):
    buyers(5, boots, socks)
    training.train_epoch()
    assert picks.pick_receipt_offer(builders.paid_order(boots)) is not None
    assert picks.pick_receipt_offer(builders.paid_order(boots, is_gift=True)) is None
