"""“See the difference”: a switch off and on, side by side, when the customer asks. Nothing is written or kept."""

from csp.constants import NONCE, NONE, SELF
from csp.decorators import csp_replace, csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from accounts import consent, purposes
from accounts.current import needs_customer
from accounts.models import Customer
from accounts.purposes import Purpose
from shop.storefront import preview as previews

SIDES = {"off": False, "on": True}
# A frame's answer: nothing runs, opens or is sent in it, and only a page of ours may hold it.
STILL = {
    "script-src": [NONE],
    "connect-src": [NONE],
    "form-action": [NONE],
    "style-src": [SELF, NONCE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-same-origin"],
}


@never_cache
@require_POST
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its types know no view with arguments
@needs_customer
def preview(request: HttpRequest, customer: Customer, key: str) -> HttpResponse:
    """The page with the two frames. Each is filled by a form of its own, since looking is a POST here as well."""
    purpose = _purpose(key)
    is_master = purpose == purposes.PERSONAL_SHOPPER
    is_on = consent.is_master_on(customer) if is_master else key in consent.chosen_purposes(customer)
    context = {
        "purpose": purpose,
        "is_master": is_master,
        "is_on": is_on,
        "where": previews.sight(key).where,
        "notes": previews.notes(customer, key),
        "sides": [(side, granted == is_on) for side, granted in SIDES.items()],
    }
    return render(request, "storefront/account/preview.html", context)


@never_cache
@require_POST
@xframe_options_sameorigin
@csp_replace(STILL)  # type: ignore[arg-type]
@needs_customer
def side(request: HttpRequest, customer: Customer, key: str, side: str) -> HttpResponse:
    if side not in SIDES:
        raise Http404
    return HttpResponse(previews.picture(request, customer, _purpose(key).key, granted=SIDES[side]))


def _purpose(key: str) -> Purpose:
    if not purposes.exists(key) and key != purposes.PERSONAL_SHOPPER.key:
        raise Http404
    return purposes.get(key)
