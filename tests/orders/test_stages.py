"""The table of stages: a stage that is half made stops the shop before it starts."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import TextChoices

from accounts.consent import purposes
from notifications.topics import TOPICS
from orders import stage_checks
from orders.importing import staging
from orders.models import Order, OrderEvent, Shipment
from orders.stage_checks import find_stage_faults
from orders.stages import ON_ITS_WAY, ROAD, ParcelStage, StaffButton
from shop import checks, start

Stage = Shipment.Stage
Road = list[ParcelStage]
PICKING, PICKED, PACKED = (
    next(place for place, row in enumerate(ROAD) if row.stage == stage)
    for stage in (Stage.PICKING, Stage.PICKED, Stage.PACKED)
)
LAST = len(ROAD) - 1


# The choices after somebody added one and went home.
MoreStages = TextChoices("MoreStages", [*((each.name, each.value) for each in Stage), ("INSPECTED", "inspected")])


def changed(at: int, **fields) -> Callable[[Road], Road]:
    """The road with one row made otherwise."""
    return lambda road: [*road[:at], replace(road[at], **fields), *road[at + 1 :]]


def without(at: int) -> Callable[[Road], Road]:
    return lambda road: [*road[:at], *road[at + 1 :]]


def with_one_more(**fields) -> Callable[[Road], Road]:
    """A stage after picked that is in the table alone."""
    return lambda road: [*road[: PICKED + 1], replace(road[PICKED], **fields), *road[PICKED + 1 :]]


HALF_MADE = {
    "a choice without a row": (without(PICKING), "picking is a choice and has no row"),
    "a row without a choice": (
        with_one_more(stage="inspected"),
        "inspected has a row in orders.stages and is no choice",
    ),
    "nothing leads to it": (changed(PICKED, follows=frozenset()), "picked follows no stage before it"),
    "it follows what comes later": (
        changed(PICKED, follows=frozenset({Stage.WAITING, Stage.PACKED})),
        "picked follows a stage that is not before it",
    ),
    "nothing leads on": (
        changed(PACKED + 1, is_end=False, follows=frozenset({Stage.PICKED})),
        "packed has no stage after it",
    ),
    "nobody's queue": (changed(PICKED, queue=None), "picked has no queue"),
    "a queue of the finished": (changed(LAST, queue=("done", "Done")), "delivered has a queue"),
    "a queue in two places": (changed(PACKED, queue=("pick", "To pick")), "Two stages have the queue"),
    "not in the timeline": (changed(PICKING, meanwhile=""), "picking is not in the customer's timeline"),
    "a verb that is not there": (changed(PICKED, verb="inspect_shipment"), "picked is reached by inspect_shipment"),
    "an event that is not there": (
        changed(PICKED, event="shipment_inspected"),
        "picked records an event that there is not",
    ),
    "another's event": (changed(PICKED, event=OrderEvent.Kind.PACKED), "Two stages have the event shipment_packed"),
    "another's button": (changed(PICKED, button=StaffButton("ship", "Ship")), "Two stages have the action ship"),
    "a field no parcel has": (changed(PICKED, date_field="picked_at"), "picked sets picked_at, which no parcel has"),
    "a field no order has": (changed(PICKED, due_field="picks_on"), "picked is due by picks_on, which no order has"),
    "a standing nothing leads to": (changed(LAST, progress=ON_ITS_WAY), "No stage leads to delivered"),
}


def test_the_road_is_whole():
    assert find_stage_faults(ROAD) == []
    assert checks.check_order_stages(None) == []


@pytest.mark.parametrize("case", HALF_MADE)
def test_a_stage_that_is_half_made_is_named(case):
    change, fault = HALF_MADE[case]
    found = find_stage_faults(change(list(ROAD)))
    assert any(fault in each for each in found), found


@pytest.mark.parametrize("at", range(len(ROAD)))
def test_no_stage_can_be_forgotten(at):
    found = find_stage_faults(without(at)(list(ROAD)))
    assert f"The stage {ROAD[at].stage} is a choice and has no row in orders.stages." in found


def test_the_shop_does_not_start_with_a_choice_that_nobody_finished(monkeypatch):
    monkeypatch.setattr(stage_checks.Shipment, "Stage", MoreStages)
    [found] = checks.check_order_stages(None)
    assert (found.id, found.msg) == ("shop.E008", "The stage inspected is a choice and has no row in orders.stages.")


def test_a_stage_whose_news_no_mail_tells_is_found(monkeypatch):
    monkeypatch.setattr(checks, "TOPICS", {key: topic for key, topic in TOPICS.items() if key != "order_packed"})
    [found] = checks.check_order_stages(None)
    assert (found.id, "packed" in found.msg) == ("shop.E008", True)


def test_switches_in_another_order_than_the_stages_are_found(monkeypatch):
    monkeypatch.setattr(purposes, "NEWS_OF_ORDERS", purposes.NEWS_OF_ORDERS[::-1])
    [found] = checks.check_order_stages(None)
    assert (found.id, "order of orders.stages" in found.msg) == ("shop.E008", True)


def test_news_of_a_stage_under_another_switch_than_its_own_is_found(monkeypatch):
    other = replace(TOPICS["order_packed"], purpose=purposes.MAIL_ORDER_PICKED)
    monkeypatch.setattr(checks, "TOPICS", TOPICS | {other.key: other})
    assert {found.id for found in checks.check_order_stages(None)} == {"shop.E008"}


def test_an_import_writes_no_stage_standing_or_event_that_there_is_not():
    text = staging._ORDERS + staging._SHIPMENTS + staging._EVENTS
    written = {word for word in re.findall(r"'([a-z]+(?:_[a-z]+)*)'", text) if len(word) > 2}
    known = {*Stage.values, *OrderEvent.Kind.values, *Order.Status.values, *Order.FulfilmentStatus.values}
    known |= {*Order.PaymentStatus.values, *Order.Source.values}
    assert written <= known
    assert {"dispatched", "delivered", "shipment_dispatched", "shipment_delivered"} <= written


def test_a_web_process_refuses_a_half_made_stage_and_says_what_it_lacks(monkeypatch):
    start.refuse_half_made_tables()
    monkeypatch.setattr(stage_checks.stages, "ROAD", ROAD[:-1])
    with pytest.raises(ImproperlyConfigured, match="delivered"):
        start.refuse_half_made_tables()
