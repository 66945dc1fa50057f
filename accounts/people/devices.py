"""Browsers in which somebody has signed in before: a signed cookie that keeps strangers' guesses from locking them out.

The cookie opens nothing. It names logins by number, each with a seal over the password hash, so that a new password
forgets every browser.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

SALT = "accounts.people.devices"
LIFETIME_SECONDS = 365 * 24 * 3600
MOST_LOGINS = 5  # a household's browser

Logins = dict[str, list[str]]  # number of the login: name of the browser, seal


def get_known_device(request: HttpRequest, email: str) -> str:
    """The name of this browser, if the login of that address was signed in to here; empty otherwise."""
    logins = _read_cookie(request)
    user = User.objects.filter(email=email).first() if logins else None
    name, seal = logins.get(str(user.pk), ["", ""]) if user else ("", "")
    return name if user and constant_time_compare(seal, _seal_device(user, name)) else ""


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Has the browser keep that this login was signed in to here."""
    name = get_known_device(request, user.email) or secrets.token_urlsafe(9)
    others = {pk: entry for pk, entry in _read_cookie(request).items() if pk != str(user.pk)}
    latest = list(others.items())[1 - MOST_LOGINS :]
    logins = {**dict(latest), str(user.pk): [name, _seal_device(user, name)]}
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps(logins, salt=SALT, compress=True),
        max_age=LIFETIME_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _seal_device(user: User, name: str) -> str:
    return salted_hmac(SALT, f"{user.pk}:{name}:{user.password}", algorithm="sha256").hexdigest()[:32]


def _read_cookie(request: HttpRequest) -> Logins:
    try:
        found: Any = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=LIFETIME_SECONDS
        )
    except signing.BadSignature:
        return {}
    return {str(pk): list(entry) for pk, entry in found.items()} if isinstance(found, dict) else {}
