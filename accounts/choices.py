"""What a customer chooses on the preference page: saved as it is chosen, and undone with one press.

A choice is a switch, how often its mail comes, the weekly ceiling, or the whole personal shopper. Saving returns what
stood before, and to undo is to save that.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from accounts import cadence, consent, purposes
from accounts.cadence import Cadence
from accounts.models import Customer

Value = bool | str | int | None


class What(StrEnum):
    SWITCH = "switch"
    CADENCE = "cadence"
    CEILING = "ceiling"
    MASTER = "master"


@dataclass(frozen=True)
class Choice:
    """`key` is the purpose, empty for the ceiling and the master switch."""

    what: What
    value: Value
    key: str = ""


def save(customer: Customer, wanted: Iterable[Choice], *, source: str) -> list[Choice]:
    """Writes what differs from how things stand, and returns how those stood before. Not for use in a transaction.

    Raises KeyError for an unknown purpose and ValueError for a cadence or ceiling nobody offers.
    """
    wanted = list(wanted)
    standing = _standing(customer, {choice.what for choice in wanted})
    before = []
    for choice in wanted:
        was = Choice(choice.what, standing[choice.what](choice.key), choice.key)
        if was != choice:
            _write(customer, choice, source)
            before.append(was)
    return before


def _standing(customer: Customer, asked: set[What]) -> dict[What, Callable[[str], Value]]:
    """How things stand, read once for each kind of choice."""
    switched_on = consent.chosen_purposes(customer) if What.SWITCH in asked else frozenset()
    cadences = cadence.cadences_of(customer) if What.CADENCE in asked else {}
    ceiling = cadence.weekly_ceiling(customer) if What.CEILING in asked else None
    is_master_on = consent.is_master_on(customer) if What.MASTER in asked else True
    return {
        What.SWITCH: lambda key: key in switched_on,
        What.CADENCE: lambda key: str(cadences.get(key) or cadence.default(key)),
        What.CEILING: lambda key: ceiling,
        What.MASTER: lambda key: is_master_on,
    }


def _write(customer: Customer, choice: Choice, source: str) -> None:
    match choice.what:
        case What.SWITCH:
            consent.set_consent(customer, choice.key, granted=bool(choice.value), source=source)
        case What.CADENCE:
            cadence.choose(customer, choice.key, Cadence(str(choice.value)))
        case What.CEILING:
            cadence.set_weekly_ceiling(customer, int(choice.value) if choice.value else None)
        case What.MASTER:
            consent.set_master(customer, on=bool(choice.value), source=source)


# From the page's form. What it does not name stays as it is.


def posted(form: Mapping[str, str], asked: Iterable[str], *, shown: Collection[str] | None = None) -> list[Choice]:
    """The choices of the whole page: the switches that differ from what it showed, since a page that was open for long
    must not answer anew what was answered elsewhere meanwhile. One that was asked for and is missing is off.

    `shown`: the switches that were on when the page was made; None where it does not say.

    Raises ValueError for a cadence or ceiling nobody offers.
    """
    keys = [key for key in asked if purposes.exists(key)]
    moved = [key for key in keys if shown is None or (key in form) != (key in shown)]
    switches = [Choice(What.SWITCH, key in form, key) for key in moved]
    cadences = [posted_cadence(form, key) for key in keys if f"cadence-{key}" in form]
    return [*switches, *cadences, *([posted_ceiling(form)] if "weekly_ceiling" in form else [])]


def posted_cadence(form: Mapping[str, str], key: str) -> Choice:
    wanted = form.get(f"cadence-{key}", "")
    if wanted not in cadence.offered(key):
        raise ValueError(f"{key} does not come that often.")
    return Choice(What.CADENCE, wanted, key)


def posted_ceiling(form: Mapping[str, str]) -> Choice:
    wanted = form.get("weekly_ceiling", "")
    if wanted and wanted not in map(str, cadence.CEILINGS):
        raise ValueError("There is no such ceiling.")
    return Choice(What.CEILING, int(wanted) if wanted else None)
