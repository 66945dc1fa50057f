"""Where a feature would help, the page asks for it once: the switch with its own words, and a “no” as easy as a “yes”.

At most one question a page. None in a preview, and none where the browser has said no.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts import asks, consent, gpc, purposes
from accounts.current import login_of
from accounts.purposes import Purpose
from recommendations import visitors


class Place(StrEnum):
    PRODUCT = "product"
    SEARCH = "search"
    CART = "cart"
    ORDER = "order"


NEWS = (purposes.MAIL_ORDER_DISPATCHED, purposes.MAIL_ORDER_DELIVERED)
ASKED: dict[Place, tuple[str, ...]] = {
    Place.PRODUCT: (purposes.RECOMMEND_FROM_BROWSING,),
    Place.SEARCH: (purposes.RECOMMEND_FROM_BROWSING,),
    Place.CART: (purposes.RECOMMEND_FROM_PURCHASES, purposes.COUNT_IN_ALSO_BOUGHT),
    Place.ORDER: NEWS,
}
VISITORS = purposes.VISITOR_HISTORY.key
# A search sets no cookie, not even the one that guards forms: it asks visitors who have one already.
VISITORS_ASKED = (Place.PRODUCT, Place.CART, Place.SEARCH)


@dataclass(frozen=True)
class Asked:
    """What `partials/ask.html` shows: the words of the registry, and where the answer goes."""

    purpose: Purpose
    url: str
    fields: tuple[tuple[str, str], ...]


def here(request: HttpRequest, place: Place, keys: Sequence[str] | None = None) -> Asked | None:
    """The question of this page, if there is one. `keys`: which of the place's purposes make sense just now.

    At most one query for a customer, none for a visitor and none once all is answered.
    """
    if consent.is_overlaid():
        return None
    customer = login_of(request)
    if customer is None:
        return _asked(request, place, VISITORS) if _may_ask_visitor(request, place) else None
    offered = [key for key in (ASKED[place] if keys is None else keys) if not is_refused(request, key)]
    key = asks.first_open(request, customer, offered) if offered else None
    return _asked(request, place, key) if key else None


def for_guest(request: HttpRequest, order_number: str, keys: Sequence[str]) -> Asked | None:
    """The question to whoever came by an order's link: news of it that was not ticked. None for those who signed in."""
    if consent.is_overlaid() or login_of(request) is not None:
        return None
    settled = request.session.get(asks.SETTLED, [])
    for key in keys:
        if guest_answer(order_number, key) not in settled and not is_refused(request, key):
            return _asked(request, Place.ORDER, key, ("order", order_number))
    return None


def guest_answer(order_number: str, key: str) -> str:
    """What the session keeps of a guest's answer."""
    return f"{order_number} {key}"


def is_refused(request: HttpRequest, key: str) -> bool:
    """The browser has answered already."""
    return gpc.is_no(request) and gpc.covers(purposes.get(key))


def _may_ask_visitor(request: HttpRequest, place: Place) -> bool:
    if place not in VISITORS_ASKED or gpc.is_no(request):
        return False
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return place != Place.SEARCH
    return not visitors.is_on(request) and VISITORS not in request.session.get(asks.SETTLED, [])


def _asked(request: HttpRequest, place: Place, key: str, *more: tuple[str, str]) -> Asked:
    fields = (("place", place.value), ("back", request.get_full_path()), *more)
    return Asked(purposes.get(key), reverse("ask", args=[key]), fields)
