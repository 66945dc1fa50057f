"""The queue as a list: what stands in it, how an order is found, the sheets to print, what it costs."""

import pytest

from orders.models import Order
from tests import builders
from tests.backoffice.steps import LIST, Stage, buttons, order_at, page_of, stages, take

pytestmark = pytest.mark.django_db


def test_each_queue_holds_its_orders_longest_waiting_first(staff):
    fresh, waiting, packed = builders.placed_order(), order_at("waiting"), order_at("packed")
    later = order_at("waiting")
    for queue, expected in [("approve", [fresh]), ("pick", [waiting, later]), ("ship", [packed])]:
        assert list(staff.get(f"{LIST}?queue={queue}").context["cl"].result_list) == expected
    assert list(staff.get(LIST).context["cl"].result_list) == [later, packed, waiting, fresh]


def test_orders_nobody_paid_are_out_of_sight_until_asked_for(staff):
    order = builders.placed_order()
    Order.objects.update(status="pending", placed_at=None)
    assert order.number not in staff.get(LIST).text
    assert order.number in staff.get(f"{LIST}?queue=any").text


def test_an_order_is_found_by_number_however_typed_by_address_name_and_postcode(staff):
    order = builders.placed_order(email="pat@example.com")
    other = builders.placed_order(email="kit@example.com")
    Order.objects.filter(pk=other.pk).update(full_name="Kit Moss", postcode="YO21 3PU")
    plain = order.number.replace("-", "").lower()
    for typed, expected in [
        (order.number, [order]),
        (plain, [order]),
        (f" {plain} ", [order]),
        ("Pat@Example.com", [order]),
        ("moss", [other]),
        ("yo213pu", [other]),
        ("nobody", []),
    ]:
        assert list(staff.get(LIST, {"q": typed}).context["cl"].result_list) == expected, typed


def test_the_queue_says_how_each_parcel_goes_and_where_to(staff):
    builders.placed_order(shipping_name="Standard")
    Order.objects.update(country="DE")
    assert "Standard · Germany" in staff.get(LIST).text


def test_the_queue_is_narrowed_by_method_and_country_together(staff):
    orders = {}
    for method, country in [("Standard", "GB"), ("Standard", "DE"), ("Express", "DE"), ("Express", "FR")]:
        orders[method, country] = order_at("packed", shipping_name=method)
        Order.objects.filter(pk=orders[method, country].pk).update(country=country)
    ended = builders.placed_order(shipping_name="Pigeon")
    Order.objects.filter(pk=ended.pk).update(country="NZ", status="completed")
    page = staff.get(f"{LIST}?queue=ship")
    assert all(f"country={code}" in page.text for code in ("GB", "DE", "FR"))
    assert "country=NZ" not in page.text
    assert "method=Pigeon" not in page.text
    for query, found in [
        ("method=Standard", {("Standard", "GB"), ("Standard", "DE")}),
        ("country=DE", {("Standard", "DE"), ("Express", "DE")}),
        ("method=Express&country=FR", {("Express", "FR")}),
    ]:
        listed = staff.get(f"{LIST}?queue=ship&{query}").context["cl"].result_list
        assert set(listed) == {orders[each] for each in found}, query


def test_a_narrowed_list_stays_when_its_last_order_is_done(staff):
    builders.shipping_method("Standard")
    builders.placed_order(shipping_name="Standard")
    Order.objects.update(country="DE", status="completed")
    for query in ("country=DE", "method=Standard", "country=NZ"):
        assert staff.get(f"{LIST}?{query}").status_code == 200, query
    for query in ("country=XX", "country=de", "method=Pigeon", "method=Stand", "method=a%00", "country="):
        assert staff.get(f"{LIST}?{query}").status_code == 400, query


def test_the_pick_list_adds_up_by_sku_and_starts_the_picking(staff):
    socks, mug = (builders.variant(builders.product(sizes=()), sku=sku) for sku in ("SOCKS", "MUG"))
    orders = [order_at("waiting", socks, mug), order_at("waiting", socks, quantity=2)]
    response = take(staff, "pick_list", *orders)
    (group,) = response.context["groups"]
    assert [(item.sku, item.quantity) for item in group.items] == [("MUG", 1), ("SOCKS", 3)]
    assert "Start picking" in buttons(response)
    assert stages(*orders) == [Stage.WAITING] * 2
    take(staff, "start_picking", *orders)
    assert "Start picking" not in buttons(take(staff, "pick_list", *orders))


def test_packing_slips_name_no_price(staff):
    order = order_at("picked", builders.variant(price="987.65"), gift_note="Happy birthday")
    page = take(staff, "packing_slips", order).text
    assert "Happy birthday" in page
    assert "987.65" not in page


# -- Cost ----------------------------------------------------------------------------------------------------


def test_the_list_costs_six_queries_however_long(staff, django_assert_max_num_queries):
    for _ in range(3):
        order_at("packed")
    staff.get(LIST)
    with django_assert_max_num_queries(6):  # session, user, methods and countries in hand, count, ids, rows
        staff.get(LIST)


def test_an_orders_page_costs_a_bounded_number_of_queries(staff, django_assert_max_num_queries):
    order = order_at("packed", builders.variant(), builders.variant(), builders.variant())
    staff.get(page_of(order))
    with django_assert_max_num_queries(20):
        staff.get(page_of(order))
