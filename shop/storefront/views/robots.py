"""For machines that knock at the usual doors."""

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe

PRIVATE = ("/account/", "/accounts/", "/admin/", "/cart/", "/checkout/", "/mail/", "/orders/", "/search/")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE)]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Pages name the mark themselves; this is for whatever asks without reading one."""
    return HttpResponsePermanentRedirect(static("img/mark-32.png"))
