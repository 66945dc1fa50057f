"""Admin pages that show people: each look is written to the access log before the page is answered."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse

from accounts.models import AccessKind
from accounts.privacy import access_log
from accounts.privacy.access_log import DataSubject
from shop.admin_queries import StrictAdmin


class AuditedAdmin(StrictAdmin):
    """Lists, pages and searches of people and of what belongs to them."""

    def subject(self, row: Any) -> DataSubject:
        """Whose data a row shows; without a query of its own, because lists ask it of every row. Each admin says it."""
        raise NotImplementedError

    def log_access(self, request: HttpRequest, rows: Iterable[Any], *, what: AccessKind, detail: str = "") -> None:
        access_log.log_access_to_subjects(request.user, [self.subject(row) for row in rows], what=what, detail=detail)  # type: ignore[arg-type]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        listed = _get_context_data(response).get("cl")
        if listed is not None:
            what = AccessKind.SEARCH if listed.query else AccessKind.LIST
            self._log_list(request, listed, what)
        return response

    def _log_list(self, request: HttpRequest, listed: ChangeList, what: AccessKind) -> None:
        """A list that shows no customer answers a question too, and is a look at nobody."""
        subjects = [self.subject(row) for row in listed.result_list]
        access_log.log_access_to_subjects(request.user, subjects, what=what)  # type: ignore[arg-type]
        if not any(subject.is_somebody for subject in subjects):
            shown = "nobody we know" if subjects else "nobody"
            about = f"{str(self.opts.verbose_name_plural).capitalize()}: {shown}"
            asked = listed.get_query_string()
            access_log.log_empty_result(request.user, about, what=what, asked=asked)  # type: ignore[arg-type]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._log_row_view(request, super().changeform_view(request, *args, **kwargs), "original")

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._log_row_view(request, super().history_view(request, *args, **kwargs), "object")

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._log_row_view(request, super().delete_view(request, *args, **kwargs), "object")

    def _log_row_view(self, request: HttpRequest, response: HttpResponse, name: str) -> HttpResponse:
        row = _get_context_data(response).get(name)
        if row is not None and row.pk:
            self.log_access(request, [row], what=AccessKind.LOOK)
        return response

    # Django's own log of changes would keep names and addresses of people for ever: it gets their number alone.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return self._log(request, obj, ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        self.log_access(request, [obj], what=AccessKind.CHANGE)
        return self._log(request, obj, CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> list[LogEntry]:
        return [self._log(request, row, DELETION, "") for row in queryset]

    def _log(self, request: HttpRequest, obj: Any, flag: int, message: Any) -> LogEntry:
        entry = LogEntry(
            user_id=request.user.pk or 0,
            content_type_id=get_content_type_for_model(obj).pk,
            object_id=obj.pk,
            object_repr=f"{self.opts.verbose_name} {obj.pk}",
            action_flag=flag,
        )
        entry.change_message = message if isinstance(message, str) else json.dumps(message)
        entry.save()
        return entry


def _get_context_data(response: HttpResponse) -> dict[str, Any]:
    """What a page shows; nothing where the answer is no page."""
    return getattr(response, "context_data", None) or {}


class ReadOnlyAdmin(StrictAdmin):
    """To look, not to touch: what is here is written by the shop itself."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False
