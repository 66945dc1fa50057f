"""What every app has and one app loops over: who can export, erase, forget and retire the personal data it holds.

Each app's `personal_data.py` builds a `Holding` per kind of data (`hold_rows`, where it is one model) and registers it
in its `AppConfig.ready`. The person is an `accounts.Customer`, which this module does not know; whoever is called does.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from django.db.models import Manager, QuerySet
from django.utils import timezone

from shop.registry import Registry

Rows = list[dict[str, Any]]
Counts = Mapping[str, int]
Dates = tuple[datetime, datetime]


class Forgetter(Protocol):
    """Deletes, or shuts off from one use, what was recorded about a customer until then; returns how many rows."""

    def __call__(self, customer: Any, /, *, until: datetime) -> int: ...


@dataclass(frozen=True)
class StoredDataWording:
    """`one` and `many` name what is counted; `done` is the sentence afterwards, `undone` the one after taking it back.

    `warning`: what goes and what stays, said before it is asked once more; `{}` stands for how much, from when to when.
    """

    button: str
    one: str
    many: str
    done: str
    warning: str
    undone: str = ""


@dataclass(frozen=True)
class Holding:
    """One kind of personal data.

    `models`: labels such as "orders.Order". `retention`: a sentence for the privacy page.
    `export`: all of one customer's rows, JSON-ready, under plain names (see `rows`).
    `erase`: deletes all of one customer's data that need not be kept; safe to run twice; returns the number of rows.
    `kept`: what stays after an erasure and why, for the page that asks; empty when nothing does.
    `forget`: purpose key -> deletes, or shuts off from that use, what was recorded for that one purpose.
    `wording`: by purpose key, the words of the button beside its switch; in one holding alone of those that forget it.
    `held`: by purpose key, how many rows `forget` would take that the purpose may read; in one query.
    `held_dates`: for the same rows, by purpose key, from when to when they are; where a page says so.
    `retire`: deletes what is past its time and returns the number of rows; None when nothing expires by age.
    `count`: how many things there are, where counting is cheaper than exporting.
    `is_person`: the rows that say who somebody is; they are erased last, because the others are found by them.
    `noted_for`: the purpose, if any, without whose yes none of it is written down.
    `dated_by`, `kept_for`: where rows are retired by age alone, the field that dates them and how long they stay.
    """

    key: str
    title: str
    models: tuple[str, ...]
    retention: str
    export: Callable[[Any], Rows]
    erase: Callable[[Any], int]
    kept: str = ""
    forget: Mapping[str, Forgetter] = field(default_factory=dict, hash=False)
    wording: Mapping[str, StoredDataWording] = field(default_factory=dict, hash=False)
    held: Callable[[Any], Counts] | None = None
    held_dates: Callable[[Any], Mapping[str, Dates]] | None = None
    retire: Callable[[], int] | None = None
    count: Callable[[Any], int] | None = None
    is_person: bool = False
    noted_for: str = ""
    dated_by: str = ""
    kept_for: timedelta | None = None

    def count_rows(self, customer: Any) -> int:
        return self.count(customer) if self.count is not None else len(self.export(customer))


@dataclass(frozen=True)
class Processor:
    """Somebody outside the shop who gets personal data to do something for it, for the privacy page.

    `members`: where `name` stands for several, what each is called.
    """

    name: str
    does: str
    gets: str
    members: Callable[[], list[str]] = list

    def format_title(self) -> str:
        return ": ".join(part for part in (self.name, ", ".join(self.members())) if part)


_holdings = Registry[Holding]("Personal data")
_processors = Registry[Processor]("The processor")


def register_processor(processor: Processor) -> None:
    _processors.add(processor.name, processor)


def get_processors() -> Iterator[Processor]:
    return iter(_processors.values())


def register_holding(holding: Holding) -> None:
    _holdings.add(holding.key, holding)


def get_holdings() -> Iterator[Holding]:
    return iter(_holdings.values())


def hold_rows(
    rows: Manager[Any],
    *,
    export: Mapping[str, str],
    find: Callable[[Any], QuerySet[Any]] | None = None,
    noted_for: str = "",
    dated_by: str = "created_at",
    kept_for: timedelta | None = None,
    **more: Any,
) -> Holding:
    """The holding of one model's rows, each one customer's alone. What is not said in `more` follows from the model.

    `export`: plain name -> field path. `find`: which rows are a customer's; without it the model's `customer` says so.
    They are erased by deletion; those `noted_for` a purpose are what is counted and deleted beside its switch.
    """

    def find_rows(customer: Any) -> QuerySet[Any]:
        return find(customer) if find is not None else rows.filter(customer=customer)

    def forget_rows(customer: Any, /, *, until: datetime) -> int:
        return find_rows(customer).filter(**{f"{dated_by}__lte": until}).delete()[0]

    derived = {
        "models": (rows.model._meta.label,),  # noqa: SLF001  (Django's documented way to ask)
        "export": lambda customer: export_rows(find_rows(customer), **export),
        "erase": lambda customer: find_rows(customer).delete()[0],
        "forget": {noted_for: forget_rows} if noted_for else {},
        "held": (lambda customer: {noted_for: find_rows(customer).count()}) if noted_for else None,
        "retire": _build_retirement(rows, dated_by, kept_for) if kept_for else None,
    }
    return Holding(**{**derived, **more}, noted_for=noted_for, dated_by=dated_by, kept_for=kept_for)


def _build_retirement(rows: Manager[Any], dated_by: str, kept_for: timedelta) -> Callable[[], int]:
    return lambda: rows.filter(**{f"{dated_by}__lt": timezone.now() - kept_for}).delete()[0]


def forget_for_purpose(customer: Any, purpose_key: str, *, until: datetime | None = None) -> int:
    """Deletes what was recorded about the customer for one purpose alone, until then or until now.

    Returns the number of rows.
    """
    moment = until or timezone.now()
    found = [holding.forget[purpose_key] for holding in get_holdings() if purpose_key in holding.forget]
    return sum(forget_until(customer, until=moment) for forget_until in found)


def get_wordings() -> Mapping[str, StoredDataWording]:
    """By purpose key, the words of the button beside its switch, for those that have a past."""
    return {key: words for holding in get_holdings() for key, words in holding.wording.items()}


def can_forget(purpose_key: str) -> bool:
    """Whether anything is recorded for this purpose alone, so that there is something to delete beside its switch."""
    return any(purpose_key in holding.forget for holding in get_holdings())


def count_stored_rows(customer: Any, purpose_keys: Collection[str]) -> Counts:
    """How much `forget` would take, for those of the purposes that something is recorded for."""
    found: Counter[str] = Counter()
    for holding in get_holdings():
        if holding.held is not None and not holding.forget.keys().isdisjoint(purpose_keys):
            found.update(holding.held(customer))
    return found


def held_dates(customer: Any, purpose_keys: Collection[str]) -> Mapping[str, Dates]:
    """From when to when is what `forget` would take, where its holding says so."""
    found: dict[str, Dates] = {}
    for holding in get_holdings():
        if holding.held_dates is not None and not holding.forget.keys().isdisjoint(purpose_keys):
            found.update(holding.held_dates(customer))
    return found


def erase_nothing(customer: Any) -> int:
    """For an `erase` with nothing to do: the rows go with others that are erased."""
    return 0


def export_rows(found: QuerySet[Any], **paths: str) -> Rows:
    """The rows of a queryset, JSON-ready: plain name -> field path."""
    return [
        {name: convert_to_json_value(value) for name, value in zip(paths, values, strict=True)}
        for values in found.values_list(*paths.values())
    ]


def convert_to_json_value(value: Any) -> Any:
    """A value as JSON has it: times in ISO 8601, money as text so that no penny is rounded."""
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return _format_decimal(value) if isinstance(value, Decimal) else str(value)


def _format_decimal(amount: Decimal) -> str:
    """The columns of tax hold three decimals, of which most currencies have no third."""
    return str(amount) if amount != round(amount, 2) else f"{amount:.2f}"
