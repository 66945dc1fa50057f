"""What every app has and one app loops over: who can export, erase and retire the personal data it holds.

Each app's `personal_data.py` builds a `Holding` per kind of data and registers it in its `AppConfig.ready`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Holding:
    """One kind of personal data.

    `models`: labels such as "orders.Order". `retention`: a sentence for the privacy page.
    `retire`: deletes what is past its time and returns the number of rows; None when nothing expires by age.
    """

    key: str
    title: str
    models: tuple[str, ...]
    retention: str
    retire: Callable[[], int] | None = None


_holdings: dict[str, Holding] = {}


def register(holding: Holding) -> None:
    if holding.key in _holdings:
        raise ValueError(f"Personal data {holding.key!r} is registered twice.")
    _holdings[holding.key] = holding


def holdings() -> Iterator[Holding]:
    return iter(_holdings.values())
