"""Shipments with the day promised and the day they came, from a CSV file: `backtest_promises` reads it.

A lane is a country and a mode: by air and by sea one does not come late alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from orders.calibration.forecasting import NOT_YET, PromiseHistory
from shop.csv_files.report import BadRow, RowReport, UnusableRowError, quote_cell
from shop.csv_files.table import Columns, CsvTable
from shop.csv_files.values import get_day_from_today, read_day, read_word

DELIVERIES = Columns(required=("shipment", "lane_country", "mode", "promised_on", "delivered_on"))
LONGEST_WORD = 80
PROMISED_AHEAD = 730  # days from now
REMEMBERED = 50_000  # texts come again and again
EPOCH = date(1970, 1, 1)


class DeliveryRow(NamedTuple):
    """Days since 1970, as numpy counts them. `delivered`: NOT_YET while it is on the way."""

    number: int
    shipment: str
    country: str
    mode: str
    promised: int
    delivered: int


@dataclass
class DeliveryHistory:
    """`for count in history.read(table)`: rows read so far; then see the rest."""

    row_count: int = 0
    bad: RowReport = field(default_factory=RowReport)
    _lanes: dict[tuple[str, str], int] = field(default_factory=dict)
    _modes: dict[str, int] = field(default_factory=dict)
    _days: list[tuple[int, int, int]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    @property
    def names(self) -> list[str]:
        """Of the lanes, by their numbers: “Kenya, Air”."""
        return [", ".join(part for part in lane if part) for lane in self._lanes]

    @property
    def count(self) -> int:
        return len(self._days)

    def read(self, table: CsvTable) -> Iterator[int]:
        for row in table.read_rows(_parse_delivery):
            self.row_count += 1
            if isinstance(row, BadRow):
                self.bad.add(row)
            elif row.shipment in self._seen:
                self.bad.add(BadRow(row.number, f"shipment {quote_cell(row.shipment)} stands above already"))
            else:
                self._take(row)
            yield self.row_count

    def build(self) -> PromiseHistory:
        days = np.array(self._days, np.int64).reshape(-1, 3)
        modes = np.array([self._modes[mode] for _, mode in self._lanes], np.int64)
        return PromiseHistory(lanes=days[:, 0], promised=days[:, 1], delivered=days[:, 2], modes=modes)

    def _take(self, row: DeliveryRow) -> None:
        self._seen.add(row.shipment)
        self._modes.setdefault(row.mode, len(self._modes))
        lane = self._lanes.setdefault((row.country, row.mode), len(self._lanes))
        self._days.append((lane, row.promised, row.delivered))


def count_days(day: date) -> int:
    """Since 1970, as in a PromiseHistory."""
    return (day - EPOCH).days


def _parse_delivery(number: int, cells: Mapping[str, str]) -> DeliveryRow:
    """A mode may be missing; an empty day of delivery means that it has not come."""
    mode = cells["mode"].strip()
    return DeliveryRow(
        number=number,
        shipment=read_word(cells["shipment"], name="shipment", longest=LONGEST_WORD),
        country=read_word(cells["lane_country"], name="lane_country", longest=LONGEST_WORD),
        mode=read_word(mode, name="mode", longest=LONGEST_WORD) if mode else "",
        promised=_read_promised(cells["promised_on"]),
        delivered=_read_delivered(cells["delivered_on"]),
    )


@lru_cache(REMEMBERED)
def _read_promised(text: str) -> int:
    if not text.strip():
        raise UnusableRowError("has no promised_on")
    return count_days(read_day(text, name="promised_on", latest=get_day_from_today(PROMISED_AHEAD)))


@lru_cache(REMEMBERED)
def _read_delivered(text: str) -> int:
    return count_days(read_day(text, name="delivered_on")) if text.strip() else NOT_YET
