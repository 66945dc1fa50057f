"""“Forget what I bought so far”: orders stay, being contracts; one purpose stops reading them, for good."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from accounts import purposes
from accounts.models import Customer, ForgottenPast
from orders.models import OrderLine
from orders.models.order import IN_A_SIZE, forgotten

# Which of a customer's own purchases each purpose reads, now or once they are delivered.
READS_PURCHASES: Mapping[str, Q] = {
    purposes.RECOMMEND_FROM_PURCHASES: Q(),
    purposes.GUESS_SIZES: IN_A_SIZE,
    purposes.COUNT_IN_ALSO_BOUGHT: Q(),
}


def held_counts(customer: Customer) -> dict[str, int]:
    """By purpose, how many things the customer bought that it may read, or could if it were allowed. One query."""
    own = OrderLine.objects.steering().filter(order__customer=customer)
    counts = {key: Count("pk", filter=read & ~Q(forgotten(key))) for key, read in READS_PURCHASES.items()}
    return own.aggregate(**counts)


@transaction.atomic
def forget(customer: Customer, purpose_key: str, *, until: datetime | None = None) -> int:
    """Shuts everything bought until then, or until now, off from the purpose; what was shut off stays so.

    Returns how many lines it could have read.
    """
    before = held_counts(customer)[purpose_key]
    moment = until or timezone.now()
    past, is_new = ForgottenPast.objects.select_for_update().get_or_create(
        customer=customer, purpose=purpose_key, defaults={"before_at": moment}
    )
    if not is_new and past.before_at < moment:
        past.before_at = moment
        past.save(update_fields=["before_at"])
    return before - held_counts(customer)[purpose_key]
