"""After a backup was restored: what the journal knows and the backup does not is done again.

Each step is a function of the journal's entries, safe to run twice, that returns what it did in words for whoever
restores. `after_restore` lists them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from accounts.consent import consent, purposes
from accounts.models import Customer, Erasure, ForgottenPast
from accounts.privacy import erasure, journal
from accounts.privacy.journal import JournalEntry
from shop import personal_data

SOURCE = "after_restore"


def redo_withdrawals(entries: Sequence[JournalEntry]) -> str:
    count = sum(_redo_one_withdrawal(entry) for entry in entries if entry.what == journal.WITHDRAWN)
    return f"Withdrawn again: {count} answers."


def redo_forgetting(entries: Sequence[JournalEntry]) -> str:
    """What was recorded since the entry, and is in the backup, stays.

    In the order of the entries, since what was taken back may have been forgotten anew.
    """
    forgotten_count = undone_count = 0
    for entry in entries:
        if entry.what == journal.FORGOTTEN:
            forgotten_count += _redo_one_forgetting(entry)
        elif entry.what == journal.FORGETTING_UNDONE and entry.is_sealed:  # only the shop itself gives back
            undone_count += _take_back(entry)
    return (
        f"Forgotten again: {forgotten_count} rows of looks, purchases and what was told. "
        f"Taken back again: {undone_count} times."
    )


def _take_back(entry: JournalEntry) -> int:
    if entry.chain is None or entry.until is None:
        return 0
    pasts = ForgottenPast.objects.filter(customer__chain=entry.chain, purpose=entry.purpose, before_at=entry.until)
    return pasts.filter(taken_back_at=None).update(taken_back_at=entry.at)


def redo_erasures(entries: Sequence[JournalEntry]) -> str:
    """Who was erased is erased at once; who had asked for it is awaited again."""
    erased = [entry for entry in entries if entry.what == journal.ERASED and entry.chain]
    count = sum(erasure.repeat_erasure(entry.chain, at=entry.at) for entry in erased if entry.chain)
    asked_count = _restore_erasure_requests(entries)
    return f"Erased again: {count} people. Asked to be erased, and awaited again: {asked_count}."


def _restore_erasure_requests(entries: Sequence[JournalEntry]) -> int:
    undone = {entry.erasure for entry in entries if entry.what == journal.ERASURE_UNDONE}
    for called_off in Erasure.objects.filter(pk__in=[each for each in undone if each], state=Erasure.State.SCHEDULED):
        erasure.cancel_erasure(called_off)
    asked = (entry for entry in entries if entry.what == journal.ERASURE_ASKED and entry.erasure not in undone)
    return sum(
        erasure.restore_erasure_request(entry.chain, erasure_id=entry.erasure, due_at=entry.due_at)
        for entry in asked
        if entry.chain and entry.erasure and entry.due_at
    )


def _find_customers(entry: JournalEntry) -> Iterator[Customer]:
    """The customer an entry is about, if the restored database knows them."""
    if entry.chain:
        yield from Customer.objects.filter(chain=entry.chain)


def _redo_one_forgetting(entry: JournalEntry) -> int:
    is_known = personal_data.can_forget(entry.purpose)
    people = _find_customers(entry) if is_known else ()
    return sum(personal_data.forget_for_purpose(customer, entry.purpose, until=entry.at) for customer in people)


def _redo_one_withdrawal(entry: JournalEntry) -> bool:
    """True when a yes older than the entry still stood."""
    for customer in _find_customers(entry):
        if entry.purpose == purposes.PERSONAL_SHOPPER.key:
            return _turn_off_master(customer, entry.at)
        if purposes.is_purpose(entry.purpose) and _has_older_yes(customer, entry.purpose, entry.at):
            consent.set_consent(customer, entry.purpose, granted=False, source=SOURCE)
            return True
    return False


def _turn_off_master(customer: Customer, at: datetime) -> bool:
    answer = customer.consents.filter(purpose=purposes.PERSONAL_SHOPPER.key).first()
    if answer is not None and (not answer.chosen or answer.changed_at > at):
        return False
    consent.set_master(customer, on=False, source=SOURCE)
    return True


def _has_older_yes(customer: Customer, purpose_key: str, at: datetime) -> bool:
    stands = customer.consents.filter(purpose=purpose_key, chosen=True).exists()
    return stands and not consent.was_answered_since(customer, purpose_key, at)
