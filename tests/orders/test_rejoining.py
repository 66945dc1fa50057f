"""A division that staff take back: one parcel again by the later day, while neither part is begun."""

from decimal import Decimal

import pytest

from notifications import relay
from notifications.models import OutgoingEmail
from orders import line_cancellation
from orders.arrivals import list_arrivals
from orders.delays.answering import accept_delay, send_ahead
from orders.delays.finding import see_to_delays
from orders.fulfilment import approval_rule, backorders, rejoining, transitions, undoing
from orders.fulfilment.transitions import TransitionRefused
from orders.models import DelayNotice, Order, OrderEvent, Shipment, ShopSettings
from orders.timeline import build_timelines
from shop.catalog.models import StockRecord
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import buttons, page_of, said, take
from tests.delays.late import DAY, TODAY, fresh, goods_come
from tests.delays.two_parcels import approve, get_kettle, get_parcel, get_scarf, order_in_two, send
from tests.orders.test_splitting import FAR, facts, split, together
from tests.paying import check_stock

__all__ = ["staff"]

pytestmark = pytest.mark.django_db
Kind, Stage = OrderEvent.Kind, Shipment.Stage
BUTTON = "Send it together again"


def rejoin(order: Order) -> None:
    rejoining.rejoin_order(order.pk, actor="Kit")


def divided(by_on=FAR) -> Order:
    order = together(by_on)
    approve(order)
    split(order)
    return fresh(order)


def list_live_contents(order: Order) -> list[list[str]]:
    live = order.shipments.exclude(stage=Stage.CANCELLED).order_by("pk")
    return [[line.order_line.title for line in parcel.lines.order_by("order_line")] for parcel in live]


def list_titles(order: Order) -> list[list[str]]:
    return [[step.title for step in story.steps] for story in build_timelines(fresh(order))]


def says_no(order: Order, why: str) -> bool:
    """Refused with that sentence, not offered, and nothing has changed."""
    before = facts(order)
    with pytest.raises(TransitionRefused, match=why):
        rejoin(order)
    return facts(order) == before and not rejoining.may_rejoin(fresh(order))


# -- Taken back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_approved", [False, True])
def test_both_parts_are_one_parcel_again_by_the_later_day(is_approved):
    order = together()
    if is_approved:
        approve(order)
    before = facts(order)
    split(order)
    assert rejoining.may_rejoin(fresh(order))
    rejoin(order)
    now, scarf = fresh(order), get_scarf(order)
    assert facts(order)[:2] == before[:2]
    assert (now.promised_by_on, now.ships_on, scarf.promised_by_on) == (FAR, order.ships_on, None)
    assert [titles for _, titles in list_arrivals(now)] == [[]]
    if not is_approved:
        approve(order)
    assert list_live_contents(order) == [["Scarf", "Kettle"]]
    with pytest.raises(TransitionRefused, match="waits for goods"):
        transitions.mark_shipment_picked(get_parcel(scarf).pk, actor="Sam")
    goods_come()
    send(scarf)
    assert fresh(order).fulfilment_status == Order.FulfilmentStatus.DISPATCHED
    check_stock()


def test_the_rest_came_sooner_than_what_goes_first_and_both_have_the_later_day():
    order = divided()
    order.lines.filter(title="Scarf").update(promised_by_on=FAR + DAY)
    rejoin(order)
    assert fresh(order).promised_by_on == FAR + DAY


def test_its_story_no_longer_says_two_parcels_and_staff_read_both():
    order = divided()
    rejoin(order)
    [titles] = list_titles(order)
    assert "In two parcels" not in titles
    kept = order.events.filter(kind__in=[Kind.SPLIT, Kind.TAKEN_BACK]).values_list("kind", "actor")
    assert list(kept) == [(Kind.SPLIT, "Sam"), (Kind.TAKEN_BACK, "Kit")]


def test_what_came_meanwhile_stays_in_its_story_once():
    order = divided()
    goods_come()
    backorders.tell_goods_came(order.pk)
    assert sum("The Kettle you wait for is here" in titles for titles in list_titles(order)) == 1
    rejoin(order)
    [titles] = list_titles(order)
    assert titles.count("The Kettle you wait for is here") == 1


def test_nobody_is_mailed_and_no_delay_is_told_again():
    order = together(TODAY() + 2 * DAY)
    approve(order)
    see_to_delays()
    relay.relay_all_events()
    mails = OutgoingEmail.objects.count()
    split(order)
    rejoin(order)
    see_to_delays()
    relay.relay_all_events()
    assert OutgoingEmail.objects.count() == mails
    assert order.delay_notices.count() == order.events.filter(kind=Kind.DELAYED).count() == 1


def test_an_open_question_is_about_all_of_it_again():
    order = together(TODAY() + 2 * DAY)
    approve(order)
    see_to_delays()
    split(order)
    rejoin(order)
    DelayNotice.objects.update(deadline_on=TODAY() - DAY)
    see_to_delays()
    assert fresh(order).status == Order.Status.CANCELLED


