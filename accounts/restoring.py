"""After a backup was restored: what the journal knows and the backup does not is done again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts import consent, erasure, journal, purposes
from accounts.journal import Entry
from accounts.models import Customer

SOURCE = "after_restore"


@dataclass
class Redone:
    """How many erasures and withdrawals were done again."""

    erased_count: int = 0
    withdrawn_count: int = 0


def redo(entries: Sequence[Entry]) -> Redone:
    """Withdrawals first, in their order, then erasures. Safe to run twice."""
    redone = Redone()
    for entry in entries:
        if entry.what == journal.WITHDRAWN:
            redone.withdrawn_count += _withdraw(entry)
    for entry in entries:
        if entry.what == journal.ERASED and entry.chain:
            redone.erased_count += erasure.erase_again(entry.chain, at=entry.at)
    return redone


def _withdraw(entry: Entry) -> bool:
    """True when a yes older than the entry still stood."""
    customer = Customer.objects.filter(chain=entry.chain).first() if entry.chain else None
    if customer is None:
        return False
    if entry.purpose == purposes.PERSONAL_SHOPPER.key:
        return _turn_off_master(customer, entry.at)
    if not purposes.exists(entry.purpose) or not _stood(customer, entry.purpose, entry.at):
        return False
    consent.set_consent(customer, entry.purpose, granted=False, source=SOURCE)
    return True


def _turn_off_master(customer: Customer, at: datetime) -> bool:
    answer = customer.consents.filter(purpose=purposes.PERSONAL_SHOPPER.key).first()
    if answer is not None and (not answer.chosen or answer.changed_at > at):
        return False
    consent.set_master(customer, on=False, source=SOURCE)
    return True


def _stood(customer: Customer, purpose_key: str, at: datetime) -> bool:
    return customer.consents.filter(purpose=purpose_key, chosen=True, changed_at__lte=at).exists()
