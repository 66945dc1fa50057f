"""What the mail room keeps about people, and for how long."""

from datetime import timedelta

from django.utils import timezone

from notifications.models import OutgoingEmail
from notifications.outbox import WAITING
from shop.personal_data import Holding, register

KEPT_FOR = timedelta(days=400)


def retire_mail() -> int:
    """Deletes the record of mails that were dealt with long ago. Returns how many rows went, items included."""
    old = OutgoingEmail.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).exclude(state__in=WAITING)
    return old.delete()[0]


def register_holdings() -> None:
    register(
        Holding(
            key="mail",
            title="Mail we sent you, or did not send, and why",
            models=("notifications.OutgoingEmail", "notifications.OutgoingItem"),
            retention="Thirteen months, so that we can say why a mail came. What it said is not kept.",
            retire=retire_mail,
        )
    )
    register(
        Holding(
            key="suppression",
            title="Addresses that refuse our mail",
            models=("notifications.Suppression",),
            retention="Until the address takes mail again: without the note we would go on writing to it.",
        )
    )
