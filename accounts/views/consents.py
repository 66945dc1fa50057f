"""Answers given by a mailed link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.consent import purposes, requests
from accounts.consent.requests import REQUEST_RETENTION


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_consent(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed link of a double opt-in. Looking changes nothing; the button does."""
    asked = requests.find_request_by_token(token)
    if asked is None:
        return render(request, "accounts/consent_link_expired.html", {"period": REQUEST_RETENTION}, status=404)
    was_refused = requests.was_refused_since(asked)
    if request.method == "POST":
        requests.confirm_request(asked)
    context = {
        "purpose": purposes.get_purpose(asked.purpose),
        "is_confirmed": request.method == "POST",
        "was_refused": was_refused,
    }
    return render(request, "accounts/confirm_consent.html", context)
