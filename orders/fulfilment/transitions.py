"""From a paid order to the doorstep: what staff do, each step under the order's lock and with its event.

Each verb takes fresh rows by id, checks the road (`orders.stages`), and raises `TransitionRefused` with a sentence for
people when the step does not follow. `actor` names who did it, such as "Sam" or "rule".
"""

import secrets
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from orders import events, stages, status
from orders.carriers import get_carrier_name
from orders.carriers.tracking_numbers import get_bare_number
from orders.fulfilment import holds
from orders.fulfilment.release import close_allocation, get_open_allocations
from orders.locks import lock_number, lock_order, lock_shipment
from orders.models import Allocation, Order, OrderEvent, Refund, Shipment, ShipmentLine, ShopSettings, StripeRecord
from orders.models.shipment import copy_address
from shop.catalog import stock

Stage = Shipment.Stage
Kind = OrderEvent.Kind
BY_SCAN = "by_scan"  # in the data of an event that no person made
TRIED_ON = "tried_on"  # there, of a carrier that tried to deliver: the day of it


class TransitionRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """The step does not follow from where things stand; the message says why, for people."""


@transaction.atomic
def approve_order(order_id: int, *, actor: str) -> Order:
    """Accepts a paid order: its parcels come into being, one per store that the goods were promised from."""
    order = lock_order(order_id)
    if order.status != Order.Status.CONFIRMED:
        raise TransitionRefused(f"{order.number} is not a paid, open order.")
    if order.approved_at:
        raise TransitionRefused(f"{order.number} was approved already.")
    _refuse_while_on_hold(order)
    if not _create_shipments(order):
        raise TransitionRefused(f"Nothing is set aside for {order.number}: there would be no parcel.")
    order.approved_at = timezone.now()
    order.save(update_fields=["approved_at"])
    events.record_order_event(order, Kind.APPROVED, actor=actor)
    status.recalculate(order)
    return order


def _create_shipments(order: Order) -> int:
    """A parcel per store; two where the buyer wants each part as it is ready, and some of it is still to come."""
    promised = list(get_open_allocations(order).select_related("record", "order_line__product"))
    by_parcel: dict[tuple[int, bool], list[Allocation]] = defaultdict(list)
    for item in promised:
        by_parcel[item.record.store_id, order.ships_as_ready and is_to_come(item)].append(item)
    for (store_id, _), allocations in sorted(by_parcel.items()):
        shipment = Shipment.objects.create(order=order, store_id=store_id, carrier=order.carrier)
        ShipmentLine.objects.bulk_create(
            ShipmentLine(shipment=shipment, order_line_id=item.order_line_id, quantity=item.quantity)
            for item in allocations
        )
    return len(by_parcel)


def is_to_come(item: Allocation) -> bool:
    """Not on the shelf yet, or not out yet. For many, select `order_line__product`."""
    product = item.order_line.product
    is_unreleased = bool(product and product.released_on and product.released_on > timezone.localdate())
    return item.awaits_goods or is_unreleased


def start_picking_shipment(shipment_id: int, *, actor: str) -> Shipment:
    return _advance_shipment(shipment_id, Stage.PICKING, actor=actor)


def mark_shipment_picked(shipment_id: int, *, actor: str) -> Shipment:
    return _advance_shipment(shipment_id, Stage.PICKED, actor=actor)


@transaction.atomic
def mark_shipment_packed(
    shipment_id: int,
    *,
    actor: str,
    note: str = "",
    packed_by: str = "",
    weight_grams: int | None = None,
    box_count: int = 1,
    is_scanned: bool = False,
) -> Shipment:
    """`note`: a line to the customer from whoever packed it, shown on the order and signed `packed_by`.

    `is_scanned`: everything in it was scanned (`orders.fulfilment.packing`). A parcel that somebody is scanning closes
    no other way, and none does where staff's settings say so.
    """
    shipment = lock_shipment(shipment_id)
    if not is_scanned and shipment.stage in stages.get_stage(Stage.PACKED).follows:
        _refuse_unscanned(shipment)
    return _advance_shipment(
        shipment_id,
        Stage.PACKED,
        actor=actor,
        packing_note=note,
        packed_by=packed_by,
        weight_grams=weight_grams,
        box_count=box_count,
        packer=None,
        packing_begun_at=None,
    )


