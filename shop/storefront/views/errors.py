"""Pages for what went wrong, with the same headers and the same look as every other."""

import sys
from http import HTTPStatus

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

RETRY_AFTER_SECONDS = 5
READ_ONLY = "25006"  # PostgreSQL's code for a write where none is allowed


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    # The same for an order that is not theirs and one that is not there: the address alone decides.
    return render(request, "404.html", {"is_order": request.path.startswith("/orders/")}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's last resort, whatever layer the error came from. A database out of reach or full is not our mistake."""
    if is_database_unavailable(sys.exc_info()[1]):
        return service_unavailable()
    # Without the request: the frame's own reading may be what failed.
    return HttpResponse(render_to_string("500.html"), status=500)


def service_unavailable() -> HttpResponse:
    """Written without asking the database anything."""
    page = render_to_string("503.html")
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS), "Cache-Control": "no-store"}
    return HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)


def is_database_unavailable(error: BaseException | None) -> bool:
    """Whether the database is away, full, read-only or overwhelmed: this error, or one that it came from."""
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError) or _is_read_only_error(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_read_only_error(error: BaseException) -> bool:
    return isinstance(error, InternalError) and getattr(error.__cause__, "pgcode", "") == READ_ONLY
