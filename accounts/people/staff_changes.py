"""Django's record of what staff did in the admin: which row, which fields, when. Rows are named there in words, which
may be somebody's name or address.
"""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from accounts.models import Address, Customer, User
from shop.periods import Period
from shop.personal_data import Rows, export_rows

CHANGE_RETENTION = Period(years=2)
ERASED = "(erased)"


def find_staff_changes(customer: Customer) -> QuerySet[LogEntry]:
    """Entries about the customer's own rows, and any that names their address."""
    found = _build_row_filter(Customer, customer.pk) | _build_row_filter(User, customer.user_id)
    found |= _build_row_filter(Address, *customer.addresses.values_list("pk", flat=True))
    if customer.email:
        found |= Q(object_repr__icontains=customer.email) | Q(change_message__icontains=customer.email)
    if customer.name:
        found |= Q(object_repr=customer.name)
    return LogEntry.objects.filter(found)


def _build_row_filter(model: type[Model], *ids: int | None) -> Q:
    return Q(content_type=ContentType.objects.get_for_model(model), object_id__in=[str(each) for each in ids])


def export_staff_changes(customer: Customer) -> Rows:
    return export_rows(find_staff_changes(customer), at="action_time", what="object_repr", changed="change_message")


def erase_staff_changes(customer: Customer) -> int:
    return find_staff_changes(customer).exclude(object_repr=ERASED).update(object_repr=ERASED, change_message="")


def retire_staff_changes() -> int:
    return LogEntry.objects.filter(action_time__lt=timezone.now() - CHANGE_RETENTION).delete()[0]
