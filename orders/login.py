from typing import Any

from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from accounts.models import User
from accounts.people.customers import get_or_create_customer
from orders import carts, order_access


def merge_cart_at_login(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """What a visitor put into the cart goes along when they log in. After logout the session, and its cart, is new."""
    customer = get_or_create_customer(user)
    own, notices = carts.claim_visitor_cart(customer, request.session.pop(carts.TOKEN_SESSION_KEY, ""))
    carts.refresh_session_count(request, own)
    if hasattr(request, "_messages"):  # a login without the middleware, such as a test client's, has nowhere to say it
        for notice in notices:
            messages.warning(request, notice)


def join_orders_at_login(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """What they bought meanwhile without signing in, with the address they have proved, joins their account."""
    order_access.join_orders_to_customer(get_or_create_customer(user))


def connect_order_receivers() -> None:
    user_logged_in.connect(join_orders_at_login, dispatch_uid="orders.join_orders")
    user_logged_in.connect(merge_cart_at_login, dispatch_uid="orders.merge_cart")
