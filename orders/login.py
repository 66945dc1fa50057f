from typing import Any

from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from accounts.customers import customer_for
from accounts.models import User
from orders import cart


def merge_cart(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """What a visitor put into the cart goes along when they log in. After logout the session, and its cart, is new."""
    own, notices = cart.claim(customer_for(user), request.session.pop(cart.TOKEN, ""))
    cart.keep_count(request, own)
    if hasattr(request, "_messages"):  # a login without the middleware, such as a test client's, has nowhere to say it
        for notice in notices:
            messages.warning(request, notice)


def connect() -> None:
    user_logged_in.connect(merge_cart, dispatch_uid="orders.merge_cart")
