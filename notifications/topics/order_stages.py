"""Where an order has come to: a mail for each step, to those who ticked that step."""

from functools import partial

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from notifications.topics.definition import Context, Topic
from notifications.topics.order_news import build_order_news, compose_stage_sample, draft_order_news
from orders.models import OrderEvent


def _describe_departure(about: Context) -> str:
    return f"It leaves on {about['leaves']}." if about["leaves"] else ""


def _quote_note(about: Context) -> str:
    parcel = about["parcel"] or {}
    if not parcel.get("note"):
        return ""
    by = f" – {parcel['note_by']}" if parcel["note_by"] else ""
    return f"“{parcel['note']}”{by}"


def _describe_journey(about: Context) -> str:
    parcel = about["parcel"] or {}
    carried = ", ".join(part for part in (parcel.get("carrier", ""), _describe_tracking(parcel)) if part)
    arrives = f"It should be with you on {about['arrives']}." if about["arrives"] else ""
    return " ".join(part for part in (f"{carried}." if carried else "", arrives) if part)


def _describe_tracking(parcel: Context) -> str:
    if parcel.get("tracking_number"):
        return f"tracking number {parcel['tracking_number']}"
    return "sent without a tracking number" if parcel.get("is_untracked") else ""


_build_stage_topic = partial(
    Topic, kind=MailKind.SERVICE, draft=draft_order_news, context=build_order_news, sample=compose_stage_sample
)
ORDER_STAGES = (
    _build_stage_topic(
        "order_approved",
        purpose=purposes.MAIL_ORDER_APPROVED,
        event=OrderEvent.Kind.APPROVED,
        title="Order approved",
        headline="We have started on it.",
        detail=_describe_departure,
    ),
    _build_stage_topic(
        "order_picked",
        purpose=purposes.MAIL_ORDER_PICKED,
        event=OrderEvent.Kind.PICKED,
        title="Order picked",
        headline="Everything is off the shelf, nothing missing.",
    ),
    _build_stage_topic(
        "order_packed",
        purpose=purposes.MAIL_ORDER_PACKED,
        event=OrderEvent.Kind.PACKED,
        title="Order packed",
        headline="Packed, and by the door.",
        detail=_quote_note,
    ),
    _build_stage_topic(
        "order_dispatched",
        purpose=purposes.MAIL_ORDER_DISPATCHED,
        event=OrderEvent.Kind.DISPATCHED,
        title="Order on its way",
        headline="On the truck.",
        detail=_describe_journey,
    ),
    _build_stage_topic(
        "order_out_for_delivery",
        purpose=purposes.MAIL_ORDER_OUT_FOR_DELIVERY,
        event=OrderEvent.Kind.OUT_FOR_DELIVERY,
        title="Order out for delivery",
        headline="Out for delivery.",
    ),
    _build_stage_topic(
        "order_delivery_failed",
        purpose=purposes.MAIL_ORDER_TROUBLE,
        event=OrderEvent.Kind.DELIVERY_FAILED,
        title="Delivery tried",
        headline="The carrier tried to deliver it, and could not.",
    ),
    _build_stage_topic(
        "order_undeliverable",
        purpose=purposes.MAIL_ORDER_TROUBLE,
        event=OrderEvent.Kind.UNDELIVERABLE,
        title="Order cannot be delivered",
        headline="The carrier cannot deliver it. We are looking into it.",
    ),
    _build_stage_topic(
        "order_returned",
        purpose=purposes.MAIL_ORDER_TROUBLE,
        event=OrderEvent.Kind.RETURNED,
        title="Order on its way back to us",
        headline="It is on its way back to us. We write to you about what comes next.",
    ),
    _build_stage_topic(
        "order_delivered",
        purpose=purposes.MAIL_ORDER_DELIVERED,
        event=OrderEvent.Kind.DELIVERED,
        title="Order delivered",
        headline="Delivered.",
    ),
    _build_stage_topic(
        "order_ready",
        purpose=purposes.MAIL_ORDER_READY,
        event=OrderEvent.Kind.READY,
        title="Order ready to collect",
        headline="Ready to collect.",
    ),
)
