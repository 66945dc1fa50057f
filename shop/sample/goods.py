"""Puts the sample goods on the shelves: categories, makers, products, variants, pictures, opening stock.

Only what is missing is made; what is there already, and perhaps changed by staff since, is left alone.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from shop.catalog import events, listing, stock
from shop.catalog.models import Category, Maker, Product, ProductImage, Store, Variant
from shop.money import convert_roughly, get_shop_currency
from shop.sample import content
from shop.sample.content import SampleProduct

REFERENCE = "sample store"
REPRESENTATIVE = "Kade & Kontor, 1 Havenkade, Rotterdam, Netherlands\nhello@kade-kontor.example"  # invented, as all is


@transaction.atomic
def create_goods(store: Store, *, today: date) -> int:
    """Returns how many products are new."""
    there = set(Product.objects.values_list("slug", flat=True))
    missing = [product for product in content.read_products() if product.slug not in there]
    if missing:
        products = _create_products(missing, today=today)
        _create_variants(missing, products, store, today=today)
        _create_pictures(missing, products)
        _relate_products(missing)
        listing.refresh_listings([product.pk for product in products.values()])
    return len(missing)


def _create_categories() -> dict[str, Category]:
    for position, row in enumerate(content.read_categories()):
        parent = Category.objects.get(slug=row["parent"]) if "parent" in row else None
        Category.objects.get_or_create(
            slug=row["slug"],
            defaults={
                "name": row["title"],
                "description": row["blurb"],
                "parent": parent,
                "position": position,
                "tint": row["tint"],
            },
        )
    return {category.slug: category for category in Category.objects.all()}


def _create_makers() -> dict[str, Maker]:
    rows = content.read_makers()
    Maker.objects.bulk_create(
        [
            Maker(
                slug=row["slug"],
                name=row["name"],
                story=f"{row['story']}\n\n{row['place']}.",
                postal_address=f"{row['place']}, United Kingdom",
                electronic_address=f"workshop@{row['slug']}.example",
                eu_representative=REPRESENTATIVE,
            )
            for row in rows
        ],
        ignore_conflicts=True,
    )
    by_name = {maker.name: maker for maker in Maker.objects.all()}
    return {row["slug"]: by_name[row["name"]] for row in rows}


def _create_products(missing: Sequence[SampleProduct], *, today: date) -> dict[str, Product]:
    categories, makers = _create_categories(), _create_makers()
    made = Product.objects.bulk_create(
        Product(
            slug=product.slug,
            title=product.title,
            category=categories[product.category],
            maker=makers[product.maker],
            summary=product.summary,
            description=product.description,
            attributes=product.attributes,
            tags=product.tags,
            lifespan_months=product.lifespan_months,
            guarantee_years=product.guarantee_years,
            released_on=today + timedelta(days=product.released_days),
        )
        for product in sorted(missing, key=lambda product: product.released_days)  # the newest has the highest id
    )
    events.record_releases(product.pk for product in made)
    return {product.slug: product for product in made}


def _create_variants(
    missing: Sequence[SampleProduct], products: dict[str, Product], store: Store, *, today: date
) -> None:
    written = [(products[product.slug], each) for product in missing for each in product.variants]
    positions = {each.sku: at for product in missing for at, each in enumerate(product.variants)}
    made = Variant.objects.bulk_create(
        Variant(
            product=product,
            sku=each.sku,
            size=each.size,
            colour=each.colour,
            style=each.style,
            price=convert_roughly(each.price, get_shop_currency()),
            content_amount=each.content.amount if each.content else None,
            content_unit=each.content.unit if each.content else "",
            position=positions[each.sku],
        )
        for product, each in written
    )
    opening = [
        stock.OpeningStock(
            variant.pk,
            each.on_hand,
            restock_on=today + timedelta(days=each.restock_days) if each.restock_days else None,
        )
        for variant, (_, each) in zip(made, written, strict=True)
    ]
    stock.open_stock_records(store, opening, reference=REFERENCE)


def _create_pictures(missing: Sequence[SampleProduct], products: dict[str, Product]) -> None:
    ProductImage.objects.bulk_create(
        ProductImage(product=products[product.slug], file=_store_picture(product), alt=product.alt)
        for product in missing
    )


def _store_picture(product: SampleProduct) -> str:
    """The name of its picture in storage; a file left there by an earlier database serves again."""
    name, drawn = f"products/{product.picture.name}", product.picture.read_bytes()
    if default_storage.exists(name):
        with default_storage.open(name) as there:
            if there.read() == drawn:
                return name
    return default_storage.save(name, ContentFile(drawn))


def _relate_products(missing: Sequence[SampleProduct]) -> None:
    """Both ways round, as a symmetrical relation is kept."""
    ids = dict(Product.objects.values_list("slug", "id"))
    pairs = {(ids[product.slug], ids[other]) for product in missing for other in product.goes_with}
    both = pairs | {(there, here) for here, there in pairs}
    through = Product.goes_with.through
    through.objects.bulk_create(
        [through(from_product_id=here, to_product_id=there) for here, there in sorted(both)], ignore_conflicts=True
    )
