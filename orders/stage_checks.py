"""What makes a stage whole: found before the shop starts, so that no parcel stands where nobody looks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

from orders import stages
from orders.fulfilment import transitions
from orders.models import Order, OrderEvent, Shipment
from orders.stages import ParcelStage


def find_stage_faults(road: Sequence[ParcelStage]) -> list[str]:
    """What is missing or contradicts itself, a sentence each; empty for a road that is whole."""
    by_row = (f"The stage {row.stage!s} {fault}." for row in road for fault in _find_row_faults(row, road))
    return [*_find_table_faults(road), *by_row]


def find_counter_faults() -> list[str]:
    """The same of what follows packed where an order is collected."""
    rows = stages.AT_THE_COUNTER
    return [f"The stage {row.stage!s} {fault}." for row in rows for fault in _find_row_faults(row, stages.PICKUP_ROAD)]


def _find_table_faults(road: Sequence[ParcelStage]) -> list[str]:
    at_the_counter = {row.stage for row in stages.AT_THE_COUNTER}
    rows, choices = {row.stage for row in road}, set(Shipment.Stage) - stages.OFF_THE_ROAD - at_the_counter
    faults = [f"The stage {stage!s} is a choice and has no row in orders.stages." for stage in choices - rows]
    faults += [f"The stage {stage!s} has a row in orders.stages and is no choice." for stage in rows - choices]
    for what, values in {
        "stage": [str(row.stage) for row in road],
        "event": [str(row.event) for row in road],
        "action": [row.button.action for row in road],
        "queue, with another between them,": _list_queue_keys(road),
    }.items():
        faults += [f"Two stages have the {what} {value}." for value in _list_repeated(values)]
    beside = {*stages.PARTLY_STATUSES, stages.READY_TO_COLLECT.fulfilment_status}
    reached = {row.progress.fulfilment_status for row in road} | beside
    return [*faults, *(f"No stage leads to {status!s}." for status in set(Order.FulfilmentStatus) - reached)]


def _find_row_faults(row: ParcelStage, road: Sequence[ParcelStage]) -> list[str]:
    earlier = {each.stage for each in road[: road.index(row)]}
    is_first = row is road[0]
    demands = {
        "follows no stage before it": is_first or bool(row.follows),
        "follows a stage that is not before it": row.follows <= earlier,
        "has no stage after it": row.is_end or any(row.stage in each.follows for each in road),
        "has no queue, so nobody would see its parcels": row.is_end or bool(row.queue),
        "has a queue, and nothing is left to do": not (row.is_end and row.queue),
        "is not in the customer's timeline": bool(row.milestone or row.meanwhile),
        "records an event that there is not": row.event in set(OrderEvent.Kind),
        f"is reached by {row.verb}, which orders.fulfilment.transitions has not": hasattr(transitions, row.verb),
        f"sets {row.date_field}, which no parcel has": _has_field(Shipment, row.date_field),
        f"is due by {row.due_field}, which no order has": _has_field(Order, row.due_field),
    }
    return [fault for fault, is_met in demands.items() if not is_met]


def _list_queue_keys(road: Sequence[ParcelStage]) -> list[str]:
    """Each once, of stages that stand next to each other."""
    named = [*groupby(row.queue for row in road), *groupby(row.pickup_queue for row in road)]
    return [queue[0] for queue, _ in named if queue]


def _list_repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _has_field(model: type[Model], name: str) -> bool:
    try:
        return not name or bool(model._meta.get_field(name))  # noqa: SLF001  (Django's documented way to ask)
    except FieldDoesNotExist:
        return False
