"""What silence means, case by case."""

from datetime import date, timedelta

import pytest

from orders.delays.silence import Silence, decide_silence
from orders.models import DelayNotice

Rule = DelayNotice.Rule
PROMISED, TOLD = date(2026, 6, 10), date(2026, 6, 8)
MONTH = timedelta(days=30)
CASES = [
    ("a first one of a day", {"new_by_on": PROMISED + timedelta(days=1)}, Silence(Rule.SILENCE_WAITS)),
    ("a first one of thirty days", {"new_by_on": PROMISED + MONTH}, Silence(Rule.SILENCE_WAITS)),
    (
        "a first one of thirty-one days",
        {"new_by_on": PROMISED + MONTH + timedelta(days=1)},
        Silence(Rule.SILENCE_CANCELS, PROMISED),
    ),
    ("a first one without a day", {"new_by_on": None}, Silence(Rule.SILENCE_CANCELS, PROMISED)),
    (
        "a renewed one of a day",
        {"new_by_on": PROMISED + timedelta(days=1), "is_renewed": True},
        Silence(Rule.SILENCE_CANCELS, PROMISED),
    ),
    ("a renewed one without a day", {"new_by_on": None, "is_renewed": True}, Silence(Rule.SILENCE_CANCELS, PROMISED)),
    (
        "told after the day had passed",
        {"new_by_on": None, "told_on": PROMISED + timedelta(days=3)},
        Silence(Rule.SILENCE_CANCELS, PROMISED + timedelta(days=3)),
    ),
    (
        "who agreed to wait however long",
        {"new_by_on": PROMISED + 3 * MONTH, "is_renewed": True, "has_agreed_to_any": True},
        Silence(Rule.AGREED),
    ),
    ("the day was essential", {"new_by_on": PROMISED + timedelta(days=1), "is_essential": True}, Silence(Rule.ENDS)),
    (
        "essential, though they had agreed",
        {"new_by_on": None, "is_essential": True, "has_agreed_to_any": True},
        Silence(Rule.ENDS),
    ),
    ("it has left", {"new_by_on": PROMISED + 2 * MONTH, "has_left": True}, Silence(Rule.HAS_LEFT)),
    ("essential, and it has left", {"new_by_on": None, "is_essential": True, "has_left": True}, Silence(Rule.HAS_LEFT)),
]


@pytest.mark.parametrize(("given", "means"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_silence_means(given, means):
    assert decide_silence(**{"was_by_on": PROMISED, "told_on": TOLD, **given}) == means
