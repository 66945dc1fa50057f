"""Who a request comes from: the one way views ask."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Customer, User
from accounts.people import guest_session
from accounts.people.customers import get_or_create_customer

Args = ParamSpec("Args")
Request = TypeVar("Request", bound=HttpRequest)
Response = TypeVar("Response", bound=HttpResponseBase)


def get_login_customer(request: HttpRequest) -> Customer | None:
    """The customer who is signed in. Cart, checkout and whatever notes down what somebody does ask this."""
    return get_or_create_customer(request.user) if isinstance(request.user, User) else None


def get_customer(request: HttpRequest) -> Customer | None:
    """The customer behind a request: who signed in, or the guest of a fresh link used here. None for visitors."""
    return get_login_customer(request) or guest_session.get_guest(request)


def has_login(request: HttpRequest) -> bool:
    """Whether they have a password to be asked for again; a guest has just used a link mailed to the address."""
    return request.user.is_authenticated


def customer_required(
    view: Callable[Concatenate[Request, Customer, Args], Response],
) -> Callable[Concatenate[Request, Args], Response | HttpResponse]:
    """A page about one customer, called as `view(request, customer, ...)`. Strangers are asked who they are."""

    @wraps(view)
    def page(request: Request, /, *args: Args.args, **kwargs: Args.kwargs) -> Response | HttpResponse:
        customer = get_customer(request)
        if customer is None:
            return _redirect_to_identify(request)
        return view(request, customer, *args, **kwargs)

    return page


def _redirect_to_identify(request: HttpRequest) -> HttpResponse:
    """To the page that asks; it leads back to the page asked for, or to the switches after a form."""
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("preferences")
    url = f"{reverse('fresh_link')}?{urlencode({'next': wanted}, safe='/')}"
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else HttpResponseRedirect(url)
