"""A shop of 100,000 products beside one of 20,000: what PostgreSQL runs for a page hardly grows. Some minutes."""

import os

import pytest

from tests.bench import building, promises, steps
from tests.bench.meter import time_statements

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("production_like")]
LARGE, LARGEST = 20_000, 100_000
MOST_GROWTH = 1.3
MEASURED = ("home", "category", "category, narrowed", "product", "search, rare word", "search, common word")
PROMISED = ("home", "category, narrowed", "product", "search, common word")


def test_what_postgresql_runs_for_a_page_hardly_grows_to_a_hundred_thousand_products(capsys):
    building.grow_shop(LARGE)
    large = time_pages()
    building.grow_shop(LARGEST)
    largest = time_pages()
    growth = {name: largest[name] / large[name] for name in MEASURED}
    broken = [name for name in PROMISED if growth[name] > MOST_GROWTH]
    rows = [
        [
            name,
            f"{large[name]:.2f} ms",
            f"{largest[name]:.2f} ms",
            f"{growth[name]:.2f}" + (f" (≤ {MOST_GROWTH})" if name in PROMISED else ""),
            "growth" if name in broken else "–",
        ]
        for name in MEASURED
    ]
    title = f"PostgreSQL's run time, planning left out; load {os.getloadavg()[0]:.1f}"
    head = ("page", f"{LARGE:,} products", f"{LARGEST:,} products", "growth", "not kept")
    with capsys.disabled():
        promises.print_table(title, head, rows)
    assert broken == []


def time_pages() -> dict[str, float]:
    pages = steps.list_public_pages()
    return {name: time_statements(pages[name]) for name in MEASURED}
