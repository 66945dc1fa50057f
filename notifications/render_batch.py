"""The mails of a batch with all that writing them needs, read in a fixed number of queries whatever the batch holds."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch

from accounts.consent.purposes import MailKind
from accounts.models import ConsentRequest, PreferenceProfile
from notifications.digest import NEWS
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem, SkipReason
from notifications.queueing import BODY
from notifications.topics import TOPICS, Topic
from orders.models import Shipment, ShipmentLine, ShopSettings


@dataclass(frozen=True)
class BatchData:
    """What the mails of a batch share."""

    shop: ShopSettings
    shipments: dict[int, Shipment]
    issues: dict[int, NewsletterIssue]
    requests: dict[int, ConsentRequest]
    capped: frozenset[int] = frozenset()  # customers with a weekly ceiling
    forms: dict[str, tuple[str, str, str] | None] = field(default_factory=dict)  # form letters written so far


@dataclass
class EmailContext:
    """One mail on the desk, with the items that still stand."""

    email: OutgoingEmail
    items: list[OutgoingItem]
    desk: BatchData

    @property
    def topic(self) -> Topic:
        return TOPICS[self.email.topic]

    @property
    def body(self) -> OutgoingItem | None:
        """What the mail as a whole stands on; in a digest the first news that still stands."""
        return next((item for item in self.items if item.block in (BODY, NEWS)), None)

    @property
    def reason_to_skip(self) -> SkipReason:
        """Why there is nothing to write."""
        if self.body is None:
            return SkipReason.WITHDRAWN
        return SkipReason.TOO_FEW if self.topic.fewest_things else SkipReason.NOTHING_LEFT

    @property
    def is_capped(self) -> bool:
        """Whether a weekly ceiling has a say in it."""
        return self.email.customer_id in self.desk.capped and self.topic.kind is not MailKind.ESSENTIAL

    def offered(self, block: str) -> list[OutgoingItem]:
        """The items of a block whose product can still be shown."""
        return [item for item in self.items if item.block == block and item.product and item.product.is_published]

    def drop(self, item_ids: set[int]) -> None:
        self.items = [item for item in self.items if item.pk not in item_ids]

    def named(self, what: dict[int, Any], key: str) -> Any:
        """The row that the mail's context names; None when it names none, or the row is gone."""
        return what.get(self.email.context.get(key, 0))


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
        capped=frozenset(capped.values_list("customer", flat=True)),
    )


def _collect_context_ids(emails: Iterable[OutgoingEmail], key: str) -> set[int]:
    return {email.context[key] for email in emails if key in email.context}
