from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders.models import Holiday, ShippingMethod, ShopSettings, TaxRate
from orders.models.settings import ONLY_ROW


@admin.register(ShopSettings)
class ShopSettingsAdmin(admin.ModelAdmin):
    """One row: the list leads straight to it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ShopSettings | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        ShopSettings.objects.get_or_create(pk=ONLY_ROW)
        return redirect("admin:orders_shopsettings_change", ONLY_ROW)


@admin.register(ShippingMethod)
class ShippingMethodAdmin(admin.ModelAdmin):
    list_display = ["name", "price", "free_from", "days_min", "days_max", "is_active", "position"]
    list_editable = ["price", "free_from", "is_active", "position"]


@admin.register(TaxRate)
class TaxRateAdmin(admin.ModelAdmin):
    list_display = ["country", "name", "rate"]


@admin.register(Holiday)
class HolidayAdmin(admin.ModelAdmin):
    list_display = ["name", "falls_on", "closes_shop", "stops_delivery"]
    date_hierarchy = "falls_on"
