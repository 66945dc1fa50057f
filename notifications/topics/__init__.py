"""Every kind of mail the shop sends, each whole in a module here; docs/emails.md tells the same to people.

A new one is a module with its `Topic`, its templates, and a line below. `notifications.checks` refuses half of one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from notifications.topics.consent_confirmation import CONSENT_CONFIRMATION
from notifications.topics.data_complaints import COMPLAINT_ANSWERED, COMPLAINT_RECEIVED
from notifications.topics.definition import TOPICS, Topic, register_topics
from notifications.topics.digest import DIGEST
from notifications.topics.erasure_asked_for import ERASURE_ASKED_FOR
from notifications.topics.export_ready import EXPORT_READY
from notifications.topics.newsletter import NEWSLETTER
from notifications.topics.order_cancelled import ORDER_CANCELLED
from notifications.topics.order_delayed import ORDER_DELAYED
from notifications.topics.order_moved import ORDER_MOVED
from notifications.topics.order_refunded import ORDER_REFUNDED
from notifications.topics.order_stages import ORDER_STAGES
from notifications.topics.order_to_pay import ORDER_TO_PAY
from notifications.topics.order_uncollected import ORDER_UNCOLLECTED
from notifications.topics.payment_failed import PAYMENT_FAILED
from notifications.topics.payment_under_way import PAYMENT_UNDER_WAY
from notifications.topics.receipt import RECEIPT
from notifications.topics.recommendations import RECOMMENDATIONS
from notifications.topics.return_steps import RETURN_STEPS
from notifications.topics.withdrawal_received import WITHDRAWAL_RECEIVED

__all__ = [
    "BY_EVENT",
    "BY_PURPOSE",
    "COMPLAINT_ANSWERED",
    "COMPLAINT_RECEIVED",
    "CONSENT_CONFIRMATION",
    "DIGEST",
    "ERASURE_ASKED_FOR",
    "EXPORT_READY",
    "NEWSLETTER",
    "ORDER_CANCELLED",
    "ORDER_DELAYED",
    "ORDER_MOVED",
    "ORDER_REFUNDED",
    "ORDER_TO_PAY",
    "ORDER_UNCOLLECTED",
    "PAYMENT_FAILED",
    "PAYMENT_UNDER_WAY",
    "RECEIPT",
    "RECOMMENDATIONS",
    "RETURN_STEPS",
    "TOPICS",
    "WITHDRAWAL_RECEIVED",
    "Topic",
]

register_topics(
    RECEIPT,
    *ORDER_STAGES,
    ORDER_UNCOLLECTED,
    ORDER_DELAYED,
    ORDER_MOVED,
    ORDER_CANCELLED,
    ORDER_REFUNDED,
    WITHDRAWAL_RECEIVED,
    ORDER_TO_PAY,
    *RETURN_STEPS,
    PAYMENT_UNDER_WAY,
    PAYMENT_FAILED,
    CONSENT_CONFIRMATION,
    EXPORT_READY,
    ERASURE_ASKED_FOR,
    COMPLAINT_RECEIVED,
    COMPLAINT_ANSWERED,
    DIGEST,
    RECOMMENDATIONS,
    NEWSLETTER,
)


def _group_by_event() -> Mapping[str, Sequence[Topic]]:
    found: dict[str, list[Topic]] = defaultdict(list)
    for topic in TOPICS.values():
        if topic.event:
            found[topic.event].append(topic)
    return dict(found)


def _find_by_purpose() -> Mapping[str, Topic]:
    """Of the mails that share a switch, the first."""
    found: dict[str, Topic] = {}
    for topic in TOPICS.values():
        for purpose, _ in topic.list_uses():
            found.setdefault(purpose, topic)
    return found


BY_EVENT = _group_by_event()
BY_PURPOSE = _find_by_purpose()  # the mail in which a switch shows: the one it allows, or the one it adds something to
