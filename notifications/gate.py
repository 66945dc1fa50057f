"""The gate: whether a mail, or one part of it, may go, and what it then stands on.

Its rules stand here once, each with the reason it gives; the first that holds is the one named. Everybody who asks
takes them from here: the first decision on a draft (`queueing`), the fan-out of a newsletter and the count of its
readers (`audience`), and the last question before a hand-off (`claims`). Those about how often somebody wants mail
stand in `frequency_caps`. tests/notifications/test_gate.py holds all who ask against one truth table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.consent.purposes import MailKind
from notifications.models import SkipReason
from notifications.suppressions import get_hmac_pads
from orders import stages

# Why not, and the condition in SQL: of mail `e` (id, kind, to_address, customer_id, order_id, ...) and its item `i`.
Rule = tuple[SkipReason, str]


@dataclass(frozen=True)
class PurposeAnswer:
    """A yes or no to one purpose: a customer's current consent (`record_id`) or a tick on an order (`tick_id`)."""

    is_granted: bool
    changed_at: datetime
    record_id: int | None = None
    tick_id: int | None = None


@dataclass(frozen=True)
class Basis:
    """What permits an item. Nothing named: it is essential."""

    record_id: int | None = None
    tick_id: int | None = None
    given_at: datetime | None = None

    @property
    def is_essential(self) -> bool:
        return self.given_at is None


ESSENTIAL_BASIS = Basis()


def find_legal_basis(kind: MailKind, answers: Iterable[PurposeAnswer]) -> Basis | SkipReason:
    """What an item of this kind stands on, or why it does not.

    The latest answer counts, whether given for the account or for the order. A tick on an order speaks for that
    order's own mail only, so nothing promotional ever stands on one.
    """
    if kind is MailKind.ESSENTIAL:
        return ESSENTIAL_BASIS
    heard = [answer for answer in answers if kind is MailKind.SERVICE or answer.record_id]
    if not heard:
        return SkipReason.NOT_OPTED_IN
    latest = max(heard, key=lambda answer: answer.changed_at)
    if not latest.is_granted:
        return SkipReason.WITHDRAWN
    return Basis(latest.record_id, latest.tick_id, latest.changed_at)


@dataclass(frozen=True)
class MailAddressee:
    """Of a mail that is to be: what the rules ask about."""

    kind: MailKind
    to_address: str
    customer_id: int | None
    order_id: int | None


def build_condition(rules: Iterable[Rule]) -> str:
    """SQL for whether one of the rules holds."""
    return "(" + " OR ".join(condition for _, condition in rules) + ")"


def build_reason(rules: Iterable[Rule]) -> str:
    """SQL for the reason of the first rule that holds; '' when none does."""
    return "CASE " + " ".join(f"WHEN {condition} THEN '{reason.value}'" for reason, condition in rules) + " ELSE '' END"


# A digest tells of several orders, so its parts name their own.
_ITS_ORDER = "COALESCE(i.order_id, e.order_id)"

# News of an order that was called off, as a part of a digest.
_NEWS_CALLED_OFF = """EXISTS (
    SELECT 1 FROM orders_order called WHERE called.id = i.order_id AND called.status = 'cancelled')"""

# The event that an item's switch is about, of those that staff may take back, and the parcel it is news of.
_ITS_EVENT = (
    "CASE i.purpose "
    + " ".join(
        f"WHEN '{row.mail_purpose}' THEN '{row.event.value}'"
        for row in stages.EVERY_STAGE
        if row.mail_purpose and not row.has_left
    )
    + " END"
)
_ITS_PARCEL = """COALESCE(
    (SELECT alone.context->>'shipment' FROM notifications_outgoingemail alone WHERE alone.id = i.news_id),
    e.context->>'shipment', '')"""

