"""Staff look at a country's public holidays of the coming year and say what each stops."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from orders import public_holidays
from orders.public_holidays import OfferedDay
from orders.shop_terms import Terms, load_terms
from shop.admin_queries import check_parameters

PAGE = "orders_holiday_offered"
PLACE = ("country", "part")


class PlaceForm(forms.Form):
    country = forms.ChoiceField(label="Country")
    part = forms.ChoiceField(label="Part of it", required=False)

    def __init__(self, data: Any, *, terms: Terms) -> None:
        super().__init__(data)
        served = public_holidays.list_served_countries(terms)
        self.fields["country"].choices = served  # type: ignore[attr-defined]
        self.chosen = next((code for code, _ in served if code == self["country"].value()), served[0][0])
        parts = public_holidays.list_parts(self.chosen)
        self.fields["part"].choices = [("", "all of it"), *((each, each) for each in parts)]  # type: ignore[attr-defined]
        self.chosen_part = next((each for each in parts if each == self["part"].value()), "")


def build_holidays_url(model_admin: admin.ModelAdmin) -> URLPattern:
    @require_http_methods(["GET", "HEAD", "POST"])
    def show_offered(request: HttpRequest) -> HttpResponse:
        if not model_admin.has_add_permission(request) or not model_admin.has_delete_permission(request):
            raise PermissionDenied
        check_parameters(request, PLACE)
        return _take_ticks(request) if request.method == "POST" else _render_offered(model_admin, request)

    return path("offered/", model_admin.admin_site.admin_view(show_offered), name=PAGE)


def _render_offered(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    terms = load_terms()
    form = PlaceForm(request.GET or {"country": terms.settings.default_country.code}, terms=terms)
    context = {
        "title": "Public holidays",
        "opts": model_admin.opts,
        "form": form,
        "days": _list_days(form, terms),
        "is_own": form.chosen == terms.settings.default_country.code,
        "place": dict(form.fields["country"].choices)[form.chosen],  # type: ignore[attr-defined]
    }
    return TemplateResponse(
        request, "admin/orders/holiday/offered.html", {**model_admin.admin_site.each_context(request), **context}
    )


def _list_days(form: PlaceForm, terms: Terms) -> list[OfferedDay]:
    own = terms.settings.default_country.code
    return public_holidays.list_offered_days(form.chosen, form.chosen_part, own_country=own, today=timezone.localdate())


def _take_ticks(request: HttpRequest) -> HttpResponse:
    terms = load_terms()
    form = PlaceForm(request.POST, terms=terms)
    days = _list_days(form, terms)
    is_own = form.chosen == terms.settings.default_country.code
    kept = public_holidays.save_days(
        form.chosen,
        days,
        undelivered=_read_ticks(request, "undelivered", days),
        closed=_read_ticks(request, "closed", days) if is_own else (),
    )
    messages.success(request, f"{kept} days are kept. Each promised date counts by them from now on.")
    query = f"?country={form.chosen}" + (f"&part={form.chosen_part}" if form.chosen_part else "")
    return HttpResponseRedirect(reverse(f"admin:{PAGE}") + query)


def _read_ticks(request: HttpRequest, name: str, days: list[OfferedDay]) -> set[date]:
    ticked = set(request.POST.getlist(name))
    return {day.falls_on for day in days if day.falls_on.isoformat() in ticked}
