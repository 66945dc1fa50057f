"""The packing table: a page per parcel, worked with a scanner or the keyboard, the next parcel after each.

Each scan is a POST that leads back to the page; `static/js/packing.js` does the same in place, and beeps.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_POST

from accounts.models import AccessKind, User
from orders.admin.action_pages import log_order_access
from orders.fulfilment import packing
from orders.fulfilment.transitions import TransitionRefused
from orders.gift_note import find_note_change
from orders.models import Shipment
from shop.admin_queries import check_parameters

MOST_LISTED = 50
TABLE, PARCEL = "admin:orders_order_packing", "admin:orders_order_packing_parcel"
View = Callable[..., HttpResponse]


class ClosingForm(forms.Form):
    """`code`: a scanner may still be at work; whatever it says then is one thing too many."""

    code = forms.CharField(required=False, max_length=packing.LONGEST_CODE)
    weight_grams = forms.IntegerField(
        required=False,
        label="Weight in grams",
        min_value=1,
        max_value=packing.MOST_GRAMS,
        error_messages={"invalid": "Type the weight in whole grams, such as 850, or leave it empty."},
    )
    box_count = forms.IntegerField(
        label="Boxes",
        min_value=1,
        max_value=packing.MOST_BOXES,
        initial=1,
        error_messages={"required": "Type how many boxes it is.", "invalid": "Type how many boxes it is."},
    )
    note = forms.CharField(
        required=False, max_length=280, label="A note to the customer, signed with your first name (may stay empty)"
    )


def build_packing_urls(model_admin: admin.ModelAdmin) -> list[URLPattern]:
    """The pages of the packing table, for whoever may change orders."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not model_admin.has_change_permission(request):
                raise PermissionDenied
            check_parameters(request, ())
            return view(request, model_admin, **kwargs)

        wrapped: View = model_admin.admin_site.admin_view(checked)
        return wrapped

    parcel = "packing/<int:shipment_id>/"
    return [
        path("packing/", wrap(show_packing_table), name="orders_order_packing"),
        path("packing/next/", wrap(start_next_parcel), name="orders_order_packing_next"),
        path(parcel, wrap(show_packing_page), name="orders_order_packing_parcel"),
        path(f"{parcel}start/", wrap(start_parcel), name="orders_order_packing_begin"),
        path(f"{parcel}scans/", wrap(record_scan), name="orders_order_packing_scan"),
        path(f"{parcel}scans/last/", wrap(take_back_scan), name="orders_order_packing_undo"),
        path(f"{parcel}closing/", wrap(close_packing), name="orders_order_packing_close"),
        path(f"{parcel}return/", wrap(return_parcel), name="orders_order_packing_return"),
    ]


@require_GET
def show_packing_table(request: HttpRequest, model_admin: admin.ModelAdmin) -> HttpResponse:
    """What waits to be packed, and who is at it."""
    waiting = packing.list_parcels_to_pack()
    listed = [(parcel, packing.describe_packer(parcel)) for parcel in waiting[: MOST_LISTED + 1]]
    context = {"parcels": listed[:MOST_LISTED], "has_more": len(listed) > MOST_LISTED, "count": waiting.count()}
    return _render_page(request, model_admin, "packing_table", title="Packing", **context)


@require_POST
def start_next_parcel(request: HttpRequest, _admin: admin.ModelAdmin) -> HttpResponse:
    return _go_to_next_parcel(request)


def _go_to_next_parcel(request: HttpRequest, *, skipped: int = 0) -> HttpResponse:
    parcel = packing.begin_next_parcel(_get_packer(request), skipped=skipped)
    if parcel is None:
        messages.success(request, "Nothing else waits to be packed.")
        return redirect(TABLE)
    log_order_access(request, [parcel.order], what=AccessKind.CHANGE, detail="Packing")
    return redirect(PARCEL, parcel.pk)


@require_POST
def start_parcel(request: HttpRequest, _admin: admin.ModelAdmin, shipment_id: int) -> HttpResponse:
    """Begins the very parcel; `take_over`, from whoever is packing it."""
    _find_parcel(shipment_id)
    takes_over = "take_over" in request.POST
    parcel = _try_step(
        request,
        lambda: packing.begin_packing(shipment_id, packer=_get_packer(request), takes_over=takes_over),
    )
    if parcel is not None:
        log_order_access(request, [parcel.order], what=AccessKind.CHANGE, detail="Packing")
    return redirect(PARCEL, shipment_id)


