"""The staff's lists of goods are read in the order of an index: a page of them costs a page, not the catalog."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import cast
from tests.backoffice.test_sold_out import make_big_shop
from tests.plans import read_plan_steps

pytestmark = pytest.mark.django_db

PER_PAGE = 100


@pytest.mark.parametrize("name", ["product", "stockrecord", "variant"])
def test_a_page_of_a_list_is_read_without_sorting_all_of_it(name):
    make_big_shop(products=500, every=4)
    client = Client()
    client.force_login(cast.sam())
    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse(f"admin:catalog_{name}_changelist")).status_code == 200
    (rows,) = [query["sql"] for query in queries if query["sql"].endswith(f"LIMIT {PER_PAGE}")]
    steps = read_plan_steps(rows, by_index=True)
    assert not [step for step in steps if step["Node Type"] == "Sort"]
    assert max(step["Actual Rows"] * step["Actual Loops"] for step in steps) < 2 * PER_PAGE
