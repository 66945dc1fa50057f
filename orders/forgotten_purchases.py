"""“Forget what I bought so far”: orders stay, being contracts; one purpose stops reading them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import attrgetter

from django.db import transaction
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer, ForgottenPast
from accounts.people.customers import lock_customer
from orders.models import OrderLine
from orders.models.order import IN_A_SIZE, build_forgotten_filter

# Which of a customer's own purchases each purpose reads, now or once they are delivered.
READS_PURCHASES: Mapping[str, Q] = {
    purposes.RECOMMEND_FROM_PURCHASES: Q(),
    purposes.GUESS_SIZES: IN_A_SIZE,
    purposes.COUNT_IN_ALSO_BOUGHT: Q(),
}


def count_readable_purchases(customer: Customer) -> dict[str, int]:
    """By purpose, how many things the customer bought that it may read, or could if it were allowed. One query."""
    own = OrderLine.objects.steering().filter(order__customer=customer)
    counts = {key: Count("pk", filter=read & ~Q(build_forgotten_filter(key))) for key, read in READS_PURCHASES.items()}
    return own.aggregate(**counts)


def held_dates(customer: Customer) -> dict[str, tuple[datetime, datetime]]:
    """By purpose, when the first and the last was bought of what `count_stored_rows` counts. One query."""
    own = OrderLine.objects.steering().filter(order__customer=customer)
    bought_at = Coalesce("order__placed_at", "order__created_at")
    ends: dict[str, Min | Max] = {}
    for key, read in READS_PURCHASES.items():
        ends[f"{key}_first"] = Min(bought_at, filter=read & ~Q(build_forgotten_filter(key)))
        ends[f"{key}_last"] = Max(bought_at, filter=read & ~Q(build_forgotten_filter(key)))
    found = own.aggregate(**ends)
    return {key: (found[f"{key}_first"], found[f"{key}_last"]) for key in READS_PURCHASES if found[f"{key}_first"]}


@transaction.atomic
def forget_purchases(customer: Customer, purpose_key: str, *, until: datetime | None = None) -> int:
    """Shuts everything bought until then, or until now, off from the purpose; what was shut off stays so.

    Returns how many lines it could have read. Safe to run twice: what was told for that very moment stands, or was
    taken back, and stays so.
    """
    lock_customer(customer)
    moment = until or timezone.now()
    told = customer.forgotten_pasts.filter(purpose=purpose_key)
    reach = _reach([past for past in told if past.taken_back_at is None])
    if (reach is not None and reach >= moment) or any(past.before_at == moment for past in told):
        return 0
    before = count_readable_purchases(customer)[purpose_key]
    past = ForgottenPast.objects.create(customer=customer, purpose=purpose_key, after_at=reach, before_at=moment)
    past.line_count = before - count_readable_purchases(customer)[purpose_key]
    past.save(update_fields=["line_count"])
    return past.line_count


def _reach(standing: Iterable[ForgottenPast]) -> datetime | None:
    """Up to when everything is forgotten from the beginning on, without a gap; None when nothing is."""
    reach: datetime | None = None
    for past in sorted(standing, key=attrgetter("before_at")):
        if past.after_at is None or (reach is not None and past.after_at <= reach):
            reach = past.before_at if reach is None else max(reach, past.before_at)
    return reach
