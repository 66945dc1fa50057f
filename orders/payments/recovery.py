"""After a backup was restored: the money that came and went since is only known at Stripe, and is fetched from there.

Steps of `after_restore`. Each is safe to run twice and returns what it did, in words for whoever restores. They go by
Stripe's lists, which have no end, not by its events, which go back `FEED_RETENTION`.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.formats import date_format

from accounts.privacy.journal import JournalEntry
from orders import stages, status
from orders.gateways import stripe, stripe_records
from orders.gateways.amounts import from_stripe_amount
from orders.gateways.stripe import StripeUnreachable
from orders.gateways.stripe_records import StripeItem
from orders.locks import lock_order
from orders.models import Order, Payment, Refund, StripeRecord
from orders.payments import checkout_sessions, rebuilding, recording, stripe_feed
from orders.payments.refunds import FAILURES
from shop.money import format_amount

log = logging.getLogger(__name__)

Kind = StripeRecord.Kind
# How long before the backup things were made that may have changed since: a refund comes back, a dispute is decided.
LOOK_BACK = {
    Kind.CHARGE: timedelta(days=2),
    Kind.REFUND: timedelta(days=60),
    Kind.DISPUTE: timedelta(days=150),
    Kind.WARNING: timedelta(days=2),
}
SUMMED_KINDS = {Kind.CHARGE: "charged", Kind.REFUND: "refunded", Kind.DISPUTE: "disputed"}
CLOCK_SKEW = timedelta(minutes=10)
NOTHING = Decimal(0)
Sums = defaultdict[tuple[str, Kind], Decimal]  # by currency and kind


class RecoveryIncomplete(Exception):  # noqa: N818  (a state of affairs, not an error of ours)
    """Something is left that somebody has to look at; the message says what."""


def hold_open_orders(entries: Sequence[JournalEntry]) -> str:
    """Nobody knows what happened since to orders that had not left: none goes on until somebody has looked."""
    waiting = Order.objects.filter(status__in=[Order.Status.PENDING, Order.Status.CONFIRMED])
    waiting = waiting.exclude(fulfilment_status__in=stages.DISPATCHED_STATUSES).exclude(source=Order.Source.IMPORT)
    stripe_feed.set_initial_feed_position(_estimate_backup_time())
    count = 0
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        count += _hold_order(pk)
    return f"On hold until somebody has looked: {count} orders that had not left when the backup was made."


@transaction.atomic
def _hold_order(order_id: int) -> bool:
    order = lock_order(order_id)
    order.unsure_at = order.unsure_at or timezone.now()
    order.save(update_fields=["unsure_at"])
    status.recalculate_and_record_hold(order)
    return bool(order.hold)


def _estimate_backup_time() -> datetime:
    """About when the backup was made, for a shop that had not read Stripe's list of events yet."""
    newest = Payment.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    return newest or timezone.now() - stripe_feed.FEED_RETENTION


def recover_money(entries: Sequence[JournalEntry]) -> str:
    """Records every charge, refund, dispute and warning since before the backup, and rebuilds what was paid.

    Raises `StripeUnreachable` when Stripe gives no answer, `RecoveryIncomplete` for what could not be taken in.
    """
    since = find_recovery_start()
    said: list[str] = []
    failed: list[str] = []
    for kind in Kind:
        for item in reversed(list(stripe_records.list_items(kind, since=since - LOOK_BACK[kind]))):
            try:
                said += _recover_item(item)
            except StripeUnreachable:
                raise
            except Exception as error:  # one that cannot be taken in stops no other, and is named
                log.exception("%s was not taken in", item.reference)
                failed.append(f"{_describe_stripe_item(item)}: {type(error).__name__}")
    Order.objects.filter(status=Order.Status.PENDING).update(unsure_at=None)  # whatever is paid from now on is new
    listed = "\n".join(f"  {line}" for line in said)
    if failed:
        raise RecoveryIncomplete("\n".join([listed, "Not taken in:", *failed]))
    return f"Found at Stripe: {len(said)} things that the backup did not know.\n{listed}".rstrip()


def find_recovery_start() -> datetime:
    """Surely before the backup."""
    return (stripe_feed.read_feed_position() - LOOK_BACK[Kind.CHARGE]).replace(microsecond=0)


def _recover_item(item: StripeItem) -> Iterator[str]:
    """Says what was not known before."""
    is_known = StripeRecord.objects.filter(reference=item.reference).exists()
    record = recording.record_item(item)
    if record is None:
        return
    note = ""
    if record.payment is None and item.kind == Kind.CHARGE:
        note = _rebuild_order_of_charge(item)
        record.refresh_from_db()
    if item.kind == Kind.CHARGE and record.payment:
        _backdate_payment(record.payment, item.created_at)
    if not is_known:
        whose = f"order {record.payment.order.number}" if record.payment else "no order here"
        yield f"{_describe_stripe_item(item)}, {whose}{note}"