# News of a step that staff have taken back, and not taken again since.
_STEP_TAKEN_BACK = f"""EXISTS (
    SELECT 1 FROM orders_orderevent back
    WHERE back.order_id = {_ITS_ORDER} AND back.kind = 'step_taken_back'
      AND back.data->'undone' ? ({_ITS_EVENT}) AND COALESCE(back.shipment_id::text, '') = {_ITS_PARCEL}
      AND NOT EXISTS (
        SELECT 1 FROM orders_orderevent again
        WHERE again.order_id = back.order_id AND again.kind = ({_ITS_EVENT}) AND again.id > back.id
          AND again.shipment_id IS NOT DISTINCT FROM back.shipment_id))"""  # noqa: S608

# That something lies ready, told of a parcel that has been collected meanwhile.
_AT_THE_COUNTER = ", ".join(f"'{row.mail_purpose}'" for row in stages.AT_THE_COUNTER if row.mail_purpose)
_COLLECTED = f"""(i.purpose IN ({_AT_THE_COUNTER}) AND EXISTS (
    SELECT 1 FROM orders_shipment fetched
    WHERE fetched.order_id = {_ITS_ORDER} AND fetched.stage = 'collected' AND fetched.id::text = {_ITS_PARCEL}))"""  # noqa: S608

# Item `i` of mail `e` still stands: the very yes it was queued with is still the current answer. A yes given again is
# another record (or, for a tick, another time) and releases nothing old. One click, as on the switch over all of them,
# is one record for several purposes: only the item's own counts.
_ANSWERED = f"""(
    i.is_essential
    OR EXISTS (
        SELECT 1 FROM accounts_consent c
        WHERE c.record_id = i.consent_record_id AND c.purpose = i.purpose
          AND c.customer_id = e.customer_id AND c.granted
          AND NOT EXISTS (
            SELECT 1 FROM orders_ordertick later
            WHERE later.order_id = {_ITS_ORDER} AND later.purpose = i.purpose
              AND NOT later.granted AND later.changed_at > i.stands_since_at))
    OR EXISTS (
        SELECT 1 FROM orders_ordertick t JOIN orders_order o ON o.id = t.order_id
        WHERE t.id = i.order_tick_id AND t.order_id = {_ITS_ORDER}
          AND t.granted AND t.changed_at = i.stands_since_at AND e.kind <> 'promotional'
          AND NOT EXISTS (
            SELECT 1 FROM accounts_consent later
            WHERE later.customer_id = o.customer_id AND later.purpose = i.purpose
              AND NOT later.granted AND later.changed_at > i.stands_since_at)))"""  # noqa: S608

# Something the customer has said meanwhile never to show them. Departments are looked up four levels deep; what was put
# forward at all, `recommendations.picks` has asked about whole trees.
_UNWANTED = """(i.product_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM accounts_interest never
    JOIN catalog_product p ON p.id = i.product_id
    JOIN catalog_category shelf ON shelf.id = p.category_id
    LEFT JOIN catalog_category above ON above.id = shelf.parent_id
    LEFT JOIN catalog_category top ON top.id = above.parent_id
    WHERE never.customer_id = e.customer_id AND never.kind = 'never'
      AND (never.expires_at IS NULL OR never.expires_at > clock_timestamp())
      AND (never.product_id = p.id OR never.maker_id = p.maker_id
           OR never.category_id IN (shelf.id, above.id, top.id, top.parent_id))))"""

# Something put forward that nobody can buy at this moment: asked of the stock, which lists follow a little later.
_NOT_FOR_SALE = """(i.block IN ('offer', 'pick') AND NOT EXISTS (
    SELECT 1 FROM catalog_product p
    JOIN catalog_variant v ON v.product_id = p.id AND v.is_active
    JOIN catalog_stockrecord r ON r.variant_id = v.id AND r.on_hand > r.allocated
    JOIN catalog_store s ON s.id = r.store_id AND s.ships_orders
    WHERE p.id = i.product_id AND p.is_published))"""

# Why a part of a mail may not go.
ITEM_REFUSALS: tuple[Rule, ...] = (
    (SkipReason.ORDER_CHANGED, _NEWS_CALLED_OFF),
    (SkipReason.ORDER_CHANGED, _STEP_TAKEN_BACK),
    (SkipReason.ORDER_CHANGED, _COLLECTED),
    (SkipReason.WITHDRAWN, f"(NOT {_ANSWERED} OR {_UNWANTED})"),
    (SkipReason.NOT_FOR_SALE, _NOT_FOR_SALE),
)

