"""Taking a choice back: what stood before travels sealed, in the button beside the switch or with the session."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Customer
from accounts.people import tokens
from accounts.preferences import choices
from accounts.preferences.choices import ChoiceKind, PreferenceChoice

TOKEN_KIND = "undo"  # noqa: S105  (the name of a kind of token)
LIFETIME = timedelta(hours=12)
OFFERED_KEY = "undo"


def make_undo_token(customer: Customer, before: Iterable[PreferenceChoice]) -> str:
    """Works for this customer alone, and for some hours; empty when nothing changed."""
    rows = [[choice.what, choice.value, choice.key] for choice in before]
    now = timezone.now().isoformat()
    return tokens.sign_token(TOKEN_KIND, customer=customer.pk, choices=rows, at=now) if rows else ""


def undo_choices(customer: Customer, token: str) -> list[PreferenceChoice]:
    """Brings back how it was, the latest first. Returns what was brought back; nothing for a token of no use.

    A switch that was answered anew since, anywhere, stays as it was answered last.
    """
    said = tokens.read_token(token, TOKEN_KIND, max_age=LIFETIME)
    if said is None or said["customer"] != customer.pk:
        return []
    was = [PreferenceChoice(ChoiceKind(what), value, key) for what, value, key in reversed(said["choices"])]
    offered_at = datetime.fromisoformat(said["at"])
    known = [choice for choice in was if not choice.key or purposes.is_purpose(choice.key)]
    known = [choice for choice in known if not _was_answered_since(customer, choice, offered_at)]
    choices.save_choices(customer, known, source="undo")
    return known


def _was_answered_since(customer: Customer, choice: PreferenceChoice, moment: datetime) -> bool:
    keys = {ChoiceKind.SWITCH: choice.key, ChoiceKind.MASTER: purposes.PERSONAL_SHOPPER.key}
    return choice.what in keys and consent.was_answered_since(customer, keys[choice.what], moment)


def offer_undo(request: HttpRequest, token: str) -> None:
    """For the next page, where there is no script to put the button in place."""
    if token:
        request.session[OFFERED_KEY] = token


def pop_offered_undo(request: HttpRequest) -> str:
    """The token for this page, once; empty when there is nothing to take back."""
    taken: str = request.session.pop(OFFERED_KEY, "") if OFFERED_KEY in request.session else ""
    return taken
