"""“Forget what I bought so far”: orders stay, being contracts; one purpose stops reading them, for good."""

from django.db import transaction
from django.utils import timezone

from accounts import purposes
from accounts.models import Customer, ForgottenPast
from orders.models import OrderLine

READS_PURCHASES = (purposes.RECOMMEND_FROM_PURCHASES, purposes.COUNT_IN_ALSO_BOUGHT)


def held_count(customer: Customer, purpose_key: str) -> int:
    """How many things the customer bought that the purpose may read, or could if it were allowed."""
    return OrderLine.objects.held_for(customer, purpose_key).count()


@transaction.atomic
def forget(customer: Customer, purpose_key: str) -> int:
    """Shuts everything bought up to now off from the purpose. Returns how many lines that took away."""
    count = held_count(customer, purpose_key)
    ForgottenPast.objects.update_or_create(
        customer=customer, purpose=purpose_key, defaults={"before_at": timezone.now()}
    )
    return count
