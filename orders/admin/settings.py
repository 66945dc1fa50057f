"""What staff set: the shop itself, how parcels go, tax, days off."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format

from orders.admin.approval import build_rule_url
from orders.admin.public_holidays import build_holidays_url
from orders.admin.settings_form import ShopSettingsForm
from orders.carrier_directory import load_directory
from orders.carriers import get_carrier_name
from orders.models import Holiday, ShippingMethod, ShopSettings, StaffCarrier, TaxRate
from orders.models.settings import ONLY_ROW
from shop.admin_queries import StrictAdmin, check_parameters
from shop.money import format_amount, get_shop_currency
from shop.price_field import PriceField


@admin.register(ShopSettings)
class ShopSettingsAdmin(StrictAdmin):
    """One row: the list leads straight to it."""

    form = ShopSettingsForm
    fieldsets = [
        ("The shop", {"fields": ["name", "postal_address", "contact_email", "default_country"]}),
        (
            "When parcels leave",
            {
                "description": "Each date the shop promises is counted from these, the carriers' days and holidays.",
                "fields": ["cutoff_hour", "handling_days", "ships_on_saturday", "uses_own_history", "pickup_days"],
            },
        ),
        (
            "On invoices",
            {
                "description": "Beside the shop’s postal address. What is issued keeps what stood here that day.",
                "fields": ["legal_name", "vat_id", "company_number", "invoice_words"],
            },
        ),
        ("Orders", {"fields": ["quantity_limit"]}),
        (
            "Sending things back",
            {
                "description": "Shown before buying and on the page about returns. What is not taken back is chosen "
                "under Things not taken back. Withdrawals and faulty goods follow the law, whatever stands here.",
                "fields": [
                    "return_window_days",
                    "pays_return_postage",
                    "offers_exchange",
                    "return_refund_days",
                    "return_label_address",
                    "return_label_grams",
                ],
            },
        ),
        ("Orders that approve themselves", {"fields": ["approve_up_to", "approve_first_orders"]}),
        ("Packing", {"fields": ["packs_by_scanning"]}),
        (
            "Notice of the legal guarantee",
            {
                "description": "Buyers in the European Union see it above the button that orders, and on their "
                "order’s page. Until the official picture is here, the shop shows one it has drawn itself.",
                "fields": ["official_notice", "guarantee_words", "drops_official_notice"],
            },
        ),
    ]

    change_form_template = "admin/orders/shopsettings/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        return [build_rule_url(self), *super().get_urls()]

    def formfield_for_dbfield(self, db_field, request, **kwargs):  # type: ignore[no-untyped-def]
        if db_field.name == "approve_up_to":
            return db_field.formfield(form_class=PriceField)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ShopSettings, form: forms.ModelForm, change: bool) -> None:
        obj.currency = get_shop_currency()
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ShopSettings | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        check_parameters(request, ())
        return redirect("admin:orders_shopsettings_change", ONLY_ROW)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ShopSettings | None:
        """Before anybody has saved the row: the defaults, unsaved."""
        return ShopSettings.current() if object_id == str(ONLY_ROW) else None


class ShippingMethodForm(forms.ModelForm):
    """A carrier brings it, or buyers collect it in a store: one of the two."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        store = cleaned.get("store")
        if store is not None and not store.welcomes_visitors:
            self.add_error("store", f"Nobody may come to {store} yet. Tick “people may come here” there first.")
        if store is None and not cleaned.get("carrier") and "carrier" not in self.errors:
            self.add_error("carrier", "Choose who brings it, or where it is collected.")
        if store is not None:
            cleaned["carrier"] = ""
        return cleaned

    def clean_extra_parcel_price(self) -> Decimal:
        """Left empty, a second parcel costs nothing on top."""
        return self.cleaned_data["extra_parcel_price"] or Decimal(0)


