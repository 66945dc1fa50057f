"""The answers to questions put in their place."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts import asks as questions
from accounts import consent_requests, purposes
from accounts.current import get_login_customer
from accounts.models import Customer
from orders import guests, ticks
from orders.models import Order
from orders.views.answers import see_other
from recommendations import visitors
from shop.storefront import asks
from shop.storefront.asks import Place

LONGEST_PATH = 2000
MOST_SETTLED = 60  # answers that a session keeps
REMEMBERED = 400 * 24 * 3600  # as long as browsers keep anything: a visitor's "no thanks"
ON = "It is on. Turn it off whenever you like, under “What you let us do”."
DECLINED = "No thanks it is. We will not ask again."
UNCLEAR = "Please choose yes or no. Nothing was changed."
REFUSED = "Your browser asks us not to, so it stays off. You can still turn it on under “What you let us do”."


@require_POST
def answer(request: HttpRequest, key: str) -> HttpResponse:
    place = _place(request)
    if key not in (asks.VISITORS, *(each for keys in asks.ASKED.values() for each in keys)):
        raise Http404
    answered = request.POST.get("answer")
    if answered not in ("yes", "no"):
        messages.error(request, UNCLEAR)
        return see_other(_back(request))
    if key == asks.VISITORS:
        return _visitor(request, is_yes=answered == "yes")
    customer = get_login_customer(request)
    if customer is None and key in asks.NEWS and "order" in request.POST:
        return _guest(request, key, guests.find(request, request.POST["order"]), is_yes=answered == "yes")
    if customer is None:
        return redirect("account_login")
    return _customer(request, customer, key, place, is_yes=answered == "yes")


def _customer(request: HttpRequest, customer: Customer, key: str, place: Place, *, is_yes: bool) -> HttpResponse:
    if is_yes and asks.is_refused(request, key):
        messages.info(request, REFUSED)
    elif is_yes:
        questions.accept_prompt(customer, key, place=place)
        messages.success(request, f"{purposes.get_purpose(key).title}: on. Turn it off whenever you like.")
    else:
        questions.decline_prompt(customer, key, place=place)
        messages.info(request, DECLINED)
    return see_other(_back(request))


def _guest(request: HttpRequest, key: str, order: Order, *, is_yes: bool) -> HttpResponse:
    """An order's link starts nothing by itself: a yes is mailed to be said there, a no is the order's own."""
    if is_yes and asks.is_refused(request, key):
        messages.info(request, REFUSED)
    elif is_yes:
        consent_requests.request_consent(order.email, key, source=f"ask_{Place.ORDER}")
        messages.success(request, f"Almost: we have sent a mail to {order.email}. Say yes there, and it is on.")
    else:
        ticks.decline(order, key)
        messages.info(request, DECLINED)
    _settle(request, asks.guest_answer(order.number, key))
    return see_other(_back(request))


def _settle(request: HttpRequest, answer: str) -> None:
    """For this browser: it is not asked again."""
    settled = request.session.get(questions.ANSWERED_KEY, [])
    request.session[questions.ANSWERED_KEY] = [*settled, answer][-MOST_SETTLED:]


def _visitor(request: HttpRequest, *, is_yes: bool) -> HttpResponse:
    if is_yes and visitors.turn_on(request):
        messages.success(request, ON)
    elif is_yes:
        messages.info(request, REFUSED)
    else:
        visitors.turn_off(request)
        _settle(request, asks.VISITORS)
        request.session.set_expiry(REMEMBERED)
        messages.info(request, DECLINED)
    return see_other(_back(request))


def _place(request: HttpRequest) -> Place:
    value = request.POST.get("place", "")
    return Place(value) if value in set(Place) else Place.PRODUCT


def _back(request: HttpRequest) -> str:
    """The page the question stood on; one of ours, or the front page."""
    path = request.POST.get("back", "")
    is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_ours and len(path) <= LONGEST_PATH else "/"
