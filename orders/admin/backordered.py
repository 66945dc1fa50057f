"""The list of those who wait for goods: for what, since when it was promised, and when the goods are expected."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from orders.fulfilment import queue
from orders.models import Allocation, Order

_AWAITED = Allocation.objects.awaiting().filter(order_line__order=OuterRef("pk")).order_by("pk")
_OWN_DAY = _AWAITED.order_by().values("order_line__order").values(day=Min("order_line__promised_by_on"))
SOONEST_PROMISED = (Coalesce(Subquery(_OWN_DAY), "promised_by_on").asc(nulls_last=True), "placed_at", "pk")


class BackorderedColumns(admin.ModelAdmin):
    """The columns of that one list."""

    def get_list_display(self, request: HttpRequest) -> Any:
        if request.GET.get("queue") != queue.BACKORDERED.key:
            return super().get_list_display(request)
        return ["number", "full_name", "awaited_goods", "promised", "placed", "amount"]

    @admin.display(description="waits for")
    def awaited_goods(self, order: Order) -> SafeString:
        return list_awaited(order.awaited, timezone.localdate())  # type: ignore[attr-defined]

    @admin.display(description="promised by")
    def promised(self, order: Order) -> str:
        """The day of its parcel, where it travels in two."""
        own = [each["by_on"] for each in order.awaited if each["by_on"]]  # type: ignore[attr-defined]
        by_on = date.fromisoformat(min(own)) if own else order.promised_by_on
        return date_format(by_on, "D j M") if by_on else "no day known"


def annotate_awaited(orders: QuerySet[Order]) -> QuerySet[Order]:
    row = JSONObject(
        title="order_line__title",
        quantity="quantity",
        restock_on="record__restock_on",
        by_on="order_line__promised_by_on",
    )
    return orders.annotate(awaited=ArraySubquery(_AWAITED.values(row=row)))


def list_awaited(awaited: list[dict[str, Any]], today: date) -> SafeString:
    """What it waits for, a line each, with the day on which more are expected."""
    rows = ((each["quantity"], each["title"], _describe_due(each["restock_on"], today)) for each in awaited)
    return format_html_join(SafeString("<br>"), "{} × {}, {}", rows)


def _describe_due(restock_on: str | None, today: date) -> str | SafeString:
    due = date.fromisoformat(restock_on) if restock_on else None
    if due is None:
        return "nobody knows when"
    day = date_format(due, "D j M")
    return format_html('<span class="badge out">was due {}</span>', day) if due < today else f"due {day}"
