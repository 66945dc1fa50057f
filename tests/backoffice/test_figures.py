"""“How we keep our word”: what is counted, and that every figure leads to just the orders it counts."""

import re
import time
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.admin import figures
from orders.admin.figures import build_figures, format_seconds
from orders.figures.money_back import count_money_back
from orders.figures.promises_kept import WEEK, count_promises_kept, filter_promised, list_weeks
from orders.figures.return_reasons import PERIOD, ReasonCount, count_reasons
from orders.figures.stage_times import filter_reached, measure_stages
from orders.fulfilment import denials
from orders.models import Order, OrderEvent, ReturnAuthorization, Shipment, StripeRecord, Withdrawal
from orders.returns.declaring import Declaration, declare_withdrawal
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member
from tests.history import grow_history
from tests.patience import stretched
from tests.returns.selling import Reason, came, returned, take_back

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:orders_order_figures")
ORDERS = reverse("admin:orders_order_changelist")
TODAY = timezone.localdate
DAY = timedelta(days=1)
MOST_SECONDS = 1.0
Kind = OrderEvent.Kind


@pytest.fixture
def staff() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


def promised(on: date, *, came: date | None, **fields) -> Order:
    """Paid a week before the day it was promised for, and there on another."""
    at = timezone.now().replace(hour=12)
    moment = at - (TODAY() - came) if came else None
    order = builders.sent_order(placed_at=at - (TODAY() - on) - 7 * DAY, delivered_at=moment, promised_by_on=on)
    Order.objects.filter(pk=order.pk).update(**{"shipping_name": "Post", **fields})
    return order


def last_week() -> date:
    return list_weeks(TODAY())[-1]


def test_a_week_counts_what_was_promised_and_what_was_kept():
    monday = last_week()
    promised(monday, came=monday - DAY)
    promised(monday + DAY, came=monday + DAY)
    promised(monday + DAY, came=monday + 2 * DAY)
    promised(monday + 6 * DAY, came=None)
    [*_, week] = count_promises_kept(TODAY()).weeks
    assert (week.week_on, week.promised, week.kept, week.late, week.percent) == (monday, 4, 2, 2, 50)


def test_the_day_promised_first_counts_whatever_was_told_since():
    monday = last_week()
    promised(monday + 4 * DAY, came=monday + 4 * DAY, first_promised_by_on=monday + DAY)
    [*_, week] = count_promises_kept(TODAY()).weeks
    assert (week.promised, week.kept) == (1, 0)


def test_an_order_is_there_with_its_last_parcel():
    monday = last_week()
    order = promised(monday, came=monday)
    second = builders.sent_parcel(order)
    Shipment.objects.filter(pk=second.pk).update(delivered_at=timezone.now())
    assert count_promises_kept(TODAY()).weeks[-1].kept == 0


def test_what_its_buyer_says_did_not_come_kept_no_promise_until_that_is_settled():
    order = promised(last_week(), came=last_week())
    parcel = order.shipments.get()
    late = partial(filter_promised, Order.objects.all(), last_week(), only_late=True)
    assert (count_promises_kept(TODAY()).weeks[-1].kept, late().count()) == (1, 0)
    denials.deny_delivery(parcel.pk, actor="Buyer")
    week = count_promises_kept(TODAY()).weeks[-1]
    assert (week.promised, week.kept, late().count()) == (1, 0, 1)
    denials.take_denial_back(parcel.pk, actor="Buyer")
    assert (count_promises_kept(TODAY()).weeks[-1].kept, late().count()) == (1, 0)


@pytest.mark.parametrize("fields", [{"status": "cancelled"}, {"status": "pending"}, {"promised_by_on": None}], ids=str)
def test_what_was_never_promised_or_was_called_off_does_not_count(fields):
    order = promised(last_week(), came=last_week())
    assert count_promises_kept(TODAY()).weeks[-1].promised == 1
    Order.objects.filter(pk=order.pk).update(**fields)
    assert count_promises_kept(TODAY()).weeks[-1].promised == 0


def test_what_was_imported_counts_where_its_parcel_is_known():
    promised(last_week(), came=last_week(), source="import")
    unknown = promised(last_week(), came=None, source="import")
    unknown.shipments.all().delete()
    assert count_promises_kept(TODAY()).weeks[-1].promised == 1


def test_this_week_is_not_over_and_does_not_count():
    promised(last_week() + WEEK, came=last_week())
    assert sum(week.promised for week in count_promises_kept(TODAY()).weeks) == 0


def test_lanes_are_country_and_way_the_busiest_first():
    monday = last_week()
    for country, method in [("GB", "Post"), ("DE", "Post"), ("GB", "Post"), ("GB", "Courier")]:
        promised(monday, came=monday if country == "GB" else monday + DAY, country=country, shipping_name=method)
    lanes = count_promises_kept(TODAY()).lanes
    assert [(lane.country, lane.method, lane.promised, lane.kept) for lane in lanes] == [
        ("GB", "Post", 2, 2),
        ("DE", "Post", 1, 0),
        ("GB", "Courier", 1, 1),
    ]


