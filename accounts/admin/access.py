from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.admin.looking import ReadOnlyAdmin
from accounts.models import AccessLogEntry


@admin.register(AccessLogEntry)
class AccessLogEntryAdmin(ReadOnlyAdmin):
    """Who of us looked at what, for whoever watches over it. It names customers by number alone."""

    list_display = ["at", "staff_name", "staff_role", "kind", "about", "whose", "detail"]
    list_filter = ["kind", "staff_role"]
    search_fields = ["=order_number", "=customer__pk"]
    search_help_text = "Order number, or a customer's number"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    fields = readonly_fields = ("at", "staff_name", "staff_role", "kind", "about", "whose", "detail")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessLogEntry]:
        entries: QuerySet[AccessLogEntry] = super().get_queryset(request)
        return entries.defer("staff", "once")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "title": "Who looked at whose data"})

    @admin.display(description="whose")
    def whose(self, entry: AccessLogEntry) -> str:
        return f"Customer {entry.customer_id}" if entry.customer_id else "A guest"
