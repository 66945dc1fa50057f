"""What customers looked at, kept only where they allow it, as long as `LOOKS_RETENTION`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.consent.purposes import LOOKS_RETENTION
from accounts.models import Customer
from recommendations.models import ProductView
from shop.catalog.models import Product

# Asked and written in one statement: there is no moment between the question and the note.
_RECORD = """
    INSERT INTO recommendations_productview (customer_id, product_id, viewed_at)
    SELECT customer_id, %(product)s, %(now)s FROM accounts_consent
    WHERE customer_id = %(customer)s AND purpose = %(purpose)s AND granted
    ON CONFLICT (customer_id, product_id) DO UPDATE SET viewed_at = excluded.viewed_at"""


def record_customer_view(customer: Customer | None, product_id: int) -> None:
    """Notes that the customer opened a product page, if they allow it; otherwise nothing is written."""
    if customer is not None and not consent.is_overlay_active():
        _insert_view(customer, product_id, timezone.now())


def import_visitor_views(customer: Customer, views: Iterable[tuple[int, datetime]]) -> int:
    """Notes what the customer looked at before they logged in, if they allow it; returns how many came.

    Things that are no longer in the shop stay behind.
    """
    found = list(views)
    there = set(Product.objects.filter(pk__in=[product_id for product_id, _ in found]).values_list("pk", flat=True))
    return sum(_insert_view(customer, product_id, at) for product_id, at in reversed(found) if product_id in there)


def _insert_view(customer: Customer, product_id: int, viewed_at: datetime) -> int:
    values: dict[str, Any] = {
        "customer": customer.pk,
        "product": product_id,
        "purpose": purposes.RECOMMEND_FROM_BROWSING,
        "now": viewed_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        return int(cursor.rowcount)


def retire_views() -> int:
    """Deletes what is older than that, and what nobody allows any more; returns how many rows.

    The switch stops the use at once. The rows wait for this, so that a switch turned off by mistake has lost nothing.
    """
    old = ProductView.objects.filter(viewed_at__lt=timezone.now() - LOOKS_RETENTION)
    allowing = consent.find_granted_consents(purposes.RECOMMEND_FROM_BROWSING).filter(customer=OuterRef("customer"))
    unwanted = ProductView.objects.filter(~Exists(allowing))
    return old.delete()[0] + unwanted.delete()[0]
