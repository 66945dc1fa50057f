"""What each switch switches: shelves, recorders, counts and mails name their purpose here, so none does nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shop import personal_data
from shop.registry import Registry


class UseKind(StrEnum):
    MAIL = "mail"
    SHELF = "shelf"
    RECORDER = "recorder"
    COUNT = "count"


@dataclass(frozen=True)
class PurposeUse:
    """One thing that happens only with a purpose's yes; `name` is the topic, shelf, recorder or count."""

    purpose: str
    kind: UseKind
    name: str


_uses = Registry[PurposeUse]("The use")


def register_use(purpose: str, kind: UseKind, name: str) -> None:
    """Called from `AppConfig.ready`. That the purpose exists is for the system check to say."""
    _uses.add(f"{purpose} {kind} {name}", PurposeUse(purpose, kind, name))


def get_uses() -> Iterator[PurposeUse]:
    """What was registered, and whatever a holding says is noted for a purpose."""
    yield from _uses.values()
    for holding in personal_data.get_holdings():
        if holding.noted_for:
            yield PurposeUse(holding.noted_for, UseKind.RECORDER, holding.key)