def _refuse_unscanned(shipment: Shipment) -> None:
    number = shipment.order.number
    if shipment.packer is not None:
        raise TransitionRefused(f"{number}: {shipment.packer} is packing it. It closes on its packing page.")
    if ShopSettings.current().packs_by_scanning:
        raise TransitionRefused(f"{number}: each thing in a parcel is scanned. It closes on its packing page.")


def mark_shipment_ready(shipment_id: int, *, actor: str) -> Shipment:
    """It lies at the counter of the store where its buyer collects it."""
    return _advance_shipment(shipment_id, Stage.READY, actor=actor)


@transaction.atomic
def hand_over_shipment(shipment_id: int, *, actor: str, code: str) -> Shipment:
    """To whoever says the order's code, once: promised stock becomes gone stock. Case and spaces do not matter."""
    shipment = lock_shipment(shipment_id)
    number, wanted = shipment.order.number, shipment.order.pickup_code
    said = "".join(each for each in code.upper() if each.isalnum())
    if shipment.stage == Stage.READY and not (wanted and secrets.compare_digest(said.encode(), wanted.encode())):
        raise TransitionRefused(f"{number}: that is not its code. Nothing was handed over; ask for the code again.")
    handed = _advance_shipment(shipment_id, Stage.COLLECTED, actor=actor)
    _consume_stock(handed, actor=actor)
    return handed


def dispatch_shipment(
    shipment_id: int, *, actor: str, carrier: str, tracking_number: str, may_share_number: bool = False
) -> Shipment:
    """The parcel leaves: promised stock becomes gone stock. Refused when the shelf never held it (a backorder).

    `tracking_number`: "" where there is none. One that another parcel has is refused unless it `may_share_number`.
    """
    try:
        with transaction.atomic():
            shipment = _advance_shipment(
                shipment_id,
                Stage.DISPATCHED,
                actor=actor,
                carrier=carrier,
                tracking_number=tracking_number,
                is_untracked=not tracking_number,
            )
            _check_number(shipment, may_share=may_share_number)
            _consume_stock(shipment, actor=actor)
    except IntegrityError as error:
        number = Shipment.objects.values_list("order__number", flat=True).get(pk=shipment_id)
        raise TransitionRefused(f"{number} holds goods that are not in stock yet: receive them first.") from error
    return shipment


@transaction.atomic
def correct_shipment_tracking(
    shipment_id: int,
    *,
    actor: str,
    carrier: str,
    tracking_number: str,
    seen: tuple[str, str] | None = None,
    may_share_number: bool = False,
) -> Shipment:
    """Puts right what a parcel that has left is followed by. The event keeps the old and the new; no mail goes.

    `tracking_number` and `may_share_number`: as for `dispatch`. `seen`: the carrier and number shown to whoever
    corrects them; refused when they have changed since.
    """
    shipment = lock_shipment(shipment_id)
    before, after = (shipment.carrier, shipment.tracking_number), (carrier, tracking_number)
    number = shipment.order.number
    if shipment.stage not in stages.CARRIED_STAGES:
        raise TransitionRefused(f"{number} has not left: its carrier and number are asked for by “Ship”.")
    if seen is not None and seen != before:
        raise TransitionRefused(f"{number}: the carrier or number was corrected meanwhile. Look again.")
    if after == before and shipment.is_untracked == (not tracking_number):
        raise TransitionRefused(f"{number}: that is the carrier and number it has already.")
    shipment.carrier, shipment.tracking_number = after
    shipment.is_untracked = not tracking_number
    shipment.followed_at, shipment.tracker_reference = None, ""
    shipment.save(update_fields=["carrier", "tracking_number", "is_untracked", "followed_at", "tracker_reference"])
    is_another = get_bare_number(before[1]) != get_bare_number(tracking_number)
    _check_number(shipment, may_share=may_share_number or not is_another)
    was, now_is = (f"{get_carrier_name(who)} {what or 'without a number'}".strip() for who, what in (before, after))
    events.record_order_event(
        shipment.order, Kind.TRACKING_CORRECTED, shipment=shipment, actor=actor, reason=f"{was} became {now_is}"
    )
    return shipment


