"""From trusted rows to the database, a batch at a time and set-based: what is the same already is not written."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.db.models import Max

from shop.catalog import events, pictures, stock
from shop.catalog.importing.matching import (
    KnownSkus,
    choose_free_slugs,
    find_products,
    reject_duplicate_options,
    reject_foreign_gtins,
    reject_foreign_skus,
)
from shop.catalog.importing.reading import CatalogRow
from shop.catalog.importing.taxonomy import CategoriesAndMakers
from shop.catalog.models import Product, ProductImage, StockRecord, Store, Variant
from shop.catalog.prices import Price, set_prices
from shop.csv_files.report import BadRow

PRODUCT_FIELDS = (
    "import_key",
    "title",
    "category_id",
    "maker_id",
    "description",
    "summary",
    "tags",
    "released_on",
    "lifespan_months",
    "guarantee_years",
    "tax_class",
    "warnings",
    "attributes",
)
OPTION_FIELDS = ("size", "colour", "style")
VARIANT_FIELDS = (*OPTION_FIELDS, "content_amount", "content_unit", "gtin")


@dataclass
class CatalogImportCounts:
    """What a batch did. `touched`: products whose listing is to be refreshed."""

    touched: set[int] = field(default_factory=set)
    products_made: int = 0
    products_changed: int = 0
    variants_made: int = 0
    variants_changed: int = 0
    stock_counted: int = 0
    pictures_made: int = 0
    bad: list[BadRow] = field(default_factory=list)


@dataclass
class CatalogWriter:
    """One import. `seen`: products whose first row has spoken for them."""

    shelves: CategoriesAndMakers
    known_skus: KnownSkus
    store: Store
    reference: str
    folder: Path
    currency: str
    sets_stock: bool = False
    is_dry: bool = False
    seen: set[str] = field(default_factory=set)

    def write(self, rows: Sequence[CatalogRow]) -> CatalogImportCounts:
        """Inside the caller's transaction."""
        done = CatalogImportCounts()
        rows = [replace(row, sku=self.known_skus.find(row.sku)) for row in rows]
        products, named = find_products(rows)
        variants = {each.sku: each for each in self._variants(rows, products)}
        rows, strangers = reject_foreign_skus(rows, variants)
        rows, equals = reject_duplicate_options(rows, products)
        rows, misnumbered = reject_foreign_gtins(rows)
        done.bad += [*strangers, *equals, *misnumbered]
        products = self._write_products(rows, products, named, done)
        self.shelves.describe_makers((row.maker, row.maker_details) for row in rows)
        made = self._write_variants(rows, products, variants, done)
        self._write_stock(rows, variants | made, set(made), done)
        self._write_pictures(rows, products, done)
        return done

    @staticmethod
    def _variants(rows: Iterable[CatalogRow], products: dict[str, Product]) -> Iterable[Variant]:
        """Those that exist, each with the very product that is about to be written."""
        own = {product.pk: product for product in products.values()}
        found = Variant.objects.filter(sku__in=[row.sku for row in rows]).select_related("product")
        for variant in found:
            variant.product = own.get(variant.product_id, variant.product)
            yield variant

    # -- Products --

    def _write_products(
        self, rows: Sequence[CatalogRow], found: dict[str, Product], named: set[str], done: CatalogImportCounts
    ) -> dict[str, Product]:
        groups: dict[str, list[CatalogRow]] = defaultdict(list)
        for row in rows:
            groups[row.product_key].append(row)
        fresh = {key: Product(import_key=key, currency=self.currency) for key in groups if key not in found}
        for key, slug in zip(
            fresh, choose_free_slugs([groups[key][0].slug for key in fresh], longest=160), strict=True
        ):
            fresh[key].slug = slug
            self._fill_product(fresh[key], groups[key])
        filled = {key for key, group in groups.items() if key in found and self._fill_product(found[key], group)}
        changed = [found[key] for key in groups if key in filled | named]
        Product.objects.bulk_create(fresh.values())
        Product.objects.bulk_update(changed, PRODUCT_FIELDS)
        done.products_made += len(fresh)
        done.products_changed += len(changed)
        done.touched |= {each.id for each in (*fresh.values(), *changed)}
        events.record_releases(each.id for each in fresh.values())
        return found | fresh

    def _fill_product(self, product: Product, rows: Sequence[CatalogRow]) -> bool:
        """The first row of a product in the file speaks for it; later ones only add attributes it lacks."""
        before = [getattr(product, name) for name in PRODUCT_FIELDS]
        attributes = dict(product.attributes)
        first, rest = rows[0], rows[1:]
        if rows[0].product_key not in self.seen:
            self.seen.add(rows[0].product_key)
            product.title = first.title
            product.category_id = self.shelves.category(first.category)
            product.maker_id = self.shelves.maker(first.maker) if first.maker else product.maker_id
            for name, value in first.given.items():
                setattr(product, name, value)
            attributes |= first.attributes
        else:
            rest = rows
        for row in rest:
            attributes = {**row.attributes, **attributes}
        product.attributes = attributes
        return before != [getattr(product, name) for name in PRODUCT_FIELDS]

    # -- Variants --

    def _write_variants(
        self,
        rows: Sequence[CatalogRow],
        products: dict[str, Product],
        found: dict[str, Variant],
        done: CatalogImportCounts,
    ) -> dict[str, Variant]:
        fresh, changed = [], []
        positions = self._positions(products.values())
        for row in rows:
            variant = found.get(row.sku)
            if variant is None:
                product = products[row.product_key]
                positions[product.id] += 1
                variant = Variant(sku=row.sku, product=product, position=positions[product.id])
                variant.price, variant.currency = row.price, self.currency
                fresh.append(variant)
            before = [getattr(variant, name) for name in VARIANT_FIELDS]
            for name in OPTION_FIELDS:
                setattr(variant, name, getattr(row, name))
            if row.content:
                variant.content_amount, variant.content_unit = row.content.amount, row.content.unit
            variant.gtin = row.gtin or variant.gtin
            if variant.pk and before != [getattr(variant, name) for name in VARIANT_FIELDS]:
                changed.append(variant)
        Variant.objects.bulk_create(fresh)
        Variant.objects.bulk_update(changed, VARIANT_FIELDS)
        changed_ids = {each.pk for each in changed} | self._set_prices(rows, found)
        done.variants_made += len(fresh)
        done.variants_changed += len(changed_ids)
        written = [*fresh, *(each for each in found.values() if each.pk in changed_ids)]
        done.touched |= {each.product_id for each in written}
        return {each.sku: each for each in fresh}

    def _set_prices(self, rows: Iterable[CatalogRow], found: dict[str, Variant]) -> set[int]:
        """A price is in the shop's currency of the day it is written."""
        return set_prices({found[row.sku].pk: Price(row.price, self.currency) for row in rows if row.sku in found})

    @staticmethod
    def _positions(products: Iterable[Product]) -> dict[int, int]:
        last = Variant.objects.filter(product__in=products).values("product_id").annotate(last=Max("position"))
        return defaultdict(lambda: -1, last.order_by().values_list("product_id", "last"))

    # -- Stock and pictures --

    def _write_stock(
        self, rows: Sequence[CatalogRow], variants: dict[str, Variant], made: set[str], done: CatalogImportCounts
    ) -> None:
        wanted = {variants[row.sku].pk: row for row in rows if self.sets_stock or row.sku in made}
        records = StockRecord.objects.filter(store=self.store, variant_id__in=wanted)
        have = set(records.values_list("variant_id", flat=True))
        opening = {pk: row.stock for pk, row in wanted.items() if pk not in have}
        openings = [stock.OpeningStock(pk, quantity) for pk, quantity in opening.items()]
        stock.open_stock_records(self.store, openings, reference=self.reference)
        counted = {pk: row.stock for pk, row in wanted.items() if pk in have}
        changed, kept = stock.record_stocktake(counted, store_id=self.store.id, reference=self.reference)
        done.stock_counted += len(changed)
        done.touched |= {variants[row.sku].product_id for pk, row in wanted.items() if pk in opening or pk in changed}
        why = "stock not set: more of it is promised to orders than was counted"
        done.bad += [BadRow(wanted[pk].number, why) for pk in kept]

    def _write_pictures(
        self, rows: Sequence[CatalogRow], products: dict[str, Product], done: CatalogImportCounts
    ) -> None:
        wanted = [(products[row.product_key], row, each) for row in rows for each in row.images]
        if not wanted:
            return
        ids = {product.id for product, _, _ in wanted}
        have = set(ProductImage.objects.filter(product_id__in=ids).values_list("product_id", "file"))
        for product, row, file in wanted:
            try:
                name = self._picture(file)
            except (pictures.UnusablePictureError, OSError) as error:
                done.bad.append(BadRow(row.number, f"picture {file[:80]} left out: {_describe_picture_error(error)}"))
                continue
            if (product.id, name) not in have:
                have.add((product.id, name))
                ProductImage.objects.create(product=product, file=name, alt=product.title, position=len(have))
                done.pictures_made += 1
                done.touched.add(product.id)

    def _picture(self, file: str) -> str:
        path = (self.folder / file).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise pictures.UnusablePictureError("pictures are read from beside the file only")
        if self.is_dry:
            return pictures.make_picture_name(path.read_bytes())
        with path.open("rb") as picture:
            return pictures.save_picture(picture)


def _describe_picture_error(error: Exception) -> str:
    return error.strerror or "cannot be read" if isinstance(error, OSError) else str(error)
