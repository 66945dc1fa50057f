"""A carrier that staff add is offered wherever one is chosen, and its parcels are followed at its own page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import ShippingMethod, StaffCarrier
from tests import builders
from tests.backoffice.steps import order_at, said, take
from tests.backoffice.test_doubtful_numbers import again, customer_reads, fields, label, ship

pytestmark = pytest.mark.django_db

LIST = reverse("admin:orders_staffcarrier_changelist")
ADD = reverse("admin:orders_staffcarrier_add")
TYPED = {"name": "Pigeon Post", "url_template": "https://pigeon.example/{number}", "is_offered": "on"}


def change_page(carrier: StaffCarrier) -> str:
    return reverse("admin:orders_staffcarrier_change", args=[carrier.pk])


@pytest.fixture
def pigeon() -> StaffCarrier:
    return StaffCarrier.objects.create(name=TYPED["name"], url_template=TYPED["url_template"])


def test_staff_add_a_carrier_and_find_it_in_the_list(staff):
    assert staff.post(ADD, TYPED).status_code == 302
    assert "https://pigeon.example/{number}" in staff.get(LIST).text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url_template": "http://pigeon.example/{number}"}, "It must begin with https://"),
        ({"url_template": "https://pigeon.example/"}, "Put {number} once"),
        ({"name": "Royal Mail"}, "The shop knows that carrier already"),
    ],
)
def test_a_carrier_that_is_wrong_is_refused_beside_its_field(staff, wrong, words):
    assert words in staff.post(ADD, TYPED | wrong).text
    assert not StaffCarrier.objects.exists()


def test_its_name_stays_and_its_page_can_be_mended(staff, pigeon):
    page = change_page(pigeon)
    assert 'name="name"' not in staff.get(page).text
    sent = TYPED | {"name": "Owl Post", "url_template": "https://new.example/{number}"}
    assert staff.post(page, sent).status_code == 302
    pigeon.refresh_from_db()
    assert (pigeon.name, pigeon.url_template) == ("Pigeon Post", "https://new.example/{number}")


def test_one_that_a_shipping_method_goes_with_is_not_deleted(staff, pigeon):
    method = builders.shipping_method("By bird", carrier="Pigeon Post")
    delete = reverse("admin:orders_staffcarrier_delete", args=[pigeon.pk])
    assert staff.post(delete, {"post": "yes"}).status_code == 403
    assert StaffCarrier.objects.exists()
    method.delete()
    assert staff.post(delete, {"post": "yes"}).status_code == 302
    assert not StaffCarrier.objects.exists()


def test_a_shipping_method_may_go_with_it(staff, pigeon):
    page = reverse("admin:orders_shippingmethod_change", args=[builders.shipping_method().pk])
    sent = {
        "name": "By bird",
        "carrier": "Pigeon Post",
        "price": "3",
        "days_min": "1",
        "days_max": "2",
        "position": "0",
    }
    assert staff.post(page, sent).status_code == 302
    assert ShippingMethod.objects.get().carrier == "Pigeon Post"


def test_a_parcel_leaves_with_it_and_the_customer_follows_it_there(staff, pigeon):
    order = order_at("packed")
    done = said(ship(staff, order, **fields(order, "coo 7", carrier="Pigeon Post")))
    assert done == [f"Shipped: {order.number}."]
    assert label(order) == ("Pigeon Post", "coo 7", False)
    assert ("Tracking number coo 7.", "https://pigeon.example/coo%207") in customer_reads(order)


def test_a_number_that_is_plainly_anothers_is_asked_about_once(staff, pigeon):
    order = order_at("packed")
    page = ship(staff, order, **fields(order, "1Z5R89390357567127", carrier="Pigeon Post"))
    assert "“1Z5R89390357567127” looks like a number of UPS: is Pigeon Post right?" in page.text
    assert not order.shipments.get().tracking_number
    assert said(ship(staff, order, **again(page))) == [f"Shipped: {order.number}."]
    assert label(order)[0] == "Pigeon Post"


def test_many_parcels_ask_for_the_carriers_once(staff, pigeon):
    def count_queries(*orders) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert "Pigeon Post" in take(staff, "ship", *orders).text
        return sum("orders_staffcarrier" in query["sql"] for query in seen)

    orders = [order_at("packed") for _ in range(3)]
    assert count_queries(orders[0]) == count_queries(*orders) == 1
