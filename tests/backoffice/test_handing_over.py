"""Staff at the counter: a method that names a store, an order that lies ready, and the code of whoever comes for it."""

import pytest
from django.urls import reverse

from orders.models import OrderEvent, Shipment, ShippingMethod
from shop.catalog.models import Store
from tests import builders
from tests.backoffice.steps import buttons, page_of, said, stages, take
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
