from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.admin.audit import ReadOnlyAdmin
from accounts.admin.customer_filter import ROW_NUMBER
from accounts.models import AccessLogEntry


@admin.register(AccessLogEntry)
class AccessLogEntryAdmin(ReadOnlyAdmin):
    """Who of us looked at what, for whoever watches over it. It names customers by number alone."""

    list_display = ["at", "staff_name", "staff_role", "kind", "about", "whose", "detail"]
    list_filter = ["kind", "staff_role"]
    search_fields = ["order_number"]
    search_help_text = "Order number, or a customer's number"
    fields = readonly_fields = ("at", "staff_name", "staff_role", "kind", "about", "whose", "detail")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessLogEntry]:
        entries: QuerySet[AccessLogEntry] = super().get_queryset(request)
        return entries.defer("staff", "once")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AccessLogEntry], search_term: str
    ) -> tuple[QuerySet[AccessLogEntry], bool]:
        term = search_term.strip()
        if ROW_NUMBER.fullmatch(term):
            return queryset.filter(customer_id=term), False
        return queryset.filter(order_number=term.upper()) if term else queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "title": "Who looked at whose data"})

    @admin.display(description="whose")
    def whose(self, entry: AccessLogEntry) -> str:
        if entry.customer_id:
            return f"Customer {entry.customer_id}"
        return "A guest" if entry.order_number else "Nobody"
