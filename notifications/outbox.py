"""How the outbox stands, for whoever watches the shop."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone

from accounts.models import AccountEvent, Customer
from notifications.models import OutgoingEmail
from notifications.relay import SOURCES
from notifications.topics import ERASURE_ASKED_FOR

State = OutgoingEmail.State
WAITING_STATES = (State.QUEUED, State.CLAIMED, State.SENDING)


NOTICE_PATIENCE = timedelta(minutes=10)


def explain_wait_for_notice(customer: Customer) -> str:
    """An erasure lets its notice leave first, since afterwards nobody knows the address; but not for long."""
    recent = {"customer": customer, "created_at__gte": timezone.now() - NOTICE_PATIENCE}
    event = AccountEvent.objects.filter(kind=AccountEvent.Kind.ERASURE_ASKED_FOR, relayed_at=None, **recent)
    mail = OutgoingEmail.objects.filter(topic=ERASURE_ASKED_FOR.key, state__in=WAITING_STATES, **recent)
    return "The mail that tells you of it has not left yet." if event.exists() or mail.exists() else ""


def measure_backlog() -> dict[str, int]:
    """`unrelayed` events; `queued` mails not yet handed over, whoever holds them; the age of the oldest of either."""
    found = [source.events.filter(relayed_at=None) for source in SOURCES]
    events = [rows.aggregate(count=Count("pk"), oldest=Min("created_at")) for rows in found]
    mails = OutgoingEmail.objects.filter(state__in=WAITING_STATES).aggregate(
        count=Count("pk"), oldest=Min("created_at")
    )
    oldest = min((row["oldest"] for row in (*events, mails) if row["oldest"]), default=None)
    age = (timezone.now() - oldest).total_seconds() if oldest else 0
    return {
        "unrelayed": sum(row["count"] for row in events),
        "queued": mails["count"],
        "oldest_seconds": max(0, round(age)),
    }


def count_by_state() -> list[tuple[str, str, int]]:
    """(topic, state, how many), for every topic that ever had mail."""
    rows = OutgoingEmail.objects.values("topic", "state").annotate(count=Count("pk")).order_by("topic", "state")
    return [(row["topic"], row["state"], row["count"]) for row in rows]


def count_skipped() -> list[tuple[str, str, int]]:
    """(topic, reason, how many) of what did not go."""
    rows = OutgoingEmail.objects.filter(state=State.SKIPPED).values("topic", "skip_reason")
    counted: Any = rows.annotate(count=Count("pk")).order_by("topic", "skip_reason")
    return [(row["topic"], row["skip_reason"], row["count"]) for row in counted]
