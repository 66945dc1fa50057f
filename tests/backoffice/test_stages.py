"""A walk along the road: every stage is in its queue, has its button and sheets, and its customer reads of it."""

import pytest
from django.test import Client

from orders import status
from orders.admin.order import OrderAdmin
from orders.fulfilment import queue
from orders.models import Order
from orders.stages import EVERY_STAGE, PACKING_SLIPS, PICK_LIST, ROAD, ParcelStage, find_next_stage
from orders.timeline import build_timelines
from tests import builders
from tests.backoffice.steps import LIST, buttons, find_way_to, numbers, order_at, page_of, said, stages, take

pytestmark = pytest.mark.django_db

each_stage = pytest.mark.parametrize("row", ROAD, ids=lambda row: row.stage)
STEPS = {row.button.label for row in ROAD}


@each_stage
def test_a_parcel_stands_in_exactly_its_own_queue(staff: Client, row: ParcelStage):
    order = order_at(row.stage)
    standing = [key for key in queue.QUEUES if staff.get(f"{LIST}?queue={key}").context["cl"].result_list]
    counted = [each.queue.key for each in queue.summarize_queues() if each.count]
    assert standing == counted
    assert len(standing) == (not row.is_end), "nobody would see it"
    order.refresh_from_db()
    if standing:
        named = queue.find_queue_for_order(order, stages(order))
        assert (standing[0], named.title) == (named.key, row.queue[1])


@each_stage
def test_its_page_and_its_queue_have_the_next_step_as_a_button(staff: Client, row: ParcelStage):
    order, following = order_at(row.stage), find_next_stage(row.stage)
    expected = [following.button.label] if following else []
    assert len(expected) == (not row.is_end), "it would stand there for good"
    assert [name for name in buttons(staff.get(page_of(order))) if name in STEPS] == expected
    if expected:
        names = buttons(staff.get(f"{LIST}?queue={row.queue[0]}"))
        beside = [find_next_stage(each.stage).button.label for each in ROAD if each.queue == row.queue]
        assert [name for name in names if name in STEPS] == list(dict.fromkeys(beside))
        sheets = [sheet.label for sheet in (PICK_LIST, PACKING_SLIPS) if sheet == row.sheet]
        assert [name for name in names if name in (PICK_LIST.label, PACKING_SLIPS.label)] == sheets


@each_stage
def test_its_step_is_a_bulk_action_that_leads_to_it_and_says_so(staff: Client, row: ParcelStage):
    way = find_way_to(row.stage)
    order = order_at(way[-2].stage) if way[1:] else builders.placed_order()
    typed = numbers(order) if row.button.action == "ship" else {}
    assert said(take(staff, row.button.action, order, **typed)) == [f"{row.done}: {order.number}."]
    assert stages(order) == [row.stage]
    assert order.events.latest("pk").kind == row.event
    parcel = order.shipments.get()
    assert {name for name in ("dispatched_at", "delivered_at") if getattr(parcel, name)} == {
        each.date_field for each in way if each.date_field
    }


@each_stage
def test_the_sheets_are_printed_for_those_who_still_need_them(staff: Client, row: ParcelStage):
    order = order_at(row.stage)
    answers = {sheet: take(staff, sheet.action, order) for sheet in (PICK_LIST, PACKING_SLIPS)}
    printed = {sheet for sheet, answer in answers.items() if not answer.redirect_chain}
    needed = [(PICK_LIST, row.sheet == PICK_LIST), (PACKING_SLIPS, not row.has_left)]
    assert printed == {sheet for sheet, is_needed in needed if is_needed}


@each_stage
def test_its_customer_reads_where_it_is(row: ParcelStage):
    order = Order.objects.get(pk=order_at(row.stage).pk)
    assert order.fulfilment_status == row.progress.fulfilment_status
    assert status.get_customer_status_label(order) == (row.progress.words or "Approved")
    (story,) = build_timelines(order)
    furthest = [step for step in story.steps if step.state in ("now", "done")][-1]
    assert row.milestone or row.meanwhile, "its customer would not know"
    assert (furthest.title == row.milestone) if row.milestone else furthest.text.endswith(row.advice or row.meanwhile)
    assert len(story.steps) == 1 + sum(bool(each.milestone) for each in ROAD)


def test_the_menu_has_the_steps_in_the_order_of_the_road():
    names = [getattr(action, "__name__", "") for action in OrderAdmin.actions]
    assert names[: len(EVERY_STAGE)] == [row.button.action for row in EVERY_STAGE]
