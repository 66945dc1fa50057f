"""Money given back, by week and currency. One statement."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.db.models.functions import TruncWeek

from orders.figures.promises_kept import WEEK, list_weeks
from orders.models import Order, Refund


@dataclass(frozen=True)
class MoneyBack:
    """`order_count`: orders of which some or all went back in that week."""

    week_on: date
    currency: str
    order_count: int
    amount: Decimal


def count_money_back(today: date) -> list[MoneyBack]:
    """One query; the oldest week first, and weeks without any left out."""
    weeks = list_weeks(today)
    rows = (
        _find_refunds()
        .filter(settled_at__date__gte=weeks[0], settled_at__date__lt=weeks[-1] + WEEK)
        .values("currency", week=TruncWeek("settled_at"))
        .annotate(orders=Count("payment__order", distinct=True), sum=Sum("amount"))
        .order_by("week", "currency")
    )
    return [MoneyBack(row["week"].date(), row["currency"], row["orders"], row["sum"]) for row in rows]


def filter_given_back(orders: QuerySet[Order], week_on: date, *, currency: str) -> QuerySet[Order]:
    """The orders behind a bar."""
    in_currency = _find_refunds().filter(currency=currency)
    of_week = in_currency.filter(settled_at__date__gte=week_on, settled_at__date__lt=week_on + WEEK)
    return orders.filter(Exists(of_week.filter(payment__order=OuterRef("pk"))))


def _find_refunds() -> QuerySet[Refund]:
    return Refund.objects.order_by().filter(status=Refund.Status.SUCCEEDED, settled_at__isnull=False)
