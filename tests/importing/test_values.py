"""Numbers and dates as people, spreadsheets and programs write them: taken exactly, or refused in words."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from shop.csv_files import UnusableRowError
from shop.csv_files.values import read_amount, read_day, read_flag, read_integer, read_moment

HIGHEST = Decimal("99999999.99")


def amount(text: str, decimal: str = ".", currency: str = "GBP") -> Decimal:
    return read_amount(text, name="price", decimal=decimal, highest=HIGHEST, currency=currency)


@pytest.mark.parametrize(
    ("text", "value"), [("14", "14.00"), ("14.5", "14.50"), (" 0.05 ", "0.05"), ("0014.50", "14.50"), ("0", "0.00")]
)
def test_an_amount_is_taken_exactly(text, value):
    assert str(amount(text)) == value
    assert str(amount(text.replace(".", ","), ",")) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "free", "9.999", "14.500", "1_0", "1e9", "1E2", "NaN", "sNaN", "Infinity", "-Infinity", "inf"),
        *(
            "-1",
            "-0",
            "-0.00",
            "−1",
            "+5",
            "1 000",
            "1,000",
            "1,234.50",
            "1.234,50",
            "1'000",
            "1\u00a0000",
            "1\u202f000",
        ),
        *(
            "１４",
            "14．50",
            "٣",
            "Ⅳ",
            "½",
            "0x10",
            "0b1",
            "£5",
            "5 GBP",
            "5.",
            ".5",
            "1..2",
            "1.2.3",
            "--1",
            "9" * 5000,
        ),
        *("100000000", "14,50", "5%", "(5)", "=5", "5\u200b", "1/2", "None", "null", "true"),
    ],
)
def test_what_is_no_plain_amount_is_refused(text):
    with pytest.raises(UnusableRowError, match="price"):
        amount(text)


@pytest.mark.parametrize(
    ("text", "decimal", "words"),
    [
        ("14,50", ".", "add --decimal ,"),
        ("14.50", ",", "add --decimal ."),
        ("1,234.50", ".", "thousands separator"),
        ("1.234,50", ",", "thousands separator"),
        ("1,000", ".", "thousands separator"),
        ("1.000", ",", "thousands separator"),
        ("9.999", ".", "GBP has 2 decimals"),
        ("9,999", ",", "GBP has 2 decimals"),
        ("1e9", ".", "not between"),
        ("NaN", ".", "not between"),
    ],
)
def test_what_is_wrong_with_an_amount_is_said(text, decimal, words):
    with pytest.raises(UnusableRowError, match=words):
        amount(text, decimal)


def test_an_amount_has_as_many_decimals_as_its_currency():
    assert str(amount("1500", currency="JPY")) == "1500"
    assert amount("1.250", currency="KWD") == Decimal("1.25")
    for text, currency in (("1500.00", "JPY"), ("1500,5", "JPY"), ("1.2345", "KWD"), ("9.999", "USD")):
        with pytest.raises(UnusableRowError, match="price"):
            amount(text, currency=currency)


@pytest.mark.parametrize(
    "text", ["1_0", "1e1", "1.0", "+1", "１", "", "two", "0x1", "9" * 5000, "1 0", "-1", "-0", "11"]
)
def test_what_is_no_whole_number_in_its_bounds_is_refused(text):
    with pytest.raises(UnusableRowError, match="not a whole number from 0 to 10"):
        read_integer(text, name="stock", lowest=0, highest=10)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2099-01-01",
            "0001-01-01",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-12:00",
            "1970-01-01",
            "1899-12-30",
        ),
        *(
            "2026-02-30",
            "2026-13-01",
            "2026-03-01 25:00",
            "01/03/2026",
            "1 March 2026",
            "20260301",
            "2026-W10-1",
            "2026-3",
        ),
        *(
            "２０２６-03-01",
            "1740787200",
            "46082",
            "yesterday",
            "",
            "2026-03-01\u200b",
            "2026-03-01 10:00 PM",
            "2026-03-01+99",
        ),
        *("2026-03-01 10:00+99:00", "-2026-03-01", "12026-03-01", "NaN", "nan", "0000-00-00"),
    ],
)
@pytest.mark.parametrize("read", [read_day, read_moment])
def test_what_is_no_day_of_a_shops_past_is_refused(read, text):
    with pytest.raises(UnusableRowError, match="placed_at"):
        read(text, name="placed_at")


@pytest.mark.parametrize(
    "text", ["2026-03-01", "2026-03-01 10:00", "2026-03-01T10:00:05.123Z", "2026-03-01 10:00+00:00"]
)
def test_a_moment_is_read_with_and_without_a_zone(text):
    assert timezone.localdate(read_moment(text, name="at")) == date(2026, 3, 1)
    assert read_day(text, name="at") == date(2026, 3, 1)


def test_a_moment_that_has_not_come_is_refused():
    assert read_moment((timezone.now() - timedelta(minutes=1)).isoformat(), name="at")
    with pytest.raises(UnusableRowError, match="future"):
        read_moment((timezone.now() + timedelta(minutes=1)).isoformat(), name="at")


@pytest.mark.parametrize("text", ["", "maybe", "ja", "2", "yes\u200b", "не", "y e s", "１"])
def test_a_flag_is_plainly_yes_or_no(text):
    with pytest.raises(UnusableRowError, match="neither yes nor no"):
        read_flag(text, name="granted")
