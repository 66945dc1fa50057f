"""An order's invoice and credit notes, as files for whoever may see the order."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from orders import order_access
from orders.models import Invoice
from orders.papers import issuing
from orders.papers.invoices import render_invoice
from orders.papers.typesetting import build_pdf_response
from orders.views.redirects import see_other


@never_cache
@require_safe
def download_invoice(request: HttpRequest, number: str, paper: str) -> HttpResponse:
    """`paper`: the number of an invoice or credit note of this order; everything else is the 404 of a strange order."""
    order = order_access.get_order_or_404(request, number)
    found = Invoice.objects.filter(order=order, number=paper).first()
    if found is None:
        raise Http404
    found.order = order
    return build_pdf_response(render_invoice(found), f"{found.number}.pdf", is_attachment=True)


@require_POST
def ask_for_invoice(request: HttpRequest, number: str) -> HttpResponse:
    """For an order whose invoice is not written yet, or one from before invoices were issued by themselves."""
    order = order_access.get_order_or_404(request, number)
    try:
        issuing.issue_for_order(order.pk)
    except (issuing.NotInvoiced, ValueError):
        messages.error(request, "There is no invoice for this order here. Write to us, and we see to it.")
    return see_other("order", number)
