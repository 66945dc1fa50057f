"""Promised dates that hold nine times in ten, on histories made up and, where SHARED_DATA is set, on a real one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from orders.calibration.forecasting import LEAD_DAYS, NOT_YET, PromiseHistory, forecast_days
from orders.calibration.lateness import EARLIEST, LATEST, Ints
from orders.calibration.scoring import BacktestScore, score_forecasts

YEARS = 6
LAST_DAY = 365 * YEARS
JUDGED_FROM = 365 * 3
LANES = 22


@dataclass
class LaneWeather:
    """What is drawn for one lane: its own share of late shipments, their usual delay, and a share of early ones."""

    dice: np.random.Generator
    promised: Ints
    late: float
    delay: float


Draw = Callable[[LaneWeather], tuple[np.ndarray, np.ndarray]]


def stay(lane: LaneWeather):
    return np.full(len(lane.promised), lane.late), np.full(len(lane.promised), lane.delay)


def drift(lane: LaneWeather):
    """Shares that wander, delays that double or halve over the years."""
    way = lane.promised / LAST_DAY
    last = lane.dice.uniform(0.1, 0.3)
    return lane.late + (last - lane.late) * way, lane.delay * lane.dice.choice([0.5, 2.0]) ** way


def jump(lane: LaneWeather):
    """From one day on twice as late, or half."""
    is_after = lane.promised > lane.dice.integers(JUDGED_FROM, LAST_DAY)
    factor = np.where(is_after, lane.dice.choice([0.6, 2.0]), 1.0)
    return lane.late * factor, lane.delay * factor


def turn_with_the_year(lane: LaneWeather):
    wave = np.sin(2 * np.pi * lane.promised / 365 + lane.dice.uniform(0, 6))
    return lane.late * (1 + 0.6 * wave), lane.delay * (1 + 0.4 * wave)


def make_history(seed: int, draw: Draw = stay, *, late=(0.12, 0.25), a_year=(40, 150), lanes=LANES) -> PromiseHistory:
    """Most come on the very day, many before it, some after."""
    dice = np.random.default_rng(seed)
    parts = []
    for lane in range(lanes):
        promised = np.sort(dice.integers(0, LAST_DAY, int(dice.uniform(*a_year) * YEARS)))
        shares, delays = draw(LaneWeather(dice, promised, dice.uniform(*late), dice.uniform(3, 20)))
        luck = dice.random(len(promised))
        after = 1 + dice.exponential(delays).astype(np.int64)
        before = -dice.integers(1, 20, len(promised))
        lateness = np.where(luck < shares, after, np.where(luck > 0.75, before, 0))
        parts.append((promised, promised + lateness, np.full(len(promised), lane)))
    promised, delivered, numbers = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = dice.permutation(len(promised))
    return PromiseHistory(promised[order], delivered[order], numbers[order], np.arange(lanes) % 3)


def judge(history: PromiseHistory, from_day: int = JUDGED_FROM) -> BacktestScore:
    names = [f"Lane {number}" for number in range(len(history.modes))]
    score = score_forecasts(history, forecast_days(history), names, from_day=from_day)
    assert score is not None
    return score


@pytest.mark.parametrize("draw", [stay, drift, jump, turn_with_the_year])
def test_lanes_hold_nine_times_in_ten_whatever_the_weather(draw):
    scores = [judge(make_history(seed, draw)) for seed in (1, 2, 3)]
    large = [lane for score in scores for lane in score.lanes if lane.is_large]
    assert len(large) >= 20 * len(scores)
    assert sum(lane.is_calibrated for lane in large) >= len(large) * 16 / LANES
    for score in scores:
        assert 0.87 <= score.total.coverage <= 0.92
        assert score.total.kept < 0.86, "as promised before they would not hold"


def test_lanes_of_a_few_shipments_borrow_from_their_mode():
    score = judge(make_history(4, a_year=(3, 8), lanes=60))
    assert all(lane.count < 60 for lane in score.lanes)
    assert 0.86 <= score.total.coverage <= 0.94


def test_a_lane_that_always_comes_on_the_day_is_promised_that_day():
    """Nine in ten of it would mean to promise a day on which hardly anything comes."""
    history = make_history(5, late=(0.01, 0.03))
    days = forecast_days(history)
    is_judged = history.promised >= JUDGED_FROM
    assert (days[is_judged] == 0).mean() > 0.95
    assert judge(history).total.coverage > 0.94


def test_a_lane_that_comes_early_is_promised_earlier():
    promised = np.arange(LAST_DAY, dtype=np.int64)
    history = PromiseHistory(promised, promised - 9 + promised % 3, np.zeros_like(promised), np.zeros(1, np.int64))
    days = forecast_days(history)
    assert set(days[-100:].tolist()) == {-7}
    assert judge(history).total.coverage == 1.0


def test_nothing_known_means_the_day_that_was_promised():
    promised = np.arange(LEAD_DAYS, dtype=np.int64)
    history = PromiseHistory(promised, promised + 50, np.zeros_like(promised), np.zeros(1, np.int64))
    assert forecast_days(history).tolist() == [0] * LEAD_DAYS
    assert forecast_days(PromiseHistory(*[np.zeros(0, np.int64)] * 4)).tolist() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_a_forecast_knows_nothing_of_what_came_after_it_was_made(seed):
    """Whatever is delivered after a day, and whatever is promised for later, changes no forecast made on that day."""
    history = make_history(seed, drift, lanes=4)
    days = forecast_days(history)
    dice = np.random.default_rng(seed)
    for today in dice.integers(LAST_DAY // 4, LAST_DAY, 4):
        is_ahead = history.delivered > today
        other = np.where(dice.random(len(is_ahead)) < 0.5, NOT_YET, today + 1 + dice.integers(0, 400, len(is_ahead)))
        changed = replace(history, delivered=np.where(is_ahead, other, history.delivered))
        is_made = history.promised - LEAD_DAYS <= today
        assert forecast_days(changed)[is_made].tolist() == days[is_made].tolist()
        is_promised_by_then = np.flatnonzero(is_made)
        known = PromiseHistory(
            *(each[is_promised_by_then] for each in (history.promised, history.delivered, history.lanes)), history.modes
        )
        assert forecast_days(known).tolist() == days[is_made].tolist()


def test_what_comes_on_the_day_of_a_forecast_is_known_and_what_comes_a_day_later_is_not():
    """A lane that was a month late, until two hundred come on their very day, 100."""
    promised = np.concatenate([np.arange(20), np.full(200, 100), [99 + LEAD_DAYS, 100 + LEAD_DAYS]])
    delivered = np.concatenate([np.arange(20) + 30, np.full(200, 100), [NOT_YET, NOT_YET]])
    days = forecast_days(PromiseHistory(promised, delivered, np.zeros_like(promised), np.zeros(1, np.int64)))
    assert days[-2:].tolist() == [30, 0]


def test_what_comes_a_day_after_a_forecast_is_still_on_the_way_in_it():
    """A lane that was on time, until two hundred promised for day 60 are missing up to day 100."""
    promised = np.concatenate([np.arange(20), np.full(200, 60), [99 + LEAD_DAYS, 100 + LEAD_DAYS]])
    delivered = np.concatenate([np.arange(20), np.full(200, 100), [NOT_YET, NOT_YET]])
    days = forecast_days(PromiseHistory(promised, delivered, np.zeros_like(promised), np.zeros(1, np.int64)))
    assert days[-2:].tolist() == [40, 40]


def test_what_is_known_by_then_does_change_a_forecast():
    """The twin of the tests above: they could fail."""
    history = make_history(1, drift, lanes=5)
    today = LAST_DAY // 2
    is_known = history.delivered <= today
    changed = replace(history, delivered=np.where(is_known, history.delivered + 40, history.delivered))
    is_made_then = history.promised == today + LEAD_DAYS
    assert forecast_days(changed)[is_made_then].tolist() != forecast_days(history)[is_made_then].tolist()


def test_shipments_that_are_late_and_still_on_the_way_count():
    """A lane that stops delivering is promised later, though no delivery says so yet."""
    promised = np.repeat(np.arange(400, dtype=np.int64), 2)
    lanes, modes = np.zeros_like(promised), np.zeros(1, np.int64)
    delivered = np.where(promised < 300, promised, NOT_YET)
    days = forecast_days(PromiseHistory(promised, delivered, lanes, modes))
    assert days[promised == 320].tolist() == [0, 0], "nothing is late yet on the day of its forecast"
    assert days[promised == 399].min() > 20


def test_the_order_of_the_rows_does_not_matter_and_the_same_comes_out_twice():
    history = make_history(7, jump, lanes=4)
    days = forecast_days(history)
    assert forecast_days(history).tolist() == days.tolist()
    order = np.random.default_rng(1).permutation(len(days))
    shuffled = PromiseHistory(
        *(each[order] for each in (history.promised, history.delivered, history.lanes)), history.modes
    )
    assert forecast_days(shuffled).tolist() == days[order].tolist()


def test_forecasts_stay_within_what_is_counted():
    promised = np.arange(900, dtype=np.int64)
    for lateness in (-5000, 5000):
        history = PromiseHistory(promised, promised + lateness, np.zeros_like(promised), np.zeros(1, np.int64))
        assert EARLIEST <= forecast_days(history).min() <= forecast_days(history).max() <= LATEST


def test_what_is_on_the_way_counts_as_missed_once_its_day_is_over():
    promised = np.array([100, 110, 120, 130], np.int64)
    history = PromiseHistory(
        promised, np.array([100, NOT_YET, 125, NOT_YET]), np.zeros_like(promised), np.zeros(1, np.int64)
    )
    score = score_forecasts(history, np.zeros_like(promised), ["Kenya"], from_day=100)
    assert score is not None
    assert (score.total.count, score.open_count, score.total.coverage) == (3, 1, 1 / 3)
    assert score_forecasts(history, np.zeros_like(promised), ["Kenya"], from_day=130) is None
