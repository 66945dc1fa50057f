"""Turns baskets and the orders written out in `orders.toml` into plain descriptions of orders. No database."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from orders.stages import USUAL_ROAD, Stage
from shop.sample import content
from shop.sample.baskets import SampleBasket, SampleLine, draw_baskets
from shop.sample.content import SampleProduct
from shop.sample.people import SamplePerson

PLACED = "placed"  # no parcel yet
STAGES = (PLACED, *(row.stage for row in USUAL_ROAD))
OPEN_STAGES = frozenset({PLACED, *(row.stage for row in USUAL_ROAD if not row.has_left)})  # still promised on the shelf
SUNDAY = 6
LINE_PATTERN = re.compile(r"^(?P<what>.+?)(?: × (?P<count>\d+))?(?P<gift> \(gift\))?$")


@dataclass(frozen=True)
class SampleOrderHistory:
    """One order and how it went. `steps`: when each stage was reached; `ending`: cancelled, refunded or neither.

    `is_live` orders hold or moved real stock; the others are told as history, as an import would.
    """

    reference: str
    email: str
    lines: tuple[SampleLine, ...]
    steps: dict[str, datetime]
    ending: str = ""
    ended_at: datetime | None = None
    is_live: bool = False
    gift_note: str = ""
    note: str = ""
    packed_by: str = ""
    ticks: tuple[str, ...] = ()

    @property
    def placed_at(self) -> datetime:
        return self.steps[PLACED]

    @property
    def stage(self) -> str:
        return next(stage for stage in reversed(STAGES) if stage in self.steps)


def build_order_histories(people: Sequence[SamplePerson], *, now: datetime) -> list[SampleOrderHistory]:
    """Every order of the sample store, oldest first."""
    stories = [_make_basket_history(at, basket, now) for at, basket in enumerate(draw_baskets(people), start=1)]
    stories += list(_read_written_histories(now))
    return sorted(stories, key=lambda story: story.placed_at)


def _make_basket_history(at: int, basket: SampleBasket, now: datetime) -> SampleOrderHistory:
    draw = Random(f"{basket.email} {basket.days_ago} {basket.minute}")  # noqa: S311  (the same each time, not secret)
    placed_at = _make_moment(now, basket.days_ago, basket.minute)
    return SampleOrderHistory(
        f"sample-{at:04d}",
        basket.email,
        basket.lines,
        _draw_usual_steps(placed_at, draw, now),
        packed_by=draw.choice(["Ines", "Tom"]),
    )


def _make_moment(now: datetime, days_ago: int, minute: int) -> datetime:
    day = timezone.localdate(now) - timedelta(days=days_ago)
    return timezone.make_aware(datetime.combine(day, time(minute // 60, minute % 60)))


def _draw_usual_steps(placed_at: datetime, draw: Random, now: datetime) -> dict[str, datetime]:
    """Approved within the hour or two, packed the next working morning, at the door two or three days later."""
    morning = _skip_sunday(placed_at + timedelta(days=1)).replace(hour=9, minute=draw.randint(0, 50))
    steps = {
        PLACED: placed_at,
        Stage.WAITING: placed_at + timedelta(minutes=draw.randint(6, 110)),
        Stage.PICKING: morning - timedelta(minutes=draw.randint(8, 25)),
        Stage.PICKED: morning,
        Stage.PACKED: morning + timedelta(minutes=draw.randint(25, 150)),
        Stage.DISPATCHED: morning.replace(hour=16, minute=draw.randint(0, 40)),
        Stage.DELIVERED: _skip_sunday(morning + timedelta(days=draw.choice([2, 2, 2, 3]))).replace(
            hour=draw.randint(9, 16)
        ),
    }
    return {stage: at for stage, at in _fill_steps_between(steps).items() if at < now}


def _fill_steps_between(steps: dict[str, datetime]) -> dict[str, datetime]:
    """A stage that has no hour of its own is reached half-way between those around it."""
    filled: dict[str, datetime] = {}
    for place, stage in enumerate(STAGES):
        before = filled[STAGES[place - 1]] if place else steps[stage]
        after = next((steps[each] for each in STAGES[place:] if each in steps), before)
        filled[stage] = steps.get(stage, before + (after - before) / 2)
    return filled


def _skip_sunday(at: datetime) -> datetime:
    return at + timedelta(days=1) if at.weekday() == SUNDAY else at


def _read_written_histories(now: datetime) -> Iterator[SampleOrderHistory]:
    goods = {product.slug: product for product in content.read_products()}
    for at, row in enumerate(_list_written_orders(), start=1):
        yield SampleOrderHistory(
            _make_reference(at),
            row["who"],
            tuple(_parse_sample_line(line, goods) for line in row["lines"]),
            is_live="hours_ago" in row,
            gift_note=row.get("gift_note", ""),
            note=row.get("note", ""),
            packed_by=row.get("packed_by", "Ines"),
            ticks=tuple(row.get("ticks", ())),
            **_build_course(row, now),
        )


def _make_reference(at: int) -> str:
    return f"sample-told-{at:02d}"


def list_troubles() -> dict[str, str]:
    """What went wrong with the parcel of an order, by the order's reference."""
    rows = enumerate(_list_written_orders(), start=1)
    return {_make_reference(at): row["trouble"] for at, row in rows if "trouble" in row}


