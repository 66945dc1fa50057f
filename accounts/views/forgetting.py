"""“Delete what you have” and “Forget what I bought so far”, beside the switches."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import held
from accounts.current import needs_customer
from accounts.models import Customer
from shop.requests import HtmxRequest


@require_POST
@needs_customer
def forgetting(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """At once, whether the switch is on or off; the switch itself stays as it is."""
    if key not in held.WORDS:
        raise Http404
    done = held.let_go(customer, key)
    if request.htmx:
        return render(request, "partials/switch_forget.html", {"held": done})
    messages.success(request, done.said)
    return redirect("preferences")
