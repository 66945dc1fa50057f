"""The answers to questions put in their place."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.consent import prompts, purposes, requests
from accounts.models import Customer
from accounts.people.auth import get_login_customer
from orders import order_access, order_mail_optins
from orders.models import Order
from orders.views.redirects import see_other
from recommendations import visitors
from shop.storefront import consent_prompts
from shop.storefront.consent_prompts import PromptPlace

LONGEST_PATH = 2000
MOST_REMEMBERED = 60  # answers that a session keeps
SWITCHED_ON = "It is on. Turn it off whenever you like, under “What you let us do”."
DECLINED = "No thanks it is. We will not ask again."
UNCLEAR = "Please choose yes or no. Nothing was changed."
REFUSED = "Your browser asks us not to, so it stays off. You can still turn it on under “What you let us do”."


@require_POST
def answer_prompt(request: HttpRequest, key: str) -> HttpResponse:
    place = _read_place(request)
    if key not in (
        consent_prompts.VISITOR_PURPOSE,
        *(each for keys in consent_prompts.PURPOSES_BY_PLACE.values() for each in keys),
    ):
        raise Http404
    answered = request.POST.get("answer")
    if answered not in ("yes", "no"):
        messages.error(request, UNCLEAR)
        return see_other(_read_return_path(request))
    if key == consent_prompts.VISITOR_PURPOSE:
        return _answer_as_visitor(request, is_yes=answered == "yes")
    customer = get_login_customer(request)
    if customer is None and key in consent_prompts.ORDER_NEWS and "order" in request.POST:
        return _answer_as_guest(
            request, key, order_access.get_order_or_404(request, request.POST["order"]), is_yes=answered == "yes"
        )
    if customer is None:
        return redirect("account_login")
    return _answer_as_customer(request, customer, key, place, is_yes=answered == "yes")


def _answer_as_customer(
    request: HttpRequest, customer: Customer, key: str, place: PromptPlace, *, is_yes: bool
) -> HttpResponse:
    if is_yes and consent_prompts.is_refused_by_browser(request, key):
        messages.info(request, REFUSED)
    elif is_yes:
        prompts.accept_prompt(customer, key, place=place)
        messages.success(request, f"{purposes.get_purpose(key).title}: on. Turn it off whenever you like.")
    else:
        prompts.decline_prompt(customer, key, place=place)
        messages.info(request, DECLINED)
    return see_other(_read_return_path(request))


def _answer_as_guest(request: HttpRequest, key: str, order: Order, *, is_yes: bool) -> HttpResponse:
    """An order's link starts nothing by itself: a yes is mailed to be said there, a no is the order's own."""
    if is_yes and consent_prompts.is_refused_by_browser(request, key):
        messages.info(request, REFUSED)
    elif is_yes:
        requests.request_consent(order.email, key, source=f"ask_{PromptPlace.ORDER}")
        messages.success(request, f"Almost: we have sent a mail to {order.email}. Say yes there, and it is on.")
    else:
        order_mail_optins.decline_order_mail(order, key)
        messages.info(request, DECLINED)
    _remember_answer(request, consent_prompts.make_guest_answer_key(order.number, key))
    return see_other(_read_return_path(request))


def _remember_answer(request: HttpRequest, answer: str) -> None:
    """For this browser: it is not asked again."""
    settled = request.session.get(prompts.ANSWERED_KEY, [])
    request.session[prompts.ANSWERED_KEY] = [*settled, answer][-MOST_REMEMBERED:]


def _answer_as_visitor(request: HttpRequest, *, is_yes: bool) -> HttpResponse:
    if is_yes and visitors.turn_on_history(request):
        messages.success(request, SWITCHED_ON)
    elif is_yes:
        messages.info(request, REFUSED)
    else:
        visitors.turn_off_history(request)
        _remember_answer(request, consent_prompts.VISITOR_PURPOSE)
        request.session.set_expiry(int(prompts.REFUSAL_RETENTION.total_seconds()))
        messages.info(request, DECLINED)
    return see_other(_read_return_path(request))


def _read_place(request: HttpRequest) -> PromptPlace:
    value = request.POST.get("place", "")
    return PromptPlace(value) if value in set(PromptPlace) else PromptPlace.PRODUCT


def _read_return_path(request: HttpRequest) -> str:
    """The page the question stood on; one of ours, or the front page."""
    path = request.POST.get("back", "")
    is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_ours and len(path) <= LONGEST_PATH else "/"
