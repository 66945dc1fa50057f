"""The staff's first page: who waits, what came in, what ran out, what went wrong."""

from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.admin import AdminSite
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.models import OutgoingEmail
from orders.fulfilment import queue, transitions
from orders.models import InfoPage, Order, Payment, Refund
from orders.stages import ROAD
from shop.backoffice.dashboard import find_sold_out_variants, get_today_summary
from shop.money import format_amount
from shop.storefront import page_cache
from tests import builders, cast
from tests.backoffice.steps import order_at
from tests.backoffice.test_access import signed_in, staff_member
from tests.plans import read_plan_steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(cast.sam())
    return client


def counts() -> dict[str, int]:
    return {tile.title: tile.count for tile in [*get_today_summary().work, *get_today_summary().alarms]}


def alarms() -> dict[str, int]:
    return {tile.title: tile.count for tile in get_today_summary().alarms}


def approved(**fields) -> Order:
    order = builders.placed_order(**fields)
    transitions.approve_order(order.pk, actor="Sam")
    return order


def test_each_order_stands_in_its_queue():
    builders.placed_order()
    for row in ROAD:
        order_at(row.stage)
    empty = {"Backordered": 0, "To the counter": 0, "Ready to collect": 0}
    assert counts() == {"To approve": 1, **empty, **Counter(row.queue[1] for row in ROAD if row.queue)}


def test_a_queue_says_how_long_its_first_order_has_waited():
    approved(placed_at=timezone.now() - timedelta(hours=5))
    approved(placed_at=timezone.now() - timedelta(days=2))
    to_pick = next(tile for tile in get_today_summary().work if tile.title == "To pick")
    assert (to_pick.count, to_pick.oldest) == (2, "2\xa0days")


def test_an_order_that_should_have_left_is_late_until_it_leaves():
    order = approved(ships_on=timezone.localdate() - timedelta(days=1))
    approved(ships_on=timezone.localdate())
    assert alarms() == {"Late to leave or be ready": 1}
    parcel = order.shipments.get().pk
    transitions.mark_shipment_picked(parcel, actor="Sam")
    transitions.mark_shipment_packed(parcel, actor="Sam")
    assert alarms() == {"Late to leave or be ready": 1}
    transitions.dispatch_shipment(parcel, actor="Sam", carrier="dpd", tracking_number="1")
    assert alarms() == {}


def test_money_that_fits_no_order_needs_a_look_until_it_is_given_back():
    order = builders.paid_order()
    flagged = builders.payment(order, status=Payment.Status.FLAGGED)
    assert alarms() == {"Payment needs a look": 1}
    refund = Refund.objects.create(payment=flagged, amount=flagged.amount, currency="GBP", status="failed")
    assert alarms() == {"Payment needs a look": 1}
    Refund.objects.filter(pk=refund.pk).update(status="succeeded")
    assert alarms() == {}


def test_what_needs_a_look_says_how_long_its_first_has_waited():
    for days in (2, 5):
        order = builders.paid_order(placed_at=timezone.now() - timedelta(days=days))
        builders.payment(order, status=Payment.Status.FLAGGED)
    [look] = [tile for tile in get_today_summary().alarms if tile.title == "Payment needs a look"]
    assert (look.count, look.oldest) == (2, "5\xa0days")


def test_a_cancelled_order_whose_money_was_kept_needs_a_look():
    builders.placed_order()
    Order.objects.update(status="cancelled")
    assert alarms() == {"Payment needs a look": 1}
    assert list(queue.filter_by_queue(Order.objects.all(), "look")) == [Order.objects.get()]
    Order.objects.update(payment_status="refunded")
    assert alarms() == {}


def test_what_needs_a_look_is_found_without_asking_it_of_every_order():
    for _ in range(20):
        builders.payment(builders.paid_order(), status=Payment.Status.CAPTURED)
    with CaptureQueriesContext(connection) as queries:
        assert queue.filter_by_queue(Order.objects.all(), "look").count() == 0
    steps = read_plan_steps(queries[0]["sql"], by_index=True)
    orders = [each for each in steps if each.get("Relation Name") == "orders_order"]
    assert sum(each["Actual Rows"] + each.get("Rows Removed by Filter", 0) for each in orders) < 20