def test_divided_once_more_it_says_so_once():
    order = divided()
    rejoin(order)
    split(order)
    assert [titles.count("In two parcels") for titles in list_titles(order)] == [1, 1]
    assert list_live_contents(order) == [["Scarf"], ["Kettle"]]


def test_what_was_told_between_two_divisions_counts_for_both_parts():
    order = divided()
    rejoin(order)
    Order.objects.filter(pk=order.pk).update(promised_by_on=TODAY() + 2 * DAY)
    see_to_delays()
    split(order)
    order.lines.filter(title="Scarf").update(promised_by_on=TODAY() + 2 * DAY)
    see_to_delays()
    assert order.delay_notices.get(is_of_first=True).rule == DelayNotice.Rule.SILENCE_CANCELS


def test_an_order_put_together_again_still_approves_itself():
    order = together()
    split(order)
    rejoin(order)
    ShopSettings(pk=1, approve_up_to=Decimal(100)).save()
    assert approval_rule.approve_waiting_orders() == 1
    assert list_live_contents(order) == [["Scarf", "Kettle"]]


def test_its_approval_can_be_taken_back_afterwards():
    order = divided()
    rejoin(order)
    last = undoing.find_last_step(fresh(order))
    assert last.event.kind == Kind.APPROVED
    undoing.take_back_step(order.pk, actor="Kit", seen=last.event.pk)
    assert list_live_contents(order) == []
    approve(order)
    assert list_live_contents(order) == [["Scarf", "Kettle"]]


# -- Refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [Stage.PICKING, Stage.PICKED, Stage.PACKED, Stage.DISPATCHED])
@pytest.mark.parametrize("get_line", [get_scarf, get_kettle], ids=["the first", "the rest"])
def test_once_a_part_is_begun_it_goes_in_two(stage, get_line):
    order = divided()
    Shipment.objects.filter(pk=get_parcel(get_line(order)).pk).update(stage=stage)
    assert says_no(order, "being made ready already")


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"hold": "warning"}, "on hold"), ({"status": "cancelled"}, "not open"), ({"status": "completed"}, "not open")],
)
def test_what_is_on_hold_or_not_open_stays_as_it_is(fields, why):
    order = divided()
    Order.objects.filter(pk=order.pk).update(**fields)
    assert says_no(order, why)


def test_what_goes_together_or_was_bought_in_two_is_not_put_together():
    assert says_no(together(), "one parcel already")
    assert says_no(order_in_two(TODAY() + 9 * DAY, FAR), "bought in two")


def test_taken_back_twice_it_is_taken_back_once():
    order = divided()
    rejoin(order)
    assert says_no(order, "one parcel already")


def late_and_told() -> Order:
    order = together(TODAY() + 2 * DAY)
    approve(order)
    see_to_delays()
    return order


def test_what_its_buyer_chose_stays():
    order = late_and_told()
    send_ahead(order.pk, number=1)
    assert says_no(order, "its buyer chose that")


def test_a_yes_to_the_day_of_one_part_is_not_made_one_to_another_day():
    order = late_and_told()
    split(order)
    accept_delay(order.pk, number=1)
    assert says_no(order, "or has answered")


def test_whoever_was_told_of_the_day_of_one_part_keeps_both():
    order = divided()
    StockRecord.objects.filter(variant=get_kettle(order).variant).update(restock_on=FAR)
    see_to_delays()
    assert order.delay_notices.exists()
    assert says_no(order, "was told of the day")


def test_where_one_part_was_cancelled_there_is_nothing_to_put_together():
    order = divided()
    line_cancellation.cancel_lines(order.pk, {get_kettle(order).pk: 1}, actor="Sam", seen_cancelled=0)
    assert says_no(order, "only one of its two parcels")


# -- By staff --------------------------------------------------------------------------------------------------


def test_staff_see_what_becomes_of_it_and_take_it_back(staff):
    order = divided()
    assert BUTTON in buttons(staff.get(page_of(order)))
    shown = " ".join(take(staff, "send_together", order).text.split())
    assert "goes in one parcel again, once all of it is here: by" in shown
    assert fresh(order).ships_as_ready
    assert said(take(staff, "send_together", order, confirm="1")) == [f"Goes in one parcel: {order.number}."]
    page = staff.get(page_of(order))
    assert BUTTON not in buttons(page)
    assert "Send what is here" in buttons(page)
    assert "Step taken back" in page.text
    assert order.events.get(kind=Kind.TAKEN_BACK).actor == "Sam"


def test_staff_are_told_why_it_stays_in_two(staff):
    whole, order = builders.placed_order(), divided()
    assert said(take(staff, "send_together", whole)) == [f"{whole.number} goes in one parcel already."]
    assert f"{whole.number}</strong> stays as it is" in take(staff, "send_together", whole, order).text
    assert sorted(said(take(staff, "send_together", whole, order, confirm="1"))) == sorted(
        [f"{whole.number} goes in one parcel already.", f"Goes in one parcel: {order.number}."]
    )
    assert not fresh(order).ships_as_ready


def test_a_division_is_taken_back_by_its_own_step_alone():
    order = together()
    split(order)
    assert undoing.find_last_step(fresh(order)) is None
