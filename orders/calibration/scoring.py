"""How well forecasts held: per lane, over all, and what they added to the promised dates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orders.calibration.forecasting import NOT_YET, PromiseHistory
from orders.calibration.lateness import Ints

ENOUGH = 100  # shipments from which on a lane's coverage says something
LOWEST_COVERAGE, HIGHEST_COVERAGE = 0.86, 0.94


@dataclass(frozen=True)
class LaneScore:
    """`coverage`: share delivered by the forecast day; `kept`: by the day promised before. `added_days`: on average."""

    lane: str
    count: int
    coverage: float
    kept: float
    added_days: float

    @property
    def is_large(self) -> bool:
        return self.count >= ENOUGH

    @property
    def is_calibrated(self) -> bool:
        return LOWEST_COVERAGE <= self.coverage <= HIGHEST_COVERAGE


@dataclass(frozen=True)
class BacktestScore:
    """`lanes`: the largest first. `total`: all lanes as one. `open_count`: on the way, and nobody can say yet."""

    lanes: Sequence[LaneScore]
    total: LaneScore
    open_count: int


def score_forecasts(
    history: PromiseHistory, days: Ints, names: Sequence[str], *, from_day: int
) -> BacktestScore | None:
    """Of what was promised from that day on; `days`: from `forecast_days`. None when nothing of it can be scored.

    What is still on the way is a miss when its forecast day lies before the last delivery in the history.
    """
    is_back = history.delivered < NOT_YET
    last_day = history.delivered[is_back].max(initial=-1)
    forecast = history.promised + days
    is_asked = history.promised >= from_day
    is_scored = is_asked & (is_back | (forecast < last_day))
    if not is_scored.any():
        return None
    lanes = history.lanes[is_scored]
    hits = (history.delivered <= forecast)[is_scored]
    kept = (history.delivered <= history.promised)[is_scored]
    sums = [np.bincount(lanes, each, len(names)) for each in (np.ones(len(lanes)), hits, kept, days[is_scored])]
    scores = [
        _make_score(names[lane], *(float(each[lane]) for each in sums)) for lane in np.flatnonzero(sums[0]).tolist()
    ]
    return BacktestScore(
        lanes=sorted(scores, key=lambda score: (-score.count, score.lane)),
        total=_make_score("All", *(float(each.sum()) for each in sums)),
        open_count=int((is_asked & ~is_scored).sum()),
    )


def _make_score(lane: str, count: float, hits: float, kept: float, days: float) -> LaneScore:
    return LaneScore(lane, int(count), hits / count, kept / count, days / count)
