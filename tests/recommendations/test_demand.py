"""A search puts what sells before what is merely called shorter, as far as enough people allow the count."""

import pytest

from accounts.consent import consent, purposes
from orders.models import OrderLine
from recommendations import training
from shop.catalog import listing
from shop.catalog.models import ProductDemand, StockRecord
from shop.catalog.search import search_products
from tests import builders
from tests.recommendations.test_training import buyers

pytestmark = pytest.mark.django_db

SHORT, SELLER = "T-light holder", "White hanging heart t-light holder"


@pytest.fixture
def seller():
    found = builders.product(SELLER).variants.get()
    for title in ("Pink t-light holder", "Glass t-light holder"):
        builders.product(title)
    listing.refresh_listings()
    return found


def titles(text: str = "t-light holder") -> list[str]:
    return [product.title for product in search_products(text).products]


def test_the_best_seller_comes_before_shorter_titles_once_enough_people_stand_behind_it(seller):
    assert titles()[-1] == SELLER
    buyers(4, seller)
    training.train_epoch()
    assert titles()[-1] == SELLER, "four people are not enough to be read off a list"
    buyers(1, seller)
    training.train_epoch()
    assert titles()[0] == SELLER


def test_what_is_called_just_that_comes_first_whatever_sells(seller):
    builders.product(SHORT)
    listing.refresh_listings()
    buyers(5, seller)
    training.train_epoch()
    assert titles()[:2] == [SHORT, SELLER]


def test_what_sells_and_is_sold_out_stands_behind_what_can_be_had(seller):
    buyers(5, seller)
    training.train_epoch()
    StockRecord.objects.filter(variant=seller).update(on_hand=0, allocated=0)
    listing.update_stock_flags()
    assert titles()[-1] == SELLER


def test_who_is_found_by_a_description_stays_behind_whatever_sells(seller):
    told = builders.product("Candle", description="For a t-light holder.").variants.get()
    listing.refresh_listings()
    buyers(5, told)
    training.train_epoch()
    assert titles()[-1] == "Candle"


@pytest.mark.parametrize("says_no", ["with the switch", "by setting it aside", "as a gift"])
def test_a_list_unlearns_with_the_shelves(seller, says_no):
    first, *_ = buyers(5, seller)
    training.train_epoch()
    if says_no == "with the switch":
        consent.set_consent(first, purposes.COUNT_IN_ALSO_BOUGHT, granted=False, source="test")
    elif says_no == "by setting it aside":
        OrderLine.objects.filter(order__customer=first).update(is_excluded=True)
    else:
        OrderLine.objects.filter(order__customer=first).update(is_gift=True)
    training.delete_withdrawn_lines()
    assert not ProductDemand.objects.exists()
    assert titles()[-1] == SELLER
