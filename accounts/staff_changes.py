"""Django's record of what staff did in the admin: which row, which fields, when. Rows are named there in words, which
may be somebody's name or address.
"""

from datetime import timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from accounts.models import Address, Customer, User
from shop.personal_data import Rows, rows

KEPT = timedelta(days=731)
ERASED = "(erased)"


def about(customer: Customer) -> QuerySet[LogEntry]:
    """Entries about the customer's own rows, and any that names their address."""
    found = _named(Customer, customer.pk) | _named(User, customer.user_id)
    found |= _named(Address, *customer.addresses.values_list("pk", flat=True))
    if customer.email:
        found |= Q(object_repr__icontains=customer.email) | Q(change_message__icontains=customer.email)
    if customer.name:
        found |= Q(object_repr=customer.name)
    return LogEntry.objects.filter(found)


def _named(model: type[Model], *ids: int | None) -> Q:
    return Q(content_type=ContentType.objects.get_for_model(model), object_id__in=[str(each) for each in ids])


def export(customer: Customer) -> Rows:
    return rows(about(customer), at="action_time", what="object_repr", changed="change_message")


def erase(customer: Customer) -> int:
    return about(customer).exclude(object_repr=ERASED).update(object_repr=ERASED, change_message="")


def retire() -> int:
    return LogEntry.objects.filter(action_time__lt=timezone.now() - KEPT).delete()[0]
