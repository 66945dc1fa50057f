"""The mails of a batch with all that writing them needs, read in a fixed number of queries whatever the batch holds."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Prefetch

from accounts.models import ConsentRequest, DataComplaint, PreferenceProfile
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem
from notifications.topics import TOPICS
from notifications.topics.definition import BatchData, EmailContext
from orders.models import Shipment, ShipmentLine, ShopSettings, Withdrawal


def load_email_contexts(email_ids: Iterable[uuid.UUID]) -> list[EmailContext]:
    """The letters: promotional ones last, then the oldest first."""
    standing = OutgoingItem.objects.filter(is_dropped=False).prefetch_related("product__maker", "news__order")
    emails = list(
        OutgoingEmail.objects.filter(pk__in=list(email_ids))
        .select_related("customer")
        .prefetch_related(Prefetch("items", standing, to_attr="standing"), "order__lines", "order__adjustments")
        .order_by("created_at")
    )
    emails.sort(key=lambda email: TOPICS[email.topic].is_promotional)
    desk = _load_batch_data(emails)
    return [EmailContext(email, email.standing, desk) for email in emails]


def _load_batch_data(emails: Sequence[Any]) -> BatchData:
    told = [*emails, *(item.news for email in emails for item in email.standing if item.news)]
    customers = [email.customer_id for email in emails if email.customer_id]
    capped = PreferenceProfile.objects.filter(customer__in=customers, weekly_ceiling__isnull=False)
    lines = Prefetch("lines", ShipmentLine.objects.select_related("order_line"))
    return BatchData(
        shop=ShopSettings.current(),
        shipments=Shipment.objects.prefetch_related(lines).in_bulk(_collect_context_ids(told, "shipment")),
        issues=NewsletterIssue.objects.in_bulk(_collect_context_ids(emails, "issue")),
        requests=ConsentRequest.objects.in_bulk(_collect_context_ids(emails, "consent_request")),
        withdrawals=Withdrawal.objects.select_related("order").in_bulk(_collect_context_ids(emails, "withdrawal")),
        complaints=DataComplaint.objects.in_bulk(_collect_context_ids(emails, "complaint")),
        capped=frozenset(capped.values_list("customer", flat=True)),
    )


def _collect_context_ids(emails: Iterable[OutgoingEmail], key: str) -> set[int]:
    return {email.context[key] for email in emails if key in email.context}