@admin.register(ShippingMethod)
class ShippingMethodAdmin(StrictAdmin):
    form = ShippingMethodForm
    list_select_related = ["store"]
    list_display = ["name", "by", "costs", "free_for", "days", "is_active", "position"]
    fieldsets = [
        (None, {"fields": ["name", "carrier", "store", "is_active", "position"]}),
        ("Price", {"fields": [("price", "free_from"), "extra_parcel_price"]}),
        ("How long it takes", {"fields": [("days_min", "days_max"), "delivers_on_saturday"]}),
        ("Where it goes", {"fields": ["countries"]}),
    ]

    def formfield_for_dbfield(self, db_field, request, **kwargs):  # type: ignore[no-untyped-def]
        """Only a carrier the shop knows: parcels are followed by its tracking page."""
        if db_field.name == "carrier":
            choices = [("", "nobody: it is collected"), *load_directory().list_choices()]
            return forms.ChoiceField(choices=choices, required=False)
        if db_field.name in ("price", "free_from", "extra_parcel_price"):
            return db_field.formfield(form_class=PriceField)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="carrier", ordering="carrier")
    def by(self, method: ShippingMethod) -> str:
        return f"collected at {method.store}" if method.store else get_carrier_name(method.carrier)

    def save_model(self, request: HttpRequest, obj: ShippingMethod, form: forms.ModelForm, change: bool) -> None:
        obj.currency = get_shop_currency()
        super().save_model(request, obj, form, change)

    @admin.display(description="price", ordering="price")
    def costs(self, method: ShippingMethod) -> str:
        return format_amount(method.price, method.currency)

    @admin.display(description="free from", ordering="free_from", empty_value="-")
    def free_for(self, method: ShippingMethod) -> str | None:
        return None if method.free_from is None else format_amount(method.free_from, method.currency)

    @admin.display(description="working days")
    def days(self, method: ShippingMethod) -> str:
        few, many = method.days_min, method.days_max
        return str(few) if few == many else f"{few}–{many}"


@admin.register(StaffCarrier)
class StaffCarrierAdmin(StrictAdmin):
    """Its name is what parcels keep, so it is typed once; a carrier that a shipping method goes with is not deleted."""

    list_display = ["name", "url_template", "is_offered"]
    fieldsets = [(None, {"fields": ["name", "url_template", "is_offered"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: StaffCarrier | None = None) -> list[str]:
        return ["name"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: StaffCarrier | None = None) -> bool:
        is_needed = obj is not None and ShippingMethod.objects.filter(carrier=obj.name).exists()
        return not is_needed and super().has_delete_permission(request, obj)


def _find_rate_in_force() -> Subquery:
    """The id of the rate that counts today for this one's country and class; as `orders.shop_terms` reads it."""
    due = Q(valid_from=None) | Q(valid_from__lte=timezone.localdate())
    same = TaxRate.objects.filter(due, country=OuterRef("country"), tax_class=OuterRef("tax_class"))
    return Subquery(same.order_by(F("valid_from").desc(nulls_last=True)).values("pk")[:1])


@admin.register(TaxRate)
class TaxRateAdmin(StrictAdmin):
    list_display = ["country", "tax_class", "name", "percent", "since", "is_in_force"]

    @admin.display(description="rate", ordering="rate")
    def percent(self, rate: TaxRate) -> str:
        return rate.percent_text

    @admin.display(description="valid from", ordering="valid_from")
    def since(self, rate: TaxRate) -> str:
        return date_format(rate.valid_from, "j M Y") if rate.valid_from else "always"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxRate]:
        rates: QuerySet[TaxRate] = super().get_queryset(request)
        return rates.annotate(youngest=_find_rate_in_force())

    @admin.display(description="counts today", boolean=True)
    def is_in_force(self, rate: TaxRate) -> bool:
        return bool(rate.pk == rate.youngest)  # type: ignore[attr-defined]  # annotated


@admin.register(Holiday)
class HolidayAdmin(StrictAdmin):
    list_display = ["name", "falls_on", "country", "closes_shop", "stops_delivery"]
    list_filter = [("falls_on", admin.DateFieldListFilter)]
    ordering = ["-falls_on"]

    def get_urls(self) -> list[URLPattern]:
        return [build_holidays_url(self), *super().get_urls()]
