"""Questions put in their place, each once: which are settled for somebody, and what an answer does.

Settled is what was answered anywhere, on the preference page or in its place, yes or no.
"""

from collections.abc import Sequence

from django.db.models import BooleanField, F, Value
from django.http import HttpRequest

from accounts import consent, purposes
from accounts.models import Ask, Customer

SETTLED = "asked"  # in the session: what is known to be settled, so that nobody is looked up twice


def first_open(request: HttpRequest, customer: Customer, keys: Sequence[str]) -> str | None:
    """The first of the purposes the customer was never asked for. One query, none once all of them are settled.

    Nobody whose personal shopper is off is asked for anything.
    """
    if set(keys) <= set(request.session.get(SETTLED, [])):
        return None
    settled = _settled(customer)
    if settled is None:
        return None
    open_keys = [key for key in keys if key not in settled]
    if not open_keys:
        request.session[SETTLED] = sorted(settled)
        return None
    return open_keys[0]


def _settled(customer: Customer) -> set[str] | None:
    """None while the master switch is off."""
    answered = customer.consents.values_list("purpose", "chosen")
    declined = customer.asks.annotate(purpose=F("key"), chosen=Value(True, BooleanField()))
    rows = set(answered.union(declined.values_list("purpose", "chosen")))
    return None if (purposes.PERSONAL_SHOPPER.key, False) in rows else {key for key, _ in rows}


def accept(customer: Customer, key: str, *, place: str) -> None:
    consent.set_consent(customer, key, granted=True, source=f"ask_{place}")


def decline(customer: Customer, key: str, *, place: str) -> None:
    """“No thanks”, for good. A yes given meanwhile elsewhere ends with it: the last word counts."""
    Ask.objects.get_or_create(customer=customer, key=key)
    if consent.allows(customer, key):
        consent.set_consent(customer, key, granted=False, source=f"ask_{place}")
