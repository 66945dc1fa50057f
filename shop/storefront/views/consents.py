"""The customer's own proof: every answer they gave, how things stood on a day, and a receipt to keep."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import checkpoints, proofs
from accounts.current import needs_customer
from accounts.models import Customer
from accounts.switches import SOURCES
from orders import ticks
from shop.storefront import controller

PER_PAGE = 50


class DayForm(forms.Form):
    on = forms.DateField(label="On", required=False, widget=forms.DateInput(attrs={"type": "date"}))


@never_cache
@require_safe
@needs_customer
def consents(request: HttpRequest, customer: Customer) -> HttpResponse:
    form = DayForm(request.GET)
    day = form.cleaned_data["on"] if form.is_valid() else None
    page = Paginator(proofs.answers(customer), PER_PAGE).get_page(request.GET.get("page"))
    words = proofs.wordings(page.object_list)
    context: dict[str, Any] = {
        "form": form,
        "day": day,
        "standings": proofs.state_on(customer, day) if day else [],
        "page": page,
        "has_order_ticks": not page.object_list and ticks.has_any(customer),
        "answers": [(answer, words.get(answer.wording_hash), SOURCES.get(answer.source, "")) for answer in page],
    }
    return render(request, "storefront/account/consents.html", context)


@never_cache
@require_safe
@needs_customer
def receipt(request: HttpRequest, customer: Customer) -> HttpResponse:
    answer = JsonResponse(_receipt(customer), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer.headers["Content-Disposition"] = 'attachment; filename="consent-receipt.json"'
    return answer


@never_cache
@require_safe
@needs_customer
def receipt_page(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The same receipt to print: every answer in its words, and what seals them."""
    rows = list(proofs.answers(customer).order_by("record__sequence"))
    words = proofs.wordings(rows)
    context = {
        "receipt": _receipt(customer),
        "has_order_ticks": not rows and ticks.has_any(customer),
        "checkpoint": checkpoints.latest(),
        "now": timezone.now(),
        "answers": [(row, words.get(row.wording_hash), SOURCES.get(row.source, "")) for row in rows],
    }
    return render(request, "storefront/account/receipt.html", context)


def _receipt(customer: Customer) -> dict[str, Any]:
    return proofs.receipt(customer, controller=controller.who(), privacy_url=controller.privacy_url())
