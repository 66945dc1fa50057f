"""Every page that staff work from, with 10,000 orders behind it: few statements, little time, and none that reads all
the past."""

import re
import time
from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.admin import delay_notice, return_authorization, withdrawal
from orders.admin.figures import build_figures
from orders.fulfilment.queue import QUEUES, summarize_queues
from orders.models import (
    Allocation,
    DelayNotice,
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    Refund,
    ReturnAuthorization,
    Shipment,
    ShipmentLine,
    StripeRecord,
    TrackingEvent,
    Withdrawal,
)
from shop.backoffice.dashboard import get_today_summary
from tests.history import grow_history
from tests.patience import stretched
from tests.plans import read_expected_plan, read_indexed_plan
from tests.troubles import trouble_history

pytestmark = pytest.mark.django_db

COUNT = 10_000
MOST_STATEMENTS = {"index": 12, "orders_order_figures": 10}
MOST_OF_A_LIST = 7
MOST_SECONDS = 1.0
# What grows with every order, and what with some of them.
OF_EVERY_ORDER = (Order, OrderLine, Shipment, ShipmentLine, Allocation, Payment, OrderEvent, TrackingEvent)
OF_SOME = (DelayNotice, Refund, ReturnAuthorization, StripeRecord, Withdrawal)
MANY = 250  # fewer are read in one go as quickly as by index
FEW = 0.5  # the most of such a table that a page may read which is not about what is over
ORDERS = reverse("admin:orders_order_changelist")
OVER = {"settled", "refused", "aside", "wait", "cancelled", "road"}  # matters of what is over: such a list is the past


def list_queue_pages() -> list[str]:
    matters = {
        "delaynotice": delay_notice.MATTERS,
        "returnauthorization": return_authorization.MATTERS,
        "withdrawal": withdrawal.MATTERS,
        "withdrawalstatement": ("stray",),
        "striperecord": ("disputes", "stray"),
    }
    lists = [
        f"{reverse(f'admin:orders_{name}_changelist')}?matter={each}"
        for name, keys in matters.items()
        for each in keys
        if each not in OVER
    ]
    tables = [reverse(f"admin:{name}") for name in ("orders_order_packing", "orders_order_handover", "index")]
    return [*(f"{ORDERS}?queue={key}" for key in QUEUES), f"{ORDERS}?delayed=yes", *lists, *tables]


def list_archives() -> list[str]:
    """Every list as it opens, and the page that counts the past."""
    names = (f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry)
    return [reverse(f"admin:{name}") for name in (*names, "orders_order_figures")]


def open_page(staff: Client, page: str) -> tuple[list[str], list[str]]:
    """What was asked, and what is wrong with how much and how long."""
    begun_at = time.perf_counter()
    with CaptureQueriesContext(connection) as asked:
        assert staff.get(page, follow=True).status_code == 200, page
    seconds, statements = time.perf_counter() - begun_at, [each["sql"] for each in asked]
    most = next((count for name, count in MOST_STATEMENTS.items() if page == reverse(f"admin:{name}")), MOST_OF_A_LIST)
    faults = [f"{len(statements)} statements"] if len(statements) > most else []
    return statements, faults + ([f"{seconds:.2f} s"] if seconds > stretched(MOST_SECONDS) else [])


def find_whole_readings(statements: Iterable[str]) -> list[str]:
    """Those in whose plan what every order has is read from end to end, or most of what some orders have.

    As of a disk that finds a row as quickly as the next one: on a slow one the planner rightly reads ten thousand rows
    in one go where some hundreds are wanted. A small table is rightly read in one go on any; what can be told of it is
    how much would be read by index.
    """
    selects = [sql for sql in statements if sql.lstrip("(").startswith(("SELECT", "WITH"))]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 1.1")
    whole = [sql for sql in selects if any(_reads_all(step) for step in read_expected_plan(sql))]
    counts = {model._meta.db_table: model.objects.count() for model in OF_SOME}
    about_some = [sql for sql in selects if any(table in sql for table in counts)]
    most = [sql for sql in about_some if any(_reads_most(step, counts) for step in read_indexed_plan(sql))]
    return [*whole, *most]


def _reads_all(step: dict[str, Any]) -> bool:
    return step["Node Type"] == "Seq Scan" and step["Relation Name"] in {each._meta.db_table for each in OF_EVERY_ORDER}


def _reads_most(step: dict[str, Any], counts: dict[str, int]) -> bool:
    count = counts.get(step.get("Relation Name", ""), 0)
    read = step["Actual Rows"] + step.get("Rows Removed by Filter", 0)
    return count > MANY and read * step["Actual Loops"] > count * FEW


@pytest.fixture
def _history():
    grow_history(COUNT)
    trouble_history()
    assert Order.objects.count() == COUNT
    assert [each.queue.title for each in summarize_queues() if not each.count] == []


@pytest.mark.usefixtures("_history")
def test_no_page_that_staff_work_from_reads_all_the_past_or_asks_row_by_row(staff):
    staff.get(reverse("admin:index"))
    faults = {}
    for page in list_queue_pages():
        statements, found = open_page(staff, page)
        if found or (whole := find_whole_readings(statements)):
            faults[page] = found or whole
    for page in list_archives():
        if found := open_page(staff, page)[1]:
            faults[page] = found
    assert faults == {}


@pytest.mark.usefixtures("_history")
def test_what_reads_all_the_past_would_have_been_seen():
    for sql in ('SELECT "city" FROM "orders_order"', 'SELECT "words" FROM "orders_returnauthorization"'):
        assert find_whole_readings([sql]), sql


@pytest.mark.usefixtures("_history")
def test_every_tile_and_every_bar_leads_to_as_many_as_it_says(staff):
    figures, today = build_figures(), get_today_summary()
    said = {tile.url: tile.count for tile in (*today.work, *today.alarms)}
    said |= {
        bar.url: _read_count(bar.text)
        for name in ("weeks", "waiting", "money", "reasons")
        for bar in figures[name]
        if bar.url
    }
    said |= {cell["url"]: cell["late"] or cell["promised"] for lane in figures["lanes"] for cell in lane["weeks"]}
    shown = {url: staff.get(url).context["cl"].result_count for url in said if url}
    assert shown == {url: count for url, count in said.items() if url}
    assert len(shown) > 60
    assert [url for url, count in shown.items() if not count] == []


def _read_count(text: str) -> int:
    """Of “75 %: 3 of 4”, “2 in it, the oldest for 5 days”, “£3.00 of one order” and “2 orders, 3 pieces”."""
    found = re.search(r"(\d+|one)(?= in it| orders?\b)|(?<=of )\d+$", text)
    assert found, text
    return 1 if found[0] == "one" else int(found[0])
