"""``jianhu calc load``: a table of flows and concentrations in, the same table with volumes and masses out.

The cells are kept to nine decimals (`jianhu.calc.numbers`), and what is written is rounded once, half to even.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jianhu.calc.cells import CELL_WORDS, Cell
from jianhu.calc.headers import Column, factor_columns, refuse_taken
from jianhu.calc.items import bad_cells_text
from jianhu.calc.numbers import SCALE, read_exact
from jianhu.calc.times import STAMP_WORDS, Stamp, read_times
from jianhu.calc.water import NA, USABLE, distinct_texts
from jianhu.sheet import open_sheet, write_pieces, write_sheet, wrong_sheet
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS, MINUTE_MS, beijing
from sensors.factors import Form, load_factors
from sensors.layouts import Label
from streams.discharge.effective import load_effective_rule
from streams.judging.means import divide_exact

TIMES: Final = ("time", "监测时间", "时间", "采样时间")
SITES: Final = ("site", "排口名称", "点位名称", "企业名称", "站点")
FLOW: Final = "flow"
VOLUME: Final = "volume_m3"
REASON: Final = "reason"
MASS: Final = "_kg"
_VOLUME_DIGITS: Final = 3
_MASS_DIGITS: Final = 6
_MEAN_DIGITS: Final = 4
_TWICE: Final = len(CELL_WORDS)
_Ints = NDArray[np.int64]


class Every(StrEnum):
    """How long each row's interval is."""

    MINUTE = "1min"
    FIVE_MINUTES = "5min"
    TEN_MINUTES = "10min"
    HALF_HOUR = "30min"
    HOUR = "1h"
    TWO_HOURS = "2h"
    FOUR_HOURS = "4h"
    DAY = "24h"

    @property
    def ms(self) -> int:
        """Its length."""
        number = int(self.value.rstrip("minh"))
        return number * (HOUR_MS if self.value.endswith("h") else MINUTE_MS)


class By(StrEnum):
    """Over what totals are made."""

    HOUR = "hour"
    DAY = "day"

    @property
    def ms(self) -> int:
        """Its length."""
        return HOUR_MS if self is By.HOUR else DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """What is asked of a table."""

    every: Every
    label: Label
    """Which end of its interval ``time`` names; of days it is the date."""
    totals: Path | None = None
    """Where totals go; None: nowhere."""
    by: By = By.DAY


@dataclass(slots=True, kw_only=True)
class LoadReport:
    """What a run made, for the person who started it."""

    rows: int = 0
    loads: Counter[str] = field(default_factory=Counter)
    """Factor → rows that have a mass."""
    bad_cells: Counter[str] = field(default_factory=Counter)
    bad_times: int = 0
    twice: int = 0
    totals: int = 0

    def __str__(self) -> str:
        """Return the report as one line for the screen."""
        made = ", ".join(f"{count} with a mass of {name}" for name, count in self.loads.items())
        parts = [
            f"{self.rows} rows",
            made,
            f"{self.totals} totals" if self.totals else "",
            bad_cells_text(self.bad_cells),
            f"times that could not be used: {self.bad_times}" if self.bad_times else "",
            f"rows given twice: {self.twice}" if self.twice else "",
        ]
        return "; ".join(part for part in parts if part)


def calc_load(in_path: Path, out_path: Path, request: LoadRequest) -> LoadReport:
    """Write a table of flows and concentrations again, with the volume and the mass of each row.

    Parameters
    ----------
    in_path
        CSV with ``time``, a flow (L/s unless the header names a unit: ``flow(m³/h)``) and at least one concentration of
        an outfall (mg/L), by symbol, Chinese or English name or code; ``site`` where there are several. Other columns
        are kept. UTF-8 or GBK.
    out_path
        Replaced only when everything went well.
    request
        Length of the rows' intervals, what their times name, and which totals are wanted.

    Returns
    -------
    LoadReport
        A row without flow lets nothing out: mass 0, with or without a concentration. A row that repeats a
        site and time is kept and not counted. A total needs one row of its hour (HJ 212-2017 annex D) or three quarters
        of those of its day (HJ 356), its volume as well; its mass is its flow-weighted mean times its whole volume.
        What lacks rows is a lower bound: ``rows`` says how many of how many there are. The sites and times of all rows
        are kept until the end, to know those that are given twice: about 200 bytes a row.

    Raises
    ------
    ConfigError
        When the file is empty, no table, or lacks a column; when totals are shorter than the rows.
    EdgeError
        When a file cannot be read or written.
    """
    factors = load_factors("outfall")
    weighted = [name for name, factor in factors.items() if factor.form is Form.FLOW_WEIGHTED]
    sheet = open_sheet(in_path)
    file, line = str(in_path), sheet.header_line
    if request.by.ms < request.every.ms:
        problem, mend = f"totals by {request.by} of rows of {request.every}", "ask for totals by day, or shorter rows"
        raise wrong_sheet(file, None, "", problem, mend)
    wanted = {name: factors[name] for name in (FLOW, *weighted)}
    columns = factor_columns(sheet.names, wanted, file, needed=[FLOW], line=line)
    if len(columns) == 1:
        mend = f"name one of {', '.join(weighted)} in the header; it has {', '.join(sheet.names)}"
        raise wrong_sheet(file, line, "", "no concentration", mend)
    time = next((name for name in TIMES if name in sheet.names), None)
    if time is None:
        mend = f"name it in the header; it has {', '.join(sheet.names)}"
        raise wrong_sheet(file, line, TIMES[0], "the column is missing", mend)
    added = [VOLUME, *(f"{name}{MASS}" for name in columns if name != FLOW), REASON]
    refuse_taken(sheet.names, added, file, line)
    site = next((name for name in SITES if name in sheet.names), None)
    run = _Run(columns=columns, time=time, site=site, request=request)
    write_pieces(out_path, run.rows(sheet.pieces()))
    if request.totals is not None:
        write_sheet(request.totals, run.totals())
    return run.report


