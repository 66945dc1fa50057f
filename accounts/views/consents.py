"""Answers to single purposes, given by the account's own switches or by a mailed link."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import consent, consent_requests, purposes
from accounts.current import needs_customer
from accounts.models import Customer
from accounts.switches import switch
from shop.requests import HtmxRequest


@require_POST
@needs_customer
def preference(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """One switch, saved when toggled: the body carries the key when it is on."""
    if not purposes.exists(key):
        raise Http404
    granted = key in request.POST
    answer = consent.set_consent(customer, key, granted=granted, source="preferences")
    if not request.htmx:
        return redirect("preferences")
    said = "Saved. It is on." if granted else "Saved. It is off, at once."
    return render(request, "partials/switch.html", {"switch": switch(purposes.get(key), answer, said=said)})


@require_POST
@needs_customer
def master_switch(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The whole personal shopper, off or on. The page is shown anew, since every switch on it changed."""
    on = request.POST.get("answer") == "on"
    consent.set_master(customer, on=on, source="preferences")
    if on:
        messages.success(request, "On again, and every switch is as you left it.")
    else:
        messages.success(request, "Off, at once. Your single choices are kept for when you turn it on again.")
    return redirect("preferences")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_consent(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed link of a double opt-in. Looking changes nothing; the button does."""
    asked = consent_requests.find(token)
    if asked is None:
        return render(request, "accounts/consent_link_expired.html", status=404)
    if request.method == "POST":
        consent_requests.confirm(asked)
    context = {"purpose": purposes.get(asked.purpose), "is_confirmed": request.method == "POST"}
    return render(request, "accounts/confirm_consent.html", context)
