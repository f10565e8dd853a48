"""The windows of any kind once more, by fractions and plain loops and nothing of ours.

It reads the kind's file as plain YAML and follows the words of the standards: HJ 212-2017 annex D for means
weighted by flow and for totals of counters; a day of slots, a slot of its finest readings, each complete or without
a value. Only readings that count enter (flag N here); times are milliseconds and values stored units.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import yaml

HOUR, DAY, BEIJING = 3_600_000, 86_400_000, 8 * 3_600_000
PERIODS = {"1min": 60_000, "5min": 300_000, "10min": 600_000, "30min": 1_800_000, "1h": HOUR, "4h": 4 * HOUR}
Found = tuple[int | None, int]
"""Value, and how many values count."""
Readings = Mapping[int, tuple[int, bool]]
"""Start → value, and whether it counts."""


def _start(row: tuple[int, int | None]) -> int:
    return row[0]


class Reference:
    """One site of a kind.

    Parameters
    ----------
    text
        The kind's file.
    readings
        (start, period, factor) → value and flag.
    period
        How often the site sends.
    """

    def __init__(self, text: str, readings: Mapping[tuple[int, int, str], tuple[int, str]], period: int) -> None:
        file = yaml.safe_load(text)
        self.factors: dict[str, dict[str, Any]] = file["factors"]
        self.slot, self.fine, self.period = PERIODS[file["slot"]], PERIODS[file["fine"]], period
        self.windows = {w["name"]: w for w in file["windows"]}
        self.rows: dict[tuple[str, int], list[tuple[int, int | None]]] = {}
        for (start, length, factor), (value, flag) in sorted(readings.items()):
            self.rows.setdefault((factor, length), []).append((start, value if flag == "N" else None))
        self.slots: dict[tuple[str, int], Found] = {}

    def of(self, factor: str, period: int, first: int, last: int) -> list[tuple[int, int | None]]:
        """Return the readings of a period in [first, last): start, and the value where it counts."""
        rows = self.rows.get((factor, period), [])
        return rows[bisect_left(rows, first, key=_start) : bisect_left(rows, last, key=_start)]

    def step(self, window: str, factor: str) -> int:
        """Return what a value of a window is rounded to."""
        extra = int(self.factors[factor].get("extra", 2))
        return 1 if self.windows.get(window, {}).get("step") == "none" else 10**extra

    def needed(self, window: str, due: int) -> int:
        """Return the values that a window needs."""
        needs = self.windows.get(window, {}).get("needs")
        if not needs:
            return 1
        return max(
            1, math.ceil(Fraction(str(needs[0]["share"])) * due) if "share" in needs[0] else needs[0]["at_least"]
        )

    def slot_value(self, factor: str, start: int) -> Found:
        """Return the value of a slot."""
        if (factor, start) not in self.slots:
            self.slots[factor, start] = self._slot_value(factor, start)
        return self.slots[factor, start]

    def _slot_value(self, factor: str, start: int) -> Found:
        counter = self.factors[factor].get("form") == "counter"
        own = self.of(factor, self.slot, start, start + self.slot)
        name = next(n for n in ("1h", "4h") if PERIODS[n] == self.slot)
        if own:
            value = own[0][1]
            if value is None or not counter:
                return value, int(value is not None)
            return self._counted(factor, start, [value]), 1
        if self.period >= self.slot:
            return None, 0
        fine = self.of(factor, self.period, start, start + self.slot)
        units = self.period // self.fine
        if counter:
            there = [v for _, v in fine if v is not None]
            enough = len(there) * units >= self.needed(name, self.slot // self.fine)
            return (self._counted(factor, start, there) if enough else None), len(there) * units
        value, count = self.formed(factor, fine, lambda f: dict(self.of(f, self.period, start, start + self.slot)), 1)
        enough = count * units >= self.needed(name, self.slot // self.fine)
        return (value if enough else None), count * units

    def extreme(self, factor: str, start: int, choose: Any) -> int | None:
        """Return the greatest or least reading of a slot that has a value."""
        if self.slot_value(factor, start)[0] is None:
            return None
        own = self.of(factor, self.slot, start, start + self.slot)
        there = [v for _, v in own or self.of(factor, self.period, start, start + self.slot) if v is not None]
        return int(choose(there))

    def _counted(self, factor: str, start: int, there: Sequence[int]) -> int | None:
        """Return what a counter added since the last reading before the slot, at most a day older."""
        before = None
        for back in range(1, DAY // self.slot + 1):
            began = start - back * self.slot
            own = self.of(factor, self.slot, began, began + self.slot)
            came = [v for _, v in own or self.of(factor, self.period, began, began + self.slot) if v is not None]
            if came:
                before = came[-1]
                break
        if before is None and len(there) < 2:
            return None
        chain = [*([] if before is None else [before]), *there]
        return sum(b if b < a else b - a for a, b in pairwise(chain))

    def formed(self, factor: str, values: Iterable[tuple[int, int | None]], weights: Any, step: int) -> Found:
        """Return the value of a longer time by the factor's form, and how many values count."""
        row = self.factors[factor]
        form = row.get("form", "mean")
        unit = 10 ** (row["decimals"] + int(row.get("extra", 2)))
        pairs = list(values)
        there = [v for _, v in pairs if v is not None]
        if form in {"flow_weighted", "vector"}:
            return self._weighted(form, dict(pairs), weights(row["by"]), step, unit)
        if not there:
            return None, 0
        if form == "mean":
            found: Fraction | float = Fraction(sum(there), len(there))
        elif form in {"sum", "counter"}:
            found = Fraction(sum(there))
        elif form == "max":
            found = Fraction(max(there))
        elif form == "state":
            found = Fraction(there[-1])
        elif form == "hydrogen_ion":
            found = -math.log10(math.fsum(10 ** (-v / unit) for v in there) / len(there)) * unit
        else:
            found = 10 * math.log10(math.fsum(10 ** (v / unit / 10) for v in there) / len(there)) * unit
        return round(found / step) * step, len(there)

    @staticmethod
    def _weighted(
        form: str, values: Mapping[int, int | None], weights: Mapping[int, int | None], step: int, unit: int
    ) -> Found:
        if form == "flow_weighted":
            both = [(values.get(t), w) for t, w in weights.items() if w is not None]
            counted = [(v, w) for v, w in both if w <= 0 or v is not None]
            flowing = [(v, w) for v, w in counted if w > 0 and v is not None]
            if not flowing:
                return None, len(counted)
            total = Fraction(sum(v * w for v, w in flowing), sum(w for _, w in flowing))
            return round(total / step) * step, len(counted)
        winds = [(v, weights[t]) for t, v in values.items() if v is not None and weights.get(t) is not None]
        north = math.fsum((w or 0) * math.cos(math.radians(v / unit)) for v, w in winds)
        east = math.fsum((w or 0) * math.sin(math.radians(v / unit)) for v, w in winds)
        if math.hypot(north, east) < 1e-6 * max(sum(w or 0 for _, w in winds), 1):
            return None, len(winds)
        return round(math.degrees(math.atan2(east, north)) * unit / step) * step % (360 * unit), len(winds)

    def over(self, factor: str, window: str, starts: Sequence[int]) -> Found:
        """Return the value of a window over slots."""
        values = [(start, self.slot_value(factor, start)[0]) for start in starts]
        value, count = self.formed(
            factor, values, lambda f: {s: self.slot_value(f, s)[0] for s in starts}, self.step(window, factor)
        )
        return (value if count >= self.needed(window, len(starts)) else None), count

    def day(self, factor: str, window: str, first: int) -> Found:
        """Return the value of a day; the source's own where one came."""
        own = self.of(factor, DAY, first, first + DAY)
        if own:
            value, step = own[0][1], self.step(window, factor)
            return (None, 0) if value is None else (round(Fraction(value, step)) * step, 1)
        return self.over(factor, window, range(first, first + DAY, self.slot))

    def within(self, factor: str, window: str, start: int) -> Found:
        """Return the value of a window shorter than the slot."""
        end = start + PERIODS[window]
        step = self.step(window, factor)
        fine = self.of(factor, self.period, start, end) if self.period < self.slot else []
        value, count = self.formed(factor, fine, lambda f: dict(self.of(f, self.period, start, end)), step)
        units = self.period // self.fine
        return (value if count * units >= self.needed(window, PERIODS[window] // self.fine) else None), count * units
