"""What may be used at this moment, kept apart from the shop: a few sets that every answer changes."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from accounts.consent import purposes

KEYS = tuple(purpose.key for purpose in purposes.PURPOSES)
TITLES = ("Anvil", "Bellows", "Candle", "Dipper", "Easel", "Flagon", "Gaiters", "Hatchet")
LOOKED, BOUGHT, COUNTED, TOLD, GUESSED = (
    purposes.RECOMMEND_FROM_BROWSING,
    purposes.RECOMMEND_FROM_PURCHASES,
    purposes.COUNT_IN_ALSO_BOUGHT,
    purposes.RECOMMEND_FROM_TOLD,
    purposes.GUESS_SIZES,
)


@dataclass
class Oracle:
    """`since`: from when the yes stands that counts now. `seen`, `bought`: titles; `bought` with the moment,
    which is in `delivered` once it has arrived.

    `is_counted`: whether the published counts may hold the customer. A no hides them at once; forgetting takes them out
    with the next withdrawal, and a yes brings them back with the next epoch.
    """

    chosen: set[str] = field(default_factory=set)
    master: bool = True
    since: dict[str, datetime] = field(default_factory=dict)
    declined: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    bought: list[tuple[datetime, frozenset[str]]] = field(default_factory=list)
    delivered: set[datetime] = field(default_factory=set)
    forgotten: dict[str, datetime] = field(default_factory=dict)
    is_counted: bool = False
    is_told: bool = False
    now: datetime = field(default_factory=timezone.now)  # when the present step began

    def allows(self, key: str) -> bool:
        return key in self.chosen and (self.master or purposes.get_purpose(key).is_service)

    def allowed(self) -> set[str]:
        return {key for key in KEYS if self.allows(key)}

    def answer(self, key: str, *, granted: bool) -> None:
        before = self.allows(key)
        self.answered.add(key)
        (self.chosen.add if granted else self.chosen.discard)(key)
        self._note(key, before=before)

    def turn_master(self, *, on: bool) -> None:
        if on == self.master:
            return
        before = self.allowed()
        self.master = on
        for key in KEYS:
            self._note(key, before=key in before)

    def _note(self, key: str, *, before: bool) -> None:
        if self.allows(key) and not before:
            self.since[key] = self.now
        if before and not self.allows(key) and key == COUNTED:
            self.is_counted = False

    def forget(self, key: str) -> None:
        if key == LOOKED:
            self.seen.clear()
        elif key == TOLD:
            self.is_told = False
        else:
            self.forgotten[key] = timezone.now()

    def usable(self, key: str) -> set[str]:
        """The titles of purchases that a purpose may name."""
        after = self.forgotten.get(key)
        return {title for at, titles in self.bought if after is None or at > after for title in titles}

    def kept(self) -> set[str]:
        """The titles whose sizes may be guessed from."""
        after = self.forgotten.get(GUESSED)
        arrived = [(at, titles) for at, titles in self.bought if at in self.delivered]
        return {title for at, titles in arrived if after is None or at > after for title in titles}


@dataclass
class VisitOracle:
    """One visit without a login. `titles` is None while its switch is off."""

    titles: set[str] | None = None
    is_answered: bool = False
