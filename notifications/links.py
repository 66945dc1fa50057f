"""Where the links in our mail lead: always to the shop's own address."""

from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.consent import requests
from accounts.models import ConsentRequest
from accounts.people import tokens
from notifications.models import OutgoingEmail, OutgoingItem
from orders import order_access
from orders.models import Order
from shop.periods import Period

UNSUBSCRIBE = "unsubscribe"
UNSUBSCRIBE_WORKS_FOR = Period(years=3)


def build_absolute_url(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def build_preferences_url() -> str:
    """By way of the page that asks who somebody is; whoever it knows already goes straight on."""
    return build_absolute_url("/account/link/?next=/account/preferences/")


def build_switches_url(email: OutgoingEmail) -> str:
    """Where the reader says which mails they get; empty when there is nothing to say yet.

    An account's switches; the order's own page for whoever bought without one, where news of it can be turned off.
    """
    has_account = email.customer is not None and not email.customer.is_guest
    if email.order is not None and not has_account:
        return f"{build_order_url(email.order)}#news"
    return build_preferences_url() if email.customer_id else ""


def build_unsubscribe_url(email: OutgoingEmail, item: OutgoingItem) -> str:
    """Turns off what the item stands on: the customer's switch, or the tick on that one order."""
    ids: dict[str, Any] = {"purpose": item.purpose}
    if item.order_tick_id:
        ids["order"] = item.order_id or email.order_id
    else:
        ids["customer"] = email.customer_id
    return _get_unsubscribe_pattern().replace("-token-", tokens.sign_token(UNSUBSCRIBE, **ids))


@cache
def _get_unsubscribe_pattern() -> str:
    """Looked up once: a letter to many has one such link for each."""
    return build_absolute_url(reverse("unsubscribe", args=["-token-"]))


def build_order_url(of: Order) -> str:
    """The signed link by which anybody who reads the mail follows that order, with or without an account."""
    return order_access.build_order_link(of)


def build_guarantee_url() -> str:
    """The notice of the legal guarantee, with the official picture once the shop has it."""
    return build_absolute_url(reverse("legal_guarantee"))


def build_withdrawal_url(of: Order) -> str:
    """The signed link to the page where that order is withdrawn from: one button there, and nothing to type."""
    return order_access.build_withdrawal_link(of)


def build_delay_url(of: Order) -> str:
    """The signed link to the page where its buyer waits or cancels; following it changes nothing."""
    return order_access.build_delay_link(of)


def build_confirmation_url(of: ConsentRequest) -> str:
    return build_absolute_url(reverse("confirm_consent", args=[requests.make_confirmation_token(of)]))
