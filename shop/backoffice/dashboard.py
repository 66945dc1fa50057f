"""What the staff's first page says: who waits, what came in, what ran out, what went wrong."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince

from accounts.models import DataComplaint
from notifications.models import OutgoingEmail
from orders.fulfilment import queue
from orders.models import InfoPage, Order, Payment, Refund, StripeRecord
from orders.returns.queue import summarize_returns_and_withdrawals
from shop.catalog.models import StockRecord, Variant
from shop.money import format_amount

State = OutgoingEmail.State
MOST_SHOWN = 8
MAIL_DAYS = 14  # older trouble is history


@dataclass(frozen=True)
class Tile:
    title: str
    count: int
    url: str
    oldest: str = ""  # how long the first in it has waited, in words


@dataclass(frozen=True)
class TodaySummary:
    """`alarms` are tiles that should read 0; only those that don't are there."""

    work: list[Tile]
    alarms: list[Tile]
    order_count: int
    takings: list[str]


@dataclass(frozen=True)
class SoldOutVariants:
    """What ran out: the first few, and whether there are more."""

    ran_out: list[Variant]
    has_more: bool


def get_today_summary() -> TodaySummary:
    """Six queries."""
    standings = queue.summarize_queues()
    came_in = _sum_paid_today()
    alarms = [
        _make_queue_tile(each) for each in standings if each.queue not in (*queue.WORK_QUEUES, *queue.UNPAID_QUEUES)
    ]
    returns, return_alarms = _make_return_tiles()
    waiting = [_make_queue_tile(each) for each in standings if each.queue in queue.UNPAID_QUEUES and each.count]
    return TodaySummary(
        work=[*(_make_queue_tile(each) for each in standings if each.queue in queue.WORK_QUEUES), *waiting, *returns],
        alarms=[tile for tile in [*alarms, *return_alarms, *_make_stripe_tiles(), *_make_mail_tiles()] if tile.count],
        order_count=sum(count for count, _ in came_in.values()),
        takings=[format_amount(total, currency) for currency, (_, total) in came_in.items()],
    )


def find_sold_out_variants() -> SoldOutVariants:
    """One query."""
    found = list(_filter_sold_out()[: MOST_SHOWN + 1])
    return SoldOutVariants(found[:MOST_SHOWN], has_more=len(found) > MOST_SHOWN)


def get_complaint_tiles() -> list[Tile]:
    """Complaints about data that wait for an answer, and those whose day is near; no tile of 0. One query."""
    pressing = DataComplaint.objects.pressing(timezone.localdate()).values("pk")
    waiting = DataComplaint.objects.unanswered().order_by()
    found = waiting.aggregate(
        count=Count("pk"), oldest=Min("received_at"), pressing=Count("pk", filter=Q(pk__in=pressing))
    )
    url = reverse("admin:accounts_datacomplaint_changelist")
    tiles = [Tile("Complaints about data", found["count"], f"{url}?matter=open", _format_wait(found["oldest"]))]
    tiles.append(Tile("Data complaints due within a week", found["pressing"], f"{url}?matter=pressing"))
    return [tile for tile in tiles if tile.count]


def list_unwritten_pages() -> list[InfoPage]:
    """Pages of the shop that wait for its words. One query."""
    return list(InfoPage.objects.unwritten()[:MOST_SHOWN])


def _make_queue_tile(standing: queue.QueueSummary) -> Tile:
    url = f"{reverse('admin:orders_order_changelist')}?queue={standing.queue.key}"
    if standing.queue == queue.DELAYS:  # who was told what, and what happens when
        url = f"{reverse('admin:orders_delaynotice_changelist')}?matter=open"
    return Tile(standing.queue.title, standing.count, url, _format_wait(standing.oldest_at))


def _format_wait(since: datetime | None) -> str:
    return timesince(since, depth=1) if since else ""