# Plain, or sealed because the address' owner was erased: HMAC-SHA256 with the pads of `suppressions.get_hmac_pads`.
# Two questions, so that each has an index for one mail, and a hash table for many. No address is sealed where there is
# nothing to compare it with.
_SEALED = """encode(sha256(
        %(outer)s::bytea || sha256(%(inner)s::bytea || convert_to(LOWER(e.to_address), 'UTF8'))), 'hex')"""
_SUPPRESSED = f"""(EXISTS (
    SELECT 1 FROM notifications_suppression s WHERE LOWER(s.address) = LOWER(e.to_address)) OR EXISTS (
    SELECT 1 FROM notifications_suppression s WHERE s.address_hash IS NOT NULL) AND EXISTS (
    SELECT 1 FROM notifications_suppression s WHERE s.address_hash = {_SEALED}))"""  # noqa: S608

# Nothing promotional goes to an address that is not, or no longer, its reader's own, proved one.
_UNPROVED = """(e.kind = 'promotional' AND NOT EXISTS (
    SELECT 1 FROM accounts_customer p
    WHERE p.id = e.customer_id AND LOWER(p.email) = LOWER(e.to_address) AND p.email_proved_at IS NOT NULL))"""

# News of an order that was called off is no news any more.
_ORDER_CALLED_OFF = """(e.kind = 'service' AND EXISTS (
    SELECT 1 FROM orders_order o WHERE o.id = e.order_id AND o.status = 'cancelled'))"""

# Why a whole mail may not go, whatever its reader has ticked. A statement with them is given `get_hmac_pads`.
REFUSALS: tuple[Rule, ...] = (
    (SkipReason.NO_ADDRESS, "e.to_address = ''"),
    (SkipReason.SUPPRESSED, _SUPPRESSED),
    (SkipReason.UNPROVED, _UNPROVED),
    (SkipReason.ORDER_CHANGED, _ORDER_CALLED_OFF),
)

# The same rules for every reader `e` of a letter at once: sets that are read once, where the conditions of one mail
# would be looked up for each. With those the readers among a million customers took three times as long to count.
# Needs `proved_at` of the readers and `STOPPED_ADDRESSES` as `stopped`; the truth table holds the two together.
STOPPED_ADDRESSES = """
    SELECT LOWER(s.address) AS address FROM notifications_suppression s WHERE s.address IS NOT NULL"""
LETTER_MAY_GO = f"""(
    e.to_address <> '' AND e.proved_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM stopped WHERE stopped.address = LOWER(e.to_address))
    AND NOT EXISTS (
        SELECT 1 FROM notifications_suppression s WHERE s.address_hash = CASE WHEN EXISTS (
            SELECT 1 FROM notifications_suppression s WHERE s.address_hash IS NOT NULL) THEN {_SEALED} END))"""  # noqa: S608

_FIND_REFUSALS = f"""
    SELECT {build_reason(REFUSALS)}
    FROM unnest(%(kinds)s::text[], %(addresses)s::text[], %(customers)s::bigint[], %(orders)s::bigint[])
        WITH ORDINALITY AS e(kind, to_address, customer_id, order_id, place)
    ORDER BY e.place"""  # noqa: S608


def find_refusals(mails: Sequence[MailAddressee]) -> list[SkipReason | None]:
    """For each mail why it may not go, whatever its reader has ticked; None when it may. One query."""
    values: dict[str, Any] = {
        "kinds": [mail.kind.value for mail in mails],
        "addresses": [mail.to_address for mail in mails],
        "customers": [mail.customer_id for mail in mails],
        "orders": [mail.order_id for mail in mails],
        **get_hmac_pads(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND_REFUSALS, values)
        return [SkipReason(reason) if reason else None for (reason,) in cursor.fetchall()]
