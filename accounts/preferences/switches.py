"""A purpose as the checkbox a customer sees: the words of the registry, their answer, and since when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent import gpc, purposes
from accounts.consent.purposes import Purpose, PurposeGroup
from accounts.models import Consent, Customer
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from accounts.privacy import stored_data
from accounts.privacy.stored_data import StoredData

SOURCES = {
    "preferences": "by the switch on your preference page",
    "less_often": "by choosing “less often” on your preference page",
    "undo": "by “Undo” on your preference page",
    "checkout": "by the box at checkout",
    "mailed_link": "by a link we mailed you",
    "mail_link": "by the link in a mail",
    "unsubscribe_link": "by the link in a mail",
    "ask_product": "when we asked on a product’s page",
    "ask_search": "when we asked beside a search",
    "ask_cart": "when we asked in the cart",
    "ask_order": "when we asked on an order’s page",
    "taken_over": "said at an address you took over",
    "import": "told to the shop before it moved here",
    "sample store": "made up with the sample store",
}
_CUP_LEVELS = {Cadence.AS_IT_HAPPENS: 3, Cadence.DAILY: 3, Cadence.WEEKLY: 2, Cadence.MONTHLY: 1}


@dataclass(frozen=True)
class ChoiceOption:
    """One line of a choice."""

    value: str
    words: str
    is_chosen: bool = False


@dataclass(frozen=True)
class FrequencyChoice:
    """How often a mail comes: the choice beside its switch. `less`: what to offer somebody who has just turned it off.

    `cup_level`: how full the cup is, 0 for a mail that never comes.
    """

    options: tuple[ChoiceOption, ...]
    less: tuple[ChoiceOption, ...]
    url: str
    less_url: str
    cup_level: int


@dataclass(frozen=True)
class Switch:
    """What `partials/switch.html` shows. `granted`: what the customer chose. `said` is the sentence after saving.

    `undo` is the token that takes it back, `offers_less` whether less often is offered beside it; `has_focus` is for
    when the button that was pressed is gone. `is_row`: one of several alike, shown as a line of a table.
    """

    key: str
    title: str
    explanation: str
    reads: str
    gives: str
    granted: bool
    since: str
    url: str
    preview_url: str = ""
    data: tuple[tuple[str, str], ...] = ()
    often: FrequencyChoice | None = None
    said: str = ""
    held: StoredData | None = None
    note: str = ""
    is_row: bool = False
    undo: str = ""
    offers_less: bool = False
    has_focus: bool = False


@dataclass(frozen=True)
class CeilingChoice:
    """What `partials/ceiling.html` shows."""

    options: tuple[ChoiceOption, ...]
    said: str = ""
    undo: str = ""
    has_focus: bool = False


def make_switch(
    purpose: Purpose,
    consent: Consent | None,
    *,
    chosen: Cadence | None = None,
    said: str = "",
    undo: str = "",
    held: StoredData | None = None,
    is_gpc: bool = False,
) -> Switch:
    """Without `chosen` the switch stands alone, with no choice of how often. `held`: what it keeps of the past.

    `is_gpc`: the browser says no to sharing, and the switch says that it does.
    """
    is_master = purpose == purposes.PERSONAL_SHOPPER
    granted = consent.chosen if consent else is_master
    return Switch(
        key=purpose.key,
        title=purpose.title,
        explanation=purpose.explanation,
        reads=purpose.reads,
        gives=purpose.gives,
        granted=granted,
        since=_describe_since(consent),
        url=reverse("master_switch") if is_master else reverse("preference", args=[purpose.key]),
        data=_find_data_pages(purpose),
        often=_make_frequency_choice(purpose, chosen, is_on=granted) if chosen and purpose.cadences else None,
        preview_url=reverse("preview", args=[purpose.key]),
        said=said,
        undo=undo,
        held=held,
        note=gpc.get_gpc_note(purpose, is_gpc=is_gpc, granted=granted),
        is_row=purpose.is_service,
    )


def read_answers(customer: Customer) -> dict[str, Consent]:
    """The customer's answers by purpose, the master switch's among them."""
    return {answer.purpose: answer for answer in customer.consents.all()}


def read_switches_by_group(
    customer: Customer, answers: Mapping[str, Consent], *, offered: Sequence[Purpose], is_gpc: bool = False
) -> dict[PurposeGroup, list[Switch]]:
    """Every switch that the shop has something for (`offered`), by group, with the customer's answers and how often.

    One query, and one for each kind of thing that switches hold of the past.
    """
    past = stored_data.get_stored_data_by_purpose(customer, [item.key for item in offered])
    chosen = cadence.get_chosen_cadences(customer)
    return {
        group: [
            make_switch(
                item,
                answers.get(item.key),
                chosen=chosen.get(item.key) or cadence.get_default_cadence(item.key),
                held=past.get(item.key),
                is_gpc=is_gpc,
            )
            for item in offered
            if item.group == group
        ]
        for group in PurposeGroup
    }


def read_switch(customer: Customer, key: str, *, said: str = "", undo: str = "", is_gpc: bool = False) -> Switch:
    """One switch as it stands now, with what has just been said about it."""
    answer = customer.consents.filter(purpose=key).first()
    chosen = cadence.get_cadence(customer, key)
    past = stored_data.get_stored_data(customer, key)
    return make_switch(purposes.get_purpose(key), answer, chosen=chosen, said=said, undo=undo, held=past, is_gpc=is_gpc)


def read_master_switch(customer: Customer) -> Switch:
    """The switch for all of them at once; on until turned off."""
    purpose = purposes.PERSONAL_SHOPPER
    return make_switch(purpose, customer.consents.filter(purpose=purpose.key).first())


def read_ceiling_choice(customer: Customer) -> CeilingChoice:
    """The choice of a weekly ceiling. One query."""
    chosen = cadence.get_weekly_ceiling(customer)
    counts = sorted({*cadence.CEILINGS, *([chosen] if chosen else [])})
    none = ChoiceOption("", "As many as I asked for", chosen is None)
    return CeilingChoice(
        (none, *(ChoiceOption(str(count), f"At most {count} a week", count == chosen) for count in counts))
    )


def _make_frequency_choice(purpose: Purpose, chosen: Cadence, *, is_on: bool) -> FrequencyChoice:
    def option(each: Cadence) -> ChoiceOption:
        return ChoiceOption(each, cadence.get_cadence_label(purpose.key, each), each is chosen)

    return FrequencyChoice(
        options=tuple(map(option, purpose.cadences)),
        less=tuple(map(option, cadence.get_less_frequent_cadences(purpose.key, chosen))),
        url=reverse("how_often", args=[purpose.key]),
        less_url=reverse("less_often", args=[purpose.key]),
        cup_level=_CUP_LEVELS[chosen] if is_on else 0,
    )


def _find_data_pages(purpose: Purpose) -> tuple[tuple[str, str], ...]:
    """Where the data it reads can be looked at; a page this shop does not have is left out."""
    found = []
    for words, name in purpose.data:
        try:
            found.append((words, reverse(name)))
        except NoReverseMatch:
            continue
    return tuple(found)


def _describe_since(consent: Consent | None) -> str:
    if consent is None:
        return "Off, and never changed"
    day = date_format(timezone.localtime(consent.changed_at), "j F Y, H:i")
    where = SOURCES.get(consent.source, "")
    state = "On" if consent.granted else "Resting" if consent.chosen else "Off"
    return ", ".join(part for part in (f"{state} since {day}", where) if part)
