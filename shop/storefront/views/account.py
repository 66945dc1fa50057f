"""The customer's own pages: who they are to us, and what they let us do."""

from dataclasses import dataclass, replace

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import choices, consent, gpc, held, purposes, undo
from accounts.address_forms import NameForm
from accounts.current import needs_customer
from accounts.models import Customer
from accounts.purposes import Group
from accounts.switches import Switch, ceiling_choice, master, switch, switches
from notifications.missing_letters import explain_missing_letter
from orders import ticks
from recommendations.effects import Place
from recommendations.picks import Pick
from shop import personal_data
from shop.storefront import controller, shelves
from shop.storefront.shelves import SUGGESTING, Card

EVERY = frozenset(purpose.key for purpose in purposes.PURPOSES)


@dataclass(frozen=True)
class Reason:
    """A thing on the “For you” page, the datum that brought it, and the way to be rid of either."""

    card: Card
    pick: Pick

    @property
    def datum_url(self) -> str:
        return shelves.datum_url(self.pick.because) if self.pick.because else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@needs_customer
def account(request: HttpRequest, customer: Customer) -> HttpResponse:
    form = NameForm(request.POST or None, instance=customer)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("account")
    on_count = len(consent.granted_purposes(customer).intersection(EVERY))
    context = {
        "customer": customer,
        "form": form,
        "for_you": shelves.for_customer(customer, limit=6, place=_place(request)),
        "on_count": on_count,
        "is_resting": not on_count and not master(customer).granted,
        "has_order_news": not on_count and ticks.has_standing(customer),
        "all_count": len(EVERY),
    }
    return render(request, "storefront/account/home.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@needs_customer
def preferences(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Every switch. Saved one by one when toggled; the whole form at once without JavaScript."""
    if request.method == "POST":
        return _save(request, customer)
    context = {
        "groups": _switches(request, customer),
        "master": master(customer),
        "ceiling": ceiling_choice(customer),
        "undo": undo.take_offered(request),
    }
    return render(request, "storefront/account/preferences.html", context)


def _switches(request: HttpRequest, customer: Customer) -> dict[Group, list[Switch]]:
    """All of them; beside a letter that is on and did not come, why."""
    groups = switches(customer, is_gpc=gpc.is_no(request))
    for place, each in enumerate(groups[Group.MAIL]):
        if each.key == purposes.MAIL_RECOMMENDATIONS and each.granted:
            groups[Group.MAIL][place] = replace(each, note=explain_missing_letter(customer))
    return groups


def _save(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The whole form. What did not change is not written: an untouched switch keeps its "never changed"."""
    try:
        shown = request.POST.getlist("shown") if "shown" in request.POST else None
        wanted = choices.posted(request.POST, request.POST.getlist("asked"), shown=shown)
    except ValueError as error:
        raise BadRequest from error
    before = choices.save(customer, wanted, source="preferences")
    undo.offer(request, undo.token(customer, before))
    messages.success(request, "Saved. What is off is off at once." if before else "Nothing was changed.")
    return redirect("preferences")


@never_cache
@require_safe
@needs_customer
def recommendations(request: HttpRequest, customer: Customer) -> HttpResponse:
    """What the shop suggests to this customer, why, and the switches behind it."""
    answers = {answer.purpose: answer for answer in customer.consents.all()}
    past = held.all_held(customer, SUGGESTING)
    shelf = shelves.for_customer(customer, limit=12, place=_place(request))
    context = {
        "shelf": shelf,
        "reasons": [Reason(*each) for each in zip(shelf.cards, shelf.picks, strict=True)],
        "switches": [switch(purposes.get(key), answers.get(key), held=past.get(key)) for key in SUGGESTING],
        "is_any_on": any(key in answers and answers[key].granted for key in SUGGESTING),
    }
    return render(request, "storefront/account/recommendations.html", context)


def _place(request: HttpRequest) -> str | None:
    """Where what we know is said to have had its effect; nowhere when nobody sees the page."""
    return Place.FOR_YOU if request.method == "GET" else None


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Generated from the registries of purposes and of personal data, so that it says what the shop does."""
    groups = {group: [purpose for purpose in purposes.PURPOSES if purpose.group == group] for group in purposes.Group}
    context = {
        "groups": groups,
        "visitor_purpose": purposes.VISITOR_HISTORY,
        "holdings": list(personal_data.holdings()),
        "processors": list(personal_data.processors()),
        "controller": controller.who(),
    }
    return render(request, "storefront/privacy.html", context)
