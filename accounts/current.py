"""Who a request comes from: the one way views ask."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from accounts.customers import customer_for
from accounts.models import Customer, User

Args = ParamSpec("Args")
Request = TypeVar("Request", bound=HttpRequest)


def login_of(request: HttpRequest) -> Customer | None:
    """The customer who is signed in. Cart, checkout and whatever notes down what somebody does ask this."""
    return customer_for(request.user) if isinstance(request.user, User) else None


def customer_of(request: HttpRequest) -> Customer | None:
    """The customer behind a request; None for visitors."""
    return login_of(request)


def needs_customer(
    view: Callable[Concatenate[Request, Customer, Args], HttpResponse],
) -> Callable[Concatenate[Request, Args], HttpResponse]:
    """A page about one customer, called as `view(request, customer, ...)`. Strangers are asked who they are."""

    @wraps(view)
    def page(request: Request, *args: Args.args, **kwargs: Args.kwargs) -> HttpResponse:
        customer = customer_of(request)
        if customer is None:
            return redirect_to_login(request.get_full_path())
        return view(request, customer, *args, **kwargs)

    return page
