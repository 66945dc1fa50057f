"""For those who have no login: the one switch a visit can have, and what the shop does when a browser says no."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe
from django_countries.fields import Country

from accounts.consent import gpc, prompts, purposes
from accounts.people.auth import get_customer
from accounts.preferences.switches import Switch
from orders import carts, order_access
from orders.views.redirects import see_other
from recommendations import visitors
from shop.catalog import product_cards
from shop.requests import HtmxRequest
from shop.storefront import shelves
from shop.storefront.destination import get_chosen_country
from shop.storefront.shelves import FilledShelf
from shop.storefront.views import account

GPC_SINCE = "2026-11-22"  # when what we do about it last changed


def preferences(request: HttpRequest) -> HttpResponse:
    """A customer's own switches; for everybody else the one a visit can have."""
    if request.method == "POST" or get_customer(request) is not None:
        return account.customer_preferences(request)
    return _render_visitor_preferences(request)


@never_cache
@require_safe
def _render_visitor_preferences(request: HttpRequest) -> HttpResponse:
    visitors.delete_history_if_refused(request)
    context = _build_visit_context(request) | {
        "switch": _make_visitor_switch(request),
        "is_gpc": gpc.has_gpc_signal(request),
        "sign_in_url": f"{reverse('fresh_link')}?next={reverse('preferences')}",
    }
    return render(request, "storefront/visitor.html", context)


@require_POST
def visitor_history(request: HtmxRequest) -> HttpResponse:
    """The switch, saved when toggled: the body carries its key when it is on. Off deletes what there was."""
    if purposes.VISITOR_HISTORY.key in request.POST:
        is_on = visitors.turn_on_history(request)
        said = "Saved. It is on." if is_on else "It stays off: your browser asks us not to, or you are logged in."
    else:
        visitors.turn_off_history(request)
        said = "Saved. It is off, and what we had is deleted."
    if request.htmx:
        context = _build_visit_context(request) | {"switch": _make_visitor_switch(request, said=said)}
        return render(request, "storefront/visitor_saved.html", context)
    messages.success(request, said)
    return see_other("preferences")


def _build_visit_context(request: HttpRequest) -> dict[str, Any]:
    """What this visit remembers, in words, and what was looked at, as a shelf."""
    seen = visitors.get_viewed_products(request)
    return {
        "remembered": _describe_visit(request, seen_count=len(seen)),
        "shelf": FilledShelf("What you looked at", shelves.make_cards(product_cards.read_cards(seen), way="seen"))
        if seen
        else None,
    }


def _describe_visit(request: HttpRequest, *, seen_count: int) -> list[str]:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return []
    order_count = len(request.session.get(order_access.GRANTS, []))
    facts = (
        (carts.TOKEN_SESSION_KEY in request.session, "your cart"),
        (get_chosen_country(request), f"that it goes to {Country(get_chosen_country(request)).name}"),
        (order_count, f"that you may see {order_count} {'order' if order_count == 1 else 'orders'} from here"),
        (request.session.get(prompts.ANSWERED_KEY), "what you answered when we asked"),
        (seen_count, f"the {seen_count} {'thing' if seen_count == 1 else 'things'} you looked at"),
        (visitors.is_history_on(request) and not seen_count, "that we may remember what you look at"),
    )
    return [words for is_so, words in facts if is_so]


def _make_visitor_switch(request: HttpRequest, *, said: str = "") -> Switch:
    purpose, ends_at = purposes.VISITOR_HISTORY, visitors.get_history_end(request)
    until = date_format(timezone.localtime(ends_at), "j F Y") if ends_at else ""
    return Switch(
        key=purpose.key,
        title=purpose.title,
        explanation=purpose.explanation,
        reads=purpose.reads,
        gives=purpose.gives,
        granted=ends_at is not None,
        since=f"On until {until}, then all of it is deleted" if until else "Off",
        url=reverse("visitor_history"),
        preview_url=reverse("visitor_preview"),
        said=said,
    )


@cache_control(public=True, max_age=86400)
@require_safe
def gpc_support(request: HttpRequest) -> HttpResponse:
    """That the shop honours Global Privacy Control: https://w3c.github.io/gpc/#gpc-support-resource."""
    return JsonResponse({"gpc": True, "lastUpdate": GPC_SINCE})