@pytest.mark.parametrize(("state", "title"), [("failed", "Mail refused"), ("uncertain", "Mail perhaps sent")])
def test_mail_that_did_not_surely_go_is_there_for_a_fortnight(state, title):
    email = OutgoingEmail.objects.create(key="k", topic="receipt", kind="essential", to_address="a@b.c", state=state)
    assert alarms() == {title: 1}
    OutgoingEmail.objects.filter(pk=email.pk).update(created_at=timezone.now() - timedelta(days=15))
    assert alarms() == {}


def test_what_came_in_today_is_counted_and_summed():
    for price in ("10.00", "5.50"):
        builders.placed_order(builders.variant(price=price))
    builders.placed_order(placed_at=timezone.now() - timedelta(days=1, hours=1))
    assert (get_today_summary().order_count, get_today_summary().takings) == (2, ["£15.50"])


def test_what_ran_out_is_named_and_first_what_nobody_expects_more_of():
    tin, mug, plenty = (builders.product(title, on_hand=count) for title, count in [("Tin", 0), ("Mug", 1), ("Jar", 9)])
    tin.variants.get().stock.update(restock_on=timezone.localdate() + timedelta(days=3))
    builders.placed_order(mug.variants.get(), plenty.variants.get())
    assert [variant.product.title for variant in find_sold_out_variants().ran_out] == ["Mug", "Tin"]


def test_a_quiet_morning_says_so(staff):
    assert "Nothing is late, no payment needs a look, no mail is stuck." in staff.get("/admin/").text


def test_the_first_page_costs_twelve_queries(staff, django_assert_max_num_queries):
    approved()
    builders.product(on_hand=0)
    staff.get("/admin/")
    with django_assert_max_num_queries(12):
        staff.get("/admin/")


def test_what_came_in_is_without_what_was_called_off_or_given_back_since():
    kept, part, gone = (builders.placed_order(builders.variant(price="20.00")) for _ in range(3))
    assert (get_today_summary().order_count, get_today_summary().takings) == (3, [format_amount(kept.total * 3, "GBP")])
    Order.objects.filter(pk=gone.pk).update(status="cancelled")
    for order, status in ((part, "succeeded"), (part, "requested"), (kept, "failed")):
        Refund.objects.create(payment=order.payments.get(), amount=5, currency="GBP", status=status)
    assert (get_today_summary().order_count, get_today_summary().takings) == (
        2,
        [format_amount(kept.total * 2 - 10, "GBP")],
    )


def test_the_back_office_asks_for_nothing_of_the_shops_own_frame(staff):
    staff.get("/admin/")
    page_cache.clear()
    with CaptureQueriesContext(connection) as queries:
        staff.get("/admin/")
    asked = " ".join(query["sql"] for query in queries)
    assert not [name for name in ("catalog_category", "orders_holiday", "cutoff_hour") if name in asked]


def test_the_rooms_are_put_together_once_a_page(staff, monkeypatch):
    built = []
    build = AdminSite.get_app_list
    monkeypatch.setattr(AdminSite, "get_app_list", lambda *given: built.append(given) or build(*given))
    page = staff.get(reverse("admin:index"))
    assert len(built) == 1
    assert page.context["app_list"] == page.context["available_apps"] != []
    assert staff.get(reverse("admin:app_list", args=["orders"])).context["app_list"][0]["app_label"] == "orders"


def test_staff_are_reminded_of_pages_that_nobody_wrote(staff):
    statement, _ = InfoPage.objects.get_or_create(slug="accessibility", defaults={"title": "Accessibility"})
    InfoPage.objects.exclude(pk=statement.pk).delete()
    empty = InfoPage.objects.create(slug="repairs", title="Repairs", is_published=True)
    InfoPage.objects.create(slug="draft", title="Draft of ours")
    page = staff.get("/admin/").text
    for each in (statement, empty):
        assert reverse("admin:orders_infopage_change", args=[each.pk]) in page
    assert "Draft of ours" not in page
    clerk = signed_in(staff_member(role="Staff: orders"))
    assert "Still to be written" not in clerk.get("/admin/").text
    InfoPage.objects.filter(pk__in=[statement.pk, empty.pk]).update(is_published=True, body="Words.")
    assert "Still to be written" not in staff.get("/admin/").text
