"""Lists narrowed to one customer, by a link on that customer's page."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

ROW_NUMBER = re.compile(r"[0-9]{1,18}")


class ByCustomerFilter(admin.SimpleListFilter):
    """Shown only while a list is narrowed by it. For models with a `customer`, and staff who may look at customers."""

    title = "customer"
    parameter_name = "customer__id__exact"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        number = self.value() or ""
        may_ask = ROW_NUMBER.fullmatch(number) and request.user.has_perm("accounts.view_customer")
        return [(number, f"Customer {number}")] if may_ask else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(customer_id=self.value()) if self.value() else queryset
