"""A store as staff keep it: where it is, whether people may come, and when it is open."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTimeWidget
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from shop.admin_queries import StrictAdmin
from shop.catalog.models import OpeningHours, SpecialHours, Store


class HoursForm(forms.ModelForm):
    """One span of hours: it ends after it began."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        opens_at, closes_at = cleaned.get("opens_at"), cleaned.get("closes_at")
        if (opens_at is None) != (closes_at is None) and not self.errors:
            raise ValidationError("Give both times, or neither where it is closed that day.")
        if opens_at and closes_at and closes_at <= opens_at:
            self.add_error("closes_at", f"It opens at {opens_at:%H:%M}: give a later time than that.")
        return cleaned


class OpeningHoursFormSet(forms.BaseInlineFormSet):
    """The hours of a store: two spans of the same weekday do not overlap."""

    def clean(self) -> None:
        super().clean()
        taken: list[dict[str, Any]] = []
        for form in self._list_kept_forms():
            hours = form.cleaned_data
            if any(_is_overlapping(hours, other) for other in taken):
                day = OpeningHours.Weekday(hours["weekday"]).label
                form.add_error("opens_at", f"{day} has hours already that these overlap. Change one of the two.")
                raise ValidationError(f"{day} is there twice with hours that overlap.")
            taken.append(hours)

    def _list_kept_forms(self) -> Iterator[forms.ModelForm]:
        for form in self.forms:
            hours = getattr(form, "cleaned_data", None)
            if hours and not hours.get("DELETE") and not form.errors:
                yield form


def _is_overlapping(hours: dict[str, Any], other: dict[str, Any]) -> bool:
    is_same_day = hours["weekday"] == other["weekday"]
    return bool(is_same_day and hours["opens_at"] < other["closes_at"] and other["opens_at"] < hours["closes_at"])


class HoursInline(admin.TabularInline):
    """A clock on a door has no seconds."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, models.TimeField):
            kwargs["widget"] = AdminTimeWidget(format="%H:%M")
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class OpeningHoursInline(HoursInline):
    model = OpeningHours
    form = HoursForm
    formset = OpeningHoursFormSet
    extra = 2
    max_num = 21


class SpecialHoursInline(HoursInline):
    model = SpecialHours
    form = HoursForm
    extra = 1


@admin.register(Store)
class StoreAdmin(StrictAdmin):
    list_display = ["name", "ships_orders", "welcomes_visitors", "position"]
    list_editable = ["ships_orders", "welcomes_visitors", "position"]
    inlines = [OpeningHoursInline, SpecialHoursInline]
