"""What a spent fresh link leaves in the session: for an hour this browser may do all that guest may do."""

from datetime import datetime, timedelta

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Customer, User
from shop.registry import Registry

GUEST_KEY = "guest"
PENDING_LINK_KEY = "fresh_link"  # in the session: the link that was opened here and not used yet
PASSWORD_RESET_KEY = "_password_reset_key"  # noqa: S105  (allauth's name: a link to choose a password was opened here)
_cleared_at_login = Registry[str]("The part of a session")
LIFETIME = timedelta(minutes=60)


def start_guest_session(request: HttpRequest, customer: Customer) -> None:
    request.session.cycle_key()  # whoever planted the old key does not share in it
    until = timezone.now() + LIFETIME
    request.session[GUEST_KEY] = {"customer": customer.pk, "until": until.timestamp()}


def get_guest_session_end(request: HttpRequest) -> datetime | None:
    """When the grant runs out; None without one. Asks the database nothing but for the session."""
    held = request.session.get(GUEST_KEY)
    ends_at = datetime.fromtimestamp(held["until"], tz=timezone.get_default_timezone()) if held else None
    return ends_at if ends_at and ends_at > timezone.now() else None


def get_guest(request: HttpRequest) -> Customer | None:
    """The guest of a live grant. One who has an account by now signs in instead."""
    if get_guest_session_end(request) is None:
        return None
    return Customer.objects.filter(pk=request.session[GUEST_KEY]["customer"], user=None).first()


def end_guest_session(request: HttpRequest) -> None:
    if request.session.pop(GUEST_KEY, None) is not None:
        request.session.cycle_key()


def register_keys_cleared_at_login(*keys: str) -> None:
    """Registers what of a session ends when somebody signs in there (called in `AppConfig.ready`)."""
    for key in keys:
        _cleared_at_login.add(key, key)


def clear_keys_at_login(request: HttpRequest, user: User, **kwargs: object) -> None:
    """Whoever signs in is that login: what links had opened here, for whomever, is theirs no more."""
    for key in _cleared_at_login:
        request.session.pop(key, None)


def connect_guest_receiver() -> None:
    user_logged_in.connect(clear_keys_at_login, dispatch_uid="accounts.end_visit")
