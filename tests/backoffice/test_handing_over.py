"""Staff at the counter: a method that names a store, an order that lies ready, and the code of whoever comes for it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.admin.tracking_rows import TypedRow, match_rows
from orders.fulfilment import queue
from orders.fulfilment.handover import list_handovers
from orders.models import Order, OrderEvent, Shipment, ShippingMethod
from orders.stages import PICKUP_ROAD
from shop.catalog.models import Store
from tests import builders
from tests.backoffice.steps import LIST, buttons, dpd_number, numbers, order_at, page_of, said, stages, take
from tests.orders.test_collecting import collected_order

pytestmark = pytest.mark.django_db

Stage = Shipment.Stage
ADD = reverse("admin:orders_shippingmethod_add")
METHOD = {"name": "Collect", "price": "0", "days_min": "1", "days_max": "1", "position": "3", "is_active": "on"}


def test_a_packed_order_that_is_collected_is_made_ready_and_not_shipped(admin_client):
    order = collected_order(Stage.PACKED)
    page = admin_client.get(page_of(order))
    assert "Ready to collect" in buttons(page)
    assert buttons(page).count("Ship") == 0
    assert "Collected at Harbour Row" in page.text
    assert said(take(admin_client, "mark_ready", order)) == [f"Ready to collect: {order.number}."]
    assert stages(order) == ["ready"]


def shown(staff, queue_key: str) -> list[Order]:
    return list(staff.get(f"{LIST}?queue={queue_key}").context["cl"].result_list)


@pytest.mark.parametrize("row", PICKUP_ROAD, ids=lambda row: row.stage)
def test_what_is_collected_stands_in_one_queue_of_its_own_road(admin_client, row):
    order = collected_order(row.stage)
    own = row.pickup_queue or row.queue
    standing = [each.queue.key for each in queue.summarize_queues() if each.count]
    assert standing == ([own[0]] if own else [])
    assert [key for key in queue.QUEUES if shown(admin_client, key)] == standing
    if own:
        assert queue.find_queue_for_order(order, [row.stage]).title == own[1]
        assert f'<span class="badge wait">{own[1]}</span>' in admin_client.get(f"{LIST}?queue={own[0]}").text


def test_what_is_packed_stands_by_how_it_goes_and_each_queue_has_its_own_button(admin_client):
    collected, sent = collected_order(Stage.PACKED), order_at(Stage.PACKED)
    assert (shown(admin_client, "ship"), shown(admin_client, "counter")) == ([sent], [collected])
    to_ship, to_the_counter = (admin_client.get(f"{LIST}?queue={key}") for key in ("ship", "counter"))
    steps = {"Ship", "Ready to collect"}
    assert [name for name in buttons(to_ship) if name in steps] == ["Ship"]
    assert [name for name in buttons(to_the_counter) if name in steps] == ["Ready to collect"]
    assert "Hand-over list" in to_ship.text
    assert "Hand-over list" not in to_the_counter.text
    today = admin_client.get("/admin/").text
    assert "To the counter" in today


def test_chosen_with_others_it_is_not_asked_for_a_number_and_stays(admin_client):
    collected, sent = collected_order(Stage.PACKED), order_at(Stage.PACKED)
    asked = take(admin_client, "ship", collected, sent)
    assert [form.parcel.order for form in asked.context["forms"]] == [sent]
    assert list(asked.context["left_out"]) == [collected]
    assert said(take(admin_client, "ship", collected)) == ["There is no packed parcel to ship here."]
    take(admin_client, "ship", collected, sent, **numbers(sent))
    assert stages(collected, sent) == ["packed", "dispatched"]
    assert [parcel.order for each in list_handovers(timezone.localdate()) for parcel in each.parcels] == [sent]


def test_a_tracking_number_in_bulk_is_refused_with_where_it_is_collected(admin_client):
    order = collected_order(Stage.PACKED)
    [row] = match_rows([TypedRow(1, order.number, dpd_number(1), "dpd")])
    assert (row.form, row.problem) == (None, f"{order.number} is collected at Harbour Row, and not shipped.")
    assert stages(order) == ["packed"]


def test_once_collected_it_is_on_no_carriers_list(admin_client):
    collected_order(Stage.COLLECTED)
    assert list_handovers(timezone.localdate()) == []


def test_it_is_handed_over_by_the_code_that_is_typed(admin_client):
    order = collected_order(Stage.READY)
    assert "Hand over" in buttons(admin_client.get(page_of(order)))
    asked = take(admin_client, "hand_over", order)
    assert "ask for the code" in asked.text
    assert order.pickup_code not in asked.text
    done = take(admin_client, "hand_over", order, confirm="1", code=order.pickup_code.lower())
    assert said(done) == [f"Handed over: {order.number}."]
    assert stages(order) == ["collected"]


def test_a_wrong_code_is_refused_with_a_sentence(admin_client):
    order = collected_order(Stage.READY)
    refused = take(admin_client, "hand_over", order, confirm="1", code="ABCDEF")
    assert said(refused) == [f"{order.number}: that is not its code. Nothing was handed over; ask for the code again."]
    assert stages(order) == ["ready"]
    assert not order.events.filter(kind=OrderEvent.Kind.COLLECTED).exists()


def test_staff_never_read_the_code(admin_client):
    order = collected_order(Stage.READY)
    assert order.pickup_code not in admin_client.get(page_of(order)).text


@pytest.mark.parametrize("which", ["two", "not ready"])
def test_one_order_that_lies_ready_is_handed_over_at_a_time(admin_client, which):
    orders = [collected_order(Stage.READY), collected_order(Stage.READY)] if which == "two" else [collected_order()]
    before = stages(*orders)
    [words] = said(take(admin_client, "hand_over", *orders))
    assert words.startswith("Choose one order") if which == "two" else "does not lie ready" in words
    assert stages(*orders) == before


def test_a_method_names_a_store_that_people_may_come_to(admin_client):
    store = builders.store()
    refused = admin_client.post(ADD, METHOD | {"store": store.pk, "carrier": ""})
    assert "Nobody may come to Harbour Row yet." in refused.text
    assert not ShippingMethod.objects.exists()
    Store.objects.update(welcomes_visitors=True)
    admin_client.post(ADD, METHOD | {"store": store.pk, "carrier": "royal_mail"})
    made = ShippingMethod.objects.get()
    assert (made.store, made.carrier) == (store, "")
    assert "collected at Harbour Row" in admin_client.get(reverse("admin:orders_shippingmethod_changelist")).text


def test_a_method_is_brought_by_somebody_or_collected_somewhere(admin_client):
    refused = admin_client.post(ADD, METHOD | {"store": "", "carrier": ""})
    assert "Choose who brings it, or where it is collected." in refused.text
    assert not ShippingMethod.objects.exists()
