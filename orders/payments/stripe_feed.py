"""Stripe's own list of events, read every minute: what webhooks did not bring is found here while it is kept."""

from datetime import datetime, timedelta

from django.utils import timezone

from orders.gateways import stripe_records
from orders.models import StripeFeed
from orders.payments import stripe_events
from orders.payments.stripe_background import attempt_at_stripe
from shop.periods import Period
from shop.retrying import loops
from shop.retrying.loops import Loop

ONLY_ROW = 1
OVERLAP = timedelta(minutes=10)  # Stripe lists an event a little after the time it bears
FEED_RETENTION = Period(days=30)  # Stripe keeps them no longer
KINDS = [
    *("checkout.session.completed", "charge.succeeded"),
    *("refund.created", "refund.updated", "refund.failed", "charge.refund.updated", "charge.refunded"),
    *("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"),
    *("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"),
    *("radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"),
]
FEED = loops.register_loop(
    Loop(
        "stripe_feed",
        "Stripe's list of what happened",
        "What webhooks bring is dealt with all the same. If this lasts, check that STRIPE_SECRET_KEY may read events.",
    )
)


def catch_up_on_events() -> None:
    """Reads the list and works through it; should that fail, it is read again later from the same place.

    Raises `StripeUnavailable` when Stripe answers nothing at all.
    """
    if FEED.is_due():
        with attempt_at_stripe(FEED, loops.WHOLE, subject=FEED.title):
            read_feed()
    stripe_events.process_waiting_events()


def read_feed() -> int:
    """Stores what happened since the last time. Returns how many were listed.

    Raises `StripeUnreachable`: the next time reads the same again.
    """
    asked_at = timezone.now()
    since = max(read_feed_position() - OVERLAP, asked_at - FEED_RETENTION)
    count = stripe_events.store_events(reversed(list(stripe_records.list_events(since, kinds=KINDS))))
    StripeFeed.objects.update_or_create(pk=ONLY_ROW, defaults={"read_until_at": asked_at})
    return count


def read_feed_position() -> datetime:
    """Until when the list has been read; as far back as it goes if it never was."""
    mark = StripeFeed.objects.filter(pk=ONLY_ROW).values_list("read_until_at", flat=True).first()
    return mark or timezone.now() - FEED_RETENTION


def set_initial_feed_position(otherwise: datetime) -> None:
    """Sets the mark to `otherwise`, unless there is one."""
    StripeFeed.objects.get_or_create(pk=ONLY_ROW, defaults={"read_until_at": otherwise})
