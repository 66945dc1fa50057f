"""What a customer chooses on the preference page: saved as it is chosen, and undone with one press.

A choice is a switch, how often its mail comes, the weekly ceiling, or the whole personal shopper. Saving returns what
stood before, and to undo is to save that.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from accounts.consent import consent, purposes
from accounts.models import Customer
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence

ChoiceValue = bool | str | int | None


class ChoiceKind(StrEnum):
    SWITCH = "switch"
    CADENCE = "cadence"
    CEILING = "ceiling"
    MASTER = "master"


@dataclass(frozen=True)
class PreferenceChoice:
    """`key` is the purpose, empty for the ceiling and the master switch."""

    what: ChoiceKind
    value: ChoiceValue
    key: str = ""


def save_choices(customer: Customer, wanted: Iterable[PreferenceChoice], *, source: str) -> list[PreferenceChoice]:
    """Writes what differs from how things stand, and returns how those stood before. Not for use in a transaction.

    Raises KeyError for an unknown purpose and ValueError for a cadence or ceiling nobody offers.
    """
    wanted = list(wanted)
    standing = _read_current_values(customer, {choice.what for choice in wanted})
    before = []
    for choice in wanted:
        was = PreferenceChoice(choice.what, standing[choice.what](choice.key), choice.key)
        if was != choice:
            _apply_choice(customer, choice, source)
            before.append(was)
    return before


def _read_current_values(customer: Customer, asked: set[ChoiceKind]) -> dict[ChoiceKind, Callable[[str], ChoiceValue]]:
    """How things stand, read once for each kind of choice."""
    switched_on = consent.get_chosen_purposes(customer) if ChoiceKind.SWITCH in asked else frozenset()
    cadences = cadence.get_chosen_cadences(customer) if ChoiceKind.CADENCE in asked else {}
    ceiling = cadence.get_weekly_ceiling(customer) if ChoiceKind.CEILING in asked else None
    is_master_on = consent.is_master_on(customer) if ChoiceKind.MASTER in asked else True
    return {
        ChoiceKind.SWITCH: lambda key: key in switched_on,
        ChoiceKind.CADENCE: lambda key: str(cadences.get(key) or cadence.get_default_cadence(key)),
        ChoiceKind.CEILING: lambda key: ceiling,
        ChoiceKind.MASTER: lambda key: is_master_on,
    }


def _apply_choice(customer: Customer, choice: PreferenceChoice, source: str) -> None:
    match choice.what:
        case ChoiceKind.SWITCH:
            consent.set_consent(customer, choice.key, granted=bool(choice.value), source=source)
        case ChoiceKind.CADENCE:
            cadence.set_cadence(customer, choice.key, Cadence(str(choice.value)))
        case ChoiceKind.CEILING:
            cadence.set_weekly_ceiling(customer, int(choice.value) if choice.value else None)
        case ChoiceKind.MASTER:
            consent.set_master(customer, on=bool(choice.value), source=source)


# From the page's form. What it does not name stays as it is.


def parse_posted_choices(
    form: Mapping[str, str], asked: Iterable[str], *, shown: Collection[str] | None = None
) -> list[PreferenceChoice]:
    """The choices of the whole page: the switches that differ from what it showed, since a page that was open for long
    must not answer anew what was answered elsewhere meanwhile. One that was asked for and is missing is off.

    `shown`: the switches that were on when the page was made; None where it does not say.

    Raises ValueError for a cadence or ceiling nobody offers.
    """
    keys = [key for key in asked if purposes.is_purpose(key)]
    moved = [key for key in keys if shown is None or (key in form) != (key in shown)]
    switches = [PreferenceChoice(ChoiceKind.SWITCH, key in form, key) for key in moved]
    cadences = [parse_posted_cadence(form, key) for key in keys if f"cadence-{key}" in form]
    return [*switches, *cadences, *([parse_posted_ceiling(form)] if "weekly_ceiling" in form else [])]


def parse_posted_cadence(form: Mapping[str, str], key: str) -> PreferenceChoice:
    wanted = form.get(f"cadence-{key}", "")
    if wanted not in cadence.get_offered_cadences(key):
        raise ValueError(f"{key} does not come that often.")
    return PreferenceChoice(ChoiceKind.CADENCE, wanted, key)


def parse_posted_ceiling(form: Mapping[str, str]) -> PreferenceChoice:
    wanted = form.get("weekly_ceiling", "")
    if wanted and wanted not in map(str, cadence.CEILINGS):
        raise ValueError("There is no such ceiling.")
    return PreferenceChoice(ChoiceKind.CEILING, int(wanted) if wanted else None)
