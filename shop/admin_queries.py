"""What a page of the back office may be asked in its address: what its own links and forms ask, and nothing else.

Django's lists take a look-up on any column of their table, shown or not, and so answer questions about what they hide.
Here a list takes the choices its filters offer, an order by a column it shows, a search where it has a search box, and
a page; everything else is refused, with 400, before the database is asked anything.
"""

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import admin
from django.contrib.admin.filters import DateFieldListFilter, ListFilter
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR, IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch

from shop.forgiving_choices import ForgivingAdmin

LONGEST_SEARCH = 200
PRESERVED_VAR = "_changelist_filters"  # the list's own address, which a row's page leads back to
PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
COLUMNS = re.compile(r"(-?[0-9]{1,2}(\.-?[0-9]{1,2})*)?")
TRUTHS = ("True", "False")


class QueryRefused(SuspiciousOperation):
    """A page was asked, in its address, something that none of its own links asks. Answered with 400."""


def check_parameters(request: HttpRequest, allowed: Collection[str]) -> None:
    """Raises QueryRefused for a parameter the page does not know, or one that is there twice."""
    for name, values in request.GET.lists():
        if name not in allowed:
            raise QueryRefused(f"{request.path} takes no {name[:40]!r}")
        if len(values) > 1:
            raise QueryRefused(f"{request.path} takes {name!r} once")


def check_popup(request: HttpRequest, key_name: str) -> None:
    """Raises QueryRefused unless the marks of a small window are as Django's own buttons set them."""
    for name, wanted in ((IS_POPUP_VAR, "1"), (TO_FIELD_VAR, key_name)):
        if request.GET.get(name, wanted) != wanted:
            raise QueryRefused(f"{request.path} takes {name!r} as its buttons set it")


class StrictChangeList(ChangeList):
    """A list that takes only what its own links and its search box ask."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self._check_frame(request)
        super().__init__(request, *args)

    def _check_frame(self, request: HttpRequest) -> None:
        """Raises QueryRefused for a page, a search or an “all” that cannot be meant."""
        if not PAGE_NUMBER.fullmatch(request.GET.get(PAGE_VAR, "1")):
            raise QueryRefused("A page that is no number")
        if len(request.GET.get(SEARCH_VAR, "")) > LONGEST_SEARCH:
            raise QueryRefused("A search longer than anything there is")
        if request.GET.get(ALL_VAR, "") != "":
            raise QueryRefused("“All” takes no value")

    def get_filters(self, request: HttpRequest) -> Any:
        """As Django's; raises QueryRefused for what no filter offers."""
        found = super().get_filters(request)
        specs: list[ListFilter] = found[0]
        frame = {ORDER_VAR, ALL_VAR, IS_POPUP_VAR, TO_FIELD_VAR, *([SEARCH_VAR] if self.search_fields else [])}
        asked = {name: value for name, value in self.params.items() if name not in frame}
        names = {name for spec in specs for name in spec.expected_parameters() if name}
        check_parameters(request, {*frame, PAGE_VAR, *names})
        check_popup(request, self.opts.pk.name)
        for spec in specs:
            mine = {name: str(value) for name, value in asked.items() if name in spec.expected_parameters()}
            if not all(self._offers(spec, name, value) for name, value in mine.items()):
                raise QueryRefused("A choice that the filter does not offer")
        return found

    def _offers(self, spec: ListFilter, name: str, value: str) -> bool:
        if isinstance(spec, DateFieldListFilter):
            return _is_valid_day(spec, name, value)
        links = (parse_qsl(str(choice["query_string"]).removeprefix("?"), True) for choice in spec.choices(self))
        return any((name, value) in link for link in links)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """As Django's; raises QueryRefused for an order that no column's heading asks for."""
        asked = str(self.params.get(ORDER_VAR, ""))
        if not COLUMNS.fullmatch(asked):
            raise QueryRefused("An order that is no list of columns")
        columns = [int(column.lstrip("-")) for column in asked.split(".") if column]
        if len(set(columns)) < len(columns) or not set(columns) <= self.sortable_columns():
            raise QueryRefused("An order by what is no column to sort by")
        return super().get_ordering(request, queryset)

    def sortable_columns(self) -> set[int]:
        """The places, in the list, of the columns whose headings sort it."""
        return {
            place
            for place, name in enumerate(self.list_display)
            if name in (self.sortable_by or ()) and self.get_ordering_field(name)
        }

    def get_results(self, request: HttpRequest) -> None:
        """One page past the end is the last one: whoever has just emptied a page is led back to it."""
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            self.page_num -= 1
            super().get_results(request)
        if self.page_num > self.paginator.num_pages + 1:
            raise QueryRefused("A page that is not there")


def _is_valid_day(spec: DateFieldListFilter, name: str, value: str) -> bool:
    """A day stays what a link asked for when the link is older than today."""
    if name.endswith("__isnull"):
        return value in TRUTHS
    try:
        return spec.field.to_python(value) is not None
    except ValidationError:
        return False


class StrictAdmin(ForgivingAdmin):
    """The base of every ModelAdmin here: a system check refuses one without it.

    What a list takes is declared as Django has it, and may differ by role: `get_list_filter`, `get_sortable_by`,
    `get_search_fields`. `page_parameters` are what a row's own page takes in its address.
    """

    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    page_parameters: tuple[str, ...] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StrictChangeList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise QueryRefused("A list was asked for what it cannot look up") from error

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """A list sends the action of its menu and of each button, and which was meant as a place among them. From here
        on `action` is that one, for the pages that ask first and send it again.
        """
        sent, place = request.POST.getlist("action"), request.POST.get("index", "0")
        if len(sent) > 1 and place.isdecimal() and int(place) < len(sent):
            meant = request.POST.copy()
            meant["action"], meant["index"] = sent[int(place)], "0"
            request.POST = meant  # type: ignore[assignment]  # the stubs name the kind that cannot be changed
        return super().response_action(request, *args, **kwargs)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Rows are known by their key alone; by another column they could be asked for one by one."""
        return to_field == self.opts.pk.name

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_parameters(request, {PRESERVED_VAR, IS_POPUP_VAR, TO_FIELD_VAR, *self.page_parameters})
        check_popup(request, self.opts.pk.name)
        return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_parameters(request, {PRESERVED_VAR, IS_POPUP_VAR, TO_FIELD_VAR})
        check_popup(request, self.opts.pk.name)
        return super().delete_view(request, *args, **kwargs)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        check_parameters(request, {PAGE_VAR, PRESERVED_VAR})
        if not PAGE_NUMBER.fullmatch(request.GET.get(PAGE_VAR, "1")):
            raise QueryRefused("A page that is no number")
        return super().history_view(request, *args, **kwargs)

    def get_view_on_site_url(self, obj: Model | None = None) -> str | None:
        """The row's own address: Django's detour tells it of rows a role may not look at.

        None beside a form that was refused, where what was typed leads nowhere.
        """
        url = getattr(obj, "get_absolute_url", None) if self.view_on_site else None
        try:
            return str(url()) if url else None
        except NoReverseMatch:
            return None
