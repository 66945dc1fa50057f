"""Pages against the promises: CPU as a ratio to two plain Django views measured by turns in the same run."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.template import Template
from django.test.utils import _TestState

from orders.models import ShopSettings
from shop.catalog.models import Category, Product
from tests import builders
from tests.bench import anchors, goods, meter

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

# page: (anchor, most of it, SQL, growth from 2k to 20k products, compressed KB)
PROMISED = {
    "home": ("b2", 1.2, 4, 1.1, 10),
    "category": ("b2", 1.2, 4, 1.1, 10),
    "category, narrowed": ("b2", 1.5, 4, 1.3, 10),
    "product": ("b", 3.0, 6, 1.05, 8),
    "search, rare word": ("b2", 1.5, 4, 1.3, 10),
    "search, common word": ("b2", 1.5, 4, 1.3, 10),
}


@pytest.fixture(autouse=True)
def plain_django(monkeypatch, settings):
    """Without the tests' own listening in on templates, which costs more than the pages."""
    monkeypatch.setattr(Template, "_render", _TestState.saved_data.template_render)
    settings.ROOT_URLCONF = "tests.bench.anchors"


def stock_shop(folder: Path, *, products: int) -> list[str]:
    words = goods.write(folder / "goods.csv", products=products)
    call_command("import_catalog", str(folder / "goods.csv"))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return words


def addresses(words: list[str]) -> dict[str, str]:
    product = Product.objects.order_by("id")[700]
    aisle = Category.objects.get(name="Aisle 3-1")
    return {
        "b": f"/b/{product.slug}/",
        "b2": f"/b2/{product.category_id}/",
        "home": "/",
        "category": aisle.get_absolute_url(),
        "category, narrowed": f"{aisle.get_absolute_url()}?in_stock=1&price=25-50&sort=price",
        "product": product.get_absolute_url(),
        "search, rare word": f"/search/?q={words[900]}",
        "search, common word": f"/search/?q={words[12]}",
    }


def test_pages_keep_their_promises_at_two_and_at_twenty_thousand_products(tmp_path, capsys):
    ShopSettings.current().save()
    builders.shipping_method()
    plain, whole = meter.handler(anchors.MIDDLEWARE), meter.handler()
    found, said = {}, []
    for products in (2_000, 20_000):
        words = stock_shop(tmp_path, products=products)
        pages = addresses(words)
        handlers = {name: (plain if name in {"b", "b2"} else whole, path) for name, path in pages.items()}
        found[products] = meter.Meter(handlers).measure()
        if products == 20_000:
            sizes = {name: len(meter.get(whole, pages[name])) / 1024 for name in PROMISED}
            asked = {name: meter.queries(whole, pages[name]) for name in PROMISED}
    small, large = found[2_000], found[20_000]
    broken = []
    for name, (anchor, ratio, sql, growth, size) in PROMISED.items():
        ratio_now = large[name] / large[anchor]
        growth_now = ratio_now / (small[name] / small[anchor])
        said.append(
            f"{name:22} {large[name]:6.2f} ms  {ratio_now:5.2f} × {anchor:2} (≤ {ratio})  {asked[name]} SQL (≤ {sql})  "
            f"growth {growth_now:4.2f} (≤ {growth})  {sizes[name]:4.1f} KB (≤ {size})"
        )
        kept = (ratio_now <= ratio, asked[name] <= sql, growth_now <= growth, sizes[name] <= size)
        if not all(kept):
            broken.append(name)
    with capsys.disabled():
        print(f"\nb {large['b']:.2f} ms, b2 {large['b2']:.2f} ms of CPU per request", *said, sep="\n")  # noqa: T201
    assert not broken
