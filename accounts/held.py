"""What a switch has recorded or reads of the past, and the button beside it that lets go of it."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import journal, purposes
from accounts.models import Customer
from shop import personal_data


@dataclass(frozen=True)
class Words:
    """`one` and `many` name what is counted; `done` is the sentence afterwards.

    `warning`: what goes and what stays, said before it is asked once more; empty where one press is enough.
    """

    button: str
    one: str
    many: str
    done: str
    warning: str = ""


_LOOKED = Words(
    "Delete what you have",
    "We hold 1 product you looked at.",
    "We hold {} products you looked at.",
    "Deleted. We hold nothing that you looked at.",
)
_BOUGHT = Words(
    "Forget what I bought so far",
    "You bought 1 thing that this reads while it is on.",
    "You bought {} things that this reads while it is on.",
    "Forgotten. This never reads what you bought until now. Your orders are still there.",
    "All of that goes from this feature, for good: nobody can bring it back. What you buy from now on is read again "
    "while the switch is on. Your orders stay.",
)
_TOLD = Words(
    "Delete what you have",
    "You told us 1 thing that this may follow.",
    "You told us {} things that this may follow.",
    "Deleted. We hold no maker, department, need or size to follow.",
)
WORDS = {
    purposes.RECOMMEND_FROM_TOLD: _TOLD,
    purposes.RECOMMEND_FROM_BROWSING: _LOOKED,
    purposes.RECOMMEND_FROM_PURCHASES: _BOUGHT,
    purposes.GUESS_SIZES: _BOUGHT,
    purposes.COUNT_IN_ALSO_BOUGHT: _BOUGHT,
}


@dataclass(frozen=True)
class Held:
    """What `partials/switch_forget.html` shows; `said` once it was let go."""

    key: str
    sentence: str = ""
    button: str = ""
    warning: str = ""
    url: str = ""
    said: str = ""


def held(customer: Customer, key: str) -> Held | None:
    """One query for a purpose that has a past, none for the others. None when there is nothing to let go of."""
    return all_held(customer, [key]).get(key)


def all_held(customer: Customer, keys: Collection[str]) -> dict[str, Held]:
    """By purpose, those with something to let go of. One query for each kind of thing that they hold."""
    wanted = WORDS.keys() & set(keys)
    counts = personal_data.held_counts(customer, wanted)
    return {key: _held(key, counts[key]) for key in wanted if counts[key]}


def _held(key: str, count: int) -> Held:
    words = WORDS[key]
    sentence = words.one if count == 1 else words.many.format(count)
    return Held(key, sentence, words.button, words.warning, reverse("forgetting", args=[key]))


def let_go(customer: Customer, key: str) -> Held:
    """Raises KeyError for a purpose that has no past."""
    words, now = WORDS[key], timezone.now()
    with transaction.atomic():
        personal_data.forget(customer, key, until=now)
        journal.forgotten(customer.chain, key, until=now)
    return Held(key, said=words.done)
