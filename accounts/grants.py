"""What a spent fresh link leaves in the session: for an hour this browser may do all that guest may do."""

from datetime import datetime, timedelta

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Customer, User

KEY = "guest"
LIFETIME = timedelta(minutes=60)


def give(request: HttpRequest, customer: Customer) -> None:
    request.session.cycle_key()  # whoever planted the old key does not share in it
    until = timezone.now() + LIFETIME
    request.session[KEY] = {"customer": customer.pk, "until": until.timestamp()}


def until(request: HttpRequest) -> datetime | None:
    """When the grant runs out; None without one. Asks the database nothing but for the session."""
    held = request.session.get(KEY)
    ends_at = datetime.fromtimestamp(held["until"], tz=timezone.get_default_timezone()) if held else None
    return ends_at if ends_at and ends_at > timezone.now() else None


def guest_of(request: HttpRequest) -> Customer | None:
    """The guest of a live grant. One who has an account by now signs in instead."""
    if until(request) is None:
        return None
    return Customer.objects.filter(pk=request.session[KEY]["customer"], user=None).first()


def end(request: HttpRequest) -> None:
    if request.session.pop(KEY, None) is not None:
        request.session.cycle_key()


def end_at_login(request: HttpRequest, user: User, **kwargs: object) -> None:
    """Whoever signs in is that login, and nobody's guest afterwards."""
    request.session.pop(KEY, None)


def connect() -> None:
    user_logged_in.connect(end_at_login, dispatch_uid="accounts.end_grant")
