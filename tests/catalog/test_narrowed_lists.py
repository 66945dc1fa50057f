"""A list narrowed to a size speaks of that size: stock, price, order, counts, and where its cards lead."""

import itertools
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.catalog import listing, product_query, search
from shop.catalog.filters import Filters, PriceBand, Sort, get_price_bands
from shop.catalog.models import Product, StockRecord
from shop.catalog.search import search_products as find
from shop.storefront import list_query, page_cache
from tests import builders
from tests.plans import read_plan_steps

pytestmark = pytest.mark.django_db
PRICE_BANDS = get_price_bands("GBP")
WHOLE_ROWS = ("catalog_product", "Index Scan")
CHEAP, DEAR = PriceBand(None, Decimal(50)), PriceBand(Decimal(50), None)


@pytest.fixture
def boot() -> Product:
    """5 for £40, on the shelf; 13 for £60, sold out."""
    builders.shipping_method()
    made = builders.product("Scree boot", sizes=("5",), price="40.00", category=builders.category("Footwear"))
    builders.variant(made, size="13", price="60.00", on_hand=0, position=1)
    listing.refresh_listings()
    return made


def titles(filters: Filters, **options) -> list[str]:
    return [product.title for product in find("", filters, **options).products]


def test_what_is_sold_out_in_the_size_asked_for_is_not_in_stock(boot):
    assert titles(Filters(sizes=("13",), in_stock=True)) == []
    assert titles(Filters(sizes=("5",), in_stock=True)) == ["Scree boot"]
    assert titles(Filters(sizes=("5", "13"), in_stock=True)) == ["Scree boot"]
    assert find("", Filters(sizes=("13",))).facets.in_stock == 0
    assert find("", Filters(in_stock=True)).facets.sizes == {"5": 1}


def test_stock_that_comes_and_goes_takes_its_size_along(boot, django_capture_on_commit_callbacks):
    from shop.catalog import stock

    record = StockRecord.objects.get(variant__size="13")
    with django_capture_on_commit_callbacks(execute=True):
        stock.receive_stock(record.id, quantity=1)
    assert titles(Filters(sizes=("13",), in_stock=True)) == ["Scree boot"]
    with django_capture_on_commit_callbacks(execute=True):
        stock.allocate_stock({record.variant_id: 1})
    assert titles(Filters(sizes=("13",), in_stock=True)) == []


def test_a_price_asked_for_is_that_of_the_size_asked_for(boot):
    assert titles(Filters(sizes=("13",), price=CHEAP)) == []
    assert titles(Filters(sizes=("13",), price=DEAR)) == ["Scree boot"]
    assert find("", Filters(sizes=("13",))).facets.prices == {5: 1}
    assert find("", Filters(price=CHEAP)).facets.sizes == {"5": 1}


def test_the_order_of_price_is_that_of_the_size_asked_for(boot):
    builders.product("Slipper", sizes=("13",), price="50.00")
    listing.refresh_listings()
    assert titles(Filters(sizes=("13",)), sort=Sort.CHEAPEST) == ["Slipper", "Scree boot"]
    assert titles(Filters(), sort=Sort.CHEAPEST) == ["Scree boot", "Slipper"]


@pytest.mark.parametrize("address", ["/category/footwear/?size=13", "/search/?q=boot&size=13"])
def test_a_card_says_price_and_stock_of_its_size_and_opens_with_it(client, boot, address):
    page = client.get(address).content.decode()
    card = page[page.index('<li class="card') : page.index("</li>", page.index('<li class="card'))]
    assert "£60.00" in card
    assert "£40.00" not in card
    assert "In stock" not in card
    link = re.search(r'href="(/product/[^"]+)"', card)[1]
    assert link.endswith(f"?variant={boot.variants.get(size='13').pk}")
    product = client.get(link).content.decode()
    assert '<span class="price" id="price">£60.00</span>' in product
    assert " checked" not in product[product.index("<form method=") :].split("</form>")[0], (
        "no other size is slipped in"
    )
    assert "Add to cart" in product, "the 5 can still be chosen"


def test_a_card_leads_to_the_first_of_the_sizes_that_can_be_had(client, boot):
    page = client.get("/category/footwear/?size=13&size=5").content.decode()
    assert f"?variant={boot.variants.get(size='5').pk}" in page
    assert "from £40.00" in page


def test_a_list_nobody_narrowed_leads_to_the_product_itself(client, boot):
    page = client.get("/category/footwear/").content.decode()
    assert f'href="{boot.get_absolute_url()}"' in page
    assert "?variant=" not in page


