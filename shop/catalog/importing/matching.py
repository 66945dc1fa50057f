"""Which product and which variant a row speaks of. Two goods never share one, and one has never two."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db.models import Q

from shop.catalog.importing.reading import CatalogRow
from shop.catalog.models import Product, Variant
from shop.csv_files.report import BadRow, quote_cell
from shop.spelling import make_name_key, make_spelling_key

OPTIONS = ("size", "colour", "style")
ROOM = 7  # characters of an address left for a number


@dataclass
class KnownSkus:
    """Every SKU of the shop by its key. Where two differ in capitals only, they are told apart exactly."""

    by_key: dict[str, str] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)

    @classmethod
    def load(cls) -> "KnownSkus":
        known = cls()
        for sku in Variant.objects.order_by("pk").values_list("sku", flat=True).iterator():
            key = make_spelling_key(sku)
            if known.by_key.setdefault(key, sku) != sku:
                known.ambiguous.add(key)
        return known

    def find(self, sku: str) -> str:
        """The shop's spelling of a SKU: of one it has not, or has in several, the spelling given."""
        key = make_spelling_key(sku)
        return sku if key in self.ambiguous else self.by_key.get(key, sku)


def find_products(rows: Sequence[CatalogRow]) -> tuple[dict[str, Product], set[str]]:
    """By product key: those that files call so, and those no file named yet whose address or title says so.

    The keys of the latter, which are to be saved, are returned too.
    """
    keys = dict.fromkeys(row.product_key for row in rows)
    slugs = {row.slug for row in rows} | {key.replace(" ", "-") for key in keys}
    wanted = Q(import_key__in=keys) | Q(import_key=None, slug__in=slugs)
    found: dict[str, Product] = {}
    unnamed: dict[str, Product] = {}
    for product in Product.objects.filter(wanted).defer("search_vector", "title_vector"):
        if product.import_key is not None:
            found[product.import_key] = product
            continue
        for name in (product.slug, product.title):
            unnamed.setdefault(make_name_key(name), product)
    named = set()
    for key in keys:
        candidate = unnamed.get(key)
        if key not in found and candidate is not None and candidate.import_key is None:
            candidate.import_key = key
            found[key] = candidate
            named.add(key)
    return found, named


def reject_foreign_skus(
    rows: Iterable[CatalogRow], variants: dict[str, Variant]
) -> tuple[list[CatalogRow], list[BadRow]]:
    """Rows of which the SKU is not another product's, and the others. `variants`: those that exist, by SKU."""
    kept, bad = [], []
    for row in rows:
        variant = variants.get(row.sku)
        if variant is None or variant.product.import_key == row.product_key:
            kept.append(row)
        else:
            bad.append(BadRow(row.number, f"SKU {row.sku} belongs to another product, {variant.product.slug}"))
    return kept, bad


def reject_duplicate_options(
    rows: Iterable[CatalogRow], products: dict[str, Product]
) -> tuple[list[CatalogRow], list[BadRow]]:
    """Rows that a shopper could tell from the other variants of their product, and those they could not.

    What is there already under these very options is left as it is.
    """
    options_of = _find_options(products)
    kept, bad = [], []
    for row in rows:
        own, options = options_of[row.product_key], row.options_key
        holder = next((sku for sku, theirs in own.items() if theirs == options and sku != row.sku), None)
        if holder is not None and own.get(row.sku) != options:
            bad.append(BadRow(row.number, _describe_duplicate(row, holder)))
        else:
            own[row.sku] = options
            kept.append(row)
    return kept, bad


def reject_foreign_gtins(rows: Iterable[CatalogRow]) -> tuple[list[CatalogRow], list[BadRow]]:
    """Rows of which the GTIN is not another SKU's, in the shop or earlier in the file, and the others."""
    rows = list(rows)
    given = {row.gtin for row in rows if row.gtin}
    holders = dict(Variant.objects.filter(gtin__in=given).values_list("gtin", "sku")) if given else {}
    kept, bad = [], []
    for row in rows:
        holder = holders.setdefault(row.gtin, row.sku) if row.gtin else row.sku
        if holder == row.sku:
            kept.append(row)
        else:
            bad.append(BadRow(row.number, f"GTIN {row.gtin} belongs to SKU {holder}: each thing has its own"))
    return kept, bad


def _find_options(products: dict[str, Product]) -> dict[str, dict[str, tuple[str, ...]]]:
    """By product key and SKU, of what is on sale."""
    keys = {product.pk: key for key, product in products.items()}
    found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    on_sale = Variant.objects.filter(product__in=keys, is_active=True).order_by("pk")
    for product_id, sku, *options in on_sale.values_list("product_id", "sku", *OPTIONS):
        found[keys[product_id]][sku] = tuple(make_spelling_key(option) for option in options)
    return found


def _describe_duplicate(row: CatalogRow, holder: str) -> str:
    given = [f"{name} {quote_cell(value)}" for name in OPTIONS if (value := getattr(row, name))]
    same = f"is in {' and '.join(given)}" if given else "has no size, colour or style"
    return f"{same} like SKU {holder} of the same product: nobody could choose between them"


def choose_free_slugs(wanted: Sequence[str], *, longest: int) -> list[str]:
    """An address for each new product: the one wanted, or with a number where that is taken."""
    taken = set(Product.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    crowded = {slug for slug, count in Counter(wanted).items() if count > 1 or slug in taken}
    if crowded:
        near = reduce(or_, (Q(slug__startswith=f"{slug[: longest - ROOM]}-") for slug in crowded))
        taken |= set(Product.objects.filter(near).values_list("slug", flat=True))
    numbers: dict[str, int] = {}
    found = []
    for slug in wanted:
        free = slug
        while free in taken:
            numbers[slug] = numbers.get(slug, 1) + 1
            free = f"{slug[: longest - ROOM]}-{numbers[slug]}"
        taken.add(free)
        found.append(free)
    return found
