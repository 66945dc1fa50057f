"""Looking things up while typing, where what is sent back may be anything."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple

LONGEST_ID = 18  # digits; more would not fit the column


def _filter_valid_ids(value: Any) -> list[Any]:
    return [
        each for each in value or () if str(each).isascii() and str(each).isdigit() and len(str(each)) <= LONGEST_ID
    ]


class ForgivingSelect(AutocompleteSelect):
    """Django's own asks the database for whatever came, and fails on what is no id; the field says so in words."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, _filter_valid_ids(value), attr)


class ForgivingSelectMultiple(AutocompleteSelectMultiple):
    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, _filter_valid_ids(value), attr)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """A number too long for the column finds nothing; it must not reach the database."""
        return [
            each if len(each) <= LONGEST_ID else "?" for each in super().value_from_datadict(data, files, name) or ()
        ]


class ForgivingAdmin(admin.ModelAdmin):
    """For `autocomplete_fields`."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):  # type: ignore[no-untyped-def]
        if db_field.name in self.autocomplete_fields:
            kwargs.setdefault("widget", ForgivingSelect(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request=None, **kwargs):  # type: ignore[no-untyped-def]
        if db_field.name in self.autocomplete_fields:
            kwargs.setdefault("widget", ForgivingSelectMultiple(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)
