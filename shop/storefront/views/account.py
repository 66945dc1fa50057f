"""The customer's own pages: who they are to us, and what they let us do."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import consent, purposes
from accounts.address_forms import NameForm
from accounts.current import needs_customer
from accounts.models import Customer
from accounts.switches import master, switch, switches
from recommendations.effects import Place
from recommendations.picks import Pick
from shop import personal_data
from shop.storefront import shelves
from shop.storefront.shelves import Card

EVERY = frozenset(purpose.key for purpose in purposes.PURPOSES)
SUGGESTING = (purposes.RECOMMEND_FROM_TOLD, purposes.RECOMMEND_FROM_PURCHASES, purposes.RECOMMEND_FROM_BROWSING)


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
    context = {
        "customer": customer,
        "form": form,
        "for_you": shelves.for_customer(customer, limit=6, place=_place(request)),
        "on_count": len(consent.granted_purposes(customer).intersection(EVERY)),
        "all_count": len(EVERY),
    }
    return render(request, "storefront/account/home.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@needs_customer
def preferences(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Every switch. Saved one by one when toggled; the whole form at once without JavaScript."""
    if request.method == "POST":
        _save(customer, asked=request.POST.getlist("asked"), ticked=set(request.POST))
        messages.success(request, "Saved. What is off is off at once.")
        return redirect("preferences")
    return render(
        request, "storefront/account/preferences.html", {"groups": switches(customer), "master": master(customer)}
    )


def _save(customer: Customer, *, asked: Collection[str], ticked: Collection[str]) -> None:
    """Writes the answers that differ among those the form asked for: an untouched switch keeps its "never changed"."""
    standing = consent.chosen_purposes(customer)
    for key in filter(purposes.exists, asked):
        if (key in ticked) != (key in standing):
            consent.set_consent(customer, key, granted=key in ticked, source="preferences")


@never_cache
@require_safe
@needs_customer
def recommendations(request: HttpRequest, customer: Customer) -> HttpResponse:
    """What the shop suggests to this customer, why, and the switches behind it."""
    answers = {answer.purpose: answer for answer in customer.consents.all()}
    shelf = shelves.for_customer(customer, limit=12, place=_place(request))
    context = {
        "shelf": shelf,
        "reasons": [Reason(*each) for each in zip(shelf.cards, shelf.picks, strict=True)],
        "switches": [switch(purposes.get(key), answers.get(key)) for key in SUGGESTING],
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
    return render(request, "storefront/privacy.html", {"groups": groups, "holdings": personal_data.holdings()})
