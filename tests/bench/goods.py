"""A shop's goods, as many as are asked for and the same each time: departments, makers, prices, sizes, stock, pictures,
days of release. Written by the set."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from django.utils import timezone

from shop.catalog import listing, stock
from shop.catalog.models import Category, Maker, Product, ProductImage, Store, Variant
from shop.sample import shop_terms
from tests.bench.words import VOCABULARY, draw_words

SIZES: tuple[tuple[str, ...], ...] = (("",), ("",), ("S", "M", "L"), ("8", "9", "10", "11"))
DEPARTMENTS, AISLES, MAKERS = 10, 4, 200
KINDS = 12  # of things in an aisle: what their titles end in
ON_HAND = (0, 5, 10, 20)
COMING, UNDATED = 0.02, 0.2  # shares of the goods: out in the next days; in the shop for ever
BATCH = 5_000


def grow_goods(products: int) -> None:
    """Adds what is missing up to so many."""
    store = shop_terms.create_terms()
    aisles, makers = _make_aisles(), _make_makers()
    for first in range(Product.objects.count(), products, BATCH):
        numbers = range(first, min(first + BATCH, products))
        made = Product.objects.bulk_create(_make_product(number, aisles, makers) for number in numbers)
        _stock_products(made, store)
        _picture_products(made)
        listing.refresh_listings(product.pk for product in made)


def _make_aisles() -> list[Category]:
    if not Category.objects.exists():
        departments = Category.objects.bulk_create(
            Category(name=f"Department {number}", slug=f"department-{number}", position=number, tint=1 + number % 4)
            for number in range(DEPARTMENTS)
        )
        Category.objects.bulk_create(
            Category(name=f"Aisle {top.position}-{number}", slug=f"aisle-{top.position}-{number}", parent=top)
            for top in departments
            for number in range(AISLES)
        )
    return list(Category.objects.filter(parent__isnull=False).order_by("pk"))


def _make_makers() -> list[Maker]:
    Maker.objects.bulk_create(
        (Maker(name=f"{word.title()} & Co", slug=f"{word}-co") for word in VOCABULARY[:MAKERS]), ignore_conflicts=True
    )
    return list(Maker.objects.order_by("pk"))


def _make_product(number: int, aisles: list[Category], makers: list[Maker]) -> Product:
    drawn = Random(number)
    aisle = drawn.randrange(len(aisles))
    kind = VOCABULARY[MAKERS + KINDS * aisle + drawn.randrange(KINDS)]
    return Product(
        title=f"{draw_words(drawn, drawn.randint(2, 4))} {kind}".capitalize(),
        slug=f"thing-{number:06d}",
        category=aisles[aisle],
        maker=drawn.choice(makers),
        summary=draw_words(drawn, 8),
        description=draw_words(drawn, 40),
        attributes={"Made in": drawn.choice(("Wales", "Leeds", "Fife")), "Weight": f"{drawn.randint(1, 20)}00 g"},
        tags=[drawn.choice(VOCABULARY[:50])],
        lifespan_months=drawn.choice((None, 6, 24)),
        released_on=_draw_release(drawn),
    )


def _draw_release(drawn: Random) -> date | None:
    today, chance = timezone.localdate(), drawn.random()
    if chance < COMING:
        return today + timedelta(days=drawn.randint(1, 14))
    return None if chance < UNDATED else today - timedelta(days=drawn.randint(1, 700))


def _stock_products(products: list[Product], store: Store) -> None:
    made = Variant.objects.bulk_create(variant for product in products for variant in _make_variants(product))
    drawn = Random(products[0].pk)
    stock.open_stock_records(store, [stock.OpeningStock(variant.pk, drawn.choice(ON_HAND)) for variant in made])


def _make_variants(product: Product) -> Iterator[Variant]:
    drawn = Random(product.slug)
    price = Decimal(drawn.randint(100, 12_000)) / 100
    for position, size in enumerate(drawn.choice(SIZES)):
        yield Variant(product=product, sku=f"{product.slug}-{size}", size=size, price=price, position=position)


def _picture_products(products: list[Product]) -> None:
    ProductImage.objects.bulk_create(
        ProductImage(product=product, file=f"products/{product.slug}-{position}.webp", alt=product.title)
        for product in products
        for position in range(1 + product.pk % 3)
    )
