"""The note that goes in with an order, changed by its buyer or staff until somebody begins to pack it (ADR 78)."""

from datetime import datetime

from django import forms
from django.db import transaction

from orders import events
from orders.fulfilment.packing import TO_PACK
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Shipment
from orders.stages import OFF_THE_ROAD

NOT_PACKED = TO_PACK | OFF_THE_ROAD | {Shipment.Stage.WAITING, Shipment.Stage.PICKING}
TOO_LONG = "The note has room for 280 characters. Please make it shorter."


class GiftNoteForm(forms.Form):
    """Empty: no note goes in."""

    gift_note = forms.CharField(
        label="A note to go in with it",
        max_length=280,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Written on a card. Leave it empty, and none goes in.",
        error_messages={"max_length": TOO_LONG},
    )


def may_change_gift_note(order: Order) -> bool:
    """For a page, prefetch `shipments`."""
    return not _find_objection(order)


def find_note_change(order: Order) -> datetime | None:
    """When it was changed last; None where it is as first written. One query."""
    changes = order.events.filter(kind=OrderEvent.Kind.NOTE_CHANGED).order_by("pk")
    return changes.values_list("created_at", flat=True).last()


@transaction.atomic
def change_gift_note(order_id: int, note: str, *, actor: str) -> bool:
    """Whether it is another now. The event does not repeat it.

    Raises `TransitionRefused` once somebody packs a parcel of it, and while it is on hold; nothing changes then.
    """
    order = lock_order(order_id)
    if objection := _find_objection(order):
        raise TransitionRefused(f"{order.number} {objection}")
    if order.gift_note == note:
        return False
    order.gift_note = note
    order.save(update_fields=["gift_note"])
    events.record_order_event(order, OrderEvent.Kind.NOTE_CHANGED, actor=actor)
    return True


def _find_objection(order: Order) -> str:
    """Why its note stays, as the end of a sentence after its number; empty where it may be changed."""
    if order.status != Order.Status.CONFIRMED:
        return "is not open, so its note stays as it is."
    if order.hold:
        return "is on hold, so its note stays as it is for now."
    if any(parcel.packing_begun_at or parcel.stage not in NOT_PACKED for parcel in order.shipments.all()):
        return "is being packed already, so its note stays as it is."
    return ""
