"""What a kind of mail is, and what it is given to work with. Each stands in a module beside this one, whole.

Topics name purposes, never the reverse.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from accounts.consent.purposes import MailKind
from accounts.models import ConsentRequest, Customer, DataComplaint
from notifications.gate import MailAddressee
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem, SkipReason
from orders.models import Order, OrderEvent, Shipment, ShopSettings, Withdrawal
from shop.registry import Registry

BODY, OFFER, PICK, NEWS = "body", "offer", "pick", "news"  # the blocks of mails
Context = dict[str, Any]


def _raise_missing(*_: Any) -> Any:
    """Stands where a topic leaves something out that it needs; `notifications.checks` lets none such start."""
    raise NotImplementedError("This mail topic is half made: run manage.py check.")


def _write_no_detail(about: Context) -> str:
    return ""


def _add_no_items(draft: "Draft", is_allowed: Callable[[str], bool]) -> Sequence["DraftItem"]:
    return ()


@dataclass(frozen=True)
class Topic:
    """One kind of mail. Its templates are `templates/emails/<key>.{txt,html}`, the subject a block of the first.

    What it is. `title`: what staff read. `because`: for essential mail, the sentence that says why it comes unasked.
    `name`: what one stops, for mail that can be stopped as a whole. `parts`: (block, purpose) of what it may hold that
    has a switch of its own. `gathers`: it tells news of other topics, each of which names its own purpose.
    `fewest_things`: how many things it must have to show; with fewer it does not go. 0 where it shows none.
    `is_form_letter`: the same to everybody but for the reader's own links. `waits_for_its_month`: what comes too soon
    for its reader waits; without it, it is skipped, since a newer one is written when the time has come.

    What it says. `context`: what its templates are given besides the frame; None when nothing is left to say.
    `sample`: one for a customer, of which no row is stored. For service mail also how a digest tells it: `headline`,
    and `detail`, a sentence from its context or nothing.

    What sends it off: an `event` (a kind of order or account event), for which `draft` says who is to get it, be it
    one reader or many, and `add_items` with which further parts, asking which purposes the reader allows; or `job`,
    the task of the timetable that queues it.
    """

    key: str
    kind: MailKind
    purpose: str = ""
    title: str = field(kw_only=True)
    because: str = field(default="", kw_only=True)
    name: str = field(default="", kw_only=True)
    parts: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)
    gathers: bool = field(default=False, kw_only=True)
    fewest_things: int = field(default=0, kw_only=True)
    is_form_letter: bool = field(default=False, kw_only=True)
    waits_for_its_month: bool = field(default=False, kw_only=True)

    context: Callable[["EmailContext"], Context | None] = field(default=_raise_missing, kw_only=True)
    sample: Callable[[Customer, "Topic"], "EmailContext"] = field(default=_raise_missing, kw_only=True)
    headline: str = field(default="", kw_only=True)
    detail: Callable[[Context], str] = field(default=_write_no_detail, kw_only=True)

    event: str = field(default="", kw_only=True)
    draft: Callable[["Topic", Any], Iterable["Draft"]] = field(default=_raise_missing, kw_only=True)
    add_items: Callable[["Draft", Callable[[str], bool]], Sequence["DraftItem"]] = field(
        default=_add_no_items, kw_only=True
    )
    job: str = field(default="", kw_only=True)

    @property
    def is_promotional(self) -> bool:
        return self.kind is MailKind.PROMOTIONAL

    @property
    def is_order_news(self) -> bool:
        return self.event in OrderEvent.Kind.values

    @property
    def may_be_gathered(self) -> bool:
        """Whether it may come as a piece of a digest."""
        return self.kind is MailKind.SERVICE and not self.gathers

    @property
    def is_sent(self) -> bool:
        """Whether anything sends it off."""
        return bool(self.event or self.job or self.gathers)

    def list_uses(self) -> list[tuple[str, str]]:
        """(purpose, what it switches) of the mail and its parts; none of a mail that nothing sends off."""
        whole = [(self.purpose, self.key)] if self.purpose else []
        return (
            [*whole, *((purpose, f"{self.key}, its {block}") for block, purpose in self.parts)] if self.is_sent else []
        )

    def lacks(self, part: str) -> bool:
        """Whether the topic was made without its `context`, `sample` or `draft`."""
        return getattr(self, part) is _raise_missing


_topics = Registry[Topic]("The mail topic")
TOPICS: Mapping[str, Topic] = MappingProxyType(_topics)


def register_topics(*topics: Topic) -> None:
    """Raises RegisteredTwiceError when a key is taken."""
    for topic in topics:
        _topics.add(topic.key, topic)


@dataclass(frozen=True)
class DraftItem:
    """A part of a mail that has a switch of its own. Service rules: a tick on the order may permit it."""

    block: str
    purpose: str
    kind: MailKind = MailKind.SERVICE
    product_id: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Draft:
    """A mail somebody may want. `key` names what it is for, so that the same thing is queued once and never again."""

    key: str
    topic: Topic
    to_address: str
    customer: Customer | None = None
    order: Order | None = None
    context: dict[str, Any] = field(default_factory=dict)
    items: tuple[DraftItem, ...] = ()

    @property
    def addressee(self) -> MailAddressee:
        return MailAddressee(
            kind=self.topic.kind,
            to_address=self.to_address,
            customer_id=self.customer.pk if self.customer else None,
            order_id=self.order.pk if self.order else None,
        )


@dataclass(frozen=True)
class BatchData:
    """What the mails of a batch share."""

    shop: ShopSettings
    shipments: dict[int, Shipment]
    issues: dict[int, NewsletterIssue]
    requests: dict[int, ConsentRequest]
    withdrawals: dict[int, Withdrawal] = field(default_factory=dict)
    complaints: dict[int, DataComplaint] = field(default_factory=dict)
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
            fell = self.email.items.filter(block__in=(BODY, NEWS)).exclude(drop_reason="")
            return SkipReason(fell.values_list("drop_reason", flat=True).first() or SkipReason.WITHDRAWN)
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
