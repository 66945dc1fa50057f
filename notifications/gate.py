"""The gate: whether a mail, or one part of it, may go, and what it then stands on.

Asked when a mail is queued (`standing`, over answers already read) and again at hand-off (`BASIS_HOLDS`, the same rule
in SQL, over what is in the database at that moment). tests/notifications holds both against one truth table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.consent.purposes import MailKind
from notifications.models import SkipReason


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


def find_address_refusal(address: str, *, is_suppressed: bool) -> SkipReason | None:
    """Whether any mail at all may go to an address; None when it may."""
    if not address:
        return SkipReason.NO_ADDRESS
    return SkipReason.SUPPRESSED if is_suppressed else None


def decide_mail(
    kind: MailKind,
    *,
    address: str,
    is_suppressed: bool,
    answers: Iterable[PurposeAnswer],
    is_proved: bool = False,
    is_order_cancelled: bool = False,
) -> Basis | SkipReason:
    """The whole decision on a mail.

    `is_proved`: its reader has shown that the address is theirs; nothing promotional goes to any other.
    News of an order that was called off is no news any more.
    """
    if reason := find_address_refusal(address, is_suppressed=is_suppressed):
        return reason
    if kind is MailKind.PROMOTIONAL and not is_proved:
        return SkipReason.UNPROVED
    if kind is MailKind.SERVICE and is_order_cancelled:
        return SkipReason.ORDER_CHANGED
    return find_legal_basis(kind, answers)


# A digest tells of several orders, so its parts name their own.
_ITS_ORDER = "COALESCE(i.order_id, e.order_id)"

# News of an order that was called off, as a part of a digest.
NEWS_CALLED_OFF = """EXISTS (
    SELECT 1 FROM orders_order called WHERE called.id = i.order_id AND called.status = 'cancelled')"""

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

WANTED = f"({_ANSWERED} AND NOT {_UNWANTED})"
BASIS_HOLDS = f"({WANTED} AND NOT {NEWS_CALLED_OFF} AND NOT {_NOT_FOR_SALE})"

# Plain, or sealed because the address' owner was erased: HMAC-SHA256 with the pads of `suppressions.get_hmac_pads`,
# which the statement is given as {outer} and {inner}.
SUPPRESSED = """EXISTS (
    SELECT 1 FROM notifications_suppression s
    WHERE LOWER(s.address) = LOWER(e.to_address)
       OR s.address_hash = encode(sha256(
            {outer}::bytea || sha256({inner}::bytea || convert_to(LOWER(e.to_address), 'UTF8'))), 'hex'))"""

# Nothing promotional goes to an address that is no longer its reader's own, proved one.
UNPROVED = """(e.kind = 'promotional' AND NOT EXISTS (
    SELECT 1 FROM accounts_customer p
    WHERE p.id = e.customer_id AND LOWER(p.email) = LOWER(e.to_address) AND p.email_proved_at IS NOT NULL))"""

ORDER_CALLED_OFF = """(e.kind = 'service' AND EXISTS (
    SELECT 1 FROM orders_order o WHERE o.id = e.order_id AND o.status = 'cancelled'))"""
