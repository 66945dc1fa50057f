"""The page of a copy is for people: titles for switches, the shop's own time; data.json keeps what is held."""

import pytest

from accounts.consent import purposes
from accounts.privacy import export


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ("2026-07-01T12:00:00+00:00", "1 July 2026, 13:00"),
        ("2026-11-26T23:30:00.123456+00:00", "26 November 2026, 23:30"),
        (purposes.RECOMMEND_FROM_BROWSING, purposes.get_purpose(purposes.RECOMMEND_FROM_BROWSING).title),
        (purposes.MAIL_ORDER_DELIVERED, purposes.get_purpose(purposes.MAIL_ORDER_DELIVERED).title),
    ],
)
def test_what_is_held_is_shown_in_words(held, shown):
    assert shown in export._render_value([{"value": held}])
    assert held not in export._render_value([{"value": held}])


@pytest.mark.parametrize("typed", ["9999-99-99T99:99:99+00:00", "my_nick", "2026-11-26", "Room 2026-11-26T10:00Z"])
def test_what_somebody_typed_stays_as_typed(typed):
    assert typed in export._render_value({"name": typed})
