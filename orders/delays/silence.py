"""What it means when a buyer does not answer the news of a delay. Plain values in, the rule out.

16 CFR 435.2(b) and (c): silence means consent only to a first delay of up to `LONGEST_SILENT_DELAY` with a definite
day. A longer or undated one, and every renewed delay, needs a yes, or the order is cancelled and the money goes back.
See docs/law.md; staff read the same in the list of delays.
"""

from dataclasses import dataclass
from datetime import date

from orders.models import DelayNotice
from shop.periods import Period

Rule = DelayNotice.Rule
LONGEST_SILENT_DELAY = Period(days=30)


@dataclass(frozen=True)
class Silence:
    """`deadline_on`: the last day for an answer, where silence cancels."""

    rule: DelayNotice.Rule
    deadline_on: date | None = None


def decide_silence(
    *,
    was_by_on: date,
    new_by_on: date | None,
    told_on: date,
    is_renewed: bool = False,
    has_agreed_to_any: bool = False,
    is_essential: bool = False,
    has_left: bool = False,
) -> Silence:
    """`was_by_on`: the day promised last, which the new one replaces; `new_by_on` None: nobody knows.

    `is_renewed`: they were told of a delay of this order before, and could choose. `has_agreed_to_any`: they said
    they would wait when no day was known. `is_essential`: the day mattered more than the goods.
    `has_left`: all of it is on the road; of an order of which some has left, the rest is asked about.
    """
    if has_left:
        return Silence(Rule.HAS_LEFT)
    if is_essential:
        return Silence(Rule.ENDS)
    if has_agreed_to_any:
        return Silence(Rule.AGREED)
    is_short = new_by_on is not None and new_by_on - was_by_on <= LONGEST_SILENT_DELAY
    if is_short and not is_renewed:
        return Silence(Rule.SILENCE_WAITS)
    return Silence(Rule.SILENCE_CANCELS, deadline_on=max(was_by_on, told_on))
