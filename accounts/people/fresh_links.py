"""Links that somebody without an account asks for, to see and change what is held about their address.

What is done and said is the same whether the address is known or not, and whether it has an account: one row, one mail,
the same queries. Only the mail differs, and only the address's owner reads that.
"""

import hashlib
import secrets
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer, FreshLink
from accounts.people.auth_emails import FRESH_LINK, SIGN_IN_INSTEAD
from accounts.people.customers import get_or_create_proved_customer
from accounts.people.email_addresses import normalize_address


def request_fresh_link(request: HttpRequest, email: str, *, leads_to: str) -> None:
    """Mails a link; to the address of an account, how to sign in. Its link goes nowhere and opens nothing."""
    email = normalize_address(email)
    token = secrets.token_urlsafe(32)
    FreshLink.objects.create(token_hash=_hash_token(token), email=email, leads_to=leads_to)
    if has_account(email):
        letter, url = SIGN_IN_INSTEAD, f"{reverse('account_login')}?{urlencode({'next': leads_to}, safe='/')}"
    else:
        letter, url = FRESH_LINK, reverse("fresh_link_open", args=[token])
    get_adapter(request).send_mail(letter, email, {"url": url})


def has_account(email: str) -> bool:
    """Whether somebody signs in with this address. A sign-up that never proved it does not count."""
    proved = EmailAddress.objects.filter(email__iexact=email, verified=True).exists()
    joined = Customer.objects.filter(email__iexact=email).exclude(user=None).exists()
    return proved or joined


def find_link_by_token(token: str) -> FreshLink | None:
    """The link behind a mailed token, while it still opens something. Looking spends nothing."""
    return FreshLink.objects.live().filter(token_hash=_hash_token(token)).first()


def use_fresh_link(link_id: int) -> Customer | None:
    """The one use of a link: who it was mailed to, made known as a guest when they are not yet.

    None when it has been used, is too old, or its address has got an account meanwhile.
    """
    with transaction.atomic():
        link = _lock_link(link_id)
        if link is None or has_account(link.email):
            return None
        FreshLink.objects.filter(pk=link.pk).update(used_at=timezone.now())
    return get_or_create_proved_customer(link.email)


def _lock_link(link_id: int) -> FreshLink | None:
    """Held until the end of the transaction: of two clicks the second waits here, and finds it used."""
    return FreshLink.objects.live().select_for_update().filter(pk=link_id).first()


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
