from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop.catalog import forgiving, listing, product_query, search
from shop.catalog.filters import Filters, PriceBand, Sort
from shop.catalog.models import Product
from shop.catalog.search import PAGE_SIZE, search_products
from tests import builders
from tests.plans import read_plan_steps

pytestmark = pytest.mark.django_db


def titles(*args, **options) -> list[str]:
    return [product.title for product in search_products(*args, **options).products]


@pytest.fixture
def holder() -> Product:
    made = builders.product("White hanging heart T-light holder", maker=builders.maker("Glow"))
    builders.product("Wool hat", maker=builders.maker("Tarn & Tup"))
    listing.refresh_listings()
    return made


@pytest.mark.parametrize(
    "typed",
    [
        "t-light holder",
        "T-LIGHT HOLDERS",
        "tlight holder",
        "tlight holdr",
        "hangin heart",
        "whitte hart holder",
        "glow",
        "  t-light\x00holder ",
        "t light",
    ],
)
def test_a_thing_is_found_however_it_is_typed(holder, typed):
    assert titles(typed) == [holder.title]


def test_a_corrected_search_says_what_it_looked_for(holder):
    assert search_products("tlight holdr").shown_instead == "tlight holder"
    assert search_products("t-light holder").shown_instead == ""


@pytest.mark.parametrize("typed", ["zzzzqqq", "the", '"', "& | ! ( ) :*", "'; drop table x; --", "🧦", "日本"])
def test_a_search_for_nothing_we_have_finds_nothing_and_breaks_nothing(holder, typed):
    assert search_products(typed).products == []


def test_an_excluded_word_is_not_forgiven(holder):
    assert titles("holder -heart") == []
    assert titles("-heart hat") == ["Wool hat"]


def test_accents_do_not_matter():
    builders.product("Café au lait bowl")
    listing.refresh_listings()
    assert titles("cafe") == titles("CAFÉ") == ["Café au lait bowl"]


def test_a_title_comes_before_a_description():
    described = builders.product("Tin", description="Goes well with a kettle.")
    named = builders.product("Kettle")
    listing.refresh_listings()
    assert titles("kettle") == [named.title, described.title]


def test_a_search_with_a_size_finds_what_comes_in_it():
    builders.product("Wool socks", sizes=("9", "13"))
    builders.product("Short wool socks", sizes=("5",))
    listing.refresh_listings()
    assert titles("wool socks, size 13") == ["Wool socks"]


def test_words_that_never_meet_find_what_has_some_of_them():
    builders.product("Pie tin")
    builders.product("Pepper mill")
    listing.refresh_listings()
    assert set(titles("pie pepper")) == {"Pie tin", "Pepper mill"}


def test_unpublished_things_are_never_found_nor_counted(holder):
    Product.objects.update(is_published=False)
    results = search_products("holder")
    assert (results.products, results.total, results.facets.makers) == ([], 0, {})
    assert search_products("").total == 0


def test_each_facet_counts_as_if_nothing_of_its_own_kind_were_chosen():
    boots = builders.category("Boots")
    builders.product("Red boot", category=boots, maker=builders.maker("Hob"), sizes=("9", "10"), price="90.00")
    builders.product("Blue boot", category=boots, maker=builders.maker("Nail"), sizes=("10",), price="20.00", on_hand=0)
    listing.refresh_listings()
    results = search_products("boot", Filters(makers=("hob",)))
    assert results.total == 1
    assert results.facets.makers == {"hob": ("Hob", 1), "nail": ("Nail", 1)}
    assert results.facets.sizes == {"9": 1, "10": 1}
    assert results.facets.prices == {5: 1}
    assert results.facets.in_stock == 1
    assert results.facets.categories == {boots.id: 1}


def test_what_is_not_out_yet_is_not_in_stock():
    builders.product("Frost boot", released_on=timezone.localdate() + timedelta(days=3))
    listing.refresh_listings()
    assert search_products("boot").facets.in_stock == 0
    assert search_products("boot", Filters(in_stock=True)).total == 0
    Product.objects.update(released_on=timezone.localdate())
    assert search_products("boot", Filters(in_stock=True)).total == 1


def test_filters_narrow_together():
    builders.product("Small dear", sizes=("S",), price="120.00")
    builders.product("Small cheap", sizes=("S",), price="8.00")
    builders.product("Large cheap", sizes=("L",), price="8.00")
    builders.product("Small cheap gone", sizes=("S",), price="8.00", on_hand=0)
    listing.refresh_listings()
    narrowed = Filters(sizes=("S",), price=PriceBand(None, Decimal(10)), in_stock=True)
    assert titles("", narrowed) == ["Small cheap"]


def test_every_order_is_what_it_says():
    for title, price in (("b", "2.00"), ("A", "3.00"), ("c", "1.00")):
        builders.product(title, price=price)
    listing.refresh_listings()
    assert titles("", sort=Sort.NAME) == ["A", "b", "c"]
    assert titles("", sort=Sort.CHEAPEST) == ["c", "b", "A"]
    assert titles("", sort=Sort.DEAREST) == ["A", "b", "c"]
    assert titles("", sort=Sort.NEWEST) == ["c", "A", "b"]


def test_pages_follow_each_other_without_gaps_or_repeats():
    for number in range(PAGE_SIZE + 3):
        builders.product(f"Mug {number:02d}")
    listing.refresh_listings()
    first, second = search_products("mug"), search_products("mug", page=2)
    assert (len(first.products), len(second.products)) == (PAGE_SIZE, 3)
    assert (first.has_next, second.has_next) == (True, False)
    assert not {each.id for each in first.products} & {each.id for each in second.products}
    assert search_products("mug", page=9999).products == []


@pytest.fixture
def mugs(monkeypatch) -> None:
    """More than are ranked and counted: some called so, some described so, one by that name alone."""
    for module in (product_query, search):
        monkeypatch.setattr(module, "BOUND", 6)
    for number in range(9):
        builders.product(f"Mug {number}", price=f"{number + 1}.00", on_hand=number % 3)
        builders.product(f"Bowl {number}", description="Stands on its mug.", price="30.00")
    builders.product("Mug", on_hand=0)
    listing.refresh_listings()


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("chosen", [Filters(), Filters(in_stock=True), Filters(price=PriceBand(Decimal(5), None))])
def test_a_word_put_right_finds_and_counts_what_it_does_when_it_is_typed_right(mugs, chosen, sort):
    mistyped, typed = (search_products(text, chosen, sort=sort) for text in ("mgu", "mug"))
    assert (mistyped.shown_instead, mistyped.is_partial) == ("mug", False)
    assert [each.id for each in mistyped.products] == [each.id for each in typed.products] != []
    assert (mistyped.total, mistyped.facets) == (typed.total, typed.facets)


def test_a_word_put_right_reads_no_more_finds_than_are_ranked(mugs):
    with CaptureQueriesContext(connection) as queries:
        search_products("mgu")
    steps = read_plan_steps(queries[2]["sql"], by_index=True)
    scans = [step for step in steps if step.get("Relation Name") == "catalog_product"]
    assert sum(step["Actual Rows"] * step["Actual Loops"] for step in scans) == 6


def test_a_word_too_light_to_be_listed_for_is_not_looked_for():
    words = [
        forgiving.Term(word, f"'{word}'", weight) for word, weight in (("blue", 1.0), ("samovar", 8.0), ("a", 1.5))
    ]
    assert forgiving.Forgiven(words, total_weight=10.5).some == "'samovar'"
    assert forgiving.Forgiven(words, total_weight=8.0).some == "'a' | 'samovar'"
