"""What the shop's own deliveries say of each lane, and what comes of it for the dates. Looked at, never typed."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django_countries import countries

from accounts.admin.audit import ReadOnlyAdmin
from orders.lane_windows import ENOUGH
from orders.models import LaneWindow, ShopSettings


@admin.register(LaneWindow)
class LaneWindowAdmin(ReadOnlyAdmin):
    list_display = ["lane", "parcel_count", "plain", "moved", "added", "in_use"]
    list_display_links = None
    list_select_related = ["method"]
    change_list_template = "admin/orders/lanewindow/change_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        context = {"title": "Lanes", "enough": ENOUGH, "is_in_use": ShopSettings.current().uses_own_history}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **context})
        return response

    @admin.display(ordering="country")
    def lane(self, window: LaneWindow) -> str:
        return f"{countries.name(window.country.code) or window.country.code} · {window.method}"

    @admin.display(description="in time before", ordering="plain_share")
    def plain(self, window: LaneWindow) -> str:
        return f"{window.plain_share:.0%}"

    @admin.display(description="in time now", ordering="moved_share")
    def moved(self, window: LaneWindow) -> str:
        return f"{window.moved_share:.0%}"

    @admin.display(description="days added", ordering="added_days")
    def added(self, window: LaneWindow) -> str:
        return f"{window.added_days:+.1f}"

    @admin.display(description="dates move by", ordering="days", empty_value="too few yet")
    def in_use(self, window: LaneWindow) -> str | None:
        if window.days is None:
            return None
        return f"{window.days:+d} day{'' if abs(window.days) == 1 else 's'}" if window.days else "nothing"
