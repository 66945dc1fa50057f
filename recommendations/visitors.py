"""What a visitor looked at: in their session alone, only while they ticked it, gone `LOOKS_RETENTION` after the tick.

The tick, the history and the session that holds both end together. A browser that sends `Sec-GPC: 1` has said no.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from accounts.consent import gpc
from accounts.consent.purposes import LOOKS_RETENTION
from accounts.models import Customer
from accounts.people.auth import get_login_customer
from recommendations import history

SESSION_KEY = "looked_at"
MOST = 20  # as many as steer a shelf


def may_have_history(request: HttpRequest) -> bool:
    """Whether there is a switch for this visit at all: nobody is logged in, and the browser has not said no."""
    return not gpc.has_gpc_signal(request) and get_login_customer(request) is None


def is_history_on(request: HttpRequest) -> bool:
    return may_have_history(request) and _read_history(request) is not None


def get_history_end(request: HttpRequest) -> datetime | None:
    """When it all goes; None while the switch is off."""
    kept = _read_history(request) if may_have_history(request) else None
    return datetime.fromisoformat(kept["until"]) if kept else None


def get_viewed_products(request: HttpRequest) -> list[int]:
    """The products the visitor looked at, the latest first; none without the switch."""
    kept = _read_history(request) if may_have_history(request) else None
    return [product_id for product_id, _ in kept["views"]] if kept else []


def record_visitor_view(request: HttpRequest, product_id: int) -> None:
    """Notes that a visitor opened a product page, if they ticked that; otherwise nothing is written.

    A browser that has begun to say no has its history deleted.
    """
    kept = _read_history(request)
    if kept is None or get_login_customer(request) is not None:
        return
    if gpc.has_gpc_signal(request):
        del request.session[SESSION_KEY]
        return
    views = [view for view in kept["views"] if view[0] != product_id]
    kept["views"] = [[product_id, timezone.now().isoformat()], *views][:MOST]
    request.session.modified = True


def delete_history_if_refused(request: HttpRequest) -> None:
    """A browser that has begun to say no has its history deleted."""
    if gpc.has_gpc_signal(request) and _read_history(request) is not None:
        del request.session[SESSION_KEY]


def turn_on_history(request: HttpRequest) -> bool:
    """Begins a history. False, and nothing changes, where a visit cannot have it."""
    if not may_have_history(request):
        return False
    if _read_history(request) is None:
        ends_at = timezone.now() + LOOKS_RETENTION
        request.session[SESSION_KEY] = {"until": ends_at.isoformat(), "views": []}
        request.session.set_expiry(ends_at)
    return True


def turn_off_history(request: HttpRequest) -> None:
    """At once, with all there was. A page still under way in another tab cannot bring it back: its session is gone."""
    if request.session.pop(SESSION_KEY, None) is not None:
        request.session.cycle_key()


def move_history_to_customer(request: HttpRequest, customer: Customer, *, is_wanted: bool) -> int:
    """At login: the visit's history goes to the account where both its tick and the customer's switch say so.

    Otherwise it is deleted here. Returns how many views came along.
    """
    kept = request.session.pop(SESSION_KEY, None)
    if kept is None or not is_wanted or _is_history_expired(kept) or gpc.has_gpc_signal(request):
        return 0
    views = [(product_id, datetime.fromisoformat(at)) for product_id, at in kept["views"]]
    return history.import_visitor_views(customer, views)


def _read_history(request: HttpRequest) -> dict[str, Any] | None:
    """Looks into the session only where there already is one."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    kept: dict[str, Any] | None = request.session.get(SESSION_KEY)
    return None if kept is None or _is_history_expired(kept) else kept


def _is_history_expired(kept: dict[str, Any]) -> bool:
    return datetime.fromisoformat(kept["until"]) <= timezone.now()
