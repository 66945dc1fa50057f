"""“See the difference”: a switch off and on, side by side, when the customer asks. Nothing is written or kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from csp.constants import NONCE, NONE, SELF
from csp.decorators import csp_replace, csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from accounts.consent import consent, purposes
from accounts.consent.purposes import Purpose
from accounts.models import Customer
from accounts.people.auth import customer_required
from recommendations import visitors
from shop.storefront import previews

SIDES = {"off": False, "on": True}
# A frame's answer: nothing runs, opens or is sent in it, and only a page of ours may hold it.
FRAME_POLICY = {
    "script-src": [NONE],
    "connect-src": [NONE],
    "form-action": [NONE],
    "style-src": [SELF, NONCE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-same-origin"],
}


@dataclass(frozen=True)
class SwitchDecision:
    """The form under the two sides: where the other answer goes, in which field (none: an empty form says no)."""

    url: str
    name: str
    value: str
    back: str


@never_cache
@require_POST
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its types know no view with arguments
@customer_required
def preview(request: HttpRequest, customer: Customer, key: str) -> HttpResponse:
    """The page with the two frames. Each is filled by a form of its own, since looking is a POST here as well."""
    purpose = _get_purpose_or_404(key)
    is_master = purpose == purposes.PERSONAL_SHOPPER
    is_on = consent.is_master_on(customer) if is_master else key in consent.get_chosen_purposes(customer)
    decision = (
        SwitchDecision(reverse("master_switch"), "answer", "off" if is_on else "on", back="master")
        if is_master
        else SwitchDecision(reverse("preference", args=[key]), "" if is_on else key, "on", back=f"switch-{key}")
    )
    context = {
        "where": previews.get_preview_target(key).where,
        "notes": previews.list_preview_notes(request, customer, key),
        "sides": _list_sides(is_on=is_on, urls={side: reverse("preview_side", args=[key, side]) for side in SIDES}),
    }
    return _render_preview(request, purpose, decision, is_on=is_on, **context)


@never_cache
@require_POST
@csp_update({"frame-src": [SELF]})
def visitor_preview(request: HttpRequest) -> HttpResponse:
    """The same for the one switch of somebody who is not signed in."""
    purpose, is_on = purposes.VISITOR_HISTORY, visitors.is_history_on(request)
    urls = {side: reverse("visitor_preview_side", args=[side]) for side in SIDES}
    context = {"where": previews.VISITOR_TARGET.where, "notes": [], "sides": _list_sides(is_on=is_on, urls=urls)}
    decision = SwitchDecision(
        reverse("visitor_history"), "" if is_on else purpose.key, "on", back=f"switch-{purpose.key}"
    )
    return _render_preview(request, purpose, decision, is_on=is_on, **context)


def _list_sides(*, is_on: bool, urls: Mapping[str, str]) -> list[tuple[str, bool, str]]:
    return [(side, granted == is_on, urls[side]) for side, granted in SIDES.items()]


def _render_preview(
    request: HttpRequest, purpose: Purpose, decision: SwitchDecision, *, is_on: bool, **context: Any
) -> HttpResponse:
    context |= {"purpose": purpose, "decision": decision, "is_on": is_on}
    return render(request, "storefront/account/preview.html", context)


@never_cache
@require_POST
@xframe_options_sameorigin
@csp_replace(FRAME_POLICY)  # type: ignore[arg-type]
@customer_required
def preview_side(request: HttpRequest, customer: Customer, key: str, side: str) -> HttpResponse:
    if side not in SIDES:
        raise Http404
    return HttpResponse(previews.render_side(request, customer, _get_purpose_or_404(key).key, granted=SIDES[side]))


@never_cache
@require_POST
@xframe_options_sameorigin
@csp_replace(FRAME_POLICY)  # type: ignore[arg-type]
def visitor_preview_side(request: HttpRequest, side: str) -> HttpResponse:
    if side not in SIDES:
        raise Http404
    return HttpResponse(previews.render_visitor_side(request, granted=SIDES[side]))


def _get_purpose_or_404(key: str) -> Purpose:
    if not purposes.is_purpose(key) and key != purposes.PERSONAL_SHOPPER.key:
        raise Http404
    return purposes.get_purpose(key)
