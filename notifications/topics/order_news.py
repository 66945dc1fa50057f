"""What every mail about an order shares: whom it goes to, what it knows of the order, a sample."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from accounts.models import Customer
from notifications import links
from notifications.models import OutgoingEmail, SkipReason
from notifications.topics.definition import Context, Draft, EmailContext, Topic
from notifications.topics.sample_data import compose_sample, get_sample_order, get_sample_parcel
from orders.arrivals import find_parcel_days, format_arrival, format_arrivals, format_departure, format_departure_day
from orders.carriers import get_carrier_name
from orders.fulfilment.transitions import TRIED_ON
from orders.models import Order, OrderEvent, Shipment
from orders.pickup import describe_pickup

MOST_LISTED = 40  # things; the order's page has them all, and the end of a long mail is cut off


def draft_order_news(topic: Topic, event: OrderEvent) -> Iterator[Draft]:
    """To whoever placed the order. It has one receipt, and a parcel of it leaves once; its carrier may try to deliver
    it on several days.

    A step taken again is told again only where its first news fell, because the step had been taken back by then.
    """
    about = f"shipment:{event.shipment_id}" if event.shipment_id else f"order:{event.order_id}"
    if tried_on := event.data.get(TRIED_ON):
        about = f"{about}:{tried_on}"
    fell = OutgoingEmail.objects.filter(key=f"{topic.key}:{about}", skip_reason=SkipReason.ORDER_CHANGED)
    if topic.purpose and fell.exists():
        about = f"{about}:{event.pk}"
    yield draft_for_buyer(topic, event, about=about)


def draft_for_buyer(topic: Topic, event: OrderEvent, *, about: str) -> Draft:
    """`about`: what there is one such mail for."""
    context = {name: event.data[name] for name in ("amount", "by_bank", "by_hand", "reason") if name in event.data}
    if event.shipment_id:
        context["shipment"] = event.shipment_id
    order = event.order
    return Draft(f"{topic.key}:{about}", topic, order.email, order.customer, order, context)


def build_order_news(letter: EmailContext) -> Context | None:
    """Any step of an order; None when the order is gone."""
    order = letter.email.order
    if order is None:
        return None
    parcel: Shipment | None = letter.named(letter.desk.shipments, "shipment")
    return {
        "order": order,
        "order_url": links.build_order_url(order),
        "first_name": order.full_name.split(" ")[0],
        "has_all_arrived": order.fulfilment_status == Order.FulfilmentStatus.DELIVERED
        and not order.has_denied_delivery,
        "total": order.total_text,
        **_describe_days(order, parcel),
        "pickup": describe_pickup(order, timezone.now()),
        "parcel": _describe_parcel(parcel) if parcel else None,
    }


def compose_stage_sample(customer: Customer, topic: Topic) -> EmailContext:
    order = get_sample_order(customer)
    parcel = get_sample_parcel(order)
    return compose_sample(customer, topic, order=order, context={"shipment": parcel.pk}, shipments={parcel.pk: parcel})


def compose_order_sample(customer: Customer, topic: Topic) -> EmailContext:
    return compose_sample(customer, topic, order=get_sample_order(customer))


def _describe_parcel(parcel: Shipment) -> dict[str, Any]:
    lines = list(parcel.lines.all())
    contents = [
        f"{line.quantity} × {line.order_line.title}"
        + (f" ({line.order_line.options})" if line.order_line.options else "")
        for line in lines[:MOST_LISTED]
    ]
    if len(lines) > MOST_LISTED:
        contents.append(f"and {len(lines) - MOST_LISTED} more")
    return {
        "contents": contents,
        "carrier": get_carrier_name(parcel.carrier) if parcel.carrier else "",
        "boxes": parcel.boxes_text,
        "tracking_number": parcel.tracking_number,
        "is_untracked": parcel.is_untracked,
        "note": parcel.packing_note,
        "note_by": parcel.packed_by,
    }


def _describe_days(order: Order, parcel: Shipment | None) -> dict[str, str]:
    """When it leaves and comes: the parcel, where the mail is about one."""
    today = timezone.localdate()
    if order.pickup_store_id:
        return {"leaves": "", "arrives": ""}  # it lies ready, and nobody brings it
    if parcel is None or not order.ships_as_ready:
        return {"leaves": format_departure(order, today), "arrives": format_arrivals(order, today)}
    days = find_parcel_days(order, [line.order_line for line in parcel.lines.all()])
    return {"leaves": format_departure_day(days, today), "arrives": format_arrival(days, today)}
