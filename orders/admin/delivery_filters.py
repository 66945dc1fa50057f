"""The queue narrowed by how parcels go, where to, and whether they will be there in time."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_countries import countries

from orders.delays.delayed_orders import build_delayed_filter
from orders.models import Order, ShippingMethod

Choices = list[tuple[str, str]]


def _ways_in_hand(request: HttpRequest) -> Sequence[tuple[str, str]]:
    """Method and country of every order there is work on; one query for a page with both filters."""
    found: list[tuple[str, str]] | None = getattr(request, "ways_in_hand", None)
    if found is None:
        in_hand = Order.objects.order_by().filter(status=Order.Status.CONFIRMED)
        found = [(name, str(code)) for name, code in in_hand.values_list("shipping_name", "country").distinct()]
        request.ways_in_hand = found  # type: ignore[attr-defined]
    return found


class MethodFilter(admin.SimpleListFilter):
    """By delivery method. One that is asked for stays a choice when its last order is done."""

    title = "delivery method"
    parameter_name = "method"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Choices:
        names = {name for name, _ in _ways_in_hand(request) if name}
        asked = request.GET.get(self.parameter_name, "")
        if asked and asked not in names:
            names |= {asked} & set(ShippingMethod.objects.values_list("name", flat=True))
        return [(name, name) for name in sorted(names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(shipping_name=self.value()) if self.value() else queryset


class CountryFilter(admin.SimpleListFilter):
    """By the country a parcel goes to. One that is asked for stays a choice when its last order is done."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Choices:
        codes = {code for _, code in _ways_in_hand(request)} | {request.GET.get(self.parameter_name, "")}
        named = [(code, str(countries.name(code))) for code in codes if code in countries]
        return sorted(named, key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(country=self.value()) if self.value() else queryset


class DelayedFilter(admin.SimpleListFilter):
    """Those that the list calls delayed."""

    title = "delay"
    parameter_name = "delayed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Choices:
        return [("yes", "Delayed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(build_delayed_filter()) if self.value() else queryset