@transaction.atomic
def set_tracking_page(shipment_id: int, *, actor: str, address: str) -> Shipment:
    """Where a parcel that has left is followed, if not at its carrier's usual page; "" takes it off. No mail goes."""
    shipment = lock_shipment(shipment_id)
    number = shipment.order.number
    if shipment.stage not in stages.CARRIED_STAGES:
        raise TransitionRefused(f"{number} has not left: there is nothing to follow yet.")
    if shipment.tracking_page == address:
        raise TransitionRefused(f"{number}: that is the tracking page it has already.")
    shipment.tracking_page = address
    shipment.save(update_fields=["tracking_page"])
    reason = "Another tracking page" if address else "The tracking page was taken off"
    events.record_order_event(shipment.order, Kind.TRACKING_CORRECTED, shipment=shipment, actor=actor, reason=reason)
    return shipment


def _check_number(shipment: Shipment, *, may_share: bool) -> None:
    """After it is written, so that of two who write the same number at once the second sees the first's."""
    if not shipment.tracking_number or may_share:
        return
    lock_number(shipment.tracking_number)
    other = Shipment.objects.numbered(shipment.tracking_number).exclude(pk=shipment.pk).select_related("order").first()
    if other is not None:
        raise TransitionRefused(
            f"{shipment.order.number}: nothing was changed, because {other.order.number} has the tracking number "
            f"{shipment.tracking_number} already. If that is right, type it again and say so."
        )


def _consume_stock(shipment: Shipment, *, actor: str) -> None:
    """Of each line what the parcel holds: the rest of it may lie in another."""
    inside = dict(shipment.lines.values_list("order_line", "quantity"))
    for item in get_open_allocations(shipment.order).filter(order_line__in=inside, record__store=shipment.store_id):
        count = min(item.quantity, inside[item.order_line_id])
        stock.consume_allocation(item.record_id, quantity=count, reference=shipment.order.number, actor=actor)
        close_allocation(item, count, consumed_at=timezone.now())


def mark_shipment_in_transit(shipment_id: int, *, actor: str) -> Shipment:
    return _advance_shipment(shipment_id, Stage.IN_TRANSIT, actor=actor)


def mark_shipment_out_for_delivery(shipment_id: int, *, actor: str) -> Shipment:
    return _advance_shipment(shipment_id, Stage.OUT_FOR_DELIVERY, actor=actor)


def mark_delivery_failed(shipment_id: int, *, actor: str) -> Shipment:
    return _advance_shipment(shipment_id, Stage.FAILED_ATTEMPT, actor=actor)


def mark_shipment_undeliverable(shipment_id: int, *, actor: str) -> Shipment:
    return _advance_shipment(shipment_id, Stage.UNDELIVERABLE, actor=actor)


def mark_shipment_returned(shipment_id: int, *, actor: str) -> Shipment:
    return _advance_shipment(shipment_id, Stage.RETURNED, actor=actor)


def mark_shipment_back(shipment_id: int, *, actor: str) -> Shipment:
    """It is with us again. Its goods are not put back into stock, nor is money given back: staff see to both."""
    return _advance_shipment(shipment_id, Stage.BACK, actor=actor)


def mark_shipment_delivered(shipment_id: int, *, actor: str) -> Shipment:
    return _advance_shipment(shipment_id, Stage.DELIVERED, actor=actor)


@transaction.atomic
def move_shipment_by_scan(
    shipment_id: int,
    to_stage: Shipment.Stage,
    *,
    actor: str,
    delivered_at: datetime | None = None,
    tried_on: date | None = None,
) -> Shipment:
    """Brings a parcel that has left to where all its scans say it is, from wherever it was thought to be.

    `delivered_at`: the carrier's own moment. It may change, or be taken back, without the stage being reached anew.
    `tried_on`: the day on which the carrier tried to deliver it, where that is what it did.
    """
    shipment = lock_shipment(shipment_id)
    if shipment.stage not in stages.CARRIED_STAGES:
        raise TransitionRefused(_explain_stage_refusal(shipment, to_stage))
    if shipment.stage != to_stage:
        told = {BY_SCAN: True} | _tell_day(tried_on)
        return _reach_stage(shipment, to_stage, actor=actor, told=told, delivered_at=delivered_at)
    shipment.delivered_at = delivered_at
    shipment.save(update_fields=["delivered_at"])
    return shipment


def record_attempt(shipment: Shipment, tried_on: date, *, actor: str) -> None:
    """The carrier tried again, and could not again: the parcel stays where it is. Call it under the parcel's lock."""
    told = {BY_SCAN: True} | _tell_day(tried_on)
    events.record_order_event(shipment.order, OrderEvent.Kind.DELIVERY_FAILED, shipment=shipment, actor=actor, **told)


