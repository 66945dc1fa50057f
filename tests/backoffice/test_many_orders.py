"""Every page that staff work from, with 10,000 orders behind it: few statements, and none that reads all orders."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.admin import delay_notice, return_authorization, withdrawal
from orders.fulfilment.queue import QUEUES, summarize_queues
from orders.models import Order
from tests.history import grow_history
from tests.plans import read_expected_plan
from tests.troubles import trouble_history

pytestmark = pytest.mark.django_db

COUNT = 10_000
MOST_STATEMENTS = 14  # the first page's; a list needs seven or so
ORDERS = reverse("admin:orders_order_changelist")


def list_pages() -> list[str]:
    matters = {
        "delaynotice": delay_notice.MATTERS,
        "returnauthorization": return_authorization.MATTERS,
        "withdrawal": withdrawal.MATTERS,
        "striperecord": ("disputes", "stray"),
    }
    lists = [
        f"{reverse(f'admin:orders_{name}_changelist')}?matter={each}" for name, keys in matters.items() for each in keys
    ]
    tables = [reverse(f"admin:{name}") for name in ("orders_order_packing", "orders_order_handover", "index")]
    return [*(f"{ORDERS}?queue={key}" for key in QUEUES), *lists, *tables]


def find_whole_readings(statements: list[str]) -> list[str]:
    """Those in whose plan the table of orders is read from end to end.

    As of a disk that finds a row as quickly as the next one: on a slow one the planner rightly reads ten thousand rows
    in one go where some hundreds are wanted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 1.1")
    asked = [sql for sql in statements if sql.startswith("SELECT") and '"orders_order"' in sql]
    return [sql for sql in asked if any(_reads_all_orders(step) for step in read_expected_plan(sql))]


def _reads_all_orders(step: dict[str, Any]) -> bool:
    return step["Node Type"] == "Seq Scan" and step["Relation Name"] == "orders_order"


def test_no_page_that_staff_work_from_reads_all_orders_or_asks_row_by_row(staff):
    grow_history(COUNT)
    trouble_history()
    assert Order.objects.count() == COUNT
    assert [each.queue.title for each in summarize_queues() if not each.count] == []
    staff.get(reverse("admin:index"))
    faults = {}
    for page in list_pages():
        with CaptureQueriesContext(connection) as asked:
            assert staff.get(page).status_code == 200, page
        statements = [each["sql"] for each in asked]
        whole = find_whole_readings(statements)
        if whole or len(statements) > MOST_STATEMENTS:
            faults[page] = (len(statements), whole)
    assert faults == {}
    assert find_whole_readings(['SELECT "city" FROM "orders_order"'])  # it would have been seen
