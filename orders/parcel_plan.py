"""How the goods of one order can travel: all together when the last of it is here, or in two parcels, each as it is
ready. Plain values in, days out; nothing here queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from orders import promise
from orders.models import ShippingMethod
from orders.promise import PromisableGoods, Promise
from orders.shop_terms import Calendar


@dataclass(frozen=True)
class WantedGoods:
    """So many of one thing, as stock has it now."""

    availability: PromisableGoods
    quantity: int
    released_on: date | None = None

    def are_here(self, today: date) -> bool:
        """Whether all of them lie on the shelf and may leave."""
        return self.availability.on_shelf >= self.quantity and (self.released_on or today) <= today

    @property
    def are_partly_here(self) -> bool:
        return promise.is_partly_here(self.availability, self.quantity)


@dataclass(frozen=True)
class ParcelPlan:
    """`promises`: each line's own, in the lines' order. `are_here`: whether it is ready now. `parts_wait`: whether some
    pieces of a line are here and wait for its others.
    """

    promises: tuple[Promise | None, ...]
    are_here: tuple[bool, ...]
    parts_wait: bool = False

    @property
    def may_split(self) -> bool:
        """Whether two parcels make a difference: some of it is here, and some is still to come."""
        return any(self.are_here) and not all(self.are_here)

    @property
    def together(self) -> Promise | None:
        return promise.combine_promises(self.promises)

    @property
    def first(self) -> Promise | None:
        """What is here, sent without waiting."""
        return self._combine(is_here=True)

    @property
    def second(self) -> Promise | None:
        """What is to come, in one parcel."""
        return self._combine(is_here=False)

    def list_line_promises(self, *, in_two: bool) -> list[Promise | None]:
        """The days of the parcel that each line travels in."""
        if not in_two:
            return [self.together] * len(self.promises)
        return [self.first if is_here else self.second for is_here in self.are_here]

    def _combine(self, *, is_here: bool) -> Promise | None:
        rows = zip(self.promises, self.are_here, strict=True)
        return promise.combine_promises([promised for promised, here in rows if here is is_here])


def plan_parcels(goods: Sequence[WantedGoods], method: ShippingMethod, calendar: Calendar, now: datetime) -> ParcelPlan:
    """For an order placed now. `calendar`: of the country it goes to."""
    today = timezone.localdate(now)
    return ParcelPlan(
        promises=tuple(
            promise.compute_promise(
                calendar,
                method,
                availability=wanted.availability,
                now=now,
                quantity=wanted.quantity,
                released_on=wanted.released_on,
            )
            for wanted in goods
        ),
        are_here=tuple(wanted.are_here(today) for wanted in goods),
        parts_wait=any(wanted.are_partly_here for wanted in goods),
    )


def format_plan(plan: ParcelPlan, *, in_two: bool, now: datetime) -> str:
    """“Ships Tuesday, arrives 26–27 November.”, or the same of each parcel; empty where nobody knows a day."""
    if not in_two:
        return promise.format_promise(plan.together, now=now) if plan.together else ""
    first, second = plan.first, plan.second
    what = "What is here in full" if plan.parts_wait else "What is here"
    here = f"{what}: {_lower(promise.format_promise(first, now=now))}" if first else ""
    rest = _lower(promise.format_promise(second, now=now)) if second else "we will write when we know the day."
    return f"{here} The rest: {rest}".strip()


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