def test_time_in_a_stage_is_counted_from_the_step_before():
    for hours in (1, 2, 30):
        order = builders.paid_order()
        for kind, after in ((Kind.PLACED, 0), (Kind.APPROVED, hours), (Kind.PICKED, hours + 1)):
            event = order.events.create(kind=kind)
            OrderEvent.objects.filter(pk=event.pk).update(created_at=timezone.now() + timedelta(hours=after))
    approved, picked = measure_stages(TODAY())
    assert (approved.title, approved.count) == ("Approved", 3)
    assert approved.median == pytest.approx(2 * 3600, abs=5)
    assert approved.ninth == pytest.approx((2 + 0.8 * 28) * 3600, abs=5)
    assert picked.median == pytest.approx(3600, abs=5)


def test_no_time_to_the_door_is_measured_of_what_its_buyer_says_did_not_come():
    order = promised(last_week(), came=last_week())
    for kind in (Kind.PLACED, Kind.DELIVERED):
        order.events.create(kind=kind)
    Order.objects.filter(pk=order.pk).update(placed_at=timezone.now())
    delivered = partial(filter_reached, Order.objects.all(), Kind.DELIVERED, TODAY())
    assert ([each.kind for each in measure_stages(TODAY())], delivered().count()) == ([Kind.DELIVERED], 1)
    denials.deny_delivery(order.shipments.get().pk, actor="Buyer")
    assert (measure_stages(TODAY()), delivered().count()) == ([], 0)


def test_what_was_delivered_again_after_its_buyer_denied_it_took_until_then():
    order = promised(last_week(), came=last_week())
    for kind in (Kind.PLACED, Kind.DELIVERED):
        order.events.create(kind=kind, shipment=order.shipments.get() if kind == Kind.DELIVERED else None)
    Order.objects.filter(pk=order.pk).update(placed_at=timezone.now())
    order.shipments.update(delivered_at=timezone.now() + timedelta(hours=5))
    [measured] = measure_stages(TODAY())
    assert measured.median == pytest.approx(5 * 3600, abs=5)


def test_money_back_is_counted_once_it_went():
    order = builders.placed_order()
    payment = order.payments.get()
    at = timezone.now() - (TODAY() - last_week()) + DAY
    for status, amount in (("succeeded", 3), ("succeeded", 2), ("failed", 7), ("requested", 1)):
        payment.refunds.create(amount=Decimal(amount), currency="GBP", status=status, settled_at=at)
    [week] = count_money_back(TODAY())
    assert (week.week_on, week.currency, week.order_count, week.amount) == (last_week(), "GBP", 1, Decimal(5))


def test_reasons_of_returns_are_counted_the_most_given_first():
    take_back()
    broad = came(quantity=3)
    returned(broad, reason=Reason.TOO_LARGE, count=2)
    returned(broad, reason=Reason.TOO_LARGE)
    returned(came(), reason=Reason.TOO_SMALL)
    returned(came(), reason=Reason.TOO_SMALL)
    old = returned(came(), reason=Reason.OTHER)
    ReturnAuthorization.objects.filter(pk=old.pk).update(requested_at=timezone.now() - PERIOD - 2 * DAY)
    assert count_reasons(TODAY()) == [ReasonCount("too_small", 2, 2), ReasonCount("too_large", 1, 3)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "1 minute"), (90 * 60, "90 minutes"), (2 * 3600, "2 hours"), (47 * 3600, "47 hours"), (49 * 3600, "2 days")],
)
def test_a_span_is_said_in_one_unit(seconds, words):
    assert format_seconds(seconds) == words


# -- The page --------------------------------------------------------------------------------------------------


def furnish() -> None:
    monday = last_week()
    promised(monday, came=monday, country="DE")
    promised(monday + DAY, came=monday + 2 * DAY)
    promised(monday - WEEK, came=None)
    order = builders.placed_order()
    payment = order.payments.get()
    at = timezone.now() - (TODAY() - monday)
    payment.refunds.create(amount=Decimal(3), currency="GBP", status="succeeded", settled_at=at)
    take_back()
    returned(came(), reason=Reason.TOO_SMALL)
    returned(came(), reason=Reason.TOO_LARGE)


def find_links(page: str) -> set[str]:
    return {unescape(url) for url in re.findall(rf'href="({ORDERS}\?[^"]+)"', page)}


def test_every_bar_leads_to_just_the_orders_it_counts(staff):
    furnish()
    context = build_figures()
    counted = {bar.url: int(bar.text.rsplit(" ", 1)[1]) for bar in context["weeks"] if bar.url}
    counted |= {bar.url: 1 for bar in context["money"]}
    counted |= {bar.url: int(bar.text.split(" ")[0]) for bar in context["waiting"] if bar.url.startswith(ORDERS)}
    counted |= {
        cell["url"]: cell["late"] or cell["promised"]
        for lane in context["lanes"]
        for cell in lane["weeks"]
        if cell["url"]
    }
    counted |= {bar.url: 1 for bar in context["reasons"]}
    counts = {each.kind: each.count for each in measure_stages(TODAY())}
    counted |= {bar.url: counts[bar.url.split("reached%3A")[1].split("%3A")[0]] for bar in context["stages"]}
    assert len(counted) >= 8
    assert find_links(staff.get(PAGE).text) == set(counted)
    for url, count in counted.items():
        assert len(staff.get(url).context["cl"].result_list) == count, url


