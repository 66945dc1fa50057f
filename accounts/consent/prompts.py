"""Questions put in their place, each once: which are settled for somebody, which rest, and what an answer does.

Settled is what was answered anywhere, on the preference page or in its place, yes or no. What was shown and left
unanswered rests for `PROMPT_RETENTION`; its switch is on the preference page all the while.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Ask, Customer
from shop.periods import Period
from shop.prepared import PreparedStatement

ANSWERED_KEY = "asked"  # in the session: what is known to be settled, so that nobody is looked up twice
PROMPT_RETENTION = Period(days=30)  # of what was left unanswered, and as long it is not put again
REFUSAL_RETENTION = Period(days=400)  # of a visitor's "no thanks": as long as browsers keep anything
# Of each switch that was answered or put: what was chosen, and when it was left; plain, as pages of products ask it.
_READ_STANDING = PreparedStatement("""
SELECT purpose, chosen, NULL::timestamptz FROM accounts_consent WHERE customer_id = %(customer)s
UNION ALL
SELECT key, true, CASE WHEN answered_at IS NULL THEN shown_at END FROM accounts_ask WHERE customer_id = %(customer)s
""")


@dataclass(frozen=True)
class Standing:
    """Where the questions to a customer stand, by purpose key."""

    settled: frozenset[str]
    resting: frozenset[str]
    is_master_off: bool


def find_first_unanswered(
    request: HttpRequest, customer: Customer, keys: Sequence[str], *, beside: Collection[str] = ()
) -> str | None:
    """The first of the purposes to ask the customer for. One query, none once all of them are settled.

    None while one of them, or of those `beside` them in the same place, rests: a place whose question was left asks
    nothing else. Nobody whose personal shopper is off is asked for anything.
    """
    if set(keys) <= set(request.session.get(ANSWERED_KEY, [])):
        return None
    standing = _standing(customer)
    if standing.is_master_off:
        return None
    open_keys = [key for key in keys if key not in standing.settled]
    if not open_keys:
        request.session[ANSWERED_KEY] = sorted(standing.settled)
        return None
    return None if standing.resting.intersection((*keys, *beside)) else open_keys[0]


def is_open(customer: Customer, key: str) -> bool:
    """Whether it may still be asked, resting or not; one query."""
    standing = _standing(customer)
    return not standing.is_master_off and key not in standing.settled


def _standing(customer: Customer) -> Standing:
    rows: list[tuple[str, bool, datetime | None]] = _READ_STANDING.fetch_rows({"customer": customer.pk})
    settled = frozenset(key for key, _, left in rows if left is None)
    since = timezone.now() - PROMPT_RETENTION
    resting = frozenset(key for key, _, left in rows if left is not None and left > since)
    is_master_off = (purposes.PERSONAL_SHOPPER.key, False, None) in rows
    return Standing(settled, resting - settled, is_master_off)


def note_shown(customer: Customer, key: str) -> None:
    """It was put just now. What was answered in another tab meanwhile stays answered."""
    shown = Ask(customer=customer, key=key)
    Ask.objects.bulk_create(
        [shown], update_conflicts=True, unique_fields=["customer", "key"], update_fields=["shown_at"]
    )


def accept_prompt(customer: Customer, key: str, *, place: str) -> None:
    consent.set_consent(customer, key, granted=True, source=f"ask_{place}")


def decline_prompt(customer: Customer, key: str, *, place: str) -> None:
    """“No thanks”, for good. A yes given meanwhile elsewhere ends with it: the last word counts."""
    declined = Ask(customer=customer, key=key, answered_at=timezone.now())
    Ask.objects.bulk_create(
        [declined], update_conflicts=True, unique_fields=["customer", "key"], update_fields=["answered_at"]
    )
    if consent.allows(customer, key):
        consent.set_consent(customer, key, granted=False, source=f"ask_{place}")


def retire() -> int:
    """Deletes what was shown and left, once it has rested; returns how many rows."""
    return Ask.objects.filter(answered_at=None, shown_at__lte=timezone.now() - PROMPT_RETENTION).delete()[0]