@dataclass(slots=True, kw_only=True)
class _Sum:
    """Exact sums of one site and period, at `SCALE`."""

    volume: int = 0
    """Litres times `SCALE`."""
    flowing: dict[str, int] = field(default_factory=dict)
    """Factor → litres times `SCALE` of rows whose concentration is known."""
    mass: dict[str, int] = field(default_factory=dict)
    """Factor → mg times `SCALE` squared."""
    known: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    """Rows with a known flow."""


@dataclass(slots=True, kw_only=True)
class _Read:
    """One piece of the table: starts and cells as numbers."""

    sites: Sequence[str]
    starts: _Ints
    stamps: NDArray[np.uint8]
    values: Mapping[str, _Ints]
    cells: Mapping[str, NDArray[np.uint8]]
    twice: NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class _Run:
    columns: Mapping[str, Column]
    time: str
    site: str | None
    request: LoadRequest
    report: LoadReport = field(default_factory=LoadReport)
    seen: set[tuple[str, int]] = field(default_factory=set)
    sums: dict[tuple[str, int], _Sum] = field(default_factory=dict)

    @property
    def items(self) -> list[str]:
        return [name for name in self.columns if name != FLOW]

    @property
    def seconds(self) -> int:
        return self.request.every.ms // 1000

    def rows(self, pieces: Iterator[pa.Table]) -> Iterator[dict[str, pa.Array]]:
        for piece in pieces:
            kept = {name: piece[name].combine_chunks() for name in piece.column_names}
            yield kept | self._added(self._read(kept))

    def _read(self, kept: Mapping[str, pa.Array]) -> _Read:
        every, label = self.request.every, self.request.label
        hourly = every is Every.HOUR
        starts, stamps = read_times(kept[self.time], label, hours=hourly)
        if label is Label.END and not hourly and every is not Every.DAY:
            starts = starts - every.ms
        read = {name: read_exact(kept[c.name], c.factor, c.scale) for name, c in self.columns.items()}
        sites = kept[self.site].to_pylist() if self.site else [""] * len(starts)
        timed = stamps == Stamp.TIME
        twice = np.zeros(len(starts), np.bool_)
        for row, key in enumerate(zip(sites, starts.tolist(), strict=True)):
            if timed[row]:
                twice[row] = key in self.seen
                self.seen.add(key)
        return _Read(
            sites=sites,
            starts=starts,
            stamps=stamps,
            values={name: values for name, (values, _) in read.items()},
            cells={name: cells for name, (_, cells) in read.items()},
            twice=twice,
        )

    def _added(self, read: _Read) -> dict[str, pa.Array]:
        flows = np.isin(read.cells[FLOW], USABLE)
        litres = read.values[FLOW].astype(object) * self.seconds
        counted = flows & (read.stamps == Stamp.TIME) & ~read.twice
        sums = self._sums(read, litres, counted)
        added = {VOLUME: _texts(litres, flows, Fraction(1, 1000 * SCALE), _VOLUME_DIGITS)}
        for name in self.items:
            still = flows & (read.values[FLOW] == 0)
            known = still | (flows & np.isin(read.cells[name], USABLE))
            mass = np.where(known & ~still, litres * read.values[name].astype(object), 0)
            added[name + MASS] = _texts(mass, known, Fraction(1, 10**6 * SCALE**2), _MASS_DIGITS)
            self.report.loads[name] += int(known.sum())
            for row in np.flatnonzero(known & counted).tolist():
                into = sums[row]
                into.known[name] += 1
                into.mass[name] = into.mass.get(name, 0) + int(mass[row])
                into.flowing[name] = into.flowing.get(name, 0) + int(litres[row])
        added[REASON] = self._reasons(read)
        self._note(read)
        return added

    def _sums(self, read: _Read, litres: NDArray[np.object_], counted: NDArray[np.bool_]) -> dict[int, _Sum]:
        """Add the volumes of rows to their totals, and return the total of each row that counts."""
        if self.request.totals is None:
            return dict.fromkeys(np.flatnonzero(counted).tolist(), _Sum())
        long = self.request.by.ms
        periods = (read.starts + BEIJING_OFFSET_MS) // long * long - BEIJING_OFFSET_MS
        found: dict[int, _Sum] = {}
        for row in np.flatnonzero(counted).tolist():
            into = self.sums.setdefault((read.sites[row], int(periods[row])), _Sum())
            into.volume += int(litres[row])
            into.rows += 1
            found[row] = into
        return found

    def _reasons(self, read: _Read) -> pa.Array:
        """Return per row what is wrong with its time and cells; a still row needs no concentration."""
        still = np.isin(read.cells[FLOW], USABLE) & (read.values[FLOW] == 0)
        states = [np.where(read.twice, len(STAMP_WORDS), read.stamps)]
        for name, cells in read.cells.items():
            said = np.where(cells == Cell.BELOW, Cell.VALUE, cells)
            states.append(np.where(still, Cell.VALUE, said) if name != FLOW else said)
        words = [column.word for column in self.columns.values()]
        times = (*STAMP_WORDS, "time: given twice, not counted")

        def told(row: Any) -> str:
            parts = [times[row[0]]]
            parts += [
                f"{word}: {CELL_WORDS[state]}" for word, state in zip(words, row[1:], strict=True) if CELL_WORDS[state]
            ]
            return "; ".join(part for part in parts if part)

        return distinct_texts(np.stack(states), lambda row: told(row.tolist()))

    def _note(self, read: _Read) -> None:
        report = self.report
        report.rows += len(read.starts)
        report.bad_times += int((read.stamps != Stamp.TIME).sum())
        report.twice += int(read.twice.sum())
        for name, column in self.columns.items():
            bad = np.isin(read.cells[name], (Cell.NO_NUMBER, Cell.SENTINEL, Cell.BOUNDS))
            report.bad_cells[column.name] += int(bad.sum())

    def totals(self) -> dict[str, pa.Array]:
        """Return the totals by site and period, in their order."""
        keys = sorted(self.sums)
        self.report.totals = len(keys)
        due, daily = self.request.by.ms // self.request.every.ms, self.request.by is By.DAY
        form = "%Y-%m-%d" if daily else "%Y-%m-%d %H:%M"
        made: dict[str, list[str]] = {"site": [site for site, _ in keys]} if self.site else {}
        made["start"] = [beijing(start).strftime(form) for _, start in keys]
        sums = [self.sums[key] for key in keys]
        rule = load_effective_rule()
        made[VOLUME] = [
            _number(Fraction(one.volume, 1000 * SCALE), _VOLUME_DIGITS)
            if not daily or rule.enough(one.rows, due)
            else NA
            for one in sums
        ]
        made["rows"] = [f"{one.rows} of {due}" for one in sums]
        for name in self.items:
            enough = [rule.enough(one.known[name], due) if daily else one.known[name] > 0 for one in sums]
            means = [_mean(one, name) if there else None for one, there in zip(sums, enough, strict=True)]
            made[name + MASS] = [
                NA if not there else _number((mean or 0) * Fraction(one.volume, 10**6 * SCALE), _MASS_DIGITS)
                for one, mean, there in zip(sums, means, enough, strict=True)
            ]
            made[f"{name}_mean"] = [NA if mean is None else _number(mean, _MEAN_DIGITS) for mean in means]
            made[f"{name}_rows"] = [f"{one.known[name]} of {due}" for one in sums]
        return {name: pa.array(texts, pa.utf8()) for name, texts in made.items()}


def _mean(total: _Sum, name: str) -> Fraction | None:
    """Return the flow-weighted mean in mg/L; None where nothing flowed."""
    litres = total.flowing.get(name, 0)
    return Fraction(total.mass.get(name, 0), litres * SCALE) if litres else None


def _texts(numbers: NDArray[np.object_], there: NDArray[np.bool_], scale: Fraction, digits: int) -> pa.Array:
    """Return exact integers times a fraction as decimals."""
    unit = scale * 10**digits
    denominator = np.full(numbers.shape, unit.denominator, object)
    rounded = divide_exact(numbers * unit.numerator, denominator) if numbers.size else np.zeros(0, np.int64)
    texts = [
        f"{value // 10**digits}.{value % 10**digits:0{digits}d}" if known else NA
        for value, known in zip(rounded.tolist(), there.tolist(), strict=True)
    ]
    return pa.array(texts, pa.utf8())


def _number(number: Fraction, digits: int) -> str:
    value = round(number * 10**digits)
    return f"{value // 10**digits}.{value % 10**digits:0{digits}d}"
