"""What receipts offered their buyers, for those who ask what it did for them; and offers that lose their ground."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.models import Customer
from notifications.models import OutgoingEmail, OutgoingItem
from notifications.outbox import WAITING_STATES
from notifications.topics.definition import OFFER
from orders.models import Order


def find_sent_offers(customer: Customer, *, since: datetime) -> QuerySet[OutgoingItem]:
    """The offers that went out on the customer's receipts, the latest first, with product, mail and order."""
    sent = OutgoingItem.objects.filter(
        email__customer=customer,
        email__state=OutgoingEmail.State.SENT,
        email__sent_at__gt=since,
        email__order__isnull=False,
        block=OFFER,
        product__isnull=False,
        is_dropped=False,
    )
    return sent.select_related("product", "email__order").order_by("-email__sent_at")


def let_offer_fall(order: Order) -> int:
    """The order's receipt, if it still waits, loses its offer: what it was picked for may steer nothing any more."""
    waiting = OutgoingItem.objects.filter(
        email__order=order, email__state__in=WAITING_STATES, block=OFFER, is_dropped=False
    )
    return waiting.update(consent_record=None, order_tick=None)