@require_GET
def show_packing_page(request: HttpRequest, model_admin: admin.ModelAdmin, shipment_id: int) -> HttpResponse:
    return _render_parcel(request, model_admin, _find_parcel(shipment_id), ClosingForm())


def _render_parcel(
    request: HttpRequest, model_admin: admin.ModelAdmin, parcel: Shipment, form: ClosingForm
) -> HttpResponse:
    """What is in it is for whoever packs it; others see who that is."""
    is_mine = parcel.packer_id == request.user.pk and parcel.stage in packing.TO_PACK
    lines = packing.read_packing(parcel) if is_mine else []
    return _render_page(
        request,
        model_admin,
        "packing",
        title=f"Packing {parcel.order.number}",
        parcel=parcel,
        is_mine=is_mine,
        is_waiting=parcel.stage in packing.TO_PACK,
        at_it=packing.describe_packer(parcel),
        lines=lines,
        note_changed_at=find_note_change(parcel.order) if is_mine else None,
        is_complete=packing.is_complete(lines),
        wanted_count=sum(each.line.quantity for each in lines),
        scanned_count=sum(each.scanned_count for each in lines),
        form=form,
    )


@require_POST
def record_scan(request: HttpRequest, _admin: admin.ModelAdmin, shipment_id: int) -> HttpResponse:
    _find_parcel(shipment_id)
    code = request.POST.get("code", "")
    found = _try_step(request, lambda: packing.scan_item(shipment_id, code, packer=_get_packer(request)))
    if found is not None:
        messages.success(request, f"{found.name}: {found.scanned_count} of {found.line.quantity}.")
    return redirect(PARCEL, shipment_id)


@require_POST
def take_back_scan(request: HttpRequest, _admin: admin.ModelAdmin, shipment_id: int) -> HttpResponse:
    _find_parcel(shipment_id)
    gone = _try_step(request, lambda: packing.undo_last_scan(shipment_id, packer=_get_packer(request)))
    if gone is not None:
        messages.success(request, f"Taken out again: {gone.shipment_line.order_line.title}.")
    return redirect(PARCEL, shipment_id)


@require_POST
def close_packing(request: HttpRequest, model_admin: admin.ModelAdmin, shipment_id: int) -> HttpResponse:
    """Closes the parcel and goes on with the next; a code in it is one thing too many, and is said to be."""
    parcel = _find_parcel(shipment_id)
    if request.POST.get("code", "").strip():
        return record_scan(request, model_admin, shipment_id=shipment_id)
    form = ClosingForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Not closed: look at what is marked.")
        return _render_parcel(request, model_admin, parcel, form)
    details = {name: form.cleaned_data[name] for name in ("note", "weight_grams", "box_count")}
    closed = _try_step(request, lambda: packing.close_parcel(shipment_id, packer=_get_packer(request), **details))
    if closed is None:
        return redirect(PARCEL, shipment_id)
    messages.success(request, f"{closed.order.number} is packed.")
    return _go_to_next_parcel(request)


@require_POST
def return_parcel(request: HttpRequest, _admin: admin.ModelAdmin, shipment_id: int) -> HttpResponse:
    """Puts it back into the queue, and goes on with another."""
    _find_parcel(shipment_id)
    back = _try_step(request, lambda: packing.put_parcel_back(shipment_id, packer=_get_packer(request)))
    if back is None:
        return redirect(PARCEL, shipment_id)
    messages.success(request, f"{back.order.number} is back in the queue, with nothing scanned.")
    return _go_to_next_parcel(request, skipped=shipment_id)


def _try_step(request: HttpRequest, step: Callable[[], Any]) -> Any:
    """What the step gives; None where it was refused, which is said."""
    try:
        return step()
    except TransitionRefused as refusal:
        messages.error(request, str(refusal))
        return None


def _find_parcel(shipment_id: int) -> Shipment:
    return get_object_or_404(Shipment.objects.select_related("order", "packer"), pk=shipment_id)


def _get_packer(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (the admin lets in nobody else)
    return request.user


def _render_page(request: HttpRequest, model_admin: admin.ModelAdmin, name: str, **context: Any) -> TemplateResponse:
    frame = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return TemplateResponse(request, f"admin/orders/order/{name}.html", {**frame, **context})
