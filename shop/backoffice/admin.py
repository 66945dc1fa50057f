import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver

from shop.admin_queries import LONGEST_SEARCH, PAGE_NUMBER, QueryRefused, check_parameters
from shop.backoffice.dashboard import (
    MOST_SHOWN,
    find_sold_out_variants,
    get_complaint_tiles,
    get_today_summary,
    list_unwritten_pages,
)
from shop.backoffice.dispute_pages import build_dispute_urls
from shop.backoffice.stuck_items import list_stuck_items

APP_ORDER = ["orders", "catalog", "accounts", "notifications", "recommendations", "retrying"]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])
HIDDEN_APPS = {"account", "mfa", "usersessions"}  # allauth's apps
logger = logging.getLogger("django.security.admin")


class BackofficeSite(admin.AdminSite):
    """Staff come in through the shop's own sign-in, with its rate limits and second factor."""

    site_header = "Say When: the back office"
    site_title = "Say When"
    index_title = "Today"
    index_template = "admin/today.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Leaves out what allauth would show: the secrets of second factors, addresses only their owner may prove."""
        models = model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        ours = [model for model in models if model._meta.app_label not in HIDDEN_APPS]  # noqa: SLF001  (Django documents _meta)
        super().register(ours, admin_class, **options)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sends staff who still need a second factor to where they set one up."""
        user = request.user
        if user.is_authenticated and user.is_staff and _lacks_second_factor(request):
            messages.info(request, "Staff sign in with a second factor. Please set one up; then come back.")
            return redirect("mfa_index")
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not _lacks_second_factor(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The rooms staff are in most come first. All of them are put together once a request: pages ask twice."""
        if app_label is not None:
            return self._list_rooms(request, app_label)
        rooms: list[Any] | None = getattr(request, "back_office_rooms", None)
        if rooms is None:
            rooms = request.back_office_rooms = self._list_rooms(request, None)  # type: ignore[attr-defined]
        return rooms

    def _list_rooms(self, request: HttpRequest, app_label: str | None) -> list[Any]:
        rooms: list[Any] = super().get_app_list(request, app_label)
        return sorted(
            rooms,
            key=lambda room: APP_ORDER.index(room["app_label"]) if room["app_label"] in APP_ORDER else len(APP_ORDER),
        )

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return super().admin_view(self._handle_refused_queries(view), cacheable)

    def _handle_refused_queries(self, view: View) -> View:
        """Says on a page of the back office what was wrong with its address, and how to go on."""

        @wraps(view)
        def refusing(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                _check_selected_rows(request)
                return view(request, *args, **kwargs)
            except QueryRefused as refusal:
                logger.warning("%s asked what it may not: %s", request.user.pk, refusal)
                context = {**self.each_context(request), "title": "This page can’t be asked that"}
                return TemplateResponse(request, "admin/refused.html", context, status=400)

        return cast("View", refusing)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without Django's detour to a row's page in the shop, which told roles of rows they may not look at."""
        own = [each for each in super().get_urls() if getattr(each, "name", "") != "view_on_site"]
        return [*build_dispute_urls(self), *own]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Each part for those who may see what it counts."""
        context = {
            "today": get_today_summary() if request.user.has_perm("orders.view_order") else None,
            "complaints": get_complaint_tiles() if request.user.has_perm("accounts.view_datacomplaint") else [],
            "stuck": list_stuck_items(MOST_SHOWN) if request.user.has_perm("retrying.view_stuckitem") else [],
            "unwritten": list_unwritten_pages() if request.user.has_perm("orders.change_infopage") else [],
            "shelves": find_sold_out_variants() if request.user.has_perm("catalog.view_variant") else None,
        }
        return super().index(request, {**(extra_context or {}), **context})

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Only for the fields that are filled in this way: else it would search everything a role may look at."""
        check_parameters(request, {"app_label", "model_name", "field_name", "term", "page"})
        if len(request.GET.get("term", "")) > LONGEST_SEARCH or not PAGE_NUMBER.fullmatch(request.GET.get("page", "1")):
            raise QueryRefused("A look-up that no field makes")
        if not self._is_autocompleted_field(request):
            raise PermissionDenied
        response: HttpResponse = super().autocomplete_view(request)
        return response

    def _is_autocompleted_field(self, request: HttpRequest) -> bool:
        asked = {name: request.GET.get(name, "") for name in ("app_label", "model_name", "field_name")}
        for model, model_admin in self._registry.items():
            if (model._meta.app_label, model._meta.model_name) == (asked["app_label"], asked["model_name"].lower()):  # noqa: SLF001
                return asked["field_name"] in model_admin.get_autocomplete_fields(request)
        return False

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Passwords are changed in one place, which asks for the old one and knows the rate limits."""
        return redirect("account_change_password")


def _check_selected_rows(request: HttpRequest) -> None:
    """Django looks up whatever a list's checkboxes are said to hold, and breaks on what can't be a key."""
    if not all(choice.isdecimal() for choice in request.POST.getlist(ACTION_CHECKBOX_NAME)):
        raise SuspiciousOperation("A choice in a list that is no row's number")


def _lacks_second_factor(request: HttpRequest) -> bool:
    """Asked once per request."""
    if not settings.REQUIRE_STAFF_MFA:
        return False
    has_one: bool | None = getattr(request, "has_second_factor", None)
    if has_one is None:
        has_one = bool(is_mfa_enabled(request.user))
        request.has_second_factor = has_one  # type: ignore[attr-defined]
    return not has_one


site = admin.site