def test_every_count_of_a_narrowed_list_is_what_choosing_it_shows():
    """The family: whatever was chosen, each further choice shows as many things as the number beside it says."""
    prices, stocks, makers = itertools.cycle(["4", "9", "30", "70"]), itertools.cycle([0, 3, 1]), ("Hob", "Nail")
    for number in range(14):
        made = builders.product(f"Boot {number}", sizes=(), maker=builders.maker(makers[number % 2]))
        for position, size in enumerate(("5", "9", "13")[: 1 + number % 3]):
            builders.variant(made, size=size, price=next(prices), on_hand=next(stocks), position=position)
        next(prices)
    listing.refresh_listings()
    tried = 0
    for sizes, price, makers_chosen, in_stock in itertools.product(
        ((), ("5",), ("13",), ("5", "9")), (None, *PRICE_BANDS[:4]), ((), ("hob",)), (False, True)
    ):
        chosen = Filters(sizes=sizes, price=price, makers=makers_chosen, in_stock=in_stock)
        facets = find("", chosen).facets
        for size in ("5", "9", "13"):
            assert facets.sizes.get(size, 0) == _total(chosen, sizes=(size,)), (chosen, size)
        for index, band in enumerate(PRICE_BANDS):
            assert facets.prices.get(index, 0) == _total(chosen, price=band), (chosen, band)
        for slug in ("hob", "nail"):
            assert facets.makers.get(slug, ("", 0))[1] == _total(chosen, makers=(slug,)), (chosen, slug)
        assert facets.in_stock == _total(chosen, in_stock=True), chosen
        tried += 1
    assert tried == 80


def _total(chosen: Filters, **change) -> int:
    from dataclasses import replace

    return find("", replace(chosen, **change)).total


@pytest.mark.parametrize("text", ["", "mug"])
def test_counts_that_stopped_early_say_so_and_offer_everything(client, monkeypatch, text):
    for module in (product_query, search, list_query):
        monkeypatch.setattr(module, "BOUND", 6)
    table, tins = builders.category("Table"), builders.category("Tins")
    for number in range(9):
        builders.product(f"Mug {number}", price="3.00" if number < 6 else "7.00", category=table, sizes=("S",))
    builders.product("Mug tin", price="30.00", category=tins)
    listing.refresh_listings()
    page_cache.clear()
    found = find(text, Filters())
    assert found.facets.bounded == {"category", "maker", "price", "size", "stock"}
    page = client.get(f"/search/?q={text}").content.decode()
    shown = dict(re.findall(r'value="([\d-]+)">[^<]*(?:<span class="number">([\d,+]+)</span>)?</label>', page))
    assert set(shown) >= {band.key for band in PRICE_BANDS}, "what was not counted can still be chosen"
    for key, count in shown.items():
        assert not count or count.endswith("+"), (key, count)
    assert "Tins" in page
    exact = find(text, Filters(price=PriceBand(Decimal(5), Decimal(10))))
    assert (exact.total, "stock" in exact.facets.bounded) == (3, False)


def leave_no_way_but(index: str) -> None:
    """For so few rows any way to read products is good, and the planner takes now one and now another."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT indexrelid::regclass FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid"
            " WHERE indrelid = 'catalog_product'::regclass AND conindid IS NULL AND indexrelid <> %s::regclass",
            [index],
        )
        for (other,) in cursor.fetchall():
            cursor.execute(f'DROP INDEX "{other}"')
        for way in ("seqscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")


def test_a_list_narrowed_by_price_counts_from_an_index_and_looks_up_variants_only_where_prices_differ():
    for number in range(30):
        builders.product(f"Boot {number}", sizes=("5", "9"), price=f"{20 + number}.00")
    mixed = builders.product("Mixed boot", sizes=("5",), price="30.00")
    builders.variant(mixed, size="9", price="60.00", position=1)
    listing.refresh_listings()
    scope = (mixed.category_id,)
    chosen = Filters(in_stock=True, price=PriceBand(Decimal(25), Decimal(50)))
    leave_no_way_but("product_by_price")
    with CaptureQueriesContext(connection) as queries:
        assert find("", chosen, scope=scope).facets.sizes == {"5": 26, "9": 25}
    steps = read_plan_steps(queries[0]["sql"])
    assert sum(step.get("Index Name") == "product_by_price" for step in steps if "Only" in step["Node Type"]) >= 3
    variants = [step for step in steps if step.get("Relation Name") == "catalog_variant"]
    assert sum(step["Actual Rows"] * step["Actual Loops"] for step in variants) == 2
    rows = [step["Actual Rows"] for step in steps if (step.get("Relation Name"), step["Node Type"]) == WHOLE_ROWS]
    assert rows == [26], "sizes are read of what some size of it may cost that much, and nothing else of the row"
