"""The customer's own pages: who they are to us, and what they let us do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.consent import gpc, purposes
from accounts.consent.purposes import PurposeGroup
from accounts.models import Consent, Customer
from accounts.people.address_forms import NameForm
from accounts.people.auth import customer_required
from accounts.preferences import choices, undo
from accounts.preferences.switches import (
    Switch,
    make_switch,
    read_answers,
    read_ceiling_choice,
    read_master_switch,
    read_switches_by_group,
)
from accounts.privacy import stored_data
from accounts.privacy.complaints import ANSWER_PERIOD
from notifications.missing_letters import explain_missing_letter
from orders import order_mail_optins
from recommendations.explanations import Place
from recommendations.picks import FOR_YOU, Page, Pick
from shop import personal_data
from shop.storefront import data_controller, shelves
from shop.storefront.offered_purposes import list_offered_purposes
from shop.storefront.page_cache import get_cached_terms
from shop.storefront.shelves import Card


@dataclass(frozen=True)
class ExplainedPick:
    """A thing on the “For you” page, the datum that brought it, and the way to be rid of either."""

    card: Card
    pick: Pick

    @property
    def datum_url(self) -> str:
        return shelves.build_evidence_url(self.pick.because) if self.pick.because else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def account(request: HttpRequest, customer: Customer) -> HttpResponse:
    form = NameForm(request.POST or None, instance=customer)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("account")
    reader = shelves.read_shelf_reader(request, customer)
    keys = {each.key for each in list_offered_purposes(get_cached_terms(), granted=reader.granted)}
    on_count = len(keys.intersection(reader.granted))
    context = {
        "customer": customer,
        "form": form,
        "personal": shelves.build_personal_shelves(Page.ACCOUNT, reader, limit=6, place=_get_effect_place(request)),
        "on_count": on_count,
        "is_resting": not on_count and not read_master_switch(customer).granted,
        "has_order_news": not on_count and order_mail_optins.has_active_optin(customer),
        "all_count": len(keys),
    }
    return render(request, "storefront/account/home.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def customer_preferences(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Every switch. Saved one by one when toggled; the whole form at once without JavaScript."""
    if request.method == "POST":
        return _save_preferences(request, customer)
    answers = read_answers(customer)
    context = {
        "groups": _read_switches_with_notes(request, customer, answers),
        "master": make_switch(purposes.PERSONAL_SHOPPER, answers.get(purposes.PERSONAL_SHOPPER.key)),
        "ceiling": read_ceiling_choice(customer),
        "undo": undo.pop_offered_undo(request),
        "is_gpc": gpc.has_gpc_signal(request),
    }
    return render(request, "storefront/account/preferences.html", context)


def _read_switches_with_notes(
    request: HttpRequest, customer: Customer, answers: Mapping[str, Consent]
) -> dict[PurposeGroup, list[Switch]]:
    """All of them; beside a letter that is on and did not come, why."""
    granted = [key for key, answer in answers.items() if answer.granted]
    offered = list_offered_purposes(get_cached_terms(), granted=granted)
    groups = read_switches_by_group(customer, answers, offered=offered, is_gpc=gpc.has_gpc_signal(request))
    for place, each in enumerate(groups[PurposeGroup.MAIL]):
        if each.key == purposes.MAIL_RECOMMENDATIONS and each.granted:
            groups[PurposeGroup.MAIL][place] = replace(each, note=explain_missing_letter(customer))
    return groups


def _save_preferences(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The whole form. What did not change is not written: an untouched switch keeps its "never changed"."""
    try:
        shown = request.POST.getlist("shown") if "shown" in request.POST else None
        wanted = choices.parse_posted_choices(request.POST, request.POST.getlist("asked"), shown=shown)
    except ValueError as error:
        raise BadRequest from error
    before = choices.save_choices(customer, wanted, source="preferences")
    undo.offer_undo(request, undo.make_undo_token(customer, before))
    messages.success(request, "Saved. What is off is off at once." if before else "Nothing was changed.")
    return redirect("preferences")


@never_cache
@require_safe
@customer_required
def recommendations(request: HttpRequest, customer: Customer) -> HttpResponse:
    """What the shop suggests to this customer, why, and the switches behind it."""
    answers = read_answers(customer)
    past = stored_data.get_stored_data_by_purpose(customer, FOR_YOU.purposes)
    reader = shelves.read_shelf_reader(request, customer)
    shelf = shelves.fill_shelf(FOR_YOU, reader, limit=12, place=_get_effect_place(request))
    context = {
        "shelf": shelf,
        "reasons": [ExplainedPick(*each) for each in zip(shelf.cards, shelf.picks, strict=True)],
        "switches": [
            make_switch(purposes.get_purpose(key), answers.get(key), held=past.get(key)) for key in FOR_YOU.purposes
        ],
        "is_any_on": any(key in answers and answers[key].granted for key in FOR_YOU.purposes),
    }
    return render(request, "storefront/account/recommendations.html", context)


def _get_effect_place(request: HttpRequest) -> str | None:
    """Where what we know is said to have had its effect; nowhere when nobody sees the page."""
    return Place.FOR_YOU if request.method == "GET" else None


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Generated from the registries of purposes and of personal data, so that it says what the shop does."""
    groups = {
        group: [purpose for purpose in list_offered_purposes(get_cached_terms()) if purpose.group == group]
        for group in purposes.PurposeGroup
    }
    context = {
        "groups": groups,
        "visitor_purpose": purposes.VISITOR_HISTORY,
        "holdings": list(personal_data.get_holdings()),
        "processors": [(processor.format_title(), processor) for processor in personal_data.get_processors()],
        "controller": data_controller.get_controller(),
        "is_gpc": gpc.has_gpc_signal(request),
        "answer_period": ANSWER_PERIOD,
    }
    return render(request, "storefront/privacy.html", context)
