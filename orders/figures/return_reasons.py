"""Why goods come back, by the reason their buyer chose. One statement."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from orders.figures.promises_kept import find_midnight
from orders.models import Order, ReturnAuthorization

PERIOD = timedelta(weeks=8)
Reason = ReturnAuthorization.Reason


@dataclass(frozen=True)
class ReasonCount:
    """`order_count`: orders of which something comes back for that reason; `piece_count`: how many pieces."""

    reason: str
    order_count: int
    piece_count: int


def count_reasons(today: date) -> list[ReasonCount]:
    """One query; what is given most often first. What staff refused counts too: it was a reason all the same."""
    rows = (
        _find_returns(today - PERIOD)
        .values("reason")
        .annotate(orders=Count("order", distinct=True), pieces=Sum("piece_count"))
        .order_by("-orders", "-pieces", "reason")
    )
    return [ReasonCount(row["reason"], row["orders"], row["pieces"]) for row in rows]


def filter_coming_back(orders: QuerySet[Order], reason: str, since: date) -> QuerySet[Order]:
    """The orders behind a bar."""
    return orders.filter(Exists(_find_returns(since).filter(reason=reason, order=OuterRef("pk"))))


def _find_returns(since: date) -> QuerySet[ReturnAuthorization]:
    return ReturnAuthorization.objects.order_by().filter(requested_at__gte=find_midnight(since))