def _sum_paid_today() -> dict[str, tuple[int, Decimal]]:
    """Count and sum of the orders paid since midnight, by currency: without what was called off or given back since."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    paid = (
        Order.objects.order_by()
        .filter(placed_at__gte=midnight)
        .exclude(Q(source=Order.Source.IMPORT) | Q(status=Order.Status.CANCELLED))
    )
    kept: F | CombinedExpression = F("total")
    for back in (Refund.objects.exclude(status=Refund.Status.FAILED), StripeRecord.objects.lost()):
        of_order = back.filter(payment__order=OuterRef("pk"), payment__status=Payment.Status.CAPTURED)
        gone = of_order.order_by().values("payment__order").values_list(Sum("amount"))
        kept -= Coalesce(Subquery(gone), Decimal(0))
    rows = paid.annotate(kept=kept).values_list("currency").annotate(Count("pk"), Sum("kept"))
    return {currency: (count, total) for currency, count, total in rows}


def _filter_sold_out() -> QuerySet[Variant]:
    """The first variants on sale of which nothing can be sold; those nobody expects more of come first.

    Chosen from either kind in the order of an index, so that the cost is of those shown and not of the catalog.
    """
    held = StockRecord.objects.filter(variant=OuterRef("pk"), store__ships_orders=True)
    sold_out, awaited = held.filter(is_sold_out=True), held.filter(is_sold_out=True, restock_on__isnull=False)
    more_on = Subquery(awaited.order_by("restock_on").values("restock_on")[:1])
    gone = Variant.objects.sellable().filter(~Exists(held.filter(is_sold_out=False)))
    unawaited = gone.filter(Exists(sold_out), ~Exists(awaited)).order_by("product__title", "pk")
    soonest = gone.filter(Exists(awaited)).order_by(more_on.asc(), "product__title", "pk")
    first = [each.values("pk")[: MOST_SHOWN + 1] for each in (unawaited, soonest)]
    found = Variant.objects.filter(pk__in=first[0].union(first[1], all=True)).annotate(more_on=more_on)
    return found.select_related("product").order_by(F("more_on").asc(nulls_first=True), "product__title", "pk")


def _make_stripe_tiles() -> list[Tile]:
    """What happened at Stripe and waits for an answer, or for somebody to say what it is."""
    url = reverse("admin:orders_striperecord_changelist")
    matters = StripeRecord.objects.count_open_matters()
    due_at = matters["answer_by"]
    due = f" to answer by {date_format(timezone.localtime(due_at), 'j M')}" if due_at else ""
    return [
        Tile(f"Disputes{due}", matters["disputes"], f"{url}?matter=disputes"),
        Tile("At Stripe, of no order here", matters["stray"], f"{url}?matter=stray"),
    ]


def _make_return_tiles() -> tuple[list[Tile], list[Tile]]:
    """Of withdrawals and returns what waits, if anything does; and what should read 0: what is overdue, and
    declarations that fit no order.
    """
    returns, withdrawals = summarize_returns_and_withdrawals()
    url, returns_url, stated_url = (
        reverse(f"admin:orders_{name}_changelist")
        for name in ("withdrawal", "returnauthorization", "withdrawalstatement")
    )
    waiting = [
        Tile("Withdrawals", withdrawals.open_count, f"{url}?matter=open", _format_wait(withdrawals.oldest_at)),
        Tile("Returns here", returns.in_hand_count, f"{returns_url}?matter=here", _format_wait(returns.oldest_at)),
    ]
    return [tile for tile in waiting if tile.count], [
        Tile("Withdrawals overdue", withdrawals.overdue_count, f"{url}?matter=overdue"),
        Tile("Withdrawals that fit no order", withdrawals.stray_count, f"{stated_url}?matter=stray"),
        Tile("Returns overdue", returns.overdue_count, f"{returns_url}?matter=overdue"),
    ]


def _make_mail_tiles() -> list[Tile]:
    """Mail that the mail server refused, or of which nobody knows whether it went."""
    since = timezone.now() - timedelta(days=MAIL_DAYS)
    recent = OutgoingEmail.objects.order_by().filter(created_at__gte=since, state__in=[State.FAILED, State.UNCERTAIN])
    counts = dict(recent.values_list("state").annotate(Count("pk")))
    titles = {State.UNCERTAIN: "Mail perhaps sent", State.FAILED: "Mail refused"}
    return [Tile(title, counts.get(state, 0), _get_mail_list_url(state)) for state, title in titles.items()]


def _get_mail_list_url(state: str) -> str:
    try:
        return f"{reverse('admin:notifications_outgoingemail_changelist')}?state__exact={state}"
    except NoReverseMatch:
        return ""
