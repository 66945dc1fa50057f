"""The shop's own deliveries move its dates, lane by lane, so that nine in ten hold; and by no more than they say."""

from datetime import date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orders import lane_windows
from orders.calibration.forecasting import NOT_YET
from orders.contracting import snapshot_terms
from orders.delays.finding import find_slips
from orders.fulfilment import denials
from orders.lane_windows import ENOUGH, FURTHEST, compute_lane_windows, read_deliveries
from orders.models import LaneWindow, Order, Shipment, ShippingMethod, ShopSettings
from orders.pricing import compute_totals
from orders.promise import Promise, combine_promises, compute_promise, describe_product_promise
from orders.shop_terms import load_terms
from shop.catalog.availability import Availability
from tests import builders
from tests.page import read_words

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MONDAY = datetime(2027, 6, 7, 9, tzinfo=timezone.get_default_timezone())
IN_STOCK = Availability(9, None, 9)


@pytest.fixture
def post() -> ShippingMethod:
    return builders.shipping_method("Post", days_min=2, days_max=3)


def window(post: ShippingMethod, days: int | None, *, country: str = "GB") -> LaneWindow:
    return LaneWindow.objects.create(
        country=country,
        method=post,
        days=days,
        parcel_count=ENOUGH,
        plain_share=0.7,
        moved_share=0.9,
        added_days=2,
        computed_at=timezone.now(),
    )


def delivered(post: ShippingMethod, lateness: list[int], *, moved: int = 0, country: str = "GB", **fields) -> None:
    """An order a day, each so many days late by the method's own days; promised by those days, moved."""
    for ago, late in enumerate(lateness, start=2):
        came = timezone.now() - ago * DAY
        order = builders.sent_order(delivered_at=came, placed_at=came - 9 * DAY)
        Order.objects.filter(pk=order.pk).update(
            shipping_method=post,
            country=country,
            promised_by_on=timezone.localdate(came) + (moved - late) * DAY,
            moved_days=moved,
            **fields,
        )


def get_days(country: str = "GB") -> int | None:
    return LaneWindow.objects.get(country=country).days


def promise_now(post: ShippingMethod, *, country: str = "GB") -> Promise:
    found = compute_promise(load_terms().get_calendar(country), post, availability=IN_STOCK, now=MONDAY)
    assert found
    return found


def promise_on(post: ShippingMethod, *, country: str = "GB") -> tuple[date, int | None]:
    found = promise_now(post, country=country)
    return found.by_on, found.moved_days


def test_a_lanes_dates_move_and_those_of_others_do_not(post):
    plain, moved = promise_on(post)
    assert moved is None
    window(post, 4)
    assert promise_on(post) == (plain + 4 * DAY, 4)
    assert promise_on(post, country="DE")[1] is None
    assert promise_on(builders.shipping_method("Courier"))[1] is None


def test_a_moved_day_is_one_on_which_parcels_come(post):
    post.delivers_on_saturday = False
    plain, _ = promise_on(post)
    to_saturday = (5 - plain.weekday()) % 7
    window(post, to_saturday)
    assert promise_on(post) == (plain + (to_saturday + 2) * DAY, to_saturday + 2)


def test_a_lane_that_comes_early_is_promised_sooner_but_never_before_the_carriers_first_day(post):
    window(post, -9)
    found = promise_now(post)
    assert found.by_on == found.from_on


def test_only_a_measured_date_says_how_often_it_holds(post):
    def describe() -> str:
        return describe_product_promise(promise_now(post), availability=IN_STOCK, now=MONDAY).sure

    assert describe() == ""
    window(post, 1)
    assert describe() == "9 times in 10"


def test_an_order_notes_by_how_much_its_day_was_moved(post):
    window(post, 4)
    terms, found = load_terms(), promise_now(post)
    totals = compute_totals([], post, "GB", terms=terms)
    columns = snapshot_terms({"country": "GB"}, post, totals, combine_promises([found]), terms)
    assert columns["moved_days"] == 4
    assert columns["promised_by_on"] == found.by_on


