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

STAFF_KEY = "staff"  # in the session: when they signed in, and when they last clicked
CLICK_PRECISION_SECONDS = 60  # a click is not written down more often


class StaffSessionMiddleware:
    """Ends the sessions of staff that are over. A session of theirs that does not say when it began is over too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            self._check_session(request)
        return self.get_response(request)

    def _check_session(self, request: HttpRequest) -> None:
        times: dict[str, float] | None = request.session.get(STAFF_KEY)
        if times is None:
            if request.path.startswith(reverse("admin:index")) and getattr(request.user, "is_staff", False):
                _sign_out_staff(request, "Please sign in again: staff do, once in a while.")
        elif time.time() - times["since"] > settings.STAFF_SESSION_SECONDS:
            _sign_out_staff(request, "A working day is over, so you were signed out. Please sign in again.")
        elif time.time() - times["seen"] > settings.STAFF_IDLE_SECONDS:
            _sign_out_staff(request, "Nobody clicked for a while, so you were signed out. Please sign in again.")
        elif not _is_background_poll(request) and time.time() - times["seen"] > CLICK_PRECISION_SECONDS:
            request.session[STAFF_KEY] = {**times, "seen": time.time()}


def _is_background_poll(request: HttpRequest) -> bool:
    """A page that waits for something asks again and again, with nobody before it."""
    return request.method == "GET" and "HX-Request" in request.headers


def _sign_out_staff(request: HttpRequest, words: str) -> None:
    logout(request)
    messages.info(request, words)


def begin_staff_session(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """From the sign-in on, the clock runs."""
    request.session.pop(STAFF_KEY, None)
    if user.is_staff:
        request.session[STAFF_KEY] = {"since": time.time(), "seen": time.time()}


def connect_staff_receiver() -> None:
    user_logged_in.connect(begin_staff_session, dispatch_uid="accounts.begin_staff_session")
