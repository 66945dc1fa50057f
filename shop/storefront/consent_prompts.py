"""Where a feature would help, the page asks for it once: the switch with its own words, and a “no” as easy as a “yes”.

At most one question a page, each once a visit; left unanswered, it rests. What is remembered for that: of customers,
that it was put (`accounts.consent.prompts`); of a guest at an order's page, the same in the session that its link
began; of visitors nothing, since who brings the cookie that guards our forms has been on such a page before. None in a
preview, and none where the browser has said no.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.consent import consent, gpc, prompts, purposes
from accounts.consent.purposes import Purpose
from accounts.people.auth import get_login_customer
from recommendations import visitors


class PromptPlace(StrEnum):
    PRODUCT = "product"
    SEARCH = "search"
    CART = "cart"
    ORDER = "order"


ORDER_NEWS = (purposes.MAIL_ORDER_DISPATCHED, purposes.MAIL_ORDER_DELIVERED, purposes.MAIL_ORDER_RETURN)
PURPOSES_BY_PLACE: dict[PromptPlace, tuple[str, ...]] = {
    PromptPlace.PRODUCT: (purposes.RECOMMEND_FROM_BROWSING,),
    PromptPlace.SEARCH: (purposes.RECOMMEND_FROM_BROWSING,),
    PromptPlace.CART: (purposes.RECOMMEND_FROM_PURCHASES, purposes.COUNT_IN_ALSO_BOUGHT),
    PromptPlace.ORDER: ORDER_NEWS,
}
SHOWN = "asks_shown"  # in the session of a guest at an order's page: the questions put in this visit
ON_SCREEN = "Asked-Already"  # a header: what the page being changed in place is asking already (`cart.html`)
VISITOR_PURPOSE = purposes.VISITOR_HISTORY.key
# A search sets no cookie, not even the one that guards forms: it asks visitors who have one already.
VISITOR_PLACES = (PromptPlace.PRODUCT, PromptPlace.CART, PromptPlace.SEARCH)


@dataclass(frozen=True)
class ConsentPrompt:
    """What `partials/ask.html` shows: the words of the registry, and where the answer goes."""

    purpose: Purpose
    url: str
    fields: tuple[tuple[str, str], ...]


def get_prompt_for_page(
    request: HttpRequest, place: PromptPlace, keys: Sequence[str] | None = None
) -> ConsentPrompt | None:
    """The question of this page, if there is one. `keys`: which of the place's purposes make sense just now.

    At most one query for a customer, and one more to note that it was put; none for a visitor and none once all is
    answered. A page changed in place keeps the question it shows, and gets no new one.
    """
    if consent.is_overlay_active():
        return None
    customer = get_login_customer(request)
    if customer is None:
        return _make_prompt(request, place, VISITOR_PURPOSE) if _may_prompt_visitor(request, place) else None
    offered = [
        key for key in (PURPOSES_BY_PLACE[place] if keys is None else keys) if not is_refused_by_browser(request, key)
    ]
    if _is_in_place(request):
        on_screen = request.headers.get(ON_SCREEN, "")
        stays = on_screen in offered and prompts.is_open(customer, on_screen)
        return _make_prompt(request, place, on_screen) if stays else None
    key = (
        prompts.find_first_unanswered(request, customer, offered, beside=PURPOSES_BY_PLACE[place]) if offered else None
    )
    if key and request.method == "GET":
        prompts.note_shown(customer, key)
    return _make_prompt(request, place, key) if key else None


def _is_in_place(request: HttpRequest) -> bool:
    """Whether the answer goes into a page that stands already."""
    return bool(getattr(request, "htmx", False))


def get_prompt_for_guest(request: HttpRequest, order_number: str, keys: Sequence[str]) -> ConsentPrompt | None:
    """The question to whoever came by an order's link: news of it that was not ticked. None for those who signed in."""
    if consent.is_overlay_active() or get_login_customer(request) is not None:
        return None
    if _is_in_place(request):
        return None
    settled, shown = request.session.get(prompts.ANSWERED_KEY, []), request.session.get(SHOWN, [])
    if not set(shown) <= set(settled):
        return None
    for key in keys:
        if make_guest_answer_key(order_number, key) not in settled and not is_refused_by_browser(request, key):
            if request.method == "GET":
                request.session[SHOWN] = [make_guest_answer_key(order_number, key)]
            return _make_prompt(request, PromptPlace.ORDER, key, ("order", order_number))
    return None


def make_guest_answer_key(order_number: str, key: str) -> str:
    """What the session keeps of a guest's answer."""
    return f"{order_number} {key}"


def is_refused_by_browser(request: HttpRequest, key: str) -> bool:
    """The browser has answered already."""
    return gpc.has_gpc_signal(request) and gpc.covers_purpose(purposes.get_purpose(key))


def _may_prompt_visitor(request: HttpRequest, place: PromptPlace) -> bool:
    """A visitor who brings the cookie that guards forms was asked before, or has seen the switch where it stands."""
    if place not in VISITOR_PLACES or gpc.has_gpc_signal(request):
        return False
    if settings.CSRF_COOKIE_NAME in request.COOKIES and request.headers.get(ON_SCREEN) != VISITOR_PURPOSE:
        return False
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return place != PromptPlace.SEARCH
    return not visitors.is_history_on(request) and VISITOR_PURPOSE not in request.session.get(prompts.ANSWERED_KEY, [])


def _make_prompt(request: HttpRequest, place: PromptPlace, key: str, *more: tuple[str, str]) -> ConsentPrompt:
    fields = (("place", place.value), ("back", request.get_full_path()), *more)
    return ConsentPrompt(purposes.get_purpose(key), reverse("ask", args=[key]), fields)
