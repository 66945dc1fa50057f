"""How long staff stay signed in: until half an hour without a click, and never longer than a working day."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.models import User

KEY = "staff"  # in the session: when they signed in, and when they last clicked
EXACT_TO_SECONDS = 60  # a click is not written down more often


class StaffSessionMiddleware:
    """Ends the sessions of staff that are over. A session of theirs that does not say when it began is over too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            self._look_at(request)
        return self.get_response(request)

    def _look_at(self, request: HttpRequest) -> None:
        times: dict[str, float] | None = request.session.get(KEY)
        if times is None:
            if request.path.startswith(reverse("admin:index")) and getattr(request.user, "is_staff", False):
                _end(request, "Please sign in again: staff do, once in a while.")
        elif time.time() - times["since"] > settings.STAFF_SESSION_SECONDS:
            _end(request, "A working day is over, so you were signed out. Please sign in again.")
        elif time.time() - times["seen"] > settings.STAFF_IDLE_SECONDS:
            _end(request, "Nobody clicked for a while, so you were signed out. Please sign in again.")
        elif not _asks_by_itself(request) and time.time() - times["seen"] > EXACT_TO_SECONDS:
            request.session[KEY] = {**times, "seen": time.time()}


def _asks_by_itself(request: HttpRequest) -> bool:
    """A page that waits for something asks again and again, with nobody before it."""
    return request.method == "GET" and "HX-Request" in request.headers


def _end(request: HttpRequest, words: str) -> None:
    logout(request)
    messages.info(request, words)


def begin(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """From the sign-in on, the clock runs."""
    request.session.pop(KEY, None)
    if user.is_staff:
        request.session[KEY] = {"since": time.time(), "seen": time.time()}


def connect() -> None:
    user_logged_in.connect(begin, dispatch_uid="accounts.begin_staff_session")
