"""What customers read about a withdrawal, on the pages and in its mail alike."""

from datetime import date, datetime

from django.utils import timezone

from orders.models import Withdrawal
from orders.returns.deadlines import SENDING_BACK_PERIOD, WITHDRAWAL_PERIOD, WithdrawalPeriod

ENTERED_FOR_BUYER = "Entered by the shop for you."


def describe_period(period: WithdrawalPeriod, moment: datetime, *, is_collected: bool) -> str:
    """Until when they may withdraw, or that the time is over. `is_collected`: its buyer comes for it."""
    if period.ends_on is None:
        begins = "you have collected all of it" if is_collected else "the last parcel is with you"
        return f"You can until {WITHDRAWAL_PERIOD} after {begins}."
    if period.is_open_at(moment):
        return f"You can until the end of {format_whole_day(period.ends_on)}."
    return f"The {WITHDRAWAL_PERIOD} ended with {format_whole_day(period.ends_on)}."


def format_moment(moment: datetime) -> str:
    """To the second and with its zone: Friday 27 November 2026, 11:42:07 GMT."""
    local = timezone.localtime(moment)
    return f"{format_whole_day(local.date())}, {local:%H:%M:%S %Z}"


def format_whole_day(on: date) -> str:
    """Friday 27 November 2026."""
    return f"{on:%A} {on.day} {on:%B %Y}"


def describe_contents(withdrawal: Withdrawal) -> str:
    """What was declared, on one line, and whether the shop entered it."""
    said = withdrawal.contents.replace("\n", ", ") + "."
    return f"{said} {ENTERED_FOR_BUYER}" if withdrawal.entered_by else said


def describe_what_follows(withdrawal: Withdrawal) -> str:
    """What becomes of goods and money, in a few sentences."""
    if withdrawal.is_late and withdrawal.ends_on:
        ended = format_whole_day(withdrawal.ends_on)
        return (
            f"The {WITHDRAWAL_PERIOD} for it had ended with {ended}. We have kept your declaration all the same; "
            "somebody here reads it and writes to you."
        )
    money = f"Your money, {withdrawal.owed_text}," if withdrawal.owed else "Your money"
    due = f"{money} goes back the way you paid, by {format_whole_day(withdrawal.due_on)}."
    if not withdrawal.has_left:
        return f"Nothing had left us, so there is nothing to send back. {due}"
    return (
        f"Please send the goods back to us within {SENDING_BACK_PERIOD}. {due} It may wait until the goods are here, "
        "or you show us that you sent them."
    )