def _list_written_orders() -> list[dict[str, Any]]:
    """Those of `orders.toml`, and the spare one for each stage where none of them stands."""
    written = content.read_toml("orders")
    empty = [stage for stage in STAGES if stage not in {row.get("stage") for row in written["order"]}]
    return [*written["order"], *(written["spare"] | {"stage": stage} for stage in empty)]


def _build_course(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """When each stage was reached, and how it ended."""
    stage = row.get("stage", STAGES[-1])
    if "days_ago" in row:
        draw = Random(f"{row['who']} {row['days_ago']}")  # noqa: S311  (the same each time, not secret)
        steps = _draw_usual_steps(_make_moment(now, row["days_ago"], draw.randint(480, 1200)), draw, now)
    else:
        draw = Random(f"{row['who']} {row['hours_ago']}")  # noqa: S311  (the same each time, not secret)
        steps = _spread_recent_steps(now - timedelta(hours=row["hours_ago"]), stage, draw, now)
    if stage not in ("cancelled", "refunded"):
        return {"steps": steps}
    last = max(steps.values())
    return {"steps": steps, "ending": stage, "ended_at": last + (now - last) / 3}


def _spread_recent_steps(placed_at: datetime, stage: str, draw: Random, now: datetime) -> dict[str, datetime]:
    """Up to the named stage at the usual hours; where those are still to come, spread over the time since."""
    reached = STAGES[: STAGES.index(stage) + 1] if stage in STAGES else STAGES[:1]
    usual = _draw_usual_steps(placed_at, draw, now)
    if all(name in usual for name in reached):
        return {name: usual[name] for name in reached}
    pause = (now - placed_at) * 0.9 / max(len(reached) - 1, 1)
    return {name: placed_at + pause * at for at, name in enumerate(reached)}


def _parse_sample_line(text: str, goods: Mapping[str, SampleProduct]) -> SampleLine:
    """“mouse-takes-the-ferry/Hardback × 2 (gift)”. Raises ValueError when no variant, or more than one, answers."""
    found = LINE_PATTERN.match(text)
    if found is None:
        raise ValueError(f"{text} is not a line.")
    slug, *options = found["what"].split("/")
    variants = [each for each in goods[slug].variants if set(options) <= set(each.options)]
    if len(variants) != 1:
        raise ValueError(f"{text} names {len(variants)} variants.")
    return SampleLine(variants[0].sku, int(found["count"] or 1), bool(found["gift"]))
