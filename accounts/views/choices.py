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

from accounts import cadence, choices, gpc, purposes, undo
from accounts.cadence import Cadence
from accounts.choices import Choice, What
from accounts.current import needs_customer
from accounts.models import Customer
from accounts.switches import ceiling_choice, switch_of
from shop.requests import HtmxRequest

AS_IT_WAS = "Undone. It is as it was."
TOO_LATE = "That can no longer be undone here. Change it below."


@require_POST
@needs_customer
def preference(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """One switch, saved when toggled: the body carries the key when it is on."""
    _known(key)
    granted = key in request.POST
    token = undo.token(customer, choices.save(customer, [Choice(What.SWITCH, granted, key)], source="preferences"))
    said = "Saved. It is on." if granted else "Saved. It is off, at once."
    return _answer(request, customer, key, said=said, token=token, offers_less=not granted)


@require_POST
@needs_customer
def how_often(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """How often one mail comes."""
    _known(key)
    wanted = _posted_cadence(request.POST, key)
    token = undo.token(customer, choices.save(customer, [wanted], source="preferences"))
    return _answer(request, customer, key, said=f"Saved: {_words(wanted)}.", token=token)


@require_POST
@needs_customer
def less_often(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """Less often, chosen instead of never: the mail is on again, at that pace."""
    _known(key)
    wanted = _posted_cadence({f"cadence-{key}": request.POST.get("less", "")}, key)
    both = [wanted, Choice(What.SWITCH, True, key)]
    token = undo.token(customer, choices.save(customer, both, source="less_often"))
    return _answer(request, customer, key, said=f"Saved. It is on, {_words(wanted)}.", token=token, has_focus=True)


@require_POST
@needs_customer
def weekly_ceiling(request: HtmxRequest, customer: Customer) -> HttpResponse:
    try:
        wanted = choices.posted_ceiling(request.POST)
    except ValueError as error:
        raise BadRequest from error
    token = undo.token(customer, choices.save(customer, [wanted], source="preferences"))
    return _answer(request, customer, "", said="Saved.", token=token)


@require_POST
@needs_customer
def master_switch(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The whole personal shopper, off or on. The page is shown anew, since every switch on it changed."""
    on = request.POST.get("answer") == "on"
    undo.offer(request, undo.token(customer, choices.save(customer, [Choice(What.MASTER, on)], source="preferences")))
    if on:
        messages.success(request, "On again, and every switch is as you left it.")
    else:
        messages.success(request, "Off, at once. Your single choices are kept for when you turn it on again.")
    return redirect("preferences")


@require_POST
@needs_customer
def take_back(request: HtmxRequest, customer: Customer) -> HttpResponse:
    """Undo. A token that is of no use changes nothing, and says so."""
    brought_back = undo.undo(customer, request.POST.get("undo", ""))
    keys = {choice.key for choice in brought_back}
    if request.htmx and len(keys) == 1 and brought_back[0].what is not What.MASTER:
        return _answer(request, customer, keys.pop(), said=AS_IT_WAS, has_focus=True)
    if brought_back:
        messages.success(request, AS_IT_WAS)
    else:
        messages.warning(request, TOO_LATE)
    return HttpResponseClientRefresh() if request.htmx else redirect("preferences")


def _known(key: str) -> None:
    if not purposes.exists(key):
        raise Http404


def _posted_cadence(form: Mapping[str, str], key: str) -> Choice:
    try:
        return choices.posted_cadence(form, key)
    except ValueError as error:
        raise BadRequest from error


def _words(wanted: Choice) -> str:
    return cadence.words(wanted.key, Cadence(str(wanted.value))).lower()


def _answer(
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
        messages.success(request, f"{purposes.get(key).title}: {said}" if key else said)
        undo.offer(request, token)
        return redirect("preferences")
    if not key:
        shown = replace(ceiling_choice(customer), said=said, undo=token, has_focus=has_focus)
        return render(request, "partials/ceiling.html", {"ceiling": shown})
    saved = switch_of(customer, key, said=said, undo=token, is_gpc=gpc.is_no(request))
    part = replace(saved, offers_less=offers_less, has_focus=has_focus)
    return render(request, "partials/switch.html", {"switch": part})
