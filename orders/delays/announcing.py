"""Telling a buyer of a later day: the notice, the order's new days and the event are one transaction, under its lock.

The order carries the days that hold now, so that every page and mail says the same; what was promised first stays in
`Order.first_promised_by_on`.
"""

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders import events, line_cancellation, pickup, shop_terms, stages, status
from orders.delays import road
from orders.delays.order_parts import OrderPart, find_part
from orders.delays.prediction import Slip, compute_arrival
from orders.delays.silence import Silence, decide_silence
from orders.events import RULE
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import DelayNotice, Order, OrderEvent, Refund, Shipment, ShippingMethod
from orders.payments import checkout_sessions
from orders.promise import Promise
from orders.shop_terms import Terms

Reason, Rule = DelayNotice.Reason, DelayNotice.Rule
CHOICES = (Rule.SILENCE_WAITS, Rule.SILENCE_CANCELS)
ENDED_REASON = "We cannot keep the day that mattered to you. We are sorry."


def announce_delay(
    order_id: int,
    slip: Slip,
    *,
    seen_by_on: date | None,
    shipment_id: int | None = None,
    is_of_first: bool = False,
) -> DelayNotice | None:
    """What was predicted, told. `seen_by_on`: the promised day it was predicted from; `shipment_id`: of the parcel on
    the road that it was predicted of; `is_of_first`: it is about the first parcel of two.

    None where that is no longer so: it was told meanwhile, has left or lies ready, was called off or put on hold, or
    its carrier says something else by now.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        part = find_part(order, is_first=is_of_first)
        if not _is_open(order) or part.by_on != seen_by_on or part.is_done != slip.has_left or part.is_gone:
            return None
        parcel = order.shipments.filter(pk=shipment_id).first() if shipment_id else None
        if parcel and not road.is_still_so(parcel, slip):
            return None
        notice, refund = _write_notice(order, slip, part, actor=RULE, words="", parcel=parcel)
    if refund:
        checkout_sessions.try_send_refund(refund.pk)
    return notice


def set_later_day(order_id: int, *, leaves_on: date | None, words: str, actor: str) -> DelayNotice:
    """Staff say when it will leave, or lie ready, or with None that nobody knows. Raises `TransitionRefused`."""
    terms = shop_terms.load_terms()
    with transaction.atomic():
        order = lock_order(order_id)
        if not _is_open(order) or order.fulfilment_status in stages.DONE_STATUSES:
            raise TransitionRefused(f"{order.number} is not an open order that is still here.")
        if order.shipping_method is None:
            raise TransitionRefused(f"{order.number} names no way of sending it, so no day can be counted.")
        promised = _compute_new_days(order, order.shipping_method, terms, leaves_on) if leaves_on else None
        _refuse_unless_later(order, promised.by_on if promised else None)
        slip = Slip(Reason.STAFF, promised)
        part = find_part(order, is_first=False)
        notice, refund = _write_notice(order, slip, part, actor=actor, words=words)
    if refund:
        checkout_sessions.try_send_refund(refund.pk)
    return notice


def _compute_new_days(order: Order, method: ShippingMethod, terms: Terms, leaves_on: date) -> Promise | None:
    """What is collected lies ready that day instead, or once the store opens after it; None where it stays shut."""
    calendar = terms.get_order_calendar(order)
    promised = compute_arrival(calendar, method, leaves_on=leaves_on)
    if not order.pickup_store_id:
        return promised
    return pickup.set_ready_again(promised, method, calendar, terms, timezone.now())


@transaction.atomic
def set_date_essential(order_id: int, *, is_essential: bool, actor: str) -> Order:
    """Whether the day matters more than the goods: a delay then ends the order. Raises `TransitionRefused`."""
    order = lock_order(order_id)
    if not _is_open(order) or order.fulfilment_status in stages.DISPATCHED_STATUSES:
        raise TransitionRefused(f"{order.number} is not an open order that is still here.")
    if order.date_is_essential == is_essential:
        raise TransitionRefused(f"{order.number}: that is noted already.")
    order.date_is_essential = is_essential
    order.save(update_fields=["date_is_essential"])
    kind = OrderEvent.Kind.DATE_ESSENTIAL if is_essential else OrderEvent.Kind.DATE_NOT_ESSENTIAL
    events.record_order_event(order, kind, actor=actor)
    return order


def _is_open(order: Order) -> bool:
    return order.status == Order.Status.CONFIRMED and not order.hold


def _refuse_unless_later(order: Order, new_by_on: date | None) -> None:
    before = order.promised_by_on
    if before is None and new_by_on is None:
        raise TransitionRefused(f"{order.number}: its buyer knows already that no day is known.")
    if before is not None and new_by_on is not None and new_by_on <= before:
        then = "it lies ready on" if order.pickup_store_id else "leaving then it arrives by"
        raise TransitionRefused(
            f"{order.number}: {then} {new_by_on:%d %b %Y}, which is no later than was promised. Nothing was changed."
        )


def _write_notice(
    order: Order, slip: Slip, part: OrderPart, *, actor: str, words: str, parcel: Shipment | None = None
) -> tuple[DelayNotice, Refund | None]:
    """The caller holds the order's lock, and sends the refund after it, if there is one."""
    every = list(order.delay_notices.order_by("number"))
    earlier = _filter_earlier(order, every, is_first=part.is_first)
    new_by_on = slip.promised.by_on if slip.promised else None
    silence = _decide(order, part, earlier, new_by_on, has_left=slip.has_left)
    order.delay_notices.filter(is_current=True, is_of_first=part.is_first).update(is_current=False)
    notice = DelayNotice.objects.create(
        order=order,
        shipment=parcel or (part.find_last_sent(order) if slip.has_left else None),
        is_of_first=part.is_first,
        number=len(every) + 1,
        reason=slip.reason,
        words=words,
        actor=actor,
        was_by_on=part.by_on,
        new_by_on=new_by_on,
        rule=silence.rule,
        deadline_on=silence.deadline_on,
    )
    if silence.rule == Rule.ENDS:
        notice.ended_at = timezone.now()
        notice.save(update_fields=["ended_at"])
        return notice, line_cancellation.cancel_what_is_here(
            order, of_first=part.is_first, actor=actor, reason=words or ENDED_REASON
        )
    move = _move_first_days if part.is_first else _move_days
    move(order, slip)
    told = _describe_notice(order, notice) | ({"what": part.titles} if part.titles else {})
    events.record_order_event(order, OrderEvent.Kind.DELAYED, shipment=part.parcel, actor=actor, **told)
    status.recalculate(order)
    return notice, None


