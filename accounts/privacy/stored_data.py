"""What a switch has recorded or reads of the past, and the button beside it that lets go of it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Customer, ForgottenPast
from accounts.people.customers import lock_customer
from accounts.privacy import journal
from shop import personal_data
from shop.personal_data import Dates


@dataclass(frozen=True)
class Forgotten:
    """Purchases that are not read any more. `undo_url`: where that is taken back; empty once it is too late."""

    sentence: str
    undo_until: str = ""
    undo_url: str = ""


@dataclass(frozen=True)
class StoredData:
    """What `partials/switch_forget.html` shows. `sentence`: what there is, empty for nothing; `said` after a press."""

    key: str
    sentence: str = ""
    button: str = ""
    warning: str = ""
    url: str = ""
    said: str = ""
    forgotten: tuple[Forgotten, ...] = ()

    @property
    def forgets(self) -> bool:
        """Whether it shuts off what stays, instead of deleting it."""
        return bool(personal_data.get_wordings()[self.key].undone)


class TooLateError(Exception):
    """The days in which it can be taken back are over."""


def get_stored_data(customer: Customer, key: str) -> StoredData | None:
    """A few queries for a purpose that has a past, none for the others. None when there is nothing to say of it."""
    return get_stored_data_by_purpose(customer, [key]).get(key)


def get_stored_data_by_purpose(customer: Customer, keys: Collection[str]) -> dict[str, StoredData]:
    """By purpose, those with something to let go of, or that let go of something.

    A query for each kind of thing that they hold, one for what was forgotten, and one for its days.
    """
    wanted = personal_data.get_wordings().keys() & set(keys)
    if not wanted:
        return {}
    counts, forgotten = personal_data.count_stored_rows(customer, wanted), _all_forgotten(customer, wanted)
    dates = personal_data.held_dates(customer, wanted) if any(counts[key] for key in wanted) else {}
    found = {key: _make_stored_data(key, counts[key], dates.get(key), forgotten[key]) for key in wanted}
    return {key: each for key, each in found.items() if each.sentence or each.forgotten}


def _make_stored_data(key: str, count: int, dates: Dates | None, forgotten: Sequence[Forgotten]) -> StoredData:
    if not count:
        return StoredData(key, forgotten=tuple(forgotten))
    words = personal_data.get_wordings()[key]
    return StoredData(
        key,
        words.one if count == 1 else words.many.format(count),
        words.button,
        words.warning.format(_extent(count, dates)),
        reverse("forgetting", args=[key]),
        forgotten=tuple(forgotten),
    )


def _extent(count: int, dates: Dates | None) -> str:
    """“3 purchases, from 3 March 2024 to 26 November 2026,”."""
    if dates is None:
        return _purchases(count)
    first, last = (date_format(timezone.localtime(each), "j F Y") for each in dates)
    span = f"of {first}" if first == last else f"from {first} to {last}"
    return f"{_purchases(count)}, {span},"


def _purchases(count: int) -> str:
    return "1 purchase" if count == 1 else f"{count} purchases"


def _all_forgotten(customer: Customer, keys: Collection[str]) -> dict[str, list[Forgotten]]:
    """By purpose, what can still be taken back, each alone, or else the last that cannot. One query."""
    found: dict[str, list[Forgotten]] = defaultdict(list)
    for past in customer.forgotten_pasts.filter(purpose__in=keys, taken_back_at=None).order_by("-before_at"):
        if past.undo_until_at > timezone.now() or not found[past.purpose]:
            found[past.purpose].append(_forgotten(past))
    return found


def _forgotten(past: ForgottenPast) -> Forgotten:
    up_to = _moment(past.before_at)
    what = f"{_purchases(past.line_count)} up to {up_to}" if past.line_count else f"what you bought up to {up_to}"
    if past.undo_until_at <= timezone.now():
        return Forgotten(f"Forgotten: {what}.")
    url = reverse("undo_forgetting", args=[past.purpose, past.pk])
    return Forgotten(f"Forgotten: {what}.", _moment(past.undo_until_at), url)


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "j F Y, H:i")


def delete_for_purpose(customer: Customer, key: str) -> StoredData:
    """Forgets what there is; pressed again with nothing new, it changes nothing. KeyError: the purpose has no past."""
    words = personal_data.get_wordings()[key]
    with transaction.atomic():
        lock_customer(customer)
        now = timezone.now()
        if personal_data.count_stored_rows(customer, [key])[key] or not _is_forgotten(customer, key):
            personal_data.forget_for_purpose(customer, key, until=now)
            journal.record_forgetting(customer.chain, key, until=now)
    return _after(customer, key, said=words.done)


def _is_forgotten(customer: Customer, key: str) -> bool:
    return customer.forgotten_pasts.filter(purpose=key, taken_back_at=None).exists()


def take_back(customer: Customer, key: str, past_id: int) -> StoredData:
    """What was forgotten then counts as before, for those purchases alone; taken back before, it stays so.

    Raises ForgottenPast.DoesNotExist for one that is not this customer's, and TooLateError.
    """
    with transaction.atomic():
        lock_customer(customer)
        past = customer.forgotten_pasts.get(pk=past_id, purpose=key)
        if past.taken_back_at is None:
            if past.undo_until_at <= timezone.now():
                raise TooLateError
            past.taken_back_at = timezone.now()
            past.save(update_fields=["taken_back_at"])
            journal.forgetting_undone(customer.chain, key, until=past.before_at)
    return _after(customer, key, said=personal_data.get_wordings()[key].undone)


def _after(customer: Customer, key: str, *, said: str) -> StoredData:
    return replace(get_stored_data(customer, key) or StoredData(key), said=said)
