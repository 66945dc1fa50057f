"""How many withdrawals wait for staff, for their first page."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q
from django.utils import timezone

from orders.models import Withdrawal, WithdrawalStatement


@dataclass(frozen=True)
class WithdrawalSummary:
    open_count: int
    oldest_at: datetime | None
    overdue_count: int
    stray_count: int


def summarize_withdrawals() -> WithdrawalSummary:
    """Two queries."""
    overdue = Withdrawal.objects.overdue(timezone.localdate()).values("pk")
    found = (
        Withdrawal.objects.unsettled()
        .order_by()
        .aggregate(count=Count("pk"), oldest=Min("declared_at"), overdue=Count("pk", filter=Q(pk__in=overdue)))
    )
    stray_count = WithdrawalStatement.objects.stray().count()
    return WithdrawalSummary(found["count"], found["oldest"], found["overdue"], stray_count)
