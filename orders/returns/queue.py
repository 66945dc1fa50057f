"""How many withdrawals and returns wait for staff, for their first page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, IntegerField, Min, Q, QuerySet, Value
from django.utils import timezone

from orders.models import ReturnAuthorization, Withdrawal, WithdrawalStatement


@dataclass(frozen=True)
class WithdrawalSummary:
    open_count: int
    oldest_at: datetime | None
    overdue_count: int
    stray_count: int


@dataclass(frozen=True)
class ReturnSummary:
    """`in_hand_count`: goods are here and staff have something to do."""

    in_hand_count: int
    oldest_at: datetime | None
    overdue_count: int


def summarize_returns_and_withdrawals() -> tuple[ReturnSummary, WithdrawalSummary]:
    """One query for both."""
    today = timezone.localdate()
    overdue = Withdrawal.objects.overdue(today).values("pk")
    open_ones = _count_waiting("open", Withdrawal.objects.unsettled(), since="declared_at", overdue=Q(pk__in=overdue))
    stray = _count_waiting("stray", WithdrawalStatement.objects.stray(), since="declared_at", overdue=Q(pk=None))
    late = ReturnAuthorization.objects.overdue(today).values("pk")
    returns = ReturnAuthorization.objects.in_hand()
    in_hand = _count_waiting("returns", returns, since="received_at", overdue=Q(pk__in=late))
    found = {name: counts for name, *counts in open_ones.union(stray, in_hand, all=True)}
    count, oldest_at, overdue_count = found.get("open", (0, None, 0))
    withdrawals = WithdrawalSummary(count, oldest_at, overdue_count, found.get("stray", (0,))[0])
    return ReturnSummary(*found.get("returns", (0, None, 0))), withdrawals


def _count_waiting(name: str, waiting: QuerySet[Any], *, since: str, overdue: Q) -> QuerySet[Any]:
    """A row of name, count, the oldest moment, and how many are overdue; none where nothing waits."""
    rows: QuerySet[Any] = (
        waiting.order_by()
        .values(name=Value(name))
        .annotate(
            count=Count("pk"),
            oldest=Min(since, output_field=DateTimeField()),
            overdue_count=Count("pk", filter=overdue, output_field=IntegerField()),
        )
        .values_list("name", "count", "oldest", "overdue_count")
    )
    return rows