def _tell_day(tried_on: date | None) -> dict[str, object]:
    return {TRIED_ON: tried_on.isoformat()} if tried_on else {}


@transaction.atomic
def _advance_shipment(shipment_id: int, to_stage: Shipment.Stage, *, actor: str, **changes: object) -> Shipment:
    shipment = lock_shipment(shipment_id)
    reached = stages.get_stage(to_stage)
    if shipment.stage not in reached.follows:
        raise TransitionRefused(_explain_stage_refusal(shipment, to_stage))
    if reached not in stages.get_road(shipment.order):
        raise TransitionRefused(_explain_other_road(shipment))
    if not stages.get_stage(shipment.stage).has_left:
        _refuse_while_on_hold(shipment.order)
        _refuse_while_goods_are_awaited(shipment)
    if reached.date_field:
        changes[reached.date_field] = timezone.now()
    if to_stage == Stage.DISPATCHED:
        changes["went_to"] = copy_address(shipment.order)
    return _reach_stage(shipment, to_stage, actor=actor, told={}, **changes)


def _explain_other_road(shipment: Shipment) -> str:
    order = shipment.order
    if order.pickup_store is not None:
        return f"{order.number} is collected at {order.pickup_store}, and not shipped."
    return f"{order.number} is shipped: nobody comes to collect it."


def _reach_stage(
    shipment: Shipment, to_stage: Shipment.Stage, *, actor: str, told: Mapping[str, object], **changes: object
) -> Shipment:
    """Writes it down, under the lock. `told`: what its event says besides.

    What its buyer denied was that it had come: once nobody says so any more, that is no question either.
    """
    shipment.stage, shipment.denied_at = to_stage, None
    for name, value in changes.items():
        setattr(shipment, name, value)
    shipment.save(update_fields=["stage", "denied_at", *changes])
    order = shipment.order
    events.record_order_event(order, stages.get_stage(to_stage).event, shipment=shipment, actor=actor, **told)
    status.recalculate(order)
    _complete_when_delivered(order)
    return shipment


def _complete_when_delivered(order: Order) -> None:
    """An order is complete while every parcel is with its buyer; one that is on its way back opens it again."""
    is_delivered = order.fulfilment_status == Order.FulfilmentStatus.DELIVERED
    fitting = Order.Status.COMPLETED if is_delivered else Order.Status.CONFIRMED
    if order.status in (Order.Status.CONFIRMED, Order.Status.COMPLETED) and order.status != fitting:
        order.status = fitting
        order.save(update_fields=["status"])


@transaction.atomic
def release_order_from_hold(order_id: int, *, actor: str) -> Order:
    """Staff have looked: an order on hold goes on in spite of what stands. Something new puts it on hold again."""
    order = lock_order(order_id)
    if not order.hold:
        raise TransitionRefused(f"{order.number} is not on hold.")
    standing = StripeRecord.objects.filter(payment__order=order, cleared_at=None)
    standing.update(cleared_at=timezone.now(), cleared_by=actor)
    given_back = Refund.objects.filter(payment__order=order, cleared_at=None).exclude(status=Refund.Status.FAILED)
    given_back.update(cleared_at=timezone.now(), cleared_by=actor)
    order.unsure_at = order.withdrawn_at = None
    order.save(update_fields=["unsure_at", "withdrawn_at"])
    events.record_order_event(order, Kind.RELEASED, actor=actor)
    status.recalculate(order)
    return order


def _refuse_while_on_hold(order: Order) -> None:
    if order.hold:
        raise TransitionRefused(f"{order.number} is on hold. {holds.explain_hold(order)}")


def _refuse_while_goods_are_awaited(shipment: Shipment) -> None:
    if shipment.stage == Stage.WAITING and Shipment.objects.awaiting().filter(pk=shipment.pk).exists():
        raise TransitionRefused(f"{shipment.order.number} waits for goods that are not here yet: receive them first.")


def _explain_stage_refusal(shipment: Shipment, to_stage: Shipment.Stage) -> str:
    number, now = shipment.order.number, shipment.get_stage_display().lower()
    if shipment.stage == to_stage:
        return f"{number} is “{now}” already."
    return f"{number} is “{now}”; it cannot become “{to_stage.label.lower()}” from there."
