"""Who is signed in where: found by looking into each session, because a session says whose it is only inside."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Customer
from accounts.people import guest_session
from shop.periods import Period

VISIT_RETENTION = Period(weeks=2)  # since its last page; `SESSION_COOKIE_AGE`


def find_customer_sessions(customer: Customer) -> Iterator[Session]:
    """The customer's live sessions, those of a guest who came by a link included."""
    for session in Session.objects.iterator(chunk_size=2000):
        if _is_customer_session(session.get_decoded(), customer):
            yield session


def _is_customer_session(found: dict[str, Any], customer: Customer) -> bool:
    """Signed in as them, let in as them by a link, or holding their address, whatever put it there."""
    is_signed_in = customer.user_id is not None and found.get(SESSION_KEY) == str(customer.user_id)
    is_guest = found.get(guest_session.GUEST_KEY, {}).get("customer") == customer.pk
    return is_signed_in or is_guest or bool(customer.email and customer.email.lower() in str(found).lower())


def end_customer_sessions(customer: Customer) -> int:
    """Signs the customer out everywhere. Returns how many sessions there were."""
    return Session.objects.filter(pk__in=[session.pk for session in find_customer_sessions(customer)]).delete()[0]


def retire_sessions() -> int:
    """Deletes sessions that have run out."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
