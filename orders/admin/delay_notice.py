"""Who was told of a later day, when, what they answered, and what happens when. The steps are on the order's page."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.audit import AuditedAdmin, ReadOnlyAdmin
from accounts.privacy.access_log import DataSubject
from orders.admin.action_pages import build_order_subject
from orders.delays.silence import LONGEST_SILENT_DELAY
from orders.models import DelayNotice, Order
from orders.models.delay_notice import DelayNoticeQuerySet
from orders.stages import DISPATCHED_STATUSES

Answer, Rule = DelayNotice.Answer, DelayNotice.Rule
IS_CANCELLED = Q(answer=Answer.CANCEL) | Q(ended_at__isnull=False)
MATTERS: dict[str, tuple[str, Callable[[DelayNoticeQuerySet], QuerySet[DelayNotice]]]] = {
    "open": ("No answer yet", lambda every: every.unanswered()),
    "cancels": ("Cancelled without a yes", lambda every: every.unanswered().filter(rule=Rule.SILENCE_CANCELS)),
    "wait": ("They wait", lambda every: every.filter(answer=Answer.WAIT)),
    "cancelled": ("Cancelled", lambda every: every.filter(IS_CANCELLED)),
    "road": ("On the road", lambda every: every.filter(rule=Rule.HAS_LEFT)),
}


class DelayMatterFilter(admin.SimpleListFilter):
    title = "matter"
    parameter_name = "matter"
    template = "admin/orders/order/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(key, title) for key, (title, _) in MATTERS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DelayNotice]) -> QuerySet[DelayNotice]:
        wanted = MATTERS.get(self.value() or "")
        return queryset.filter(pk__in=wanted[1](DelayNotice.objects.all()).values("pk")) if wanted else queryset


@admin.register(DelayNotice)
class DelayNoticeAdmin(AuditedAdmin, ReadOnlyAdmin):
    list_display = ["order", "told", "why", "was", "now", "state", "then"]
    list_filter = [DelayMatterFilter]
    list_select_related = ["order"]
    sortable_by = ["told"]
    ordering = ["-created_at", "-pk"]
    search_fields = ["=order__number"]
    search_help_text = "Order number"
    fields = (
        "order_link", "number", "created_at", "reason", "words", "actor", "was_by_on", "new_by_on", "rule",
        "deadline_on", "answer", "answered_at", "ended_at",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: DelayNotice | None = None) -> list[str]:
        return list(self.fields)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"title": "Delays", "longest": str(LONGEST_SILENT_DELAY)}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    @admin.display(description="order")
    def order_link(self, notice: DelayNotice) -> SafeString:
        url = reverse("admin:orders_order_change", args=[notice.order_id])
        return format_html('<a href="{}">{}</a>', url, notice.order.number)

    @admin.display(description="told", ordering="created_at")
    def told(self, notice: DelayNotice) -> str:
        said = date_format(timezone.localtime(notice.created_at), "D j M, H:i")
        return said if notice.number == 1 else f"{said} (no. {notice.number})"

    @admin.display(description="why")
    def why(self, notice: DelayNotice) -> str:
        said = notice.words or notice.get_reason_display()
        return f"{said} (first parcel)" if notice.is_of_first else said

    @admin.display(description="was promised by")
    def was(self, notice: DelayNotice) -> str:
        return date_format(notice.was_by_on, "D j M") if notice.was_by_on else "no day"

    @admin.display(description="now by")
    def now(self, notice: DelayNotice) -> str:
        return date_format(notice.new_by_on, "D j M") if notice.new_by_on else "nobody knows"

    @admin.display(description="answer")
    def state(self, notice: DelayNotice) -> SafeString:
        return format_html('<span class="badge {}">{}</span>', *describe_state(notice))

    @admin.display(description="what happens")
    def then(self, notice: DelayNotice) -> str:
        return describe_what_follows(notice)

    def subject(self, notice: DelayNotice) -> DataSubject:
        return build_order_subject(notice.order, about=f"The delay of order {notice.order.number}")


def describe_state(notice: DelayNotice) -> tuple[str, str]:
    """A badge's colour and words."""
    if notice.answer:
        return "out" if notice.answer == Answer.CANCEL else "in", notice.get_answer_display()
    if notice.ended_at:
        return "out", "Day was essential" if notice.rule == Rule.ENDS else "No answer in time"
    if notice.rule in (Rule.HAS_LEFT, Rule.AGREED):
        return "", "Not asked"
    return ("wait", "No answer yet") if is_awaiting(notice) else ("", "No answer")


def is_awaiting(notice: DelayNotice) -> bool:
    """Whether an answer would still change something."""
    order = notice.order
    is_here = order.status == Order.Status.CONFIRMED and order.fulfilment_status not in DISPATCHED_STATUSES
    return notice.is_current and is_here


def describe_what_follows(notice: DelayNotice) -> str:
    if notice.ended_at or notice.answer == Answer.CANCEL:
        return "cancelled, and the money goes back"
    if not notice.is_current:
        return "told anew since"
    if not is_awaiting(notice):
        return "nothing: it has left or ended"
    if notice.rule != Rule.SILENCE_CANCELS or notice.answer or notice.deadline_on is None:
        return "it waits"
    if notice.order.hold:
        return "on hold: yours to decide"
    return f"cancelled after {date_format(notice.deadline_on, 'D j M')}"
