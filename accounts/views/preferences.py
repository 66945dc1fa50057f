"""What the preference page posts, saved as it is chosen: a switch, how often, the ceiling, all of it at once, and undo.

With htmx the answer is the part that changed, saying so and offering to undo it; without, the page again.
"""

from collections.abc import Mapping
from dataclasses import replace

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.consent import gpc, purposes
from accounts.models import Customer
from accounts.people.auth import customer_required
from accounts.preferences import cadence, choices, undo
from accounts.preferences.cadence import Cadence
from accounts.preferences.choices import ChoiceKind, PreferenceChoice
from accounts.preferences.switches import read_ceiling_choice, read_switch
from shop.requests import HtmxRequest

UNDONE = "Undone. It is as it was."
TOO_LATE = "That can no longer be undone here. Change it below."


@require_POST
@customer_required
def preference(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """One switch, saved when toggled: the body carries the key when it is on."""
    _require_purpose(key)
    granted = key in request.POST
    token = undo.make_undo_token(
        customer,
        choices.save_choices(customer, [PreferenceChoice(ChoiceKind.SWITCH, granted, key)], source="preferences"),
    )
    said = "Saved. It is on." if granted else "Saved. It is off, at once."
    return _render_saved(request, customer, key, said=said, token=token, offers_less=not granted)


@require_POST
@customer_required
def how_often(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """How often one mail comes."""
    _require_purpose(key)
    wanted = _parse_cadence_or_400(request.POST, key)
    token = undo.make_undo_token(customer, choices.save_choices(customer, [wanted], source="preferences"))
    return _render_saved(request, customer, key, said=f"Saved: {_format_cadence(wanted)}.", token=token)


@require_POST
@customer_required
def less_often(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """Less often, chosen instead of never: the mail is on again, at that pace."""
    _require_purpose(key)
    wanted = _parse_cadence_or_400({f"cadence-{key}": request.POST.get("less", "")}, key)
    both = [wanted, PreferenceChoice(ChoiceKind.SWITCH, True, key)]
    token = undo.make_undo_token(customer, choices.save_choices(customer, both, source="less_often"))
    return _render_saved(
        request, customer, key, said=f"Saved. It is on, {_format_cadence(wanted)}.", token=token, has_focus=True
    )


@require_POST
@customer_required
def weekly_ceiling(request: HtmxRequest, customer: Customer) -> HttpResponse:
    try:
        wanted = choices.parse_posted_ceiling(request.POST)
    except ValueError as error:
        raise BadRequest from error
    token = undo.make_undo_token(customer, choices.save_choices(customer, [wanted], source="preferences"))
    return _render_saved(request, customer, "", said="Saved.", token=token)


@require_POST
@customer_required
def master_switch(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The whole personal shopper, off or on. The page is shown anew, since every switch on it changed."""
    on = request.POST.get("answer") == "on"
    undo.offer_undo(
        request,
        undo.make_undo_token(
            customer, choices.save_choices(customer, [PreferenceChoice(ChoiceKind.MASTER, on)], source="preferences")
        ),
    )
    if on:
        messages.success(request, "On again, and every switch is as you left it.")
    else:
        messages.success(request, "Off, at once. Your single choices are kept for when you turn it on again.")
    return redirect("preferences")


@require_POST
@customer_required
def undo_choice(request: HtmxRequest, customer: Customer) -> HttpResponse:
    """Undo. A token that is of no use changes nothing, and says so."""
    brought_back = undo.undo_choices(customer, request.POST.get("undo", ""))
    keys = {choice.key for choice in brought_back}
    if request.htmx and len(keys) == 1 and brought_back[0].what is not ChoiceKind.MASTER:
        return _render_saved(request, customer, keys.pop(), said=UNDONE, has_focus=True)
    if brought_back:
        messages.success(request, UNDONE)
    else:
        messages.warning(request, TOO_LATE)
    return HttpResponseClientRefresh() if request.htmx else redirect("preferences")


def _require_purpose(key: str) -> None:
    if not purposes.is_purpose(key):
        raise Http404


def _parse_cadence_or_400(form: Mapping[str, str], key: str) -> PreferenceChoice:
    try:
        return choices.parse_posted_cadence(form, key)
    except ValueError as error:
        raise BadRequest from error


def _format_cadence(wanted: PreferenceChoice) -> str:
    return cadence.get_cadence_label(wanted.key, Cadence(str(wanted.value))).lower()


def _render_saved(
    request: HtmxRequest,
    customer: Customer,
    key: str,
    *,
    said: str,
    token: str = "",
    offers_less: bool = False,
    has_focus: bool = False,
) -> HttpResponse:
    """What changed, with undo beside it: the switch of `key`, or the weekly ceiling."""
    if not request.htmx:
        messages.success(request, f"{purposes.get_purpose(key).title}: {said}" if key else said)
        undo.offer_undo(request, token)
        return redirect("preferences")
    if not key:
        shown = replace(read_ceiling_choice(customer), said=said, undo=token, has_focus=has_focus)
        return render(request, "partials/ceiling.html", {"ceiling": shown})
    saved = read_switch(customer, key, said=said, undo=token, is_gpc=gpc.has_gpc_signal(request))
    part = replace(saved, offers_less=offers_less, has_focus=has_focus)
    return render(request, "partials/switch.html", {"switch": part})
