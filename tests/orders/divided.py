"""Orders of three scarves and three kettles, of which staff put some into a parcel of their own."""

from datetime import date

import pytest

from orders.fulfilment import dividing, transitions, undoing
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, Order, Shipment
from orders.timeline import build_timelines
from tests import builders
from tests.delays.late import DAY, TODAY, fresh, order_due, ship
from tests.delays.two_parcels import approve, get_kettle, get_scarf

FAR = TODAY() + 40 * DAY
OWN = "Some of it in a parcel of its own"  # staff's word for the step, and the buyer's


def three_of_each(by_on: date = FAR, **fields) -> Order:
    """Approved: three scarves and three kettles, all here, in one parcel."""
    builders.tax_rate()
    goods = [builders.product(title, price="10.00", on_hand=9).variants.get() for title in ("Scarf", "Kettle")]
    order = order_due(by_on, *goods, quantity=3, **fields)
    approve(order)
    return fresh(order)


def list_live(order: Order) -> list[Shipment]:
    return list(order.shipments.exclude(stage=Shipment.Stage.CANCELLED).order_by("pk"))


def divide(order: Order, *, scarves: int = 0, kettles: int = 0, seen: int | None = None, of: int = 0) -> Shipment:
    """Out of its oldest parcel, or the one that is so much younger."""
    parcel = list_live(order)[of]
    wanted = {get_scarf(order).pk: scarves, get_kettle(order).pk: kettles}
    seen = dividing.count_pieces(parcel) if seen is None else seen
    return dividing.divide_parcel(parcel.pk, wanted, actor="Sam", seen_count=seen)


def take_back(order: Order) -> str:
    last = undoing.find_last_step(fresh(order))
    assert last is not None
    return undoing.take_back_step(order.pk, actor="Kit", seen=last.event.pk).name


def list_contents(order: Order) -> list[dict[str, int]]:
    return [dict(parcel.lines.values_list("order_line__title", "quantity")) for parcel in list_live(order)]


def send(parcel: Shipment) -> None:
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    ship(parcel.pk)


def deliver(parcel: Shipment) -> None:
    transitions.mark_shipment_delivered(parcel.pk, actor="Sam")


def facts(order: Order) -> tuple[object, ...]:
    inside = order.shipments.order_by("pk", "lines__pk").values_list("stage", "lines__order_line", "lines__quantity")
    return list(inside), order.events.count(), list(Allocation.objects.order_by("pk").values())


def list_titles(order: Order) -> list[list[str]]:
    return [[step.title for step in story.steps] for story in build_timelines(fresh(order))]


def says_no(order: Order, why: str, **asked) -> bool:
    """Refused with that sentence, and nothing has changed."""
    before = facts(order)
    with pytest.raises(TransitionRefused, match=why):
        divide(order, **asked)
    return facts(order) == before
