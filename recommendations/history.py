"""What customers looked at, kept only where they allow it, for thirty days."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts import consent, purposes
from accounts.models import Customer
from recommendations.models import ProductView

KEPT = timedelta(days=30)

# Asked and written in one statement: there is no moment between the question and the note.
_RECORD = """
    INSERT INTO recommendations_productview (customer_id, product_id, viewed_at)
    SELECT customer_id, %(product)s, %(now)s FROM accounts_consent
    WHERE customer_id = %(customer)s AND purpose = %(purpose)s AND granted
    ON CONFLICT (customer_id, product_id) DO UPDATE SET viewed_at = excluded.viewed_at"""


def record_view(customer: Customer | None, product_id: int) -> None:
    """Notes that the customer opened a product page, if they allow it; otherwise nothing is written."""
    if customer is None or consent.is_overlaid():
        return
    values: dict[str, Any] = {
        "customer": customer.pk,
        "product": product_id,
        "purpose": purposes.RECOMMEND_FROM_BROWSING,
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)


def retire() -> int:
    """Deletes what is older than thirty days; returns how many rows."""
    return ProductView.objects.filter(viewed_at__lt=timezone.now() - KEPT).delete()[0]
