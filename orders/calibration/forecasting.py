"""By how many days a promised date moves so that nine in ten hold, each forecast from what was known when it was made.

Three things decide. How late the lane's shipments lately were, the share of those still on the way included; where
they are few, how late its mode's were, and all. Then the lane's own ledger: a lane that broke more promises than one
in ten is promised more cautiously until it is even, one that broke fewer a little less. This feedback is adaptive
conformal inference (Gibbs and Candès, 2021) on a sum that forgets, since what comes back comes back a month late.
"""

from dataclasses import dataclass

import numpy as np

from orders.calibration.lateness import (
    COLUMN_COUNT,
    EARLIEST,
    LATEST,
    ON_THE_DAY,
    Floats,
    Ints,
    LatenessTally,
    MissLedger,
    compute_weights,
    find_columns,
)

LEAD_DAYS = 30  # a forecast is made so many days before the promised day
NOT_YET = np.iinfo(np.int32).max  # as a day of delivery: still on the way
EXPECTED_MISSES = 0.1
AIM = 0.855  # the chance asked of a day when the ledger is even; with whole days, more hold than are asked for
LOWEST_CHANCE = 0.7  # no promise that is itself believed to hold less often, however good the lane's record
HIGHEST_CHANCE = 0.9  # however bad it is: beyond, each point costs weeks
CAUTION = 0.04  # chance for each miss too many
WORTH_A_DAY = 0.03  # so much more chance is taken where it costs one day, and one day of it where it costs more
BORROWED = 20.0  # what a lane's mode says counts as so many shipments of its own; the same for a mode and all shipments


@dataclass(frozen=True, eq=False)
class PromiseHistory:
    """Days as numbers, one entry a shipment. `lanes`: each one's lane; `modes`: each lane's mode. Both count from 0."""

    promised: Ints
    delivered: Ints
    lanes: Ints
    modes: Ints

    @property
    def lateness(self) -> Ints:
        lateness: Ints = np.minimum(self.delivered - self.promised, LATEST)
        return lateness

    @property
    def settled(self) -> Ints:
        """The day from which on a shipment is fully known: it was due, and it came or is a year late."""
        return self.promised + np.maximum(self.lateness, 0)


def forecast_days(history: PromiseHistory, *, lead_days: int = LEAD_DAYS) -> Ints:
    """For each shipment the days its promise moves; below 0 where a lane comes early nine times in ten."""
    replay = _Replay(history, lead_days)
    for today in np.unique(history.promised - lead_days):
        replay.live_through(int(today))
    return replay.days


def forecast_lanes(history: PromiseHistory, today: int, *, lead_days: int) -> Ints:
    """For each lane the days that a promise made today moves."""
    replay = _Replay(history, lead_days)
    for day in np.unique(history.promised - lead_days):
        if day < today:
            replay.live_through(int(day))
    return replay.look_ahead(today)


