"""What staff do with orders, one or many at a time, always through the domain's own verbs.

A step is tried on every chosen order; what a verb refuses is said, order by order, and the rest goes on.
"""

from collections.abc import Callable, Iterable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import AccessKind
from orders.admin.action_pages import log_order_access
from orders.fulfilment import queue, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Shipment
from orders.payments.checkout_sessions import RefundRefused
from orders.stages import ROAD, ParcelStage

APPROVED = ROAD[0]
StepAction = Callable[[admin.ModelAdmin, HttpRequest, QuerySet[Order]], None]
NUMBERS_NAMED = 5  # more are counted


def get_actor_name(request: HttpRequest) -> str:
    """Who is at work, as the order's history names them."""
    user = request.user
    return str(user) if user.is_authenticated else ""


def try_each_order(
    request: HttpRequest, orders: Iterable[Order], step: Callable[[Order], object], *, done: str
) -> None:
    """Tries `step` on each order; it may raise a refusal."""
    succeeded: list[Order] = []
    refused: list[str] = []
    for order in orders:
        try:
            step(order)
        except (TransitionRefused, RefundRefused) as refusal:
            refused.append(str(refusal))
        else:
            succeeded.append(order)
    for words in refused:
        messages.error(request, words)
    if not succeeded and not refused:
        messages.warning(request, "Nothing was done: what you chose is no longer in this queue.")
    if succeeded:
        log_order_access(request, succeeded, what=AccessKind.CHANGE, detail=done)
        messages.success(request, f"{done}: {_join_order_numbers([order.number for order in succeeded])}.")


def _join_order_numbers(numbers: list[str]) -> str:
    distinct = list(dict.fromkeys(numbers))
    return ", ".join(distinct) if len(distinct) <= NUMBERS_NAMED else f"{len(distinct)} orders"


def _apply_to_parcels(
    request: HttpRequest,
    orders: QuerySet[Order],
    verb: Callable[[int], object],
    *,
    stages: Iterable[Shipment.Stage],
    done: str,
) -> None:
    """Takes the step with every parcel that stands at one of `stages`."""
    at_stage = set(stages)

    def step(order: Order) -> None:
        parcels = list(order.shipments.all())
        standings = queue.list_standings(parcels)
        ready = [parcel.pk for parcel, standing in zip(parcels, standings, strict=True) if standing in at_stage]
        if not ready:
            raise TransitionRefused(_explain_nothing_ready(order, standings))
        for pk in ready:
            verb(pk)

    try_each_order(request, orders, step, done=done)


def _explain_nothing_ready(order: Order, stages: list[str]) -> str:
    if not stages:
        state = "is not approved yet" if order.status == Order.Status.CONFIRMED else "has no parcel"
        return f"{order.number} {state}."
    if queue.AWAITS_GOODS in stages:
        return f"{order.number} waits for goods that are not here yet: receive them first."
    now = ", ".join(Shipment.Stage(stage).label.lower() for stage in dict.fromkeys(stages))
    return f"{order.number} is “{now}”; that step does not follow."


@admin.action(description=APPROVED.button.label, permissions=["change"])
def approve(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    try_each_order(
        request,
        orders,
        lambda order: transitions.approve_order(order.pk, actor=get_actor_name(request)),
        done=APPROVED.done,
    )


@admin.action(description="Release", permissions=["change"])
def release(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    """Somebody has looked into why the orders are on hold: they go on."""
    try_each_order(
        request,
        orders,
        lambda order: transitions.release_order_from_hold(order.pk, actor=get_actor_name(request)),
        done="Released",
    )


def make_step_action(row: ParcelStage) -> StepAction:
    """Takes parcels to a stage, by its verb, from those stages that it follows."""
    verb = getattr(transitions, row.verb)

    @admin.action(description=row.button.label, permissions=["change"])
    def take_step(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
        details = {"actor": get_actor_name(request)} | (_read_note(request) if row.button.asks_note else {})
        _apply_to_parcels(request, orders, lambda pk: verb(pk, **details), stages=row.follows, done=row.done)

    take_step.__name__ = row.button.action
    return take_step


def _read_note(request: HttpRequest) -> dict[str, str]:
    """The packer's note, signed with their first name, comes from the order's own page only."""
    note = request.POST.get("note", "").strip()[:280]
    return {"note": note, "packed_by": getattr(request.user, "first_name", "")}
