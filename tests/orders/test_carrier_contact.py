"""E-mail address and phone number go to the carrier only where the buyer chose so for that order."""

import pytest
from django.urls import reverse

from orders.carrier_contact import build_carrier_contact
from orders.models import Order, Shipment
from tests import builders, cast
from tests.backoffice.steps import LIST
from tests.notifications import acts
from tests.page import Page
from tests.paying import check_out, fill, form

pytestmark = pytest.mark.django_db

MAIL, PHONE = "qzcarriermailzq@example.com", "qzcarrierphonezq"
LABEL = "Let the carrier write to me about this delivery"
SHEETS = ("pick_list", "packing_slips")  # all that is printed and travels with a parcel


def placed(*, may_write: bool, stage: str = Shipment.Stage.PACKED) -> Order:
    order = builders.placed_order(email=MAIL, phone=PHONE, carrier_may_write=may_write)
    acts.parcel(order, stage=stage)
    return order


@pytest.mark.parametrize("may_write", [False, True])
def test_the_choice_is_for_one_order_unticked_and_kept(client, standin, may_write):
    fill(client)
    builders.shipping_method()
    [tick] = Page(client.get("/checkout/").text).labelled(LABEL)
    assert not tick.is_on
    order = check_out(client, **({"carrier_may_write": "on"} if may_write else {})).order
    assert order.carrier_may_write is may_write
    [tick] = Page(client.get("/checkout/").text).labelled(LABEL)  # whoever turns back from the payment page
    assert tick.is_on is may_write


def test_another_choice_is_another_order_and_its_payment_begins_anew(client, standin):
    fill(client)
    first = check_out(client)
    second = check_out(client, carrier_may_write="on")
    assert (first.order.carrier_may_write, second.order.carrier_may_write) == (False, True)
    assert first.order_id != second.order_id


def test_what_was_chosen_is_kept_while_delivery_is_worked_out_again(client):
    fill(client)
    page = client.post("/checkout/", form(carrier_may_write="on", reprice="1"))
    assert Page(page.text).labelled(LABEL)[0].is_on


def test_the_carrier_gets_name_and_address_and_the_rest_by_choice():
    order = builders.paid_order(email=MAIL, phone=PHONE)
    assert build_carrier_contact(order).lines == tuple(order.address_lines)
    assert build_carrier_contact(order).ways == ""
    order.carrier_may_write = True
    assert build_carrier_contact(order).ways == f"{MAIL}, {PHONE}"


@pytest.mark.parametrize("may_write", [False, True])
@pytest.mark.parametrize("sheet", SHEETS)
def test_no_sheet_that_travels_with_a_parcel_holds_either(client, sheet, may_write):
    order = placed(may_write=may_write, stage=Shipment.Stage.WAITING)
    client.force_login(cast.sam())
    page = client.post(f"{LIST}?queue=any", {"action": sheet, "_selected_action": [order.pk]})
    assert page.status_code == 200
    assert order.number in page.text
    assert MAIL not in page.text
    assert PHONE not in page.text


@pytest.mark.parametrize("may_write", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_where_parcels_are_shipped_staff_read_what_may_be_passed_on(client, may_write, count):
    orders = [placed(may_write=may_write) for _ in range(count)]
    client.force_login(cast.sam())
    page = client.post(f"{LIST}?queue=any", {"action": "ship", "_selected_action": [order.pk for order in orders]}).text
    for word in (MAIL, PHONE):
        assert page.count(word) == (count if may_write else 0)
    assert page.count("alone go to the carrier") == (0 if may_write else count)
    own = client.get(reverse("admin:orders_order_change", args=[orders[0].pk])).text
    assert ("The carrier may write" in own) is may_write