def test_switched_off_the_methods_own_days_count(post):
    plain, _ = promise_on(post)
    window(post, 4)
    shop = ShopSettings.current()
    shop.uses_own_history = False
    shop.save()
    assert promise_on(post) == (plain, None)


def test_terms_are_read_in_one_statement_with_the_windows(post, django_assert_num_queries):
    window(post, 4)
    load_terms()
    with django_assert_num_queries(1):
        assert load_terms().moved_days == {"GB": {post.pk: 4}}


def test_a_lane_that_is_late_one_time_in_three_moves_to_where_nine_in_ten_hold(post):
    delivered(post, [0, 0, 2] * 30)
    compute_lane_windows()
    assert get_days() == 2
    [row] = LaneWindow.objects.all()
    assert row.parcel_count == 90
    assert row.plain_share == pytest.approx(2 / 3)
    assert row.moved_share > 0.9


def test_put_right_a_lane_stays_where_it_is(post):
    """Measured from the moved day it would seem to need nothing, and the next night's dates would be wrong again."""
    delivered(post, [0, 0, 2] * 20, moved=2)
    compute_lane_windows()
    assert get_days() == 2


def test_where_too_few_have_come_nothing_moves(post):
    delivered(post, [3] * (ENOUGH - 1))
    compute_lane_windows()
    assert get_days() is None
    assert promise_on(post)[1] is None


def test_no_date_is_moved_beyond_a_month(post):
    delivered(post, [80] * 60)
    compute_lane_windows()
    assert get_days() == FURTHEST


NOT_COUNTED = [{"source": "import"}, {"status": "cancelled"}, {"ships_as_ready": True}, {"promised_by_on": None}]


@pytest.mark.parametrize("fields", NOT_COUNTED, ids=str)
def test_what_says_nothing_of_a_lane_is_not_counted(post, fields):
    delivered(post, [0])
    assert len(read_deliveries().lanes) == 1
    Order.objects.update(**fields)
    assert read_deliveries().lanes == []


def test_what_its_buyer_says_did_not_come_counts_as_on_its_way(post):
    delivered(post, [0])
    denials.deny_delivery(Shipment.objects.get().pk, actor="Buyer")
    assert read_deliveries().history.delivered.tolist() == [NOT_YET]


def test_the_day_promised_first_counts_whatever_was_told_since(post):
    delivered(post, [4])
    order = Order.objects.get()
    late_on = order.promised_by_on + 9 * DAY
    Order.objects.update(first_promised_by_on=order.promised_by_on, promised_by_on=late_on)
    assert read_deliveries().history.lateness.tolist() == [4]


def test_a_lane_without_deliveries_any_more_is_forgotten(post):
    window(post, 5, country="DE")
    delivered(post, [0, 1])
    compute_lane_windows()
    assert [row.country.code for row in LaneWindow.objects.all()] == ["GB"]


def test_computed_again_there_is_one_row_a_lane(post):
    delivered(post, [0, 1])
    compute_lane_windows()
    compute_lane_windows()
    assert LaneWindow.objects.count() == 1


def test_a_lane_that_turned_out_slower_makes_no_order_late_that_was_promised_before(post):
    order = builders.placed_order()
    found = compute_promise(load_terms().get_calendar("GB"), post, availability=IN_STOCK, now=timezone.now() - DAY)
    Order.objects.filter(pk=order.pk).update(
        shipping_method=post, promised_from_on=found.from_on, promised_by_on=found.by_on, ships_on=found.ships_on
    )
    window(post, 5)
    assert list(find_slips()) == []


def test_staff_see_each_lane_and_what_it_does_to_dates(admin_client, post):
    window(post, 2)
    page = " ".join(read_words(admin_client.get(reverse("admin:orders_lanewindow_changelist")).text).split())
    for words in ("United Kingdom · Post", "70%", "90%", "+2 days", "How dates follow from this"):
        assert words in page
    assert "Dates are moved so now." in page


def test_only_the_newest_parcels_are_looked_at(post, monkeypatch):
    monkeypatch.setattr(lane_windows, "MOST_PARCELS", 3)
    delivered(post, [0] * 5)
    assert len(read_deliveries().history.promised) == 3
