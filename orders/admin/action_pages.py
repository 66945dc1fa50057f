"""Pages that an action answers with: a step that asks something, a sheet to print."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import AccessKind
from accounts.privacy import access_log
from accounts.privacy.access_log import DataSubject
from orders.models import Order


def get_return_url(request: HttpRequest) -> str:
    """The page of ours that a step was taken from, if it says one."""
    back = request.POST.get("back", "")
    return back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else ""


def build_order_subject(order: Order, *, about: str = "") -> DataSubject:
    """Whose order it is, for the access log."""
    return DataSubject(order.customer_id, order.number, about or f"Order {order.number}")


def log_order_access(request: HttpRequest, orders: Iterable[Order], *, what: AccessKind, detail: str = "") -> None:
    """Writes to the access log what was done with some orders, for each of their customers."""
    access_log.log_access_to_subjects(request.user, map(build_order_subject, orders), what=what, detail=detail)  # type: ignore[arg-type]


def render_step_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    orders: QuerySet[Order],
    name: str,
    *,
    seen: Iterable[Order],
    what: AccessKind = AccessKind.LOOK,
    **context: Any,
) -> TemplateResponse:
    """Renders `admin/orders/order/<name>.html`; its form posts the same action for the same orders again.

    `seen`: the orders whose names are on it, for the access log.
    """
    log_order_access(request, seen, what=what, detail=context["title"])
    return TemplateResponse(
        request,
        f"admin/orders/order/{name}.html",
        {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "orders": orders,
            "action": request.POST.get("action", ""),
            "back": get_return_url(request) or request.get_full_path(),
            "list_url": reverse("admin:orders_order_changelist"),
            **context,
        },
    )
