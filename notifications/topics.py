"""The registry of mails: what sets each off, of which kind it is, and which purpose allows it.

Topics name purposes, never the reverse. docs/emails.md tells the same to people.
"""

from dataclasses import dataclass, field

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from accounts.models import AccountEvent
from orders.models import OrderEvent


@dataclass(frozen=True)
class Topic:
    """One kind of mail. `event` is the kind of event that sets it off, empty for mail the shop sends by itself.

    `because`: for essential mail, the sentence that says why it comes unasked. `name`: what one stops, for mail that
    can be stopped as a whole. `title`: what staff read.
    `gathers`: it tells news of other topics, each of which names its own purpose.
    `fewest_things`: how many things it must have to show; with fewer it does not go. 0 where it shows none.
    """

    key: str
    kind: MailKind
    purpose: str = ""
    event: str = ""
    because: str = ""
    name: str = ""
    title: str = field(kw_only=True)
    gathers: bool = False
    fewest_things: int = 0

    @property
    def is_promotional(self) -> bool:
        return self.kind is MailKind.PROMOTIONAL


RECEIPT = "receipt"
CONSENT_CONFIRMATION = "consent_confirmation"
ORDER_CANCELLED = "order_cancelled"
ORDER_REFUNDED = "order_refunded"
PAYMENT_UNDER_WAY = "payment_under_way"
PAYMENT_FAILED = "payment_failed"
EXPORT_READY = "export_ready"
ERASURE_ASKED_FOR = "erasure_asked_for"
RECOMMENDATIONS = "recommendations"
NEWSLETTER = "newsletter"
DIGEST = "digest"

_Kind = OrderEvent.Kind

_ALL = (
    Topic(
        RECEIPT,
        MailKind.ESSENTIAL,
        event=_Kind.PLACED,
        because="A receipt always comes with an order: it is your proof of what we owe each other.",
        title="Receipt",
    ),
    Topic(
        "order_approved", MailKind.SERVICE, purposes.MAIL_ORDER_APPROVED, event=_Kind.APPROVED, title="Order approved"
    ),
    Topic("order_picked", MailKind.SERVICE, purposes.MAIL_ORDER_PICKED, event=_Kind.PICKED, title="Order picked"),
    Topic("order_packed", MailKind.SERVICE, purposes.MAIL_ORDER_PACKED, event=_Kind.PACKED, title="Order packed"),
    Topic(
        "order_dispatched",
        MailKind.SERVICE,
        purposes.MAIL_ORDER_DISPATCHED,
        event=_Kind.DISPATCHED,
        title="Order on its way",
    ),
    Topic(
        "order_delivered",
        MailKind.SERVICE,
        purposes.MAIL_ORDER_DELIVERED,
        event=_Kind.DELIVERED,
        title="Order delivered",
    ),
    Topic(
        ORDER_CANCELLED,
        MailKind.ESSENTIAL,
        event=_Kind.CANCELLED,
        because="You get this whatever is ticked: an order of yours has ended.",
        title="Order cancelled",
    ),
    Topic(
        ORDER_REFUNDED,
        MailKind.ESSENTIAL,
        event=_Kind.REFUNDED,
        because="You get this whatever is ticked: it is about your money.",
        title="Money given back",
    ),
    Topic(
        PAYMENT_UNDER_WAY,
        MailKind.ESSENTIAL,
        event=_Kind.PAYMENT_UNDER_WAY,
        title="Payment under way",
        because="You get this whatever is ticked: it is about your money, and your receipt comes only once it is here.",
    ),
    Topic(
        PAYMENT_FAILED,
        MailKind.ESSENTIAL,
        event=_Kind.PAYMENT_FAILED,
        title="Payment failed",
        because="You get this whatever is ticked: an order of yours has ended.",
    ),
    Topic(
        CONSENT_CONFIRMATION,
        MailKind.ESSENTIAL,
        event=AccountEvent.Kind.CONSENT_REQUESTED,
        because="Somebody gave us this address. We ask once before we write to it.",
        title="Newsletter: please confirm",
    ),
    Topic(
        EXPORT_READY,
        MailKind.ESSENTIAL,
        event=AccountEvent.Kind.EXPORT_READY,
        because="You asked for a copy of what we hold. We write once, when it is ready.",
        title="Your copy is ready",
    ),
    Topic(
        ERASURE_ASKED_FOR,
        MailKind.ESSENTIAL,
        event=AccountEvent.Kind.ERASURE_ASKED_FOR,
        because="You get this whatever is ticked: somebody signed in as you asked us to erase your data.",
        title="Erasure asked for",
    ),
    Topic(
        DIGEST,
        MailKind.SERVICE,
        because="You chose to have this news together, or set how many mails come in a week.",
        gathers=True,
        title="Digest",
    ),
    Topic(
        RECOMMENDATIONS,
        MailKind.PROMOTIONAL,
        purposes.MAIL_RECOMMENDATIONS,
        name="the weekly letter",
        title="Weekly suggestions",
        fewest_things=3,
    ),
    Topic(NEWSLETTER, MailKind.PROMOTIONAL, purposes.NEWSLETTER, name="the newsletter", title="Newsletter"),
)

TOPICS: dict[str, Topic] = {topic.key: topic for topic in _ALL}
BY_EVENT: dict[str, Topic] = {topic.event: topic for topic in _ALL if topic.event}