def _rebuild_order_of_charge(item: StripeItem) -> str:
    rebuilt = rebuilding.rebuild_paid_order(item.payment_intent)
    if rebuilt is None:
        return "; look at what it was for"
    session = stripe.fetch_session(rebuilt.payment.provider_reference or "")
    checkout_sessions.apply_session_state(rebuilt.payment.pk, session)
    recording.record_item(item)
    if not rebuilt.is_new_order:
        return ""
    short = f"; not enough left of {', '.join(rebuilt.short)}" if rebuilt.short else ""
    return f" (rebuilt: ask {session.email} for the address{short})"


def _backdate_payment(payment: Payment, paid_at: datetime) -> None:
    """It was paid when it was paid, not when the backup was restored."""
    Payment.objects.filter(pk=payment.pk, captured_at__gt=paid_at + CLOCK_SKEW).update(captured_at=paid_at)
    Order.objects.filter(pk=payment.order_id, placed_at__gt=paid_at + CLOCK_SKEW).update(placed_at=paid_at)


def _describe_stripe_item(item: StripeItem) -> str:
    amount = f" {_format_item_amount(item)}" if item.amount else ""
    made_at = date_format(timezone.localtime(item.created_at), "j M H:i")
    return f"{Kind(item.kind).label} {item.reference}{amount}, {made_at}"


def _format_item_amount(item: StripeItem) -> str:
    return format_amount(from_stripe_amount(item.amount, item.currency), item.currency)


def compare_sums(entries: Sequence[JournalEntry]) -> str:
    """Adds up what was charged, refunded and disputed since before the backup, at Stripe and here, by currency.

    Asks Stripe anew. Raises `StripeUnreachable`, and `RecoveryIncomplete` with both sums where they differ.
    """
    since = find_recovery_start()
    theirs, ours, stray = _sum_at_stripe(since), _sum_in_orders(since), _sum_stray_records(since)
    both = _add_sums(ours, stray)
    lines = [f"Since {date_format(timezone.localtime(since), 'j M Y H:i')}:"]
    for currency, kind in sorted({*theirs, *both}):
        there, here = theirs.get((currency, kind), NOTHING), both.get((currency, kind), NOTHING)
        other = stray.get((currency, kind), NOTHING)
        of_no_order = f", of which {format_amount(other, currency)} of no order" if other else ""
        verdict = "" if there == here else " – THEY DIFFER"
        sums = f"at Stripe {format_amount(there, currency)}, here {format_amount(here, currency)}{of_no_order}"
        lines.append(f"  {currency} {SUMMED_KINDS[kind]}: {sums}{verdict}")
    text = "\n".join(lines)
    if theirs != both:
        raise RecoveryIncomplete(text)
    return f"{text}\n  They agree."


def _add_sums(ours: Sums, stray: Sums) -> Sums:
    both: Sums = defaultdict(Decimal)
    for key in {*ours, *stray}:
        both[key] = ours.get(key, NOTHING) + stray.get(key, NOTHING)
    return both


def _sum_at_stripe(since: datetime) -> Sums:
    sums: Sums = defaultdict(Decimal)
    for kind in SUMMED_KINDS:
        for item in stripe_records.list_items(kind, since=since):
            if item.is_money and item.status not in (FAILURES if kind == Kind.REFUND else ()):
                sums[item.currency, kind] += from_stripe_amount(item.amount, item.currency)
    return sums


def _sum_in_orders(since: datetime) -> Sums:
    """From the orders' own books: payments and refunds, and the disputes that are about them."""
    records = StripeRecord.objects.filter(created_at__gte=since).exclude(payment=None)
    paid = Payment.objects.filter(pk__in=records.filter(kind=Kind.CHARGE).values("payment"), captured_at__isnull=False)
    given_back = Refund.objects.filter(provider_reference__in=records.filter(kind=Kind.REFUND).values("reference"))
    sums: Sums = defaultdict(Decimal)
    for kind, rows in (
        (Kind.CHARGE, paid),
        (Kind.REFUND, given_back.exclude(status=Refund.Status.FAILED)),
        (Kind.DISPUTE, records.filter(kind=Kind.DISPUTE)),
    ):
        _add_amounts(sums, kind, rows.order_by().values_list("currency").annotate(Sum("amount")))
    return sums


def _sum_stray_records(since: datetime) -> Sums:
    records = StripeRecord.objects.filter(created_at__gte=since, payment=None)
    sums: Sums = defaultdict(Decimal)
    for kind in SUMMED_KINDS:
        found = records.filter(kind=kind).exclude(status__in=FAILURES if kind == Kind.REFUND else ())
        _add_amounts(sums, kind, found.order_by().values_list("currency").annotate(Sum("amount")))
    return sums


def _add_amounts(sums: Sums, kind: Kind, rows: Iterable[Any]) -> None:
    for currency, amount in rows:
        sums[currency, kind] += amount
