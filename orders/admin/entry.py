"""Staff enter an order that came by phone, by post or by e-mail: look it up, see what it comes to, enter it."""

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import AccessKind
from orders import staff_orders
from orders.addresses.zone_words import describe_zone
from orders.admin.action_pages import log_order_access
from orders.admin.actions import get_actor_name
from orders.admin.entry_focus import place_focus
from orders.admin.entry_forms import NAMED_BY_BUYER, ROWS, EntryLines, OrderEntryForm
from orders.customs import describe_import_charges
from orders.models import Order
from orders.parcel_plan import format_plan
from orders.promise import describe_stock
from orders.shop_terms import Terms, load_terms
from orders.staff_orders import DraftLine, DraftRefused, EnteredAlready, OrderDraft
from shop.catalog.availability import Availability, count_on_shelf, get_availability

ENTER = "enter"  # the button that enters it; the other looks things up


@require_http_methods(["GET", "HEAD", "POST"])
def enter_order(request: HttpRequest, *, model_admin: admin.ModelAdmin) -> HttpResponse:
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    terms = load_terms()
    if request.method != "POST":
        form = OrderEntryForm(terms=terms, initial={"country": terms.settings.default_country.code})
        rows = EntryLines(prefix="line")
        place_focus(form, rows, settled=0)
        return _render_entry(model_admin, request, form, rows)
    form, rows = OrderEntryForm(request.POST, terms=terms), EntryLines(request.POST, prefix="line")
    are_rows_valid = rows.is_valid()
    lines = [line for row in rows.forms if row.is_valid() and (line := row.build_line())]
    draft = form.build_draft(lines) if form.is_valid() and are_rows_valid else None
    if draft and ENTER in request.POST:
        try:
            order = staff_orders.create_draft_order(draft, actor=get_actor_name(request), terms=terms)
        except DraftRefused as refusal:
            messages.error(request, str(refusal))
            if isinstance(refusal, EnteredAlready):
                form.data = {**request.POST.dict(), "key": str(uuid.uuid4())}
        else:
            return _report_entered(request, order)
    context = _describe_sums(draft, terms) if draft and lines else {}
    if ENTER not in request.POST and not any(request.POST.get(name, "").strip() for name in NAMED_BY_BUYER):
        form = OrderEntryForm(terms=terms, initial=request.POST.dict())  # goods come first: nothing is missing yet
    rows, settled = _add_empty_rows(request, rows), len(lines)
    place_focus(form, rows, settled=settled, is_new=request.POST.get("settled", "0") != str(settled))
    is_ready = bool(context) and ENTER not in request.POST
    return _render_entry(model_admin, request, form, rows, settled=settled, is_ready=is_ready, **context)


def _report_entered(request: HttpRequest, order: Order) -> HttpResponse:
    log_order_access(request, [order], what=AccessKind.CHANGE, detail="Entered")
    messages.success(request, f"{order.number} is entered.")
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))


def _add_empty_rows(request: HttpRequest, rows: Any) -> Any:
    """A page that is nearly full comes back with more rows."""
    filled = sum(bool(row["what"].value()) for row in rows.forms)
    if filled < len(rows.forms):
        return rows
    data = request.POST.copy()
    data["line-TOTAL_FORMS"] = str(len(rows.forms) + ROWS)
    longer = EntryLines(data, prefix="line")
    longer.is_valid()
    return longer


def _describe_sums(draft: OrderDraft, terms: Terms) -> dict[str, Any]:
    plan = staff_orders.plan_draft(draft, terms)
    draft = replace(draft, in_two=draft.in_two and plan.may_split)
    totals, country = staff_orders.price_draft(draft, terms), draft.address["country"]
    tax_name = terms.tax_names[country] if totals.tax else ""
    zone, own = staff_orders.find_draft_zone(draft, terms), str(terms.settings.default_country)
    return {
        "totals": totals,
        "customs_note": "" if draft.method.store_id else describe_import_charges(own, country, tax_name=tax_name),
        "method": draft.method,
        "zone": zone,
        "zone_words": describe_zone(zone),
        "dates": format_plan(plan, in_two=draft.in_two, now=timezone.now()),
        "lines": _describe_lines(draft),
    }


def _describe_lines(draft: OrderDraft) -> list[dict[str, Any]]:
    variants = [line.variant.pk for line in draft.lines]
    if draft.method.store_id:
        on_shelf = count_on_shelf(variants, draft.method.store_id)
        found = {pk: Availability(available=count, on_shelf=count) for pk, count in on_shelf.items()}
    else:
        found = get_availability(variants)
    return [_describe_line(line, found[line.variant.pk]) for line in draft.lines]


def _describe_line(line: DraftLine, stock: Availability) -> dict[str, Any]:
    """`waits`: how many of it are here and when more come, where it does not leave at once."""
    released_on = line.variant.product.released_on
    kind, words = describe_stock(stock, now=timezone.now(), quantity=line.quantity, released_on=released_on)
    return {
        "line": line,
        "available": stock.available,
        "is_short": stock.available < line.quantity,
        "waits": words if kind == "wait" else "",
    }


def _render_entry(
    model_admin: admin.ModelAdmin, request: HttpRequest, form: OrderEntryForm, rows: Any, **context: Any
) -> HttpResponse:
    return TemplateResponse(
        request,
        "admin/orders/order/enter.html",
        {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "title": "Enter an order",
            "form": form,
            "rows": rows,
            "back": reverse("admin:orders_order_changelist"),
            **context,
        },
    )
