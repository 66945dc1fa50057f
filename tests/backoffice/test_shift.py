"""A shift in the back office: orders moved by the buttons of their pages and by the list's actions."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from orders.fulfilment import transitions
from orders.models import Order, OrderEvent, Payment, Refund
from orders.payments import checkout_sessions
from orders.stages import ROAD, find_next_stage
from shop.catalog.models import Store
from tests import builders
from tests.backoffice.steps import (
    IN_THE_HOUSE,
    LIST,
    Stage,
    buttons,
    dpd_number,
    numbers,
    order_at,
    page_of,
    said,
    stages,
    take,
)
from tests.paying import check_stock

pytestmark = pytest.mark.django_db

STEPS = {*(row.button.label for row in ROAD), "Cancel", "Refund"}


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    monkeypatch.setattr("orders.payments.refunds.try_send_refund", lambda refund_id: None)
    monkeypatch.setattr(checkout_sessions, "try_send_refund", lambda refund_id: None)


# -- Single, by the buttons of the order's page -----------------------------------------------------------


def test_the_buttons_lead_from_paid_to_the_doorstep(staff):
    order = builders.placed_order()
    for row in IN_THE_HOUSE:
        assert buttons(staff.get(page_of(order)))[0] == row.button.label
        response = take(staff, row.button.action, order, back=page_of(order))
        assert response.redirect_chain == [(page_of(order), 302)]
        assert stages(order) == [row.stage]
    assert buttons(staff.get(page_of(order)))[0] == "Ship"
    take(staff, "ship", order, **numbers(order))
    assert buttons(staff.get(page_of(order))) == [
        "Mark delivered",
        "Correct the tracking",
        "Paste a tracking page",
        "Refund",
        "Refund goods or postage",
        "Enter a return",
        "Enter a fault",
        "Enter a withdrawal",
        "Issue the invoice",
    ]
    take(staff, "mark_delivered", order)
    order.refresh_from_db()
    assert order.status == Order.Status.COMPLETED
    assert buttons(staff.get(page_of(order))) == [
        "Correct the tracking",
        "Paste a tracking page",
        "Refund",
        "Refund goods or postage",
        "Enter a return",
        "Enter a fault",
        "Enter a withdrawal",
        "Show the address",
        "Issue the invoice",
    ]
    check_stock()


def test_every_step_is_in_the_lists_menu_by_its_name(staff):
    builders.placed_order()
    menu = re.findall(r'<option value="\w+">([^<]+)</option>', staff.get(LIST).text)
    assert set(menu) >= STEPS


@pytest.mark.parametrize(
    ("stage", "queue", "button"),
    [(row.stage, row.queue[0], find_next_stage(row.stage).button.label) for row in IN_THE_HOUSE],
)
def test_a_queue_offers_its_own_step_as_a_button(staff, stage, queue, button):
    order = order_at(stage)
    response = staff.get(f"{LIST}?queue={queue}")
    assert order.number in response.text
    assert buttons(response)[1] == button  # after "Go"


def test_a_queues_button_takes_its_step_whatever_the_menu_says(staff):
    order = builders.placed_order()
    sent = {"action": ["", "approve"], "index": "1", "_selected_action": [order.pk]}
    assert said(staff.post(f"{LIST}?queue=approve", sent, follow=True)) == [f"Approved: {order.number}."]
    assert stages(order) == [Stage.WAITING]


def test_the_packers_note_is_signed_and_reaches_the_customers_story(staff):
    order = order_at("picked")
    take(staff, "mark_packed", order, note="  Wrapped twice. ")
    parcel = order.shipments.get()
    assert (parcel.packing_note, parcel.packed_by) == ("Wrapped twice.", "Sam")


def test_a_step_says_who_took_it(staff):
    order = builders.placed_order()
    take(staff, "approve", order)
    assert order.events.get(kind=OrderEvent.Kind.APPROVED).actor == "Sam"
    assert "Sam" in staff.get(page_of(order)).text


# -- In bulk -------------------------------------------------------------------------------------------------


def test_twenty_orders_go_from_paid_to_the_truck_in_bulk(staff):
    variant = builders.variant(on_hand=30)
    orders = [builders.placed_order(variant) for _ in range(20)]
    for row in IN_THE_HOUSE:
        assert said(take(staff, row.button.action, *orders)) == [f"{row.done}: 20 orders."]
    assert said(take(staff, "ship", *orders, **numbers(*orders))) == ["Shipped: 20 orders."]
    assert set(stages(*orders)) == {Stage.DISPATCHED}
    assert OrderEvent.objects.filter(kind=OrderEvent.Kind.DISPATCHED).count() == 20
    check_stock()


def test_what_is_refused_is_said_order_by_order_and_the_rest_goes_on(staff):
    fresh, packed, unpaid = builders.placed_order(), order_at("packed"), builders.placed_order()
    Order.objects.filter(pk=unpaid.pk).update(status="pending")
    assert sorted(said(take(staff, "approve", fresh, packed, unpaid))) == sorted(
        [
            f"{packed.number} was approved already.",
            f"{unpaid.number} is not a paid, open order.",
            f"Approved: {fresh.number}.",
        ]
    )
    assert stages(fresh) == [Stage.WAITING]
    assert stages(packed) == [Stage.PACKED]
    assert not unpaid.shipments.exists()


@pytest.mark.parametrize("action", [row.button.action for row in ROAD[1:] if row.button.action != "ship"])
def test_a_step_without_a_parcel_is_refused(staff, action):
    order = builders.placed_order()
    assert said(take(staff, action, order)) == [f"{order.number} is not approved yet."]
    assert not order.shipments.exists()


def test_a_double_click_is_refused_politely(staff):
    order = builders.placed_order()
    take(staff, "approve", order)
    assert said(take(staff, "approve", order)) == [f"{order.number} was approved already."]
    again = staff.post(f"{LIST}?queue=approve", {"action": "approve", "_selected_action": order.pk}, follow=True)
    assert said(again) == ["Nothing was done: what you chose is no longer in this queue."]
    assert order.events.filter(kind=OrderEvent.Kind.APPROVED).count() == 1


# -- Ship, Cancel, Refund ask first ----------------------------------------------------------------------------


def test_ship_asks_for_carrier_and_number_with_the_focus_on_the_number(staff):
    order = order_at("packed", carrier="evri")
    page = take(staff, "ship", order).text
    assert re.search(r'<option value="evri" selected>', page)
    assert re.search(r"<input[^>]*tracking_number[^>]*autofocus", page)
    assert stages(order) == [Stage.PACKED]


def test_ship_keeps_what_was_typed_when_something_is_missing(staff):
    first, second = order_at("packed"), order_at("packed")
    parcels = [order.shipments.get().pk for order in (first, second)]
    typed = numbers(first, second) | {f"{parcels[1]}-carrier": "pigeon"}
    page = take(staff, "ship", first, second, **typed).text
    assert f'value="{dpd_number(parcels[0])}"' in page
    assert "Select a valid choice" in page
    assert stages(first, second) == [Stage.PACKED, Stage.PACKED]


def test_of_several_parcels_one_without_a_number_stays(staff):
    leaving, staying = order_at("packed"), order_at("packed")
    typed = numbers(leaving, staying) | {f"{staying.shipments.get().pk}-tracking_number": ""}
    assert said(take(staff, "ship", leaving, staying, **typed)) == [f"Shipped: {leaving.number}."]
    assert stages(leaving, staying) == [Stage.DISPATCHED, Stage.PACKED]


def test_a_single_parcel_needs_its_number(staff):
    order = order_at("packed")
    page = take(staff, "ship", order, **numbers(order) | {f"{order.shipments.get().pk}-tracking_number": " "}).text
    assert "Type the number on the carrier" in page
    assert stages(order) == [Stage.PACKED]


def test_what_is_not_out_yet_leaves_only_if_somebody_says_so(staff):
    day = timezone.localdate() + timedelta(days=9)
    item = builders.variant(builders.product("The Patient Loaf", released_on=day))
    order = order_at("packed", item)
    page = take(staff, "ship", order)
    assert f"The Patient Loaf (out on {date_format(day, 'D j M')})" in page.text
    again = take(staff, "ship", order, **numbers(order))
    assert "keep it back" in again.text
    assert stages(order) == [Stage.PACKED]
    take(staff, "ship", order, **numbers(order), **{f"{order.shipments.get().pk}-early": "on"})
    assert stages(order) == [Stage.DISPATCHED]


def test_of_several_parcels_the_one_not_out_yet_asks_by_itself(staff):
    early = builders.variant(builders.product(released_on=timezone.localdate() + timedelta(days=1)))
    held, other = order_at("packed", early), order_at("packed")
    answer = take(staff, "ship", held, other, **numbers(held, other))
    assert answer.text.count("keep it back") == 1
    assert stages(held, other) == [Stage.PACKED, Stage.PACKED]
    kept_back = {f"{held.shipments.get().pk}-tracking_number": ""}
    take(staff, "ship", held, other, **numbers(held, other) | kept_back)
    assert stages(held, other) == [Stage.PACKED, Stage.DISPATCHED]


@pytest.mark.parametrize("days", [0, -1])
def test_what_is_out_is_not_warned_of(staff, days):
    item = builders.variant(builders.product(released_on=timezone.localdate() + timedelta(days=days)))
    order = order_at("packed", item)
    assert "Before its day" not in take(staff, "ship", order).text
    take(staff, "ship", order, **numbers(order))
    assert stages(order) == [Stage.DISPATCHED]


def test_shipping_twice_ships_once(staff):
    order = order_at("packed")
    typed = numbers(order)
    take(staff, "ship", order, **typed)
    assert said(take(staff, "ship", order, **typed)) == ["There is no packed parcel to ship here."]
    assert order.events.filter(kind=OrderEvent.Kind.DISPATCHED).count() == 1


def test_an_order_in_two_parcels_is_shipped_parcel_by_parcel(staff):
    here, there = builders.variant(), builders.variant()
    there.stock.update(store=Store.objects.create(name="The barn", position=5))
    order = builders.placed_order(here, there)
    transitions.approve_order(order.pk, actor="Sam")
    take(staff, "mark_picked", order)
    take(staff, "mark_packed", order)
    first, second = order.shipments.order_by("pk")
    typed = {f"{first.pk}-carrier": "dpd", f"{first.pk}-tracking_number": dpd_number(1)}
    typed |= {f"{second.pk}-carrier": "dpd", f"{second.pk}-tracking_number": ""}
    take(staff, "ship", order, confirm="1", **typed)
    assert stages(order) == [Stage.DISPATCHED, Stage.PACKED]
    assert buttons(staff.get(page_of(order)))[:2] == ["Mark delivered", "Ship"]
    check_stock()


def test_cancel_asks_why_then_calls_off_and_gives_the_money_back(staff):
    order = order_at("packed")
    assert "Back, change nothing" in take(staff, "cancel", order).text
    assert Order.objects.get().status == "confirmed"
    take(staff, "cancel", order, confirm="1", reason="The last one was cracked")
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert Refund.objects.get().amount == order.total
    assert said(take(staff, "cancel", order, confirm="1")) == [f"{order.number} was cancelled already."]
    assert Refund.objects.count() == 1
    check_stock()


def test_refund_starts_at_what_is_left_and_gives_back_what_is_typed(staff):
    order = order_at("packed", builders.variant(price="20.00"))
    page = take(staff, "refund", order).text
    assert re.search(r'<input[^>]*name="amount"[^>]*value="20.00"[^>]*', page)
    take(staff, "refund", order, confirm="1", amount="5.00", seen_left="20.00", reason="A scratch")
    refund = Refund.objects.get()
    assert (str(refund.amount), refund.reason, refund.actor) == ("5.00", "A scratch", "Sam")
    assert stages(order) == [Stage.PACKED]


@pytest.mark.parametrize("amount", ["", "0", "-1", "20.01", "much", "1e9", "NaN"])
def test_an_amount_that_cannot_be_given_back_is_said_and_nothing_goes(staff, amount):
    order = builders.placed_order(builders.variant(price="20.00"))
    response = take(staff, "refund", order, confirm="1", amount=amount, seen_left="20.00", reason="Kept")
    assert "errorlist" in response.text
    assert 'value="Kept"' in response.text
    assert not Refund.objects.exists()


def test_a_refund_sent_twice_goes_back_once(staff):
    order = builders.placed_order(builders.variant(price="20.00"))
    sent = {"confirm": "1", "amount": "5.00", "seen_left": "20.00"}
    take(staff, "refund", order, **sent)
    assert said(take(staff, "refund", order, **sent)) == [
        f"{order.number}: money was given back meanwhile. Look again."
    ]
    assert Refund.objects.count() == 1


def test_several_are_refunded_whole(staff):
    orders = [builders.placed_order(builders.variant(price="20.00")) for _ in range(3)]
    take(staff, "refund", *orders, confirm="1", reason="Late")
    assert [str(amount) for amount in Refund.objects.values_list("amount", flat=True)] == ["20.00"] * 3


# -- Nothing is typed over -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field", ["status", "payment_status", "fulfilment_status", "approved_at_0", "total", "email", "number"]
)
def test_no_field_of_an_order_can_be_typed_over(staff, field):
    order = builders.placed_order()
    before = Order.objects.filter(pk=order.pk).values().get()
    response = staff.post(page_of(order), {field: "cancelled", "_save": "Save"})
    assert response.status_code == 405
    assert Order.objects.filter(pk=order.pk).values().get() == before
    assert f'name="{field}"' not in staff.get(page_of(order)).text


def test_orders_are_neither_added_nor_deleted_by_hand(staff):
    order = builders.placed_order()
    assert staff.get(reverse("admin:orders_order_add")).status_code == 403
    assert staff.post(reverse("admin:orders_order_delete", args=[order.pk]), {"post": "yes"}).status_code == 403
    take(staff, "delete_selected", order, post="yes")
    assert Order.objects.filter(pk=order.pk).exists()


@pytest.mark.parametrize("model", ["payment", "stripeevent"])
def test_money_and_stripes_messages_are_read_only(staff, model):
    order = builders.placed_order()
    assert staff.get(reverse(f"admin:orders_{model}_changelist")).status_code == 200
    assert staff.get(reverse(f"admin:orders_{model}_add")).status_code == 403
    payment = order.payments.get()
    page = reverse("admin:orders_payment_change", args=[payment.pk])
    assert staff.post(page, {"status": "expired"}).status_code == 403
    assert Payment.objects.get().status == "captured"


def test_a_step_leads_back_to_our_own_pages_only(staff):
    order = builders.placed_order()
    response = take(staff, "approve", order, back="https://evil.example/")
    assert response.redirect_chain == [(f"{LIST}?queue=any", 302)]
    page = take(staff, "cancel", order, back="javascript:alert(1)").text
    assert "javascript:" not in page


def test_no_step_is_taken_by_get(staff):
    order = builders.placed_order()
    staff.get(LIST, {"action": "approve", "_selected_action": order.pk})
    assert not order.shipments.exists()
