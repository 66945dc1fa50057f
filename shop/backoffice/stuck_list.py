"""The staff's list of what is stuck in the background."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.audit import ReadOnlyAdmin
from shop.backoffice.stuck_items import get_stuck_advice, get_stuck_item_url
from shop.retrying import loops
from shop.retrying.models import StuckItem


@admin.action(description="Try again now", permissions=["view"])
def try_again(_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[StuckItem]) -> None:
    count = loops.retry_now(chosen)
    messages.success(request, f"{count} will be tried at the next turn, within a few minutes at most.")


class StuckItemAdmin(ReadOnlyAdmin):
    list_display = ["what", "error", "attempt_count", "first_failed_at", "retry_at"]
    list_display_links = None
    search_fields = ["subject"]
    actions = [try_again]

    @admin.display(description="what is stuck")
    def what(self, item: StuckItem) -> SafeString:
        url = get_stuck_item_url(item)
        name = format_html('<a href="{}">{}</a>', url, item) if url else format_html("<strong>{}</strong>", item)
        return format_html("{}<br>{}", name, get_stuck_advice(item))


def register_stuck_item_admin() -> None:
    admin.site.register(StuckItem, StuckItemAdmin)
