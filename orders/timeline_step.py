"""One line of an order's story, or of a return's."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class TimelineStep:
    """One line of the story. `at` when it happened; `expected_on` while it has not.

    `state`: done, now, next, wait (to come, and later than we said) or stop (nothing follows).
    """

    title: str
    state: str
    at: datetime | None = None
    expected_on: date | None = None
    text: str = ""
    link_url: str = ""
    link_text: str = ""
