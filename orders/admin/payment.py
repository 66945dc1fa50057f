from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.audit import AuditedAdmin, ReadOnlyAdmin
from accounts.privacy.access_log import DataSubject
from orders.admin.action_pages import build_order_subject
from orders.models import Payment, StripeEvent
from orders.payments import checkout_sessions
from shop.money import format_amount

UNKNOWN = (
    "this Stripe account does not know the payment; nothing has changed. Was the shop's key changed? Look for the "
    "order's number in the other account, and when nobody paid there, end the payment here."
)


@admin.action(description="Ask Stripe where it stands", permissions=["settle"])
def settle(_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[Payment]) -> None:
    """What webhook and reconciler do by themselves, at once: for the customer on the telephone."""
    for payment in chosen.select_related("order"):
        number = payment.order.number
        try:
            settled = checkout_sessions.settle_payment(payment.pk)
        except checkout_sessions.UnknownSession:
            messages.error(request, f"{number}: {UNKNOWN}")
        except checkout_sessions.StripeUnreachable:
            messages.error(request, f"{number}: Stripe gives no answer; nothing has changed.")
        else:
            messages.success(request, f"{number}: {settled.get_status_display().lower()}.")


@admin.action(description="End it: Stripe does not know it, and nobody paid", permissions=["settle"])
def end_unknown(_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[Payment]) -> None:
    """The way out for a payment begun under another Stripe account. What Stripe knows is settled, not ended."""
    for payment in chosen.select_related("order"):
        number = payment.order.number
        try:
            ended = checkout_sessions.end_unknown_payment(payment.pk, actor=str(request.user))
        except checkout_sessions.StripeUnreachable:
            messages.error(request, f"{number}: Stripe gives no answer; nothing has changed.")
        else:
            messages.success(request, f"{number}: {ended.get_status_display().lower()}.")


@admin.register(Payment)
class PaymentAdmin(AuditedAdmin, ReadOnlyAdmin):
    list_display = ["order", "amount_text", "status", "problem", "created_at", "captured_at"]
    list_filter = ["status"]
    list_select_related = ["order"]
    sortable_by = ["amount", "currency", "status", "created_at", "captured_at"]
    ordering = ["-pk"]
    search_fields = ["=order__number", "=provider_reference", "=payment_intent"]
    search_help_text = "Order number, or Stripe's own reference"
    actions = [settle, end_unknown]
    fields = (
        "order", "provider", "provider_reference", "payment_intent", "amount_text", "status", "problem",
        "created_at", "captured_at",
    )  # fmt: skip

    @admin.display(description="amount", ordering="amount")
    def amount_text(self, payment: Payment) -> str:
        return format_amount(payment.amount, payment.currency)

    def subject(self, payment: Payment) -> DataSubject:
        return build_order_subject(payment.order, about=f"The payment for order {payment.order.number}")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    list_display = ["event_id", "kind", "received_at", "processed_at", "attempt_count", "problem"]
    list_filter = ["kind", ("processed_at", admin.EmptyFieldListFilter)]
    search_fields = ["=event_id", "=object_id"]
