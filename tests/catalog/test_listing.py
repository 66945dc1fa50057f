"""What cards, facets and search read is kept in line with what it is made from."""

import pytest
from django.db import transaction

from shop.catalog import listing, stock
from shop.catalog.models import Product, ProductImage, StockRecord
from tests import builders


@pytest.mark.django_db
def test_the_listing_holds_prices_sizes_and_the_first_picture():
    made = builders.product("Socks", sizes=("9", "10"), price="14.00")
    builders.variant(made, size="11", price="16.00", on_hand=0)
    ProductImage.objects.create(product=made, file="products/second.webp", position=2)
    ProductImage.objects.create(product=made, file="products/first.webp", alt="A pair", position=1)
    listing.refresh_listings([made.id])
    made.refresh_from_db()
    assert (str(made.price_from), str(made.price_to)) == ("14.00", "16.00")
    assert sorted(made.sizes) == ["10", "11", "9"]
    assert (made.card_image, made.card_alt) == ("products/first.webp", "A pair")
    assert made.is_available


@pytest.mark.django_db
def test_a_variant_not_on_sale_counts_for_nothing():
    made = builders.product("Socks", price="14.00", sizes=("9",))
    made.variants.update(is_active=False)
    listing.refresh_listings([made.id])
    made.refresh_from_db()
    assert (made.price_from, made.sizes, made.is_available) == (0, [], False)


@pytest.mark.django_db
def test_refreshing_twice_writes_nothing_the_second_time():
    made = builders.product("Socks")
    listing.refresh_listings()
    before = Product.objects.extra(select={"version": "xmin::text"}).get(pk=made.pk).version
    listing.refresh_listings()
    assert Product.objects.extra(select={"version": "xmin::text"}).get(pk=made.pk).version == before


@pytest.mark.django_db(transaction=True)
def test_selling_the_last_one_takes_the_thing_out_of_the_in_stock_facet_and_its_return_puts_it_back():
    variant = builders.variant(on_hand=1)
    assert Product.objects.get(pk=variant.product_id).is_available
    with transaction.atomic():
        taken = stock.allocate_stock({variant.id: 1})
    assert not Product.objects.get(pk=variant.product_id).is_available
    with transaction.atomic():
        stock.release_allocation(taken[variant.id], quantity=1)
    assert Product.objects.get(pk=variant.product_id).is_available


@pytest.mark.django_db
def test_the_sweep_mends_a_flag_that_was_missed():
    variant = builders.variant(on_hand=3)
    listing.refresh_listings()
    StockRecord.objects.filter(variant=variant).update(allocated=3)
    listing.update_stock_flags()
    assert not Product.objects.get(pk=variant.product_id).is_available


@pytest.mark.django_db
def test_goods_that_may_be_ordered_before_they_arrive_are_not_in_stock():
    variant = builders.variant(on_hand=0)
    StockRecord.objects.filter(variant=variant).update(backorder_limit=5)
    listing.refresh_listings()
    assert not Product.objects.get(pk=variant.product_id).is_available
