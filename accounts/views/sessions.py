"""Where somebody is signed in, and ending that, for each browser by itself or for all the others."""

import re

from allauth.account.decorators import reauthentication_required
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

OTHERS = "others"
# Most browsers name others as well: the first that is found counts.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "an iPhone",
    "iPad": "an iPad",
    "Windows": "Windows",
    "Mac OS": "a Mac",
    "Linux": "Linux",
}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required(app="allauth.account", allow_get=True)  # type: ignore[untyped-decorator]
def manage_sessions(request: HttpRequest) -> HttpResponse:
    here = request.session.session_key
    sessions = sorted(UserSession.objects.purge_and_list(request.user), key=lambda each: each.created_at, reverse=True)
    if request.method == "POST":
        return _end_sessions(request, sessions, request.POST.get("session", ""))
    rows = [
        {
            "session": each,
            "browser": describe_browser(each.user_agent),
            "is_here": each.session_key == here,
        }
        for each in sessions
    ]
    return render(request, "accounts/signed_in.html", {"rows": sorted(rows, key=lambda row: not row["is_here"])})


def _end_sessions(request: HttpRequest, sessions: list[UserSession], which: str) -> HttpResponse:
    here = request.session.session_key
    if which == OTHERS:
        ended = [each for each in sessions if each.session_key != here]
    else:
        ended = [each for each in sessions if str(each.pk) == which]
        if not ended:
            raise Http404
    for each in ended:
        each.end()
    if any(each.session_key == here for each in ended):
        logout(request)
        return redirect("home")
    messages.success(request, "Signed out there." if ended else "You were signed in nowhere else.")
    return redirect("usersessions_list")


def describe_browser(user_agent: str) -> str:
    """A browser in words, such as "Firefox on Windows"."""
    browser = next((words for sign, words in BROWSERS.items() if sign in user_agent), "A browser")
    system = next((words for sign, words in SYSTEMS.items() if re.search(rf"\b{sign}", user_agent)), "")
    return f"{browser} on {system}" if system else browser
