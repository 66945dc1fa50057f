"""Ship and the correction ask once about a number that looks odd or was used before, and take a parcel without one."""

import html
import re

import pytest
from django.db import connection

from orders.fulfilment import transitions
from orders.models import Order, OrderEvent, Shipment
from orders.timeline import build_timelines
from tests import builders
from tests.backoffice.steps import Stage, dpd_number, order_at, page_of, said, stages, take

pytestmark = pytest.mark.django_db

ROYAL_MAIL = "RB123456785GB"
ANOTHER = "RB123456799GB"
ODD = "x"


def fields(order: Order, number: str = "", *, carrier: str = "royal_mail", **more: str) -> dict[str, str]:
    """What the page sends for one parcel, without what it was shown."""
    typed = {"carrier": carrier, "tracking_number": number, **more}
    return {f"{order.shipments.get().pk}-{name}": value for name, value in typed.items()}


def again(page) -> dict[str, str]:
    """What a browser sends when the button is pressed again: every field as the page shows it."""
    found = {}
    for tag in re.findall(r"<input [^>]*>", page.text):
        kept = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        is_sent = kept.get("type") != "checkbox" or " checked" in tag
        if re.match(r"\d+-", kept.get("name", "")) and is_sent:
            found[kept["name"]] = kept.get("value", "on")
    for name, options in re.findall(r'<select name="(\d+-carrier)"(.*?)</select>', page.text, re.DOTALL):
        found[name] = re.search(r'value="([^"]*)" selected', options).group(1)
    return {name: html.unescape(value) for name, value in found.items()}


def ship(staff, *orders: Order, **typed: str):
    return take(staff, "ship", *orders, **typed, **({"confirm": "1"} if typed else {}))


def correct(staff, *orders: Order, **typed: str):
    return take(staff, "correct_tracking", *orders, **typed, confirm="1")


def shipped(staff, number: str, **more: str) -> Order:
    order = order_at("packed")
    ship(staff, order, **fields(order, number, **more))
    assert stages(order) == [Stage.DISPATCHED]
    return order


def label(order: Order) -> tuple[str, str, bool]:
    parcel = order.shipments.get()
    return parcel.carrier, parcel.tracking_number, parcel.is_untracked


def customer_reads(order: Order) -> list[tuple[str, str]]:
    """Of each thing that happened: the words and the link."""
    return [(step.text, step.link_url) for step in build_timelines(Order.objects.get(pk=order.pk))[0].steps]


# -- What looks odd --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carrier", "number", "words"),
    [
        ("royal_mail", ODD, "“x” does not look like a Royal Mail number."),
        ("royal_mail", "1Z5R89390357567127", "It looks like one of UPS: is the carrier right?"),
        ("dhl", "33188", "does not look like a DHL number"),
        ("fedex", "99657-PARCEL", "does not look like a FedEx number"),
        ("usps", "0307 1790", "does not look like a USPS number"),
    ],
)
def test_an_odd_number_is_asked_about_once_and_kept(staff, carrier, number, words):
    order = order_at("packed")
    page = ship(staff, order, **fields(order, number, carrier=carrier))
    assert words in page.text
    assert 'value="Ship anyway"' in page.text
    assert f'value="{number}"' in page.text
    assert stages(order) == [Stage.PACKED]
    assert not order.events.filter(kind=OrderEvent.Kind.DISPATCHED).exists()
    assert said(ship(staff, order, **again(page))) == [f"Shipped: {order.number}."]
    assert label(order) == (carrier, number, False)


@pytest.mark.parametrize(
    ("carrier", "number"),
    [
        ("royal_mail", "RB123456786GB"),
        ("royal_mail", "AB123456789GB"),
        ("ups", "1Z5R89390357567128"),
        ("dhl", "3318810010"),
        ("fedex", "996578788855"),
        ("usps", "03071790000523483742"),
    ],
)
def test_of_a_check_digit_that_does_not_fit_staff_are_warned(staff, carrier, number):
    order = order_at("packed")
    done, warning = said(ship(staff, order, **fields(order, number, carrier=carrier)))
    assert done == f"Shipped: {order.number}."
    assert warning.startswith(f"{order.number}: “{number}” does not look like a ")
    assert "Its check digit does not fit, so one of its characters is probably wrong." in warning
    assert warning.endswith("If it is wrong, “Correct the tracking” now.")
    assert label(order) == (carrier, number, False)


