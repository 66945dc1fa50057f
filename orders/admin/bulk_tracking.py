"""The page on which tracking numbers come in bulk: pasted or as a file, looked at first, then shipped."""

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from accounts.models import AccessKind
from orders.admin.action_pages import log_order_access
from orders.admin.actions import get_actor_name
from orders.admin.tracking_rows import (
    MOST_BYTES,
    TrackingRow,
    UnreadableRowsError,
    decode_rows,
    match_rows,
    read_typed_rows,
)
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order
from shop.admin_queries import check_parameters

PAGE = "orders_order_tracking"


class RowsForm(forms.Form):
    """Pasted, or a file; both where somebody did both, which is asked about."""

    rows = forms.CharField(
        required=False,
        max_length=MOST_BYTES,
        strip=False,
        label="Paste a line for each parcel",
        widget=forms.Textarea(attrs={"rows": 10, "cols": 70, "spellcheck": "false", "autofocus": True}),
        help_text="Order number, tracking number and, where it is not the order’s, the carrier.",
    )
    file = forms.FileField(required=False, label="Or choose a CSV file", allow_empty_file=True)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        pasted, upload = cleaned.get("rows", ""), cleaned.get("file")
        if self.errors:
            return cleaned
        if pasted.strip() and upload:
            raise forms.ValidationError("There are lines and a file. Take one of them away.")
        try:
            cleaned["text"] = decode_rows(upload.read(MOST_BYTES + 1)) if upload else pasted
            cleaned["typed"] = read_typed_rows(cleaned["text"])
        except UnreadableRowsError as error:
            raise forms.ValidationError(str(error)) from error
        return cleaned


def build_tracking_url(model_admin: admin.ModelAdmin) -> URLPattern:
    """For whoever may change orders."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def take_numbers(request: HttpRequest) -> HttpResponse:
        if not model_admin.has_change_permission(request):
            raise PermissionDenied
        check_parameters(request, ())
        return _take_numbers(model_admin, request)

    return path("tracking/", model_admin.admin_site.admin_view(take_numbers), name=PAGE)


def _take_numbers(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """First what would be shipped is shown; `confirm` ships it, each row by itself."""
    if request.method != "POST":
        return _render_page(model_admin, request, form=RowsForm())
    form = RowsForm(request.POST, request.FILES)
    if not form.is_valid():
        return _render_page(model_admin, request, form=form)
    rows = match_rows(form.cleaned_data["typed"])
    if "confirm" in request.POST:
        left = _ship_rows(request, rows, agreed=set(request.POST.getlist("anyway")))
        return _render_page(model_admin, request, form=RowsForm(), rows=left, is_over=True)
    return _render_page(model_admin, request, form=form, rows=rows, text=form.cleaned_data["text"])


def _ship_rows(request: HttpRequest, rows: Sequence[TrackingRow], *, agreed: Collection[str]) -> list[TrackingRow]:
    """Ships what can be; those that stay here are returned, each with why. `agreed`: doubts that were looked at."""
    shipped: list[Order] = []
    left = []
    for row in rows:
        if row.form is None or row.problem:
            left.append(row)
        elif row.question and f"{row.number} {row.question}" not in agreed:
            row.problem = f"Not shipped: {row.question}"
            left.append(row)
        else:
            try:
                row.form.take(get_actor_name(request))
            except TransitionRefused as refusal:
                row.problem = str(refusal)
                left.append(row)
            else:
                shipped.append(row.form.parcel.order)
    if shipped:
        log_order_access(request, shipped, what=AccessKind.CHANGE, detail="Shipped")
        messages.success(request, f"Shipped: {len(shipped)} parcel{'s' if len(shipped) > 1 else ''}.")
    if left:
        messages.warning(request, f"{len(left)} row{'s stay' if len(left) > 1 else ' stays'} here.")
    return left


def _render_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    *,
    form: RowsForm,
    rows: Sequence[TrackingRow] = (),
    text: str = "",
    is_over: bool = False,
) -> TemplateResponse:
    """`text`: what was read, for the button that ships it."""
    context = {
        "title": "Tracking numbers in bulk",
        "form": form,
        "rows": rows,
        "text": text,
        "is_over": is_over,
        "ready_count": sum(row.is_ready and not row.question for row in rows),
        "asked_count": sum(row.is_ready and bool(row.question) for row in rows),
        "wrong_count": sum(bool(row.problem) for row in rows),
    }
    frame = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return TemplateResponse(request, "admin/orders/order/bulk_tracking.html", {**frame, **context})
