"""The page that gathers what Stripe takes as evidence against a dispute, and the same as a file."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import AccessKind
from accounts.privacy import access_log
from accounts.privacy.access_log import DataSubject
from orders.models import Order, StripeRecord
from shop.admin_queries import check_parameters
from shop.backoffice.dispute_evidence import gather_evidence, write_evidence


def build_dispute_urls(site: admin.AdminSite) -> list[URLPattern]:
    """`site`: whose frame the page has; each address asks for the right to work on orders."""

    @never_cache
    @require_safe
    def show_evidence(request: HttpRequest, record_id: int) -> HttpResponse:
        record, order = _find_dispute(request, record_id)
        _log_access(request, record, order, what=AccessKind.LOOK)
        context = {
            **site.each_context(request),
            "title": f"Evidence for dispute {record.reference}",
            "record": record,
            "order": order,
            "parts": gather_evidence(record),
        }
        return TemplateResponse(request, "admin/orders/striperecord/evidence.html", context)

    @never_cache
    @require_safe
    def download_evidence(request: HttpRequest, record_id: int) -> HttpResponse:
        record, order = _find_dispute(request, record_id)
        _log_access(request, record, order, what=AccessKind.EXPORT)
        text = write_evidence(record, gather_evidence(record))
        name = f"evidence-{order.number}.txt"
        return HttpResponse(
            text,
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    place = "orders/striperecord/<int:record_id>/evidence"
    return [
        path(f"{place}/", site.admin_view(show_evidence), name="dispute_evidence"),
        path(f"{place}.txt", site.admin_view(download_evidence), name="dispute_evidence_file"),
    ]


def _find_dispute(request: HttpRequest, record_id: int) -> tuple[StripeRecord, Order]:
    if not request.user.has_perm("orders.change_order"):
        raise PermissionDenied
    check_parameters(request, ())
    disputes = StripeRecord.objects.filter(kind=StripeRecord.Kind.DISPUTE).select_related("payment__order")
    record = get_object_or_404(disputes, pk=record_id)
    if record.payment is None:
        raise Http404
    return record, record.payment.order


def _log_access(request: HttpRequest, record: StripeRecord, order: Order, *, what: AccessKind) -> None:
    subject = DataSubject(order.customer_id, order.number, f"The dispute over order {order.number}")
    access_log.log_access_to_subjects(request.user, [subject], what=what, detail=f"Evidence for {record}")  # type: ignore[arg-type]