def _filter_earlier(order: Order, every: list[DelayNotice], *, is_first: bool) -> list[DelayNotice]:
    """Of that parcel. One that was divided later takes along what was told of the whole, so that its next delay is
    a renewed one.
    """
    divided = order.events.filter(kind=OrderEvent.Kind.SPLIT) if every and is_first else order.events.none()
    divided_at = divided.values_list("created_at", flat=True).last()
    return [each for each in every if each.is_of_first == is_first or (divided_at and each.created_at <= divided_at)]


def _decide(
    order: Order, part: OrderPart, earlier: list[DelayNotice], new_by_on: date | None, *, has_left: bool
) -> Silence:
    told_on = timezone.localdate()
    last = earlier[-1] if earlier else None
    was_by_on = part.by_on or (last.deadline_on if last else None) or told_on
    return decide_silence(
        was_by_on=was_by_on,
        new_by_on=new_by_on,
        told_on=told_on,
        is_renewed=any(each.rule != Rule.HAS_LEFT for each in earlier),
        has_agreed_to_any=_has_agreed_to_any(last, part),
        is_essential=order.date_is_essential,
        has_left=has_left,
    )


def _has_agreed_to_any(last: DelayNotice | None, part: OrderPart) -> bool:
    """They said they would wait when no day was known; a day named since, and then missed, is asked about again: also
    that of the first part of an order that was divided since, which was promised anew.
    """
    if last is None or last.is_of_first != part.is_first:
        return False
    return last.new_by_on is None and last.answer == DelayNotice.Answer.WAIT


def _move_days(order: Order, slip: Slip) -> None:
    """Of two parcels, those of the last: its day is the order's."""
    order.first_promised_by_on = order.first_promised_by_on or order.promised_by_on
    days = slip.promised
    if not slip.has_left:
        order.ships_on = days.ships_on if days else None
    if order.ships_as_ready:
        rest = order.lines.filter(goes_first=False)
        is_marked = order.lines.filter(goes_first=True).exists()
        (rest if is_marked else rest.filter(promised_by_on=order.promised_by_on)).update(
            ships_on=order.ships_on,
            promised_from_on=days.from_on if days else None,
            promised_by_on=days.by_on if days else None,
        )
    order.promised_from_on, order.promised_by_on = (days.from_on, days.by_on) if days else (None, None)
    if order.pickup_store_id:
        order.pickup_ready_at = days.ready_at if days else None
    order.save(
        update_fields=["first_promised_by_on", "ships_on", "promised_from_on", "promised_by_on", "pickup_ready_at"]
    )


def _move_first_days(order: Order, slip: Slip) -> None:
    """Its own lines'; the order's are those of the rest, which may come sooner now."""
    days, lines = slip.promised, order.lines.filter(goes_first=True)
    lines.filter(first_promised_by_on=None).update(first_promised_by_on=F("promised_by_on"))
    if not slip.has_left:
        lines.update(ships_on=days.ships_on if days else None)
    lines.update(
        promised_from_on=days.from_on if days else None,
        promised_by_on=days.by_on if days else None,
    )


def _describe_notice(order: Order, notice: DelayNotice) -> dict[str, Any]:
    """What timeline, order page and mail say of it, without another look at the notice."""
    return {
        "notice": notice.number,
        "why": notice.reason,
        "was": notice.was_by_on.isoformat() if notice.was_by_on else "",
        "by": notice.new_by_on.isoformat() if notice.new_by_on else "",
        "rule": notice.rule,
        "deadline": notice.deadline_on.isoformat() if notice.deadline_on else "",
        "reason": notice.words,
        "is_of_first": notice.is_of_first,
        "is_collected": order.pickup_store_id is not None,
        "ready": order.pickup_ready_at.isoformat() if order.pickup_ready_at else "",
    }
