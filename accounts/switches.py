"""A purpose as the checkbox a customer sees: the words of the registry, their answer, and since when."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts import purposes
from accounts.models import Consent, Customer
from accounts.purposes import Group, Purpose

SOURCES = {
    "preferences": "on this page",
    "checkout": "at checkout",
    "mailed_link": "by a link we mailed you",
    "unsubscribe_link": "by the link in a mail",
    "import": "told to the shop before it moved here",
}


@dataclass(frozen=True)
class Switch:
    """What `partials/switch.html` shows. `granted`: what the customer chose. `said` is the sentence after saving."""

    key: str
    title: str
    explanation: str
    reads: str
    gives: str
    granted: bool
    since: str
    url: str
    said: str = ""


def switch(purpose: Purpose, consent: Consent | None, *, said: str = "") -> Switch:
    is_master = purpose == purposes.PERSONAL_SHOPPER
    return Switch(
        key=purpose.key,
        title=purpose.title,
        explanation=purpose.explanation,
        reads=purpose.reads,
        gives=purpose.gives,
        granted=consent.chosen if consent else is_master,
        since=_since(consent),
        url=reverse("master_switch") if is_master else reverse("preference", args=[purpose.key]),
        said=said,
    )


def switches(customer: Customer) -> dict[Group, list[Switch]]:
    """Every switch of the shop, by group, with the customer's answers. One query."""
    answers = {answer.purpose: answer for answer in customer.consents.all()}
    return {
        group: [switch(item, answers.get(item.key)) for item in purposes.PURPOSES if item.group == group]
        for group in Group
    }


def master(customer: Customer) -> Switch:
    """The switch for all of them at once; on until turned off."""
    purpose = purposes.PERSONAL_SHOPPER
    return switch(purpose, customer.consents.filter(purpose=purpose.key).first())


def _since(consent: Consent | None) -> str:
    if consent is None:
        return "Off, and never changed"
    day = date_format(timezone.localtime(consent.changed_at), "j F Y, H:i")
    where = SOURCES.get(consent.source, "")
    state = "On" if consent.granted else "Resting" if consent.chosen else "Off"
    return ", ".join(part for part in (f"{state} since {day}", where) if part)
