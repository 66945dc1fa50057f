"""What the mail room keeps about people, and for how long."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Customer
from notifications import suppressions
from notifications.models import OutgoingEmail, OutgoingItem, Suppression
from notifications.outbox import WAITING_STATES
from notifications.topics.definition import PICK
from recommendations.picks import FOR_YOU
from shop.periods import Period
from shop.personal_data import Holding, Processor, Rows, export_rows, register_holding, register_processor

MAIL_RETENTION = Period(months=13)


def retire_mail() -> int:
    """Deletes the record of mails that were dealt with long ago. Returns how many rows went, items included."""
    old = OutgoingEmail.objects.filter(created_at__lt=timezone.now() - MAIL_RETENTION).exclude(state__in=WAITING_STATES)
    return old.delete()[0]


def _get_mails(customer: Customer) -> QuerySet[OutgoingEmail]:
    """Every mail to the customer, to an order of theirs, or to their address whoever it was meant for."""
    found = Q(customer=customer) | Q(order__customer=customer)
    return OutgoingEmail.objects.filter(found | Q(to_address__iexact=customer.email) if customer.email else found)


def export_mail(customer: Customer) -> Rows:
    found = _get_mails(customer).order_by("created_at").prefetch_related("items")
    return [
        {
            "topic": email.topic,
            "to": email.to_address,
            "subject": email.subject,
            "what_became_of_it": email.get_state_display(),
            "why_not_sent": email.get_skip_reason_display(),
            "queued_at": email.created_at.isoformat(),
            "sent_at": email.sent_at.isoformat() if email.sent_at else None,
            "parts": [_export_part(item) for item in email.items.all()],
        }
        for email in found
    ]


def _export_part(item: OutgoingItem) -> dict[str, Any]:
    return {
        "part": item.block,
        "why": item.why,
        "switch": item.purpose,
        "stands_on_your_yes_of": item.stands_since_at.isoformat() if item.stands_since_at else None,
        "left_out": item.get_drop_reason_display() if item.is_dropped else "",
    }


def withdraw_waiting_picks(customer: Customer, purpose_key: str, *, until: datetime | None = None) -> int:
    """Suggestions not yet sent lose what they stand on: the gate leaves out what came from a past that is forgotten."""
    waiting = OutgoingItem.objects.filter(
        email__customer=customer, email__state__in=WAITING_STATES, purpose=purpose_key
    )
    waiting = waiting.filter(email__created_at__lte=until or timezone.now())
    return waiting.filter(is_dropped=False, block=PICK).update(consent_record=None)


def _get_suppressions(customer: Customer) -> QuerySet[Suppression]:
    if not customer.email:
        return Suppression.objects.none()
    return Suppression.objects.filter(suppressions.build_address_filter(customer.email))


def register_holdings() -> None:
    register_processor(
        Processor(
            "The mail server we send through",
            does="carries our mail to your provider",
            gets="your e-mail address and what the mail says. It tells us when an address refuses mail.",
        )
    )
    register_holding(
        Holding(
            key="mail",
            title="Mail we sent you, or did not send, and why",
            models=("notifications.OutgoingEmail", "notifications.OutgoingItem"),
            retention=f"{MAIL_RETENTION.words.capitalize()}, so that we can say why a mail came. "
            "What it said is not kept.",
            export=export_mail,
            count=lambda customer: _get_mails(customer).count(),
            erase=lambda customer: _get_mails(customer).delete()[0],
            forget={key: partial(withdraw_waiting_picks, purpose_key=key) for key in FOR_YOU.purposes},
            retire=retire_mail,
        )
    )
    register_holding(
        Holding(
            key="suppression",
            title="Addresses that refuse our mail",
            models=("notifications.Suppression",),
            retention="Until the address takes mail again: without the note we would go on writing to it.",
            export=lambda customer: [
                {"address": customer.email, **row}  # also where only its hash was kept
                for row in export_rows(_get_suppressions(customer), why="reason", detail="detail", since="created_at")
            ],
            erase=lambda customer: suppressions.hash_suppression(customer.email) if customer.email else 0,
            kept="If your address refuses our mail: a keyed hash of it. It tells us not to write, should the address "
            "turn up again, and cannot be turned back into the address.",
        )
    )