class _Replay:
    """Lives through the history day by day, and looks at nothing that the day did not show."""

    def __init__(self, history: PromiseHistory, lead_days: int) -> None:
        self.history = history
        self.days = np.zeros(len(history.promised), np.int64)
        self._lead_days = lead_days
        self._by_promise = np.argsort(history.promised, kind="stable")
        self._promised = history.promised[self._by_promise]
        self._by_settling = np.argsort(history.settled, kind="stable")
        self._settled = history.settled[self._by_settling]
        self._lateness = history.lateness
        self._open = np.zeros(0, np.int64)
        self._settled_count = self._due_count = 0
        first_day = int(self._promised[0]) - lead_days if len(self._promised) else 0
        lane_count = len(history.modes)
        mode_count = int(history.modes.max(initial=-1)) + 1
        self._lanes = LatenessTally(lane_count, first_day)
        self._modes = LatenessTally(mode_count, first_day)
        self._all = LatenessTally(1, first_day)
        self._ledger = MissLedger(lane_count, first_day, EXPECTED_MISSES)

    def live_through(self, today: int) -> None:
        """Learns what was known at the end of `today`, then makes its forecasts. Days in their order."""
        self._learn(today)
        self._follow_open(today)
        first, last = np.searchsorted(self._promised, [today + self._lead_days, today + self._lead_days + 1])
        asked = self._by_promise[first:last]
        lanes, places = np.unique(self.history.lanes[asked], return_inverse=True)
        self.days[asked] = self._forecast(lanes, today)[places]

    def look_ahead(self, today: int) -> Ints:
        """The days of every lane, from what is known at the end of `today`."""
        self._learn(today)
        self._follow_open(today)
        return self._forecast(np.arange(len(self.history.modes)), today)

    def _learn(self, today: int) -> None:
        until = int(np.searchsorted(self._settled, today, side="right"))
        new = self._by_settling[self._settled_count : until]
        self._settled_count = until
        lanes, lateness, promised = self.history.lanes[new], self._lateness[new], self.history.promised[new]
        self._lanes.add(lanes, lateness, promised)
        self._modes.add(self.history.modes[lanes], lateness, promised)
        self._all.add(np.zeros_like(lanes), lateness, promised)
        self._ledger.add(lanes, lateness > self.days[new], promised)

    def _follow_open(self, today: int) -> None:
        """Those whose day has come and which have not."""
        until = int(np.searchsorted(self._promised, today, side="right"))
        due = np.concatenate([self._open, self._by_promise[self._due_count : until]])
        self._due_count = until
        self._open = due[self.history.settled[due] > today]

    def _forecast(self, lanes: Ints, today: int) -> Ints:
        modes, places = np.unique(self.history.modes[lanes], return_inverse=True)
        of_all = _blend(
            self._count(self._all, np.zeros(1, np.int64), np.zeros_like(self._open), today), _make_on_time()
        )
        of_modes = _blend(self._count(self._modes, modes, self._get_open_modes(), today), of_all)
        of_lanes = _blend(self._count(self._lanes, lanes, self._get_open_lanes(), today), of_modes[places])
        chances = np.clip(AIM + CAUTION * self._read_excess(today)[lanes], LOWEST_CHANCE, HIGHEST_CHANCE)
        come_by = np.cumsum(of_lanes, axis=1)
        surer = _find_first_days(come_by, chances + WORTH_A_DAY)
        return np.minimum(surer, _find_first_days(come_by, chances) + 1)

    def _count(self, tally: LatenessTally, rows: Ints, open_rows: Ints, today: int) -> Floats:
        """`rows` of a tally, each shipment on the way counted as if it came tomorrow: that late it is at least."""
        counts = tally.read(rows, today)
        places = np.searchsorted(rows, open_rows)
        is_asked = rows[np.minimum(places, len(rows) - 1)] == open_rows
        promised = self.history.promised[self._open[is_asked]]
        columns = find_columns(today + 1 - promised)
        np.add.at(counts, (places[is_asked], columns), compute_weights(promised, today))
        return counts

    def _get_open_lanes(self) -> Ints:
        return self.history.lanes[self._open]

    def _get_open_modes(self) -> Ints:
        return self.history.modes[self._get_open_lanes()]

    def _read_excess(self, today: int) -> Floats:
        promised = self.history.promised[self._open]
        is_missed = promised + self.days[self._open] <= today
        return self._ledger.read(today, self._get_open_lanes()[is_missed], promised[is_missed])


def _find_first_days(come_by: Floats, chances: Floats) -> Ints:
    """For each lane the first day by which so many come. `come_by`: shares by lateness, summed up."""
    days: Ints = np.minimum((come_by < chances[:, None] - 1e-9).sum(axis=1) + EARLIEST, LATEST)
    return days


def _blend(counts: Floats, wider: Floats) -> Floats:
    """Shares by lateness, of a lane's own shipments and BORROWED ones spread as in the wider set."""
    return np.asarray((counts + BORROWED * wider) / (counts.sum(axis=1, keepdims=True) + BORROWED))


def _make_on_time() -> Floats:
    """What is believed before anything is known: that promises hold to the day."""
    shares = np.zeros((1, COLUMN_COUNT))
    shares[0, ON_THE_DAY] = 1.0
    return shares
