"""The customer's own proof: every answer they gave, how things stood on a day, and a receipt to keep."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.consent import checkpoints, receipts
from accounts.models import Customer
from accounts.people.auth import customer_required
from accounts.preferences.switches import SOURCES
from orders import order_mail_optins
from shop.storefront import data_controller

PER_PAGE = 50


class ConsentDayForm(forms.Form):
    on = forms.DateField(label="On", required=False, widget=forms.DateInput(attrs={"type": "date"}))


@never_cache
@require_safe
@customer_required
def consents(request: HttpRequest, customer: Customer) -> HttpResponse:
    form = ConsentDayForm(request.GET)
    day = form.cleaned_data["on"] if form.is_valid() else None
    page = Paginator(receipts.get_consent_answers(customer), PER_PAGE).get_page(request.GET.get("page"))
    words = receipts.get_wordings_by_hash(page.object_list)
    context: dict[str, Any] = {
        "form": form,
        "day": day,
        "standings": receipts.get_switch_states_on(customer, day) if day else [],
        "page": page,
        "has_order_ticks": not page.object_list and order_mail_optins.has_ever_opted_in(customer),
        "answers": [(answer, words.get(answer.wording_hash), SOURCES.get(answer.source, "")) for answer in page],
    }
    return render(request, "storefront/account/consents.html", context)


@never_cache
@require_safe
@customer_required
def consent_receipt(request: HttpRequest, customer: Customer) -> HttpResponse:
    answer = JsonResponse(_make_receipt(customer), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer.headers["Content-Disposition"] = 'attachment; filename="consent-receipt.json"'
    return answer


@never_cache
@require_safe
@customer_required
def consent_receipt_page(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The same receipt to print: every answer in its words, and what seals them."""
    rows = list(receipts.get_consent_answers(customer).order_by("record__sequence"))
    words = receipts.get_wordings_by_hash(rows)
    context = {
        "receipt": _make_receipt(customer),
        "has_order_ticks": not rows and order_mail_optins.has_ever_opted_in(customer),
        "checkpoint": checkpoints.get_latest_checkpoint(),
        "now": timezone.now(),
        "answers": [(row, words.get(row.wording_hash), SOURCES.get(row.source, "")) for row in rows],
    }
    return render(request, "storefront/account/receipt.html", context)


def _make_receipt(customer: Customer) -> dict[str, Any]:
    return receipts.make_consent_receipt(
        customer, controller=data_controller.get_controller(), privacy_url=data_controller.build_privacy_url()
    )
