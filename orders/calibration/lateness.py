"""How late shipments were, as tallies that forget: a row for each lane (or mode), a column for each day of lateness."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

EARLIEST = -90  # days before the promised day; what came earlier counts as this
LATEST = 365  # days after it; what comes later, or not at all, counts as this
COLUMN_COUNT = LATEST - EARLIEST + 1
ON_THE_DAY = -EARLIEST  # the column of lateness 0
MEMORY_DAYS = 120  # a shipment promised so long ago weighs half of one promised today


class LatenessTally:
    """Weights double every MEMORY_DAYS instead of all older ones being halved each day. Good for three centuries."""

    def __init__(self, row_count: int, first_day: int) -> None:
        self._counts: Floats = np.zeros((row_count, COLUMN_COUNT))
        self._first_day = first_day

    def add(self, rows: Ints, lateness: Ints, promised: Ints) -> None:
        weights = np.exp2((promised - self._first_day) / MEMORY_DAYS)
        np.add.at(self._counts, (rows, find_columns(lateness)), weights)

    def read(self, rows: Ints, today: int) -> Floats:
        """A copy, in shipments of today's weight."""
        return np.asarray(self._counts[rows] * np.exp2((self._first_day - today) / MEMORY_DAYS))


class MissLedger:
    """For each lane, the misses beyond the one in ten that were expected: above 0 when too many promises broke."""

    def __init__(self, lane_count: int, first_day: int, expected_share: float) -> None:
        self._excess: Floats = np.zeros(lane_count)
        self._first_day = first_day
        self._expected_share = expected_share

    def add(self, lanes: Ints, is_missed: NDArray[np.bool_], promised: Ints) -> None:
        weights = np.exp2((promised - self._first_day) / MEMORY_DAYS)
        np.add.at(self._excess, lanes, weights * (is_missed - self._expected_share))

    def read(self, today: int, missed_lanes: Ints, promised: Ints) -> Floats:
        """All lanes, in shipments of today's weight; `missed_lanes`: of those still on the way, late already."""
        excess: Floats = self._excess * np.exp2((self._first_day - today) / MEMORY_DAYS)
        np.add.at(excess, missed_lanes, compute_weights(promised, today) * (1 - self._expected_share))
        return excess


def compute_weights(promised: Ints, today: int) -> Floats:
    return np.asarray(np.exp2((promised - today) / MEMORY_DAYS))


def find_columns(lateness: Ints) -> Ints:
    return np.clip(lateness, EARLIEST, LATEST) - EARLIEST
