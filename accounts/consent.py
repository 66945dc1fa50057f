"""Consent: one door in (`set_consent`), one question out (`allows`, and as querysets for sets). No row means no."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import ledger, purposes
from accounts.models import Consent, Customer


def set_consent(customer: Customer, purpose_key: str, *, granted: bool, source: str) -> Consent:
    """Writes the answer and its ledger row in one transaction of its own.

    The same answer to the same words changes nothing. Raises KeyError for an unknown purpose, and RuntimeError
    inside another transaction: an answer never waits for, or falls with, something else.
    """
    purpose = purposes.get(purpose_key)
    with transaction.atomic(durable=True):
        customer = Customer.objects.select_for_update().get(pk=customer.pk)
        current = Consent.objects.filter(customer=customer, purpose=purpose.key).first()
        if current and (current.granted, current.wording_version) == (granted, purpose.wording_version):
            return current
        now = timezone.now()
        record = ledger.append(customer, purpose, granted=granted, source=source, answered_at=now)
        consent, _ = Consent.objects.update_or_create(
            customer=customer,
            purpose=purpose.key,
            defaults={
                "granted": granted,
                "wording_version": purpose.wording_version,
                "source": source,
                "record": record,
                "changed_at": now,
            },
        )
    return consent


def allows(customer: Customer | None, purpose_key: str) -> bool:
    """Whether the customer allows the purpose now. A stranger allows nothing."""
    purposes.get(purpose_key)
    return customer is not None and granted(purpose_key).filter(customer=customer).exists()


def granted(purpose_key: str) -> QuerySet[Consent]:
    """Every standing yes for a purpose: the set form of `allows`."""
    return Consent.objects.filter(purpose=purpose_key, granted=True)


def granted_purposes(customer: Customer | None) -> frozenset[str]:
    """All that one customer allows now, in one query, for a page that asks for several purposes."""
    if customer is None:
        return frozenset()
    return frozenset(customer.consents.filter(granted=True).values_list("purpose", flat=True))
