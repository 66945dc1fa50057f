"""Sheets to print: what to fetch from the shelves, and what goes into each parcel."""

from django.contrib import admin, messages
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse

from accounts.models import AccessKind
from orders.admin.action_pages import log_order_access, render_step_page
from orders.fulfilment.picking import build_pick_list
from orders.models import Order, Shipment, ShopSettings
from orders.papers.packing_slips import TooManySlips, describe_parcel_arrival, render_packing_slips
from orders.papers.typesetting import build_pdf_response
from orders.stages import EVERY_STAGE, PACKING_SLIPS, PICK_LIST

TO_FETCH = frozenset(row.stage for row in EVERY_STAGE if row.sheet == PICK_LIST)
STILL_HERE = frozenset(row.stage for row in EVERY_STAGE if not row.has_left)


def _get_parcels_at_stages(orders: QuerySet[Order], stages: frozenset[Shipment.Stage]) -> QuerySet[Shipment]:
    chosen = Shipment.objects.workable().filter(order__in=orders, stage__in=stages)
    return (
        chosen.select_related("order", "store")
        .prefetch_related("lines__order_line", "order__payments__refunds", "order__payments__stripe_records")
        .order_by("store__position", "order__placed_at", "pk")
    )


@admin.action(description=PICK_LIST.label, permissions=["view"])
def pick_list(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """What to fetch, place by place, for all chosen orders together, and then parcel by parcel."""
    parcels = list(_get_parcels_at_stages(orders, TO_FETCH))
    if not parcels:
        messages.error(request, "There is nothing to pick here.")
        return None
    waiting = [parcel.order_id for parcel in parcels if parcel.stage == Shipment.Stage.WAITING]
    return render_step_page(
        model_admin,
        request,
        orders.filter(pk__in=waiting),
        "pick_list",
        seen=[parcel.order for parcel in parcels],
        what=AccessKind.PRINT,
        title="Pick list",
        parcels=parcels,
        groups=build_pick_list(parcels),
        several_stores=len({parcel.store_id for parcel in parcels}) > 1,
    )


@admin.action(description=PACKING_SLIPS.label, permissions=["view"])
def packing_slips(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """One sheet to put into each parcel. It names no price: the parcel may be a gift.

    First as a page, with what staff should know before they print it; from there as one PDF (`as_pdf`).
    """
    parcels = list(_get_parcels_at_stages(orders, STILL_HERE))
    if not parcels:
        messages.error(request, "There is no parcel to pack here.")
        return None
    if "as_pdf" in request.POST:
        return _download_slips(request, parcels)
    return render_step_page(
        model_admin,
        request,
        orders,
        "packing_slips",
        seen=[parcel.order for parcel in parcels],
        what=AccessKind.PRINT,
        title="Packing slips",
        slips=[(parcel, describe_parcel_arrival(parcel)) for parcel in parcels],
    )


def _download_slips(request: HttpRequest, parcels: list[Shipment]) -> HttpResponse | None:
    prefetch_related_objects(parcels, "order__shipments")
    try:
        pdf = render_packing_slips(parcels, ShopSettings.current())
    except TooManySlips as refusal:
        messages.error(request, str(refusal))
        return None
    log_order_access(request, [parcel.order for parcel in parcels], what=AccessKind.PRINT, detail="Packing slips, PDF")
    return build_pdf_response(pdf, "packing-slips.pdf", is_attachment=False)
