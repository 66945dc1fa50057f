"""For how long: one value for the job that ends something and for every sentence that says so.

A module that deletes what is past its time has its `RETENTION` beside the job; pages, mails and the privacy page's
sentences write the value itself into their words.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Self

_SMALL_NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven"),
    *("eight", "nine", "ten", "eleven", "twelve", "thirteen"),
)


def _count_days_of_years(count: int) -> int:
    """The most that so many years in a row can have."""
    return 365 * count + -(-count // 4)


_COUNT_DAYS: Mapping[str, Callable[[int], int]] = {
    "days": lambda count: count,
    "weeks": lambda count: 7 * count,
    "months": lambda count: _count_days_of_years(count // 12) + 31 * (count % 12),
    "years": _count_days_of_years,
}


class Period(timedelta):
    """So many days, weeks, months or years, never fewer days than the calendar gives them: `Period(years=6)`.

    As text it is what people read: "six years", "two weeks", "30 days".
    """

    words: str

    def __new__(cls, **counted: int) -> Self:
        [(unit, count)] = counted.items()
        made = super().__new__(cls, days=_COUNT_DAYS[unit](count))
        number = _SMALL_NUMBERS[count] if count < len(_SMALL_NUMBERS) else str(count)
        made.words = f"{number} {unit.removesuffix('s') if count == 1 else unit}"
        return made

    def __str__(self) -> str:
        return self.words