def test_money_back_in_two_currencies_leads_to_two_lists(staff):
    at = timezone.now() - (TODAY() - last_week())
    orders = {"GBP": builders.placed_order(), "EUR": builders.placed_order()}
    for currency, order in orders.items():
        order.payments.get().refunds.create(amount=Decimal(3), currency=currency, status="succeeded", settled_at=at)
    found = {bar.text.split("3")[0]: staff.get(bar.url).context["cl"] for bar in build_figures()["money"]}
    assert {sign: [*each.result_list] for sign, each in found.items()} == {"£": [orders["GBP"]], "€": [orders["EUR"]]}


def test_withdrawals_returns_and_disputes_wait_too(staff):
    take_back()
    made = ReturnAuthorization.objects.filter(pk=returned(came()).pk)
    made.update(received_at=timezone.now() - 3 * DAY, due_on=TODAY() + DAY)
    declaration = Declaration("Pat Reader", "pat@example.com")
    declared = declare_withdrawal(came().pk, declaration, way=Withdrawal.Way.ORDER).withdrawal
    Withdrawal.objects.filter(pk=declared.pk).update(declared_at=timezone.now() - 5 * DAY)
    StripeRecord.objects.create(
        kind=StripeRecord.Kind.DISPUTE,
        reference="dp_1",
        payment=came().payments.get(),
        amount=Decimal(3),
        currency="GBP",
        status="needs_response",
        created_at=timezone.now() - 7 * DAY,
        seen_at=timezone.now(),
    )
    bars = {bar.label: bar for bar in build_figures()["waiting"]}
    told = {label: bars[label].text.replace("\xa0", " ") for label in ("Withdrawals", "Returns here", "Disputes")}
    assert told == {
        "Withdrawals": "1 in it, the oldest for 5 days",
        "Returns here": "1 in it, the oldest for 3 days",
        "Disputes": "1 in it, the oldest for 1 week",
    }
    for label in told:
        assert len(staff.get(bars[label].url).context["cl"].result_list) == 1, label


def test_lanes_with_fewer_orders_are_a_page_further(staff, monkeypatch):
    monkeypatch.setattr(figures, "MOST_LANES", 2)
    monday = last_week()
    for country, count in (("GB", 3), ("DE", 2), ("FR", 1)):
        for _ in range(count):
            promised(monday, came=monday, country=country)
    first, last = staff.get(PAGE), staff.get(PAGE, {"lanes": "2"})
    assert [lane["name"].split(" ")[0] for lane in first.context["lanes"]] == ["United", "Germany"]
    assert [lane["name"].split(" ")[0] for lane in last.context["lanes"]] == ["France"]
    assert "1 to 2 of 3" in " ".join(first.text.replace("\n", " ").split())
    assert "?lanes=2#by-lane" in first.text
    assert "?lanes=1#by-lane" in last.text
    assert [*staff.get(PAGE, {"lanes": "nine"}).context["lanes"]] == [*first.context["lanes"]]


@pytest.mark.parametrize(
    "asked",
    [
        *("", "late", "late::soon", "late:x:2026-01-05", "reached:x:2026-01-05", "returned:x:2026-01-05"),
        *("x::2026-01-05", "back::2026-01-05", "back:gbp:2026-01-05"),
    ],
)
def test_what_no_bar_asks_is_refused(staff, asked):
    assert staff.get(ORDERS, {"figure": asked}).status_code == 400


def test_an_empty_shop_has_a_page_too(staff):
    page = staff.get(PAGE)
    assert page.status_code == 200
    assert "Nothing was promised for those weeks." in page.text


def test_it_names_nobody(staff):
    furnish()
    page = staff.get(PAGE).text
    assert "Pat Reader" not in page
    assert "guest@example.com" not in page


def test_it_is_for_who_may_see_orders():
    assert signed_in(staff_member(role="Staff: catalogue")).get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302


def test_it_changes_nothing_and_takes_no_questions(staff):
    assert staff.post(PAGE).status_code == 405
    assert staff.get(PAGE, {"weeks": "900"}).status_code == 400


def test_ten_thousand_orders_cost_as_few_queries_and_little_time(staff, django_assert_max_num_queries):
    grow_history(10_000)
    staff.get(PAGE)
    began_at = time.perf_counter()
    with django_assert_max_num_queries(12):  # session, user, what they may do, and eight of its own
        page = staff.get(PAGE)
    assert time.perf_counter() - began_at < stretched(MOST_SECONDS)
    assert page.context["lanes"]
    assert page.context["stages"]