def test_a_right_number_is_not_warned_of(staff):
    order = order_at("packed")
    assert said(ship(staff, order, **fields(order, ROYAL_MAIL))) == [f"Shipped: {order.number}."]


def test_another_odd_number_is_asked_about_anew(staff):
    order = order_at("packed")
    page = ship(staff, order, **fields(order, ODD))
    pk = order.shipments.get().pk
    page = ship(staff, order, **again(page) | {f"{pk}-tracking_number": "y"})
    assert "“y” does not look like" in page.text
    page = ship(staff, order, **again(page) | {f"{pk}-carrier": "dpd"})
    assert "“y” does not look like a DPD number" in page.text
    assert stages(order) == [Stage.PACKED]
    ship(staff, order, **again(page) | {f"{pk}-tracking_number": dpd_number(pk)})  # mended
    assert label(order) == ("dpd", dpd_number(pk), False)


def test_in_bulk_the_odd_one_asks_and_all_that_was_typed_is_kept(staff):
    right, odd = order_at("packed"), order_at("packed")
    page = ship(staff, right, odd, **fields(right, ROYAL_MAIL), **fields(odd, "RB1234"))
    assert page.text.count("does not look like a Royal Mail number") == 2  # the words, and the question put
    assert again(page)[f"{right.shipments.get().pk}-tracking_number"] == ROYAL_MAIL
    assert stages(right, odd) == [Stage.PACKED, Stage.PACKED]
    ship(staff, right, odd, **again(page))
    assert [label(order)[1] for order in (right, odd)] == [ROYAL_MAIL, "RB1234"]


@pytest.mark.parametrize(
    "typed", ["rb 1234 5678 5 gb", f"{ROYAL_MAIL}\r\n", "RB-12345678-5-GB", f"\u200b{ROYAL_MAIL}\t"]
)
def test_however_it_is_pasted_or_scanned_it_leaves_at_once(staff, typed):
    order = shipped(staff, typed)
    assert label(order) == ("royal_mail", ROYAL_MAIL, False)
    assert ("Tracking number RB123456785GB.", customer_reads(order)[4][1]) in customer_reads(order)
    assert customer_reads(order)[4][1].endswith(f"/{ROYAL_MAIL}")


@pytest.mark.parametrize("typed", ["RB1\n2", "\x1b[A", "9" * 61, "---"])
@pytest.mark.parametrize("count", [1, 2])
def test_what_cannot_be_a_number_is_refused_and_nothing_leaves(staff, typed, count):
    orders = [order_at("packed") for _ in range(count)]
    page = ship(staff, *orders, **fields(orders[0], typed))
    assert "errorlist" in page.text
    assert "anyway" not in page.text
    assert stages(*orders) == [Stage.PACKED] * count


# -- A number used before --------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [ROYAL_MAIL, "rb 123 456 785 gb"])
def test_of_a_number_used_before_staff_are_warned_with_the_other_orders_name(staff, typed):
    first = shipped(staff, ROYAL_MAIL)
    second = order_at("packed")
    done, warning = said(ship(staff, second, **fields(second, typed)))
    assert done == f"Shipped: {second.number}."
    assert f"{second.number}: The same number is used for {first.number} (left" in warning
    assert label(second) == label(first)


def test_the_same_number_under_another_carrier_is_the_same_number(staff):
    first = shipped(staff, dpd_number(5), carrier="dpd")
    second = order_at("packed")
    _, warning = said(ship(staff, second, **fields(second, dpd_number(5), carrier="dhl")))
    assert f"The same number is used for {first.number}" in warning


def test_one_number_twice_on_the_page_is_asked_about_at_both(staff):
    one, other = order_at("packed"), order_at("packed")
    page = ship(staff, one, other, **fields(one, ROYAL_MAIL), **fields(other, ROYAL_MAIL.lower()))
    assert f"used for {other.number} (on this page)" in page.text
    assert f"used for {one.number} (on this page)" in page.text
    assert stages(one, other) == [Stage.PACKED, Stage.PACKED]
    ship(staff, one, other, **again(page))
    assert label(one) == label(other) == ("royal_mail", ROYAL_MAIL, False)


