"""The standards as dated data: limits, index breakpoints and rules, completeness counts.

The edition that judges a datum is that of the Beijing date of the datum's interval start (of a
running window: of its newest hour). All days here are Beijing day numbers (`sensors.clock`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray

from sensors.errors import ConfigError, UnknownName
from sensors.factors import Factor, load_factors
from streams.results import Window

PACK_FILES = ("gb3095.yaml", "hj633.yaml", "hj663.yaml")
"""The files of the air pack, in `streams/data`."""
OTHER_DIGITS = 4
"""Digits of limits whose factor is not in the factor table (TSP, NOx, Pb, BaP)."""
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_BOUND = 100_000
"""Day numbers up to the year 2243; hour numbers and milliseconds of our time lie beyond."""


class Confidence(StrEnum):
    """How well a row of data is founded."""

    CONFIRMED = "confirmed"
    """The official text was seen, or two independent sources agree."""
    SINGLE = "single"
    """One independent source only."""
    UNSEEN = "unseen"
    """General knowledge; no text was seen."""


class OverTable(StrEnum):
    """What a concentration above the last breakpoint gets."""

    HOLD = "hold"
    """The last index of the column."""
    NONE = "none"
    """No IAQI; the text refers to another window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One cell of a limit table."""

    edition: str
    standard: str
    table: str
    clause: str
    factor: str
    window: str
    """The window the limit is written for: a `Window` value, ``annual`` or ``quarter``."""
    judges: tuple[str, ...]
    """Result windows that may be held against it; O3 8 h only where it ends 08:00 to 24:00."""
    zone: int
    value: int
    """Fixed point: value / 10**digits in `unit`."""
    digits: int
    unit: str
    start_day: int
    end_day: int | None
    confidence: Confidence

    @property
    def quantity(self) -> Fraction:
        """The limit as an exact number in `unit`."""
        return Fraction(self.value, 10**self.digits)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitEdition:
    """All limits in force over a span of days."""

    name: str
    standard: str
    start_day: int
    end_day: int | None
    limits: tuple[Limit, ...]
    cells: Mapping[tuple[str, str, int], Limit]
    """(factor, judged window, zone) → limit."""

    def limit(self, factor: str, window: str, zone: int) -> Limit | None:
        """Return the limit for a window in a zone, or None where the standard has none."""
        return self.cells.get((factor, window, zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakpoints:
    """One column of a breakpoint table."""

    factor: str
    window: str
    digits: int
    concentrations: tuple[int, ...]
    """Fixed point, ascending from 0."""
    indices: tuple[int, ...]
    over: OverTable
    table: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of an index: the value of `window` on a breakpoint column."""

    factor: str
    window: Window
    breakpoints: Breakpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the index."""

    level: int
    start: int
    end: int
    name_zh: str
    name_en: str
    colour_zh: str
    rgb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEdition:
    """One edition of HJ 633."""

    name: str
    standard: str
    title_zh: str
    start_day: int
    end_day: int | None
    confidence: Confidence
    breakpoints: tuple[Breakpoints, ...]
    real_time: tuple[Item, ...]
    """In the order of the factor table: PM2.5, PM10, SO2, NO2, CO, O3."""
    daily: tuple[Item, ...]
    """In the same order."""
    index_min: int
    """The least AQI shown; a single IAQI may be 0."""
    primary_over: int
    exceeding_over: int | None
    rest_over: int | None
    """With an item missing, the AQI of the rest is published only above this; None: always."""
    levels: tuple[Level, ...]

    def column(self, factor: str, window: str) -> Breakpoints | None:
        """Return the breakpoint column of a factor and window, or None where the table has none."""
        return next((b for b in self.breakpoints if b.factor == factor and b.window == window), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Least counts of valid values, and how a short MDA8 is treated."""

    name: str
    standard: str
    start_day: int
    end_day: int | None
    confidence: Confidence
    hour_minutes: int
    particle_hour_minutes: int
    """A setting: the 45 min rule of the text names the gases."""
    o3_8h_hours: int
    running_24h_hours: int
    day_hours: int
    mda8_windows: int
    mda8_fewer_if_over: bool
    not_seen: tuple[str, ...]
    """Names of those fields above whose text was not seen."""


class _Dated(Protocol):
    @property
    def start_day(self) -> int: ...
    @property
    def end_day(self) -> int | None: ...


