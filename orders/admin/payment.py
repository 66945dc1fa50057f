from django.contrib import admin
from django.http import HttpRequest

from orders.models import Payment, StripeEvent


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look, not to touch: what is here is written by the shop itself."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ["order", "amount", "currency", "status", "problem", "created_at", "captured_at"]
    list_filter = ["status"]
    list_select_related = ["order"]
    search_fields = ["order__number", "provider_reference", "payment_intent"]
    show_full_result_count = False


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    list_display = ["event_id", "kind", "received_at", "processed_at", "attempt_count", "problem"]
    list_filter = ["kind", ("processed_at", admin.EmptyFieldListFilter)]
    search_fields = ["event_id", "object_id"]
    show_full_result_count = False
