"""Another address until picking starts, by the buyer and by staff; another country is a matter for a letter."""

import pytest

from accounts.models.address import ADDRESS_FIELDS
from orders.addresses import address_change
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Shipment
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import order_at, page_of, said, take

__all__ = ["staff"]

pytestmark = pytest.mark.django_db

TYPED = {
    "full_name": "Pat Reader",
    "line1": "7 Mill Lane",
    "line2": "",
    "city": "York",
    "region": "",
    "postcode": "YO1 7HH",
    "country": "GB",
}
NOT_TYPED = {"phone"}


def page(order: Order) -> str:
    return f"/orders/{order.number}/address/"


def where(order: Order) -> dict[str, str]:
    fresh = Order.objects.get(pk=order.pk)
    return {name: str(getattr(fresh, name)) for name in ADDRESS_FIELDS if name not in NOT_TYPED}


def changes() -> list[str]:
    return list(OrderEvent.objects.filter(kind=OrderEvent.Kind.ADDRESS_CHANGED).values_list("actor", flat=True))


def sums(order: Order) -> tuple[object, ...]:
    fresh = Order.objects.get(pk=order.pk)
    return fresh.total, fresh.tax_total, fresh.shipping_total, fresh.ships_on, fresh.promised_by_on


@pytest.mark.parametrize("stage", ["placed", "waiting"])
def test_the_buyer_changes_where_it_goes_until_picking_starts(buyer, stage):
    order = builders.placed_order() if stage == "placed" else order_at(stage)
    before, client = sums(order), buyer(order)
    assert page(order) in client.get(f"/orders/{order.number}/").text
    response = client.post(page(order), TYPED, follow=True)
    assert "It goes to the new address." in response.text
    assert where(order) == TYPED
    assert sums(order) == before
    assert changes() == ["the customer"]
    event = OrderEvent.objects.get(kind=OrderEvent.Kind.ADDRESS_CHANGED)
    assert "Mill" not in str(event.data)


@pytest.mark.parametrize("stage", ["picking", "picked", "packed", "dispatched", "delivered"])
def test_once_somebody_picks_it_the_address_stays(buyer, stage):
    order = order_at(stage)
    before, client = where(order), buyer(order)
    assert page(order) not in client.get(f"/orders/{order.number}/").text
    assert "can no longer be changed here" in client.post(page(order), TYPED, follow=True).text
    with pytest.raises(TransitionRefused, match="stays as it is"):
        address_change.change_address(order.pk, TYPED, actor="Sam")
    assert (where(order), changes()) == (before, [])


@pytest.mark.parametrize("fields", [{"hold": "warning"}, {"status": "cancelled"}, {"status": "pending"}])
def test_what_is_on_hold_or_not_open_keeps_its_address(fields):
    order = builders.placed_order()
    Order.objects.filter(pk=order.pk).update(**fields)
    before = where(order)
    with pytest.raises(TransitionRefused, match="stays as it is"):
        address_change.change_address(order.pk, TYPED, actor="Sam")
    assert (where(order), changes()) == (before, [])


def test_to_another_country_the_buyer_is_told_to_write(buyer):
    order = builders.placed_order()
    before = where(order)
    page_after = buyer(order).post(page(order), TYPED | {"country": "DE", "postcode": "10115"})
    assert "Write to us, and we see to it." in page_after.text
    with pytest.raises(TransitionRefused, match="another country"):
        address_change.change_address(order.pk, TYPED | {"country": "DE"}, actor="Sam")
    assert (where(order), changes()) == (before, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"line1": ""},
        {"postcode": ""},
        {"postcode": "12345"},
        {"country": "XX"},
        {"full_name": "x" * 500},
        {"line1": "<script>"},
        {"line1": "a\nb"},
    ],
)
def test_what_cannot_be_an_address_gets_a_sentence(buyer, wrong):
    order = builders.placed_order()
    before = where(order)
    response = buyer(order).post(page(order), TYPED | wrong)
    assert response.status_code == 200
    assert "errorlist" in response.text or "error" in response.text
    assert (where(order), changes()) == (before, [])


def test_the_same_address_again_changes_nothing(buyer):
    order = builders.placed_order()
    client = buyer(order)
    for _ in range(2):
        client.post(page(order), TYPED)
    assert changes() == ["the customer"]


def test_a_stranger_learns_and_changes_nothing(client):
    order = builders.placed_order()
    before = where(order)
    real, made_up = client.post(page(order), TYPED), client.post("/orders/SW-AAAA-AAAA-AA/address/", TYPED)
    assert real.status_code == made_up.status_code == 404
    assert real.text == made_up.text
    assert (where(order), changes()) == (before, [])


def test_staff_change_it_too(staff):
    order = builders.placed_order()
    assert "Change the address" in staff.get(page_of(order)).text
    assert 'name="line1"' in take(staff, "change_address", order).text
    assert said(take(staff, "change_address", order, confirm="1", **TYPED)) == [
        f"The address is changed: {order.number}."
    ]
    assert (where(order), changes()) == (TYPED, ["Sam"])
    picked = order_at("picked")
    assert "nobody picks yet" in said(take(staff, "change_address", picked, confirm="1", **TYPED))[0]
    assert changes() == ["Sam"]


def test_a_step_taken_back_to_the_shelf_lets_it_be_changed_again():
    order = order_at("waiting")
    parcel = transitions.start_picking_shipment(order.shipments.get().pk, actor="Sam")
    Shipment.objects.filter(pk=parcel.pk).update(stage="waiting")
    assert address_change.change_address(order.pk, TYPED, actor="Sam")
