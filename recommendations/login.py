from typing import Any

from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from accounts.models import User
from accounts.people.customers import get_or_create_customer
from accounts.people.forms import BRING_ALONG
from recommendations import visitors


def join_visit_at_login(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The visit's history ends with the login. It comes along only where it was ticked and the switch is on."""
    is_wanted = request.session.pop(BRING_ALONG, None) == user.pk
    if visitors.SESSION_KEY not in request.session:
        return
    count = visitors.move_history_to_customer(request, get_or_create_customer(user), is_wanted=is_wanted)
    if not hasattr(request, "_messages"):
        return
    if count:
        messages.success(request, "What you looked at before you signed in came along.")
    else:
        messages.info(request, "What you looked at before you signed in is deleted.")


def connect_visit_receivers() -> None:
    user_logged_in.connect(join_visit_at_login, dispatch_uid="recommendations.join_visit")
