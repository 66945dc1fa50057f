from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.audit import AuditedAdmin, ReadOnlyAdmin
from accounts.privacy.access_log import DataSubject
from orders.admin.action_pages import build_order_subject
from orders.admin.actions import get_actor_name
from orders.models import StripeRecord
from orders.models.stripe_record import StripeRecordQuerySet
from shop.money import format_amount


class MatterFilter(admin.SimpleListFilter):
    """What waits for somebody, which the first page counts."""

    title = "matter"
    parameter_name = "matter"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("disputes", "Disputes not decided"), ("stray", "Of no order here, not looked at")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StripeRecord]) -> QuerySet[StripeRecord]:
        records = cast("StripeRecordQuerySet", queryset)
        if self.value() == "disputes":
            return records.open_disputes()
        return records.stray() if self.value() == "stray" else records


@admin.action(description="Looked at", permissions=["clear"])
def clear(_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[StripeRecord]) -> None:
    """Of no order here, and somebody knows what it is: it leaves the first page. An order is released on its page."""
    stray = chosen.filter(payment=None, cleared_at=None)
    count = stray.update(cleared_at=timezone.now(), cleared_by=get_actor_name(request))
    if count:
        messages.success(request, f"Looked at: {count}.")
    else:
        messages.warning(request, "Nothing was done: what you chose belongs to an order, or was looked at before.")


@admin.register(StripeRecord)
class StripeRecordAdmin(AuditedAdmin, ReadOnlyAdmin):
    """Every charge, refund, dispute and warning there is at Stripe, whoever made it."""

    list_display = ["reference", "kind", "sum", "state", "why", "order", "created_at"]
    list_filter = [MatterFilter, "kind"]
    list_select_related = ["payment__order"]
    search_fields = ["=reference", "=charge", "=payment_intent", "=payment__order__number"]
    search_help_text = "Stripe's own reference, or an order's number"
    actions = [clear]
    fields = (
        "kind", "reference", "payment", "charge", "payment_intent", "amount", "currency", "status", "reason",
        "is_refundable", "due_at", "created_at", "recorded_at", "seen_at", "cleared_at", "cleared_by",
    )  # fmt: skip

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """In the queue of disputes, what has to be answered first."""
        if request.GET.get(MatterFilter.parameter_name) == "disputes":
            return (F("due_at").asc(nulls_last=True), "pk")
        return ("-created_at", "-pk")

    @admin.display(description="amount", ordering="amount")
    def sum(self, record: StripeRecord) -> str:
        return format_amount(record.amount, record.currency) if record.currency else ""

    @admin.display(description="status")
    def state(self, record: StripeRecord) -> str:
        is_waiting = record.is_open_dispute and record.due_at is not None
        due = f", answer by {date_format(timezone.localtime(record.due_at), 'j M')}" if is_waiting else ""
        return f"{record.status_text}{due}"

    @admin.display(description="reason")
    def why(self, record: StripeRecord) -> str:
        return record.reason_text

    @admin.display(description="order")
    def order(self, record: StripeRecord) -> str | SafeString:
        if record.payment is None:
            return "none of ours"
        number = record.payment.order.number
        if record.kind != StripeRecord.Kind.DISPUTE:
            return number
        return format_html(
            '{}<br><a href="{}">Evidence</a>', number, reverse("admin:dispute_evidence", args=[record.pk])
        )

    def subject(self, record: StripeRecord) -> DataSubject:
        if record.payment is None:
            return DataSubject(None, record.reference, f"{record}, of no order here")
        return build_order_subject(
            record.payment.order, about=f"What Stripe says of order {record.payment.order.number}"
        )

    def has_clear_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")
