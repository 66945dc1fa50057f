"""What receipts offered their buyers, for those who ask what it did for them."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.models import Customer
from notifications.models import OutgoingEmail, OutgoingItem
from notifications.queueing import OFFER


def on_receipts(customer: Customer, *, since: datetime) -> QuerySet[OutgoingItem]:
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
