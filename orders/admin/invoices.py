"""An order's invoice and credit notes for staff: as files, each download in the access log."""

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from accounts.models import AccessKind
from orders.admin.action_pages import log_order_access
from orders.models import Invoice, InvoiceKind, Order
from orders.papers import issuing
from orders.papers.invoices import render_invoice
from orders.papers.typesetting import build_pdf_response
from shop.admin_queries import check_parameters


def build_invoice_urls(model_admin: admin.ModelAdmin) -> list[URLPattern]:
    guard = model_admin.admin_site.admin_view
    return [
        path(
            "<int:order_id>/invoices/",
            guard(require_POST(partial(issue_invoice, model_admin=model_admin))),
            name="orders_order_issue_invoice",
        ),
        path(
            "<int:order_id>/invoices/<str:paper>/",
            guard(require_safe(partial(download_invoice, model_admin=model_admin))),
            name="orders_order_invoice",
        ),
    ]


def describe_issued(row: dict[str, Any]) -> dict[str, Any]:
    """For the order's page, whose query brings number, total and date of supply along, as JSON has them."""
    kind = issuing.get_kind(row["number"])
    amount = Decimal(row["total"])
    return {
        "number": row["number"],
        "label": f"{kind.label} {row['number']}",
        "total": -amount if kind == InvoiceKind.CREDIT_NOTE else amount,
        "supplied_on": date.fromisoformat(row["supplied_on"]) if row["supplied_on"] else None,
    }


def download_invoice(request: HttpRequest, order_id: int, paper: str, *, model_admin: admin.ModelAdmin) -> HttpResponse:
    order = get_object_or_404(Order, pk=order_id)
    if not model_admin.has_view_permission(request, order):
        raise PermissionDenied
    check_parameters(request, ())
    found = get_object_or_404(Invoice.objects.select_related("order"), order=order, number=paper)
    log_order_access(request, [order], what=AccessKind.EXPORT, detail=str(found))
    return build_pdf_response(render_invoice(found), f"{found.number}.pdf", is_attachment=True)


def issue_invoice(request: HttpRequest, order_id: int, *, model_admin: admin.ModelAdmin) -> HttpResponse:
    """For an order whose invoice is not written yet, or one from before invoices were issued by themselves."""
    order = get_object_or_404(Order, pk=order_id)
    if not model_admin.has_change_permission(request, order):
        raise PermissionDenied
    try:
        invoice = issuing.issue_for_order(order.pk)
    except (issuing.NotInvoiced, ValueError) as refusal:
        messages.error(request, f"{refusal}")
    else:
        log_order_access(request, [order], what=AccessKind.CHANGE, detail=f"Issued {invoice}")
        messages.success(request, f"{invoice} stands.")
    return redirect("admin:orders_order_change", order.pk)