def test_of_one_order_the_other_parcel_is_named_as_that(staff):
    order = order_at("packed")
    parcel = order.shipments.get()
    sibling = Shipment.objects.create(order=order, store=parcel.store, stage=Stage.PACKED, carrier="dpd")
    typed = {f"{each.pk}-tracking_number": dpd_number(1) for each in (parcel, sibling)}
    typed |= {f"{each.pk}-carrier": "dpd" for each in (parcel, sibling)}
    page = ship(staff, order, **typed)
    assert page.text.count("another parcel of this order") == 4
    assert stages(order) == [Stage.PACKED, Stage.PACKED]


def test_what_was_used_between_question_and_answer_is_refused_not_shared(staff):
    first, second = order_at("packed"), order_at("packed")
    page = ship(staff, first, **fields(first, ODD))
    parcel = second.shipments.get()
    transitions.dispatch_shipment(parcel.pk, actor="Kit", carrier="royal_mail", tracking_number=ODD)
    page = ship(staff, first, **again(page))
    assert f"The same number is used for {second.number}" in page.text
    assert stages(first) == [Stage.PACKED]


def test_the_number_is_looked_up_by_its_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "shipment_bare_number" in Shipment.objects.numbered(ROYAL_MAIL).explain()


# -- Without a number ------------------------------------------------------------------------------------------


def test_without_a_number_it_leaves_if_somebody_says_so_and_the_customer_reads_it(staff):
    order = order_at("packed")
    page = ship(staff, order, **fields(order))
    assert "or tick “Sent without a number”" in page.text
    assert stages(order) == [Stage.PACKED]
    ship(staff, order, **again(page) | fields(order, no_number="on"))
    assert label(order) == ("royal_mail", "", True)
    assert ("Sent with Royal Mail, without a tracking number.", "") in customer_reads(order)
    assert "Royal Mail without a tracking number, left" in staff.get(page_of(order)).text


def test_in_bulk_a_tick_lets_it_leave_and_neither_lets_it_stay(staff):
    ticked, staying, numbered = order_at("packed"), order_at("packed"), order_at("packed")
    typed = fields(ticked, no_number="on") | fields(staying) | fields(numbered, ROYAL_MAIL)
    ship(staff, ticked, staying, numbered, **typed)
    assert stages(ticked, staying, numbered) == [Stage.DISPATCHED, Stage.PACKED, Stage.DISPATCHED]
    assert label(ticked) == ("royal_mail", "", True)


def test_parcels_without_a_number_are_not_taken_for_the_same(staff):
    one, other = order_at("packed"), order_at("packed")
    ship(staff, one, other, **fields(one, no_number="on"), **fields(other, no_number="on"))
    assert stages(one, other) == [Stage.DISPATCHED, Stage.DISPATCHED]


def test_a_number_and_the_tick_that_there_is_none_cannot_both_be(staff):
    order = order_at("packed")
    page = ship(staff, order, **fields(order, ROYAL_MAIL, no_number="on"))
    assert "Take one of them away" in page.text
    assert stages(order) == [Stage.PACKED]


def test_of_a_parcel_that_only_came_with_an_import_nothing_is_claimed():
    order = order_at("packed")
    transitions.dispatch_shipment(order.shipments.get().pk, actor="Sam", carrier="dpd", tracking_number="")
    order.shipments.update(is_untracked=False)  # as imports leave it
    assert all("tracking number" not in text for text, _ in customer_reads(order))


def test_a_carrier_we_do_not_know_is_offered_as_it_is_and_its_numbers_are_not_judged(staff):
    order = order_at("packed")
    order.shipments.update(carrier="Pigeon Post")
    assert '<option value="Pigeon Post" selected' in ship(staff, order).text
    ship(staff, order, **fields(order, "coo 7", carrier="Pigeon Post"))
    assert label(order) == ("Pigeon Post", "coo 7", False)


def test_a_parcel_nobody_carries_yet_does_not_go_with_the_first_of_the_list(staff):
    order = order_at("packed")
    order.shipments.update(carrier="")
    page = ship(staff, order, **fields(order, ROYAL_MAIL, carrier=""))
    assert "Choose who carries it" in page.text
    assert stages(order) == [Stage.PACKED]


# -- Put right afterwards --------------------------------------------------------------------------------------


