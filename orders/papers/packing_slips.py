"""The sheet that goes into each parcel. It names no price, no e-mail address and no phone number."""

from collections.abc import Iterable
from typing import Any

import barcode
from barcode.writer import SVGWriter
from django.utils import timezone
from django.utils.formats import date_format

from orders.arrivals import find_parcel_days, format_arrival
from orders.carrier_contact import build_parcel_contact
from orders.models import Shipment, ShopSettings
from orders.papers.typesetting import render_pdf

MOST_SLIPS = 500  # in one file
_BARS = {"write_text": False, "module_width": 0.375, "module_height": 12.0, "quiet_zone": 4.0}  # mm; 3 dots at 203 dpi


class TooManySlips(Exception):  # noqa: N818  (a refusal, not an error)
    """More than fit into one file; the message says so, for people."""


def render_packing_slips(parcels: Iterable[Shipment], shop: ShopSettings) -> bytes:
    """One PDF, each parcel on a page of its own. Raises `TooManySlips`.

    Prefetch `lines__order_line` and `order__shipments`.
    """
    slips = [_describe_slip(parcel) for parcel in parcels]
    if len(slips) > MOST_SLIPS:
        raise TooManySlips(f"{len(slips)} slips are too many for one file. Choose up to {MOST_SLIPS} at a time.")
    return render_pdf("packing_slips", {"shop": shop.name, "address": shop.postal_address, "slips": slips})


def draw_barcode(number: str) -> str:
    """The order's number as Code 128, in SVG of its true size: any scanner of a shop reads it, and types it."""
    svg: bytes = barcode.get("code128", number, writer=SVGWriter()).render(_BARS)
    return svg.decode()


def _describe_slip(parcel: Shipment) -> dict[str, Any]:
    order = parcel.order
    siblings = [each.pk for each in order.shipments.all() if each.stage != Shipment.Stage.CANCELLED]
    part = f"Parcel {siblings.index(parcel.pk) + 1} of {len(siblings)}" if len(siblings) > 1 else ""
    note_by = f"{parcel.packed_by}, who packed it" if parcel.packed_by else ""
    return {
        "number": order.number,
        "barcode": draw_barcode(order.number),
        "to": list(build_parcel_contact(parcel).lines),
        "part": ", ".join(_list_filled(part, parcel.boxes_text)),
        "facts": [
            *([date_format(order.placed_at, "j F Y")] if order.placed_at else []),
            *_list_filled(order.delivery_name, describe_parcel_arrival(parcel)),
        ],
        "lines": [
            {
                "quantity": str(line.quantity),
                "title": line.order_line.title,
                "options": line.order_line.options,
                "sku": line.order_line.sku,
            }
            for line in parcel.lines.all()
        ],
        "gift_note": order.gift_note,
        "packing_note": parcel.packing_note,
        "packing_note_by": note_by,
    }


def describe_parcel_arrival(parcel: Shipment) -> str:
    """What its buyer was promised, for whoever packs it and whoever opens it. Empty where nobody knew the day."""
    if parcel.order.pickup_store_id:
        return f"{parcel.order.shipping_name}: its buyer comes for it"
    days = find_parcel_days(parcel.order, [line.order_line for line in parcel.lines.all()])
    arrives = format_arrival(days, timezone.localdate())
    return f"With you {arrives}" if arrives else ""


def _list_filled(*texts: str) -> list[str]:
    return [text for text in texts if text]
