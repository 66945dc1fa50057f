"""“Delete what you have” and “Forget what I bought so far”, beside the switches, and taking the latter back."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import Customer, ForgottenPast
from accounts.people.auth import customer_required
from accounts.privacy import stored_data
from accounts.privacy.stored_data import StoredData
from shop import personal_data
from shop.requests import HtmxRequest


@require_POST
@customer_required
def forgetting(request: HtmxRequest, customer: Customer, key: str) -> HttpResponse:
    """At once, whether the switch is on or off; the switch itself stays as it is."""
    if key not in personal_data.get_wordings():
        raise Http404
    return _answer(request, stored_data.delete_for_purpose(customer, key))


@require_POST
@customer_required
def undo_forgetting(request: HtmxRequest, customer: Customer, key: str, pk: int) -> HttpResponse:
    """Takes one forgetting back. What is not theirs is not there."""
    try:
        return _answer(request, stored_data.take_back(customer, key, pk))
    except ForgottenPast.DoesNotExist as error:
        raise Http404 from error
    except stored_data.TooLateError:
        messages.warning(request, "That can no longer be undone: the days for it are over. Nothing was changed.")
        return HttpResponseClientRefresh() if request.htmx else redirect("preferences")


def _answer(request: HtmxRequest, done: StoredData) -> HttpResponse:
    if request.htmx:
        return render(request, "partials/switch_forget.html", {"held": done})
    messages.success(request, done.said)
    return redirect("preferences")
