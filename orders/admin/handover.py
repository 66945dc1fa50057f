"""The hand-over list: what each carrier's driver signs for, on screen and on paper."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import AccessKind
from orders.admin.action_pages import log_order_access
from orders.fulfilment.handover import list_handovers
from shop.admin_queries import check_parameters

PAGE = "orders_order_handover"


class DayForm(forms.Form):
    day = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Type a day as 2026-11-27."},
    )


def build_handover_url(model_admin: admin.ModelAdmin) -> URLPattern:
    """For whoever may see orders."""

    @require_safe
    def show_handover(request: HttpRequest) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        check_parameters(request, DayForm.base_fields)
        return _render_handover(model_admin, request)

    return path("handover/", model_admin.admin_site.admin_view(show_handover), name=PAGE)


def _render_handover(model_admin: admin.ModelAdmin, request: HttpRequest) -> TemplateResponse:
    today = timezone.localdate()
    form = DayForm(request.GET if "day" in request.GET else {"day": today.isoformat()})
    day = (form.cleaned_data["day"] or today) if form.is_valid() else None
    handovers = list_handovers(day) if day else []
    orders = [parcel.order for each in handovers for parcel in each.parcels]
    log_order_access(request, orders, what=AccessKind.LIST, detail="Hand-over list")
    context: dict[str, Any] = {"title": "Hand-over list", "form": form, "day": day, "handovers": handovers}
    frame = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return TemplateResponse(request, "admin/orders/order/handover.html", {**frame, **context})
