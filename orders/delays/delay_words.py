"""The words for a delay, the same on the order's page, on the page of the choice, in the timeline and in the mail."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from orders import promise
from orders.fulfilment.undoing import keep_standing_events
from orders.models import DelayNotice, OrderEvent

Reason, Rule = DelayNotice.Reason, DelayNotice.Rule
Kind = OrderEvent.Kind
MOST_NAMED = 3
_BECAUSE = {
    Reason.BEHIND: "We are behind with our packing.",
    Reason.GOODS: "The goods reach us later than we expected.",
    Reason.ROAD: "It left us later than it should have.",
    Reason.STAFF: "",
    Reason.CARRIER: "Its carrier says that it takes longer.",
    Reason.LANE: "Parcels your way take longer at the moment.",
    Reason.SILENT: "Its carrier has told us nothing of it since it left us.",
}


@dataclass(frozen=True)
class ToldDelay:
    """One delay as its buyer was told of it, read from its event."""

    number: int
    told_at: datetime | None
    reason: str
    words: str
    was_by_on: date | None
    new_by_on: date | None
    rule: str
    deadline_on: date | None
    is_accepted: bool = False
    is_collected: bool = False
    what: tuple[str, ...] = ()  # of two parcels, what is in the one that is late
    is_of_first: bool = False
    ready_at: datetime | None = None  # from when it can be collected, where that was said

    @property
    def is_asking(self) -> bool:
        """Whether the buyer has a choice and has not said that they wait."""
        return self.rule in (Rule.SILENCE_WAITS, Rule.SILENCE_CANCELS) and not self.is_accepted


def list_told_delays(happened: Iterable[OrderEvent]) -> list[ToldDelay]:
    """The oldest first; none of those whose words an erasure has taken."""
    events = list(happened)
    accepted = {event.data.get("notice") for event in events if event.kind == Kind.DELAY_ACCEPTED}
    told = [event for event in events if event.kind == Kind.DELAYED and event.data.get("rule")]
    return [
        parse_told(event.data, told_at=event.created_at, is_accepted=event.data["notice"] in accepted) for event in told
    ]


def list_latest(happened: Iterable[OrderEvent]) -> list[ToldDelay]:
    """What was told last, as it holds now: of each of two parcels, the later news first. `happened`: oldest first."""
    every = list(happened)
    latest: dict[bool, ToldDelay] = {}
    for each in list_told_delays(every):
        latest[each.is_of_first] = narrow_to_rest(each, every)
    return sorted(latest.values(), key=lambda each: -each.number)


def narrow_to_rest(told: ToldDelay, happened: Iterable[OrderEvent]) -> ToldDelay:
    """What was told of the whole of an order that was divided since is about its rest alone: that is what still waits
    for an answer, and ends without one.
    """
    divided = [event for event in keep_standing_events(happened) if event.kind == Kind.SPLIT]
    if told.what or told.told_at is None or not divided or divided[-1].created_at < told.told_at:
        return told
    return replace(told, what=tuple(divided[-1].data.get("rest") or ()))


def parse_told(data: Mapping[str, Any], *, told_at: datetime | None = None, is_accepted: bool = False) -> ToldDelay:
    """From what the event says (`orders.delays.announcing`)."""
    return ToldDelay(
        number=data["notice"],
        told_at=told_at,
        reason=data["why"],
        words=data["reason"],
        was_by_on=_parse_day(data["was"]),
        new_by_on=_parse_day(data["by"]),
        rule=data["rule"],
        deadline_on=_parse_day(data["deadline"]),
        is_accepted=is_accepted,
        is_collected=data.get("is_collected", False),
        what=tuple(data.get("what") or ()),
        is_of_first=data.get("is_of_first", False),
        ready_at=datetime.fromisoformat(data["ready"]) if data.get("ready") else None,
    )


def _parse_day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def describe_cause(told: ToldDelay) -> str:
    """Why, in a sentence of ours or in staff's own words."""
    return told.words or _BECAUSE[Reason(told.reason)]


def describe_slip(told: ToldDelay, today: date) -> str:
    """What was promised, and what holds now."""
    was = _format_day(told.was_by_on, today)
    promised = (
        f"We promised {_name_goods(told)} by {was}"
        if not told.is_collected
        else f"We promised it ready to collect on {was}"
    )
    missed = f"{promised}, and will not make that day." if was else ""
    goal = "ready to collect" if told.is_collected else "with you"
    if told.ready_at:
        now = f"It will be {goal} {promise.format_moment(told.ready_at, today)}."
    elif told.new_by_on:
        now = f"It will be {goal} by {_format_day(told.new_by_on, today)}."
    else:
        now = f"We do not know yet when it will be {goal}, and write as soon as we do."
    about = f"This is about one of your two parcels, with {_name_goods(told)}." if told.what and not was else ""
    return " ".join(
        filter(None, (missed, now, about or ("This is about one of your two parcels." if told.what else "")))
    )


def describe_sending_ahead(
    told: ToldDelay, here: Sequence[str], rest: Sequence[str], *, by_on: date, today: date
) -> str:
    """What comes of sending what is here first. `by_on`: the day it is there; `here` and `rest`: titles, once each."""
    follows = f"by {_format_day(told.new_by_on, today)}" if told.new_by_on else "once it is here: nobody knows the day"
    return (
        f"We can send {_join_goods(here)} ahead, with you by {_format_day(by_on, today)}, and you pay nothing more. "
        f"The rest, {_join_goods(rest)}, follows {follows}."
    )


def _name_goods(told: ToldDelay) -> str:
    """“it”, or what is in that parcel."""
    return _join_goods(told.what) if told.what else "it"


def _join_goods(titles: Sequence[str]) -> str:
    """“the Scarf and Kettle”; of many, the first few."""
    named, more = titles[:MOST_NAMED], len(titles) - MOST_NAMED
    every = [*named, f"{more} more"] if more > 0 else list(named)
    return f"the {every[0]}" if len(every) == 1 else f"the {', '.join(every[:-1])} and {every[-1]}"


def describe_last_moment(*, is_collected: bool) -> str:
    """Until when it can be called off."""
    return "until you collect it" if is_collected else "until it leaves us"


def describe_silence(told: ToldDelay, today: date, *, is_rest: bool = False) -> str:
    """What it means to say nothing. `is_rest`: some of the order has left, and this is about what has not."""
    if told.rule == Rule.SILENCE_CANCELS and told.deadline_on:
        until = _format_day(told.deadline_on, today)
        if told.what:
            what = f"{_name_goods(told)} and give the money for that back"
        elif is_rest:
            what = "what has not left yet and give the money for it back"
        else:
            what = "the order and give your money back"
        return f"If we do not hear from you by the end of {until}, we cancel {what}."
    if told.rule == Rule.SILENCE_WAITS and told.new_by_on:
        return f"If you say nothing, we take it that you wait until {_format_day(told.new_by_on, today)}."
    if told.rule == Rule.AGREED:
        return "You said that you would wait, so there is nothing you need to do."
    return "It is on its way, so there is nothing you need to do."


def _format_day(on: date | None, today: date) -> str:
    return promise.format_date_range(on, on, today) if on else ""
