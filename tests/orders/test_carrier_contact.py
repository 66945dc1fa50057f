"""E-mail address and phone number go to the carrier only where the buyer chose so for that order."""

import pytest
from django.urls import reverse

from accounts.models import Address
from accounts.people.address_forms import NO_PHONE_NUMBER, AddressBookForm
from orders.addresses import address_change
from orders.carrier_contact import WHY_PHONE, build_carrier_contact
from orders.models import Order, OrderEvent, Shipment
from tests import builders, cast
from tests.backoffice.steps import LIST
from tests.notifications import acts
from tests.page import Page
from tests.paying import check_out, fill, form

pytestmark = pytest.mark.django_db

MAIL, PHONE = "qzcarriermailzq@example.com", "qzcarrierphonezq"
LABEL = "Let the carrier write to me about this delivery"
NUMBER = "+44 7700 900123"
DOOR = {
    "full_name": "Pat Reader",
    "line1": "1 High Street",
    "line2": "",
    "city": "Leeds",
    "region": "",
    "postcode": "LS1 1AA",
    "country": "GB",
}
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


@pytest.mark.parametrize("may_write", [False, True])
def test_a_number_for_the_carrier_is_kept_with_the_order_where_the_carrier_may_get_it(client, standin, may_write):
    fill(client)
    builders.shipping_method()
    page = client.get("/checkout/").text
    assert WHY_PHONE in page
    assert Page(page).labelled("Phone")[0].value == ""
    order = check_out(client, phone=NUMBER, **({"carrier_may_write": "on"} if may_write else {})).order
    assert order.phone == (NUMBER if may_write else "")
    assert build_carrier_contact(order).phone == order.phone
    assert (NUMBER in client.get(f"/orders/{order.number}/").text) is may_write


def test_an_order_without_a_number_is_placed_as_ever(client, standin):
    fill(client)
    assert check_out(client, carrier_may_write="on").order.phone == ""


@pytest.mark.parametrize(
    "number",
    [
        NUMBER,
        "07700 900123",
        "(020) 7946-0018",
        "+1 (212) 555.0123 ext. 4",
        "0041 44 668 18 00",
        "030/1234567",
        "12345",
    ],
)
def test_a_number_is_kept_as_it_is_written(number):
    form = AddressBookForm({**DOOR, "phone": f"  {number} "})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["phone"] == number


def test_digits_of_a_full_width_keyboard_are_digits():
    form = AddressBookForm({**DOOR, "phone": "\uff0b\uff18\uff11\u3000\uff13\uff15\uff14\uff12\uff11\uff11\uff11"})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["phone"] == "+81 3542111"


@pytest.mark.parametrize(
    "wrong",
    ["1234", "call me", "pat@example.com", "+44 7700 900123 900456", "+", "++44 7700 900123", "07700 900123 evenings"],
)
def test_what_nobody_can_dial_is_refused_with_a_sentence_and_nothing_is_ordered(client, wrong):
    fill(client)
    page = client.post("/checkout/", form(carrier_may_write="on", phone=wrong))
    assert NO_PHONE_NUMBER in page.text
    assert Page(page.text).labelled("Phone")[0].value == wrong
    assert not Order.objects.exists()
    assert str(AddressBookForm({**DOOR, "phone": wrong}).errors["phone"][0]) == NO_PHONE_NUMBER


@pytest.mark.parametrize("given", [{"phone": NUMBER}, {"phone": NUMBER, "carrier_may_write": "on"}, {}])
def test_number_and_tick_are_changed_where_the_address_is_and_that_is_no_other_address(buyer, given):
    order = builders.placed_order(carrier_may_write=True, phone="07700 900999")
    door = {name: str(getattr(order, name)) for name in DOOR}
    client, page = buyer(order), f"/orders/{order.number}/address/"
    assert Page(client.get(page).text).labelled("Phone")[0].value == "07700 900999"
    assert "It goes to the same address" in client.post(page, {**door, **given}, follow=True).text
    order.refresh_from_db()
    may_write = "carrier_may_write" in given
    assert (order.carrier_may_write, order.phone) == (may_write, NUMBER if may_write else "")
    assert {name: str(getattr(order, name)) for name in DOOR} == door
    assert not OrderEvent.objects.filter(kind=OrderEvent.Kind.ADDRESS_CHANGED).exists()


def test_a_number_nobody_can_dial_changes_nothing_of_an_order(buyer):
    order = builders.placed_order(carrier_may_write=True, phone="07700 900999")
    typed = {**DOOR, "carrier_may_write": "on", "phone": "later"}
    assert NO_PHONE_NUMBER in buyer(order).post(f"/orders/{order.number}/address/", typed).text
    order.refresh_from_db()
    assert (order.phone, order.line1) == ("07700 900999", builders.placed_order().line1)


def test_another_address_alone_leaves_the_carriers_choice_as_it_was():
    order = builders.placed_order(carrier_may_write=True, phone=NUMBER)
    assert address_change.change_address(order.pk, {**DOOR, "line1": "7 Mill Lane"}, actor="Sam")
    order.refresh_from_db()
    assert (order.line1, order.carrier_may_write, order.phone) == ("7 Mill Lane", True, NUMBER)


def test_the_address_book_remembers_the_number(client, standin):
    alice = cast.alice()
    client.force_login(alice.user)
    fill(client)
    check_out(client, email=alice.email, remember="on", carrier_may_write="on", phone=NUMBER)
    assert Address.objects.get(customer=alice).phone == NUMBER
    assert Page(client.get("/checkout/").text).labelled("Phone")[0].value == NUMBER
