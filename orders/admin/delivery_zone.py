"""Countries and postcodes that take longer, cost more or are not reached."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from orders.addresses.zone_words import describe_effect
from orders.models import DeliveryZone
from shop.admin_queries import StrictAdmin
from shop.money import get_shop_currency
from shop.price_field import PriceField


@admin.register(DeliveryZone)
class DeliveryZoneAdmin(StrictAdmin):
    list_display = ["name", "country", "where", "method", "effect"]
    empty_value_display = "every method"
    list_select_related = ["method"]
    fieldsets = [
        (None, {"fields": ["name"]}),
        ("Where", {"fields": ["country", "postcodes", "method"]}),
        (
            "What is different there",
            {
                "description": "Dates, prices and orders from now on go by it; what was ordered keeps what was agreed.",
                "fields": ["is_refused", "extra_days", "surcharge"],
            },
        ),
    ]

    def formfield_for_dbfield(self, db_field, request, **kwargs):  # type: ignore[no-untyped-def]
        if db_field.name == "surcharge":
            return db_field.formfield(form_class=PriceField, min_value=0)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: DeliveryZone, form: forms.ModelForm, change: bool) -> None:
        obj.currency = get_shop_currency()
        super().save_model(request, obj, form, change)

    @admin.display(description="postcodes")
    def where(self, zone: DeliveryZone) -> str:
        return zone.postcodes or "the whole country"

    @admin.display(description="there")
    def effect(self, zone: DeliveryZone) -> str:
        return describe_effect(zone)
