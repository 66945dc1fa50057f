from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from shop.storefront import destination
from shop.time_limits import limit_waiting

PRIVATE_PATHS = (
    "/accounts/",
    "/admin/",
)  # others wrote these pages, and some forget to say that they are nobody else's
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


class SecurityHeadersMiddleware:
    """Headers Django and django-csp have no setting for, on every answer alike."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if request.path.startswith(PRIVATE_PATHS) and "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response


class PatienceMiddleware:
    """No request waits long for what is outside the shop, so that none keeps the others waiting."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with limit_waiting(settings.PATIENCE_SECONDS):
            return self.get_response(request)


class DestinationMiddleware:
    """Dates on a page are those of the country of whoever asks for it. Reads nothing until a page names a date."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with destination.ask_for(request):
            return self.get_response(request)


class PlainTextMiddleware:
    """Refuses a null byte, wherever it stands: no text has one, and the database takes none. And half an address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Sequence[object], kwargs: object
    ) -> None:
        """After CSRF's turn, which has read the form. Views without it read bodies of their own."""
        given = [request.GET] if getattr(view, "csrf_exempt", False) else [request.GET, request.POST]
        texts = [request.path, *(text for data in given for pair in data.lists() for text in (pair[0], *pair[1]))]
        if any("\0" in str(text) for text in texts):
            raise SuspiciousOperation("A null byte in the request")
        if not all(_is_parsable_url(url) for data in given for url in data.getlist(REDIRECT_FIELD_NAME)):
            raise SuspiciousOperation("A way back that is no address")


def _is_parsable_url(url: str) -> bool:
    """Whether it can be taken apart; browsers read a backslash as a slash."""
    try:
        urlsplit(str(url).strip().replace("\\", "/"))
    except ValueError:
        return False
    return True