_D = TypeVar("_D", bound=_Dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standards:
    """The air pack: every edition, oldest first."""

    pack: str
    """First 16 hex digits of the SHA-256 of the canonical content."""
    limit_editions: tuple[LimitEdition, ...]
    index_editions: tuple[IndexEdition, ...]
    completeness_editions: tuple[Completeness, ...]

    def limits_at(self, day: int) -> LimitEdition:
        """Return the limits in force on a Beijing day.

        Raises
        ------
        UnknownName
            When no edition was in force.
        """
        return _need(self.limit_editions, day, "the limits of GB 3095")

    def limit(self, factor: str, window: str, zone: int, day: int) -> Limit | None:
        """Return the limit that judges a window of a factor in a zone on a day; None where there is none."""
        edition = _at(self.limit_editions, day)
        return None if edition is None else edition.limit(factor, window, zone)

    def index_edition(self, day: int) -> IndexEdition:
        """Return the edition of HJ 633 that holds on a Beijing day.

        Raises
        ------
        UnknownName
            When none was in force.
        """
        return _need(self.index_editions, day, "the editions of HJ 633")

    def index_named(self, name: str) -> IndexEdition:
        """Return an edition of HJ 633 by name, whatever the date.

        Raises
        ------
        UnknownName
            When there is none of this name.
        """
        found = next((e for e in self.index_editions if e.name == name), None)
        if found is None:
            raise UnknownName("the editions of HJ 633", name)
        return found

    def index_groups(self, days: NDArray[np.int64]) -> Iterator[tuple[IndexEdition, NDArray[np.bool_]]]:
        """Yield each edition that some of these days need, with the mask of those days.

        Days before the first edition are in no mask: they have no index.
        """
        for edition in self.index_editions:
            mask = days >= edition.start_day
            if edition.end_day is not None:
                mask &= days <= edition.end_day
            if mask.any():
                yield edition, mask

    def completeness(self, day: int) -> Completeness:
        """Return the least counts for a Beijing day; before the first edition those of the first."""
        return _at(self.completeness_editions, day) or self.completeness_editions[0]


def day_number(day: date) -> int:
    """Return the Beijing day number of a calendar date."""
    return day.toordinal() - _EPOCH


def calendar_date(day: int) -> date:
    """Return the calendar date of a Beijing day number."""
    return date.fromordinal(day + _EPOCH)


def parse_standards(pack: Mapping[str, Mapping[str, Any]], factors: Mapping[str, Factor]) -> Standards:
    """Return the standards from their mappings.

    Parameters
    ----------
    pack
        File name → content, for each of `PACK_FILES`.
    factors
        The factor table of air: it gives the digits.

    Raises
    ------
    ConfigError
        When a file misses a key, has a value of the wrong kind, or its editions overlap or leave a gap.
    """
    limits, index, completeness = PACK_FILES
    return Standards(
        pack=pack_hash(pack),
        limit_editions=_editions(pack, limits, lambda row: _limit_edition(row, factors)),
        index_editions=_editions(pack, index, lambda row: _index_edition(row, factors)),
        completeness_editions=_editions(pack, completeness, _completeness),
    )


def pack_hash(pack: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the first 16 hex digits of the SHA-256 of the canonical content; comments do not count."""
    canonical = json.dumps(pack, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


@cache
def load_standards() -> Standards:
    """Read the packaged standards.

    Raises
    ------
    ConfigError
        When a file of the pack is wrong.
    """
    folder = files("streams").joinpath("data")
    pack = {name: yaml.safe_load(folder.joinpath(name).read_text(encoding="utf-8")) for name in PACK_FILES}
    return parse_standards(pack, load_factors("air"))


def _at(editions: Sequence[_D], day: int) -> _D | None:
    if not -_DAY_BOUND < day < _DAY_BOUND:
        raise ValueError(f"{day} is no day number; sensors.clock.day_of makes one of milliseconds")
    for edition in reversed(editions):
        if edition.start_day <= day and (edition.end_day is None or day <= edition.end_day):
            return edition
    return None


def _need(editions: Sequence[_D], day: int, table: str) -> _D:
    found = _at(editions, day)
    if found is None:
        raise UnknownName(table, calendar_date(day).isoformat())
    return found


def _editions(
    pack: Mapping[str, Mapping[str, Any]], name: str, parse: Callable[[Mapping[str, Any]], _D]
) -> tuple[_D, ...]:
    try:
        editions = tuple(parse(row) for row in pack[name]["editions"])
        _check_dates(editions)
    except (KeyError, TypeError, ValueError) as cause:
        problem = f"cannot be read: {type(cause).__name__} {cause}"
        mend = "compare it with the file as delivered"
        raise ConfigError(file=name, line=None, key="editions", problem=problem, mend=mend) from cause
    return editions


def _check_dates(editions: Sequence[_Dated]) -> None:
    for earlier, later in pairwise(editions):
        if earlier.end_day is None or earlier.end_day + 1 != later.start_day:
            raise ValueError(f"editions do not follow day by day: {earlier.end_day} then {later.start_day}")


def _span(row: Mapping[str, Any]) -> tuple[int, int | None]:
    return day_number(row["from"]), None if row["to"] is None else day_number(row["to"])


def _fixed(value: float | str, digits: int) -> int:
    scaled = Fraction(str(value)) * 10**digits
    if scaled.denominator != 1:
        raise ValueError(f"{value} is finer than {digits} digits")
    return int(scaled)


def _limit_edition(row: Mapping[str, Any], factors: Mapping[str, Factor]) -> LimitEdition:
    limits = tuple(
        limit
        for table in row["tables"]
        for cell in table["rows"]
        for limit in _limits(row, table["table"], cell, factors)
    )
    start, end = _span(row)
    return LimitEdition(
        name=row["name"],
        standard=row["standard"],
        start_day=start,
        end_day=end,
        limits=limits,
        cells={(limit.factor, window, limit.zone): limit for limit in limits for window in limit.judges},
    )


def _limits(
    edition: Mapping[str, Any], table: str, cell: Mapping[str, Any], factors: Mapping[str, Factor]
) -> Iterator[Limit]:
    factor = factors.get(cell["factor"])
    if factor is not None and factor.unit != cell["unit"]:
        raise ValueError(f"{factor.symbol} in {cell['unit']}, the factor table has {factor.unit}")
    digits = OTHER_DIGITS if factor is None else factor.digits
    start, end = _span(edition)
    for zone, value in enumerate(cell["at"], start=1):
        yield Limit(
            edition=edition["name"],
            standard=edition["standard"],
            table=table,
            clause=edition["clause"],
            factor=cell["factor"],
            window=cell["window"],
            judges=tuple(cell.get("judges", (cell["window"],))),
            zone=zone,
            value=_fixed(value, digits),
            digits=digits,
            unit=cell["unit"],
            start_day=start,
            end_day=end,
            confidence=Confidence(edition["confidence"]),
        )


def _index_edition(row: Mapping[str, Any], factors: Mapping[str, Factor]) -> IndexEdition:
    table = row["breakpoints"]
    columns = tuple(_breakpoints(table, column, factors) for column in table["columns"])
    found = {(column.factor, column.window): column for column in columns}
    start, end = _span(row)
    rules = row["rules"]
    return IndexEdition(
        name=row["name"],
        standard=row["standard"],
        title_zh=row["title_zh"],
        start_day=start,
        end_day=end,
        confidence=Confidence(row["confidence"]),
        breakpoints=columns,
        real_time=_items(row["items"]["real_time"]["items"], found),
        daily=_items(row["items"]["daily"]["items"], found),
        index_min=int(rules["index_min"]),
        primary_over=int(rules["primary_over"]["value"]),
        exceeding_over=rules["exceeding_over"]["value"],
        rest_over=rules["rest_over"]["value"],
        levels=tuple(_level(level) for level in row["levels"]["rows"]),
    )


def _breakpoints(table: Mapping[str, Any], column: Mapping[str, Any], factors: Mapping[str, Factor]) -> Breakpoints:
    digits = factors[column["factor"]].digits
    concentrations = tuple(_fixed(value, digits) for value in column["at"])
    if any(low >= high for low, high in pairwise(concentrations)):
        raise ValueError(f"breakpoints of {column['factor']} {column['window']} do not ascend")
    return Breakpoints(
        factor=column["factor"],
        window=column["window"],
        digits=digits,
        concentrations=concentrations,
        indices=tuple(table["iaqi"][: len(concentrations)]),
        over=OverTable(column["over"]),
        table=table["table"],
        clause=table["clause"],
    )


def _items(rows: Sequence[Sequence[str]], found: Mapping[tuple[str, str], Breakpoints]) -> tuple[Item, ...]:
    return tuple(
        Item(factor=factor, window=Window(window), breakpoints=found[factor, column]) for factor, window, column in rows
    )


def _level(row: Mapping[str, Any]) -> Level:
    return Level(
        level=row["level"],
        start=row["from"],
        end=row["to"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        colour_zh=row["colour_zh"],
        rgb=row["rgb"],
    )


def _completeness(row: Mapping[str, Any]) -> Completeness:
    start, end = _span(row)
    return Completeness(
        name=row["name"],
        standard=row["standard"],
        start_day=start,
        end_day=end,
        confidence=Confidence(row["confidence"]),
        hour_minutes=row["hour_minutes"],
        particle_hour_minutes=row["particle_hour_minutes"],
        o3_8h_hours=row["o3_8h_hours"],
        running_24h_hours=row["running_24h_hours"],
        day_hours=row["day_hours"],
        mda8_windows=row["mda8_windows"],
        mda8_fewer_if_over=row["mda8_fewer_if_over"],
        not_seen=tuple(row["not_seen"]),
    )