def as_shown(order: Order, number: str, *, carrier: str = "royal_mail", **more: str) -> dict[str, str]:
    parcel = order.shipments.get()
    seen = {"seen_carrier": parcel.carrier, "seen_number": parcel.tracking_number}
    return fields(order, number, carrier=carrier, **seen, **more)


def test_a_correction_asks_the_same_questions(staff):
    used, order = shipped(staff, ANOTHER), shipped(staff, ROYAL_MAIL)
    page = correct(staff, order, **as_shown(order, ODD))
    assert "“x” does not look like" in page.text
    assert 'value="Correct the tracking anyway"' in page.text
    assert label(order)[1] == ROYAL_MAIL
    done, warning = said(correct(staff, order, **as_shown(order, ANOTHER.lower())))
    assert done == f"Tracking corrected: {order.number}."
    assert f"used for {used.number}" in warning
    assert label(order)[1] == ANOTHER


def test_an_odd_number_that_is_left_as_it_is_is_not_asked_about(staff):
    odd, wrong = order_at("packed"), shipped(staff, ROYAL_MAIL)
    ship(staff, odd, **again(ship(staff, odd, **fields(odd, ODD))))
    answer = correct(staff, odd, wrong, **as_shown(odd, ODD), **as_shown(wrong, ANOTHER))
    assert said(answer) == [f"Tracking corrected: {wrong.number}."]


def test_two_labels_that_were_swapped_are_swapped_back_in_one_go(staff):
    one, other = shipped(staff, ROYAL_MAIL), shipped(staff, ANOTHER)
    correct(staff, one, other, **as_shown(one, ANOTHER), **as_shown(other, ROYAL_MAIL))
    assert (label(one)[1], label(other)[1]) == (ANOTHER, ROYAL_MAIL)


def test_a_shared_number_keeps_while_the_carrier_is_corrected(staff):
    first = shipped(staff, dpd_number(3), carrier="dpd")
    second = order_at("packed")
    ship(staff, second, **fields(second, dpd_number(3), carrier="dpd"))
    correct(staff, second, **as_shown(second, dpd_number(3), carrier="dhl"))
    assert (label(first)[0], label(second)[0]) == ("dpd", "dhl")


def test_a_number_can_be_taken_away_and_given_later_and_the_log_has_each(staff):
    order = shipped(staff, ROYAL_MAIL)
    correct(staff, order, **as_shown(order, ROYAL_MAIL, no_number="on"))
    assert label(order) == ("royal_mail", "", True)
    assert ("Sent with Royal Mail, without a tracking number.", "") in customer_reads(order)
    correct(staff, order, **as_shown(order, ANOTHER, no_number="on"))  # the tick was on the page already
    assert label(order) == ("royal_mail", ANOTHER, False)
    page = staff.get(page_of(order)).text
    assert f"Royal Mail {ROYAL_MAIL} became Royal Mail without a number" in page
    assert f"Royal Mail without a number became Royal Mail {ANOTHER}" in page


def test_a_correction_to_nothing_needs_the_tick(staff):
    order = shipped(staff, ROYAL_MAIL)
    assert "or tick “Sent without a number”" in correct(staff, order, **as_shown(order, "")).text
    assert label(order) == ("royal_mail", ROYAL_MAIL, False)


def test_an_imported_parcel_without_a_number_does_not_stand_in_the_way_of_others(staff):
    imported = order_at("packed")
    order = shipped(staff, ROYAL_MAIL)
    imported.shipments.update(stage=Stage.DELIVERED, carrier="Royal Mail Tracked 48")
    typed = as_shown(imported, "", carrier="Royal Mail Tracked 48") | as_shown(order, ANOTHER)
    assert said(correct(staff, imported, order, **typed)) == [f"Tracking corrected: {order.number}."]
    page = correct(staff, imported, **as_shown(imported, ODD, carrier="Royal Mail Tracked 48"))
    assert "“x” does not look like a Royal Mail number" in page.text


def test_the_customers_page_has_only_the_new_number(staff, client):
    customer = builders.customer()
    order = order_at("packed", customer=customer)
    ship(staff, order, **fields(order, ROYAL_MAIL))
    correct(staff, order, **as_shown(order, ANOTHER))
    client.force_login(customer.user)
    page = client.get(f"/orders/{order.number}/").text
    assert ANOTHER in page
    assert ROYAL_MAIL not in page
