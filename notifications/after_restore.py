"""After a backup was restored: what waited to be sent when it was made may have been sent since. Nobody knows, so it
is parked for staff, and never sent by itself.
"""

from collections.abc import Sequence

from django.utils import timezone

from accounts.privacy import journal
from accounts.privacy.journal import JournalEntry
from notifications import audience, relay
from notifications.models import OutgoingEmail
from notifications.outbox import WAITING_STATES
from orders.models import OrderTick

THURSDAY = 4
REASON = "Waiting when the backup was made: it may have been sent since."


def mark_waiting_mail_uncertain(entries: Sequence[JournalEntry]) -> str:
    """Writes down everything that is owed, and parks it with what waited already."""
    while relay.relay_all_events():
        pass
    audience.fan_out_released_issues()
    now = timezone.localtime()
    if now.isoweekday() >= THURSDAY:  # this week's letters were due already
        audience.queue_weekly_recommendations(now)
    waiting = OutgoingEmail.objects.filter(state__in=WAITING_STATES)
    count = waiting.update(state=OutgoingEmail.State.UNCERTAIN, claim_token=None, last_error=REASON)
    return f"Parked for staff: {count} mails (`outbox` lists them)."


def redo_order_optouts(entries: Sequence[JournalEntry]) -> str:
    """Takes back again the ticks on single orders that guests took back."""
    count = 0
    for entry in entries:
        if entry.what == journal.UNTICKED:
            ticks = OrderTick.objects.filter(order__number=entry.order, purpose=entry.purpose, granted=True)
            count += ticks.filter(changed_at__lte=entry.at).update(granted=False, changed_at=timezone.now())
    return f"Taken back again: {count} ticks on orders."
