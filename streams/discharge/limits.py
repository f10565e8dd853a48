"""Limits of standards as dated data: which values are allowed, over which time, at which place, since when.

A file of `PACK_FILES` holds one standard. Rows that hold for the same thing at the same time are an
error; between rows decide the date of the data, the plant's own date, the season, the trade, the
place and the water temperature.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Final

from sensors.clock import day_number
from sensors.errors import UnknownName
from sensors.windows import Confidence
from sensors.yamlfile import Document, parse_yaml
from streams.discharge.limitfile import Cell, LimitFile, LimitRow, LimitTable, Period, Temperature

PACK_FILES: Final = (
    "gb18918.yaml", "db33_2169.yaml", "gb4287.yaml", "gb8978.yaml", "gb37822.yaml", "gb16297.yaml", "gb14554.yaml",
    "gb3096.yaml",
)  # fmt: skip
"""The files of the pack, in `streams/data`."""
_Path = tuple[str | int, ...]
_FIRST_DAY: Final = dt.date.min
_LAST_DAY: Final = dt.date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """Part of every year, or all of the year but it."""

    name: str
    first: tuple[int, int]
    """Month and day."""
    last: tuple[int, int]
    """Inside as well; before ``first`` it runs over the new year."""
    inside: bool

    def holds_on(self, day: dt.date) -> bool:
        """Return whether a Beijing date lies in it."""
        here = (day.month, day.day)
        if self.first <= self.last:
            return (self.first <= here <= self.last) == self.inside
        return (here >= self.first or here <= self.last) == self.inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit; a value equal to it is within it."""

    standard: str
    table: str
    clause: str
    column: str
    factor: str
    period: Period
    low: Fraction | None
    """Least value allowed, of ranges (pH)."""
    high: Fraction | None
    """Greatest value allowed; None with ``low`` None as well: not detectable."""
    unit: str
    start_day: int
    end_day: int | None
    """Beijing days of the data, both inside; None while no end is known."""
    built_from: dt.date | None = None
    built_to: dt.date | None = None
    """The plant's own date, both inside."""
    temperature: Temperature = Temperature.ANY
    season: Season | None = None
    trades: tuple[str, ...] = ()
    """Empty: every trade."""
    place: tuple[str, ...] = ()
    """Empty: every place."""
    hints: tuple[str, ...] = ()
    """Shorter windows that may hint at it."""
    proportional: bool = True
    """Whether shares and multiples of it mean anything; they do not for decibel."""
    source: str
    confidence: Confidence

    @property
    def not_detectable(self) -> bool:
        """Whether nothing at all may be found; without a detection limit no number can be held against it."""
        return self.low is None and self.high is None

    def holds_on(self, day: int) -> bool:
        """Return whether it is in force on a Beijing day, its season included."""
        if day < self.start_day or (self.end_day is not None and day > self.end_day):
            return False
        return self.season is None or self.season.holds_on(_date(day))

    def takes(self, built: dt.date | None) -> bool:
        """Return whether it holds for a plant of this date; None has no date, and meets only what asks for none."""
        if built is None:
            return self.built_from is None and self.built_to is None
        return (self.built_from or _FIRST_DAY) <= built <= (self.built_to or _LAST_DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSet:
    """The limits of one standard."""

    standard: str
    title_zh: str
    title_en: str
    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    aliases: Mapping[str, str]
    trades: tuple[str, ...]
    column_setting: str
    """Empty: a permit must name the column."""
    proxies: Mapping[str, tuple[str, ...]]
    methods: Mapping[str, tuple[str, ...]]
    bases: Mapping[str, tuple[str, ...]]
    limits: tuple[Limit, ...]

    def column(self, name: str) -> str:
        """Return the column that a name stands for; the only one where the name is empty.

        Raises
        ------
        UnknownName
            When there is none, or the name is empty and there are several.
        """
        column = self.aliases.get(name, name) or (self.columns[0] if len(self.columns) == 1 else "")
        if column not in self.columns:
            raise UnknownName(f"the columns of {self.standard} ({', '.join((*self.columns, *self.aliases))})", name)
        return column

    def asks_built(self, column: str, start_day: int) -> bool:
        """Return whether some limit of a column, of a Beijing day or later, depends on the plant's own date."""
        return any(
            limit.column == column and (limit.built_from or limit.built_to) and start_day <= _end(limit)
            for limit in self.limits
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPack:
    """All standards that judge what is let out."""

    pack: str
    """First 16 hex digits of the SHA-256 of the files."""
    sets: Mapping[str, LimitSet]
    """Standard → its limits."""

    def of(self, standard: str) -> LimitSet:
        """Return the limits of a standard.

        Raises
        ------
        UnknownName
            When the pack has none of that name.
        """
        if standard not in self.sets:
            raise UnknownName(f"the standards of discharge ({', '.join(self.sets)})", standard)
        return self.sets[standard]

    def of_kind(self, kind: str) -> tuple[LimitSet, ...]:
        """Return the standards that judge a kind, in the pack's order."""
        return tuple(found for found in self.sets.values() if kind in found.kinds)


@cache
def load_limits() -> LimitPack:
    """Read the packaged limits.

    Raises
    ------
    ConfigError
        When a file is wrong.
    """
    folder = files("streams").joinpath("data")
    texts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in PACK_FILES}
    sets = [parse_limits(parse_yaml(text, name)) for name, text in texts.items()]
    digest = hashlib.sha256("\0".join(texts.values()).encode()).hexdigest()[:16]
    return LimitPack(pack=digest, sets={found.standard: found for found in sets})


def parse_limits(document: Document) -> LimitSet:
    """Return the limits that a document says.

    Raises
    ------
    ConfigError
        When a key is unknown, missing (a limit without a unit) or of a wrong type; when a row has
        another number of cells than there are columns, names a season, trade or column that is not
        there, ends before it begins, or holds for the same thing at the same time as another.
    """
    file = document.read_as(LimitFile, mend="give what streams/discharge/limitfile.py describes")
    for name, column in file.aliases.items():
        if column not in file.columns:
            raise document.error(("aliases", name), f"no column {column!r}", f"name one of {', '.join(file.columns)}")
    rows = [
        (("tables", at, "rows", place), limit)
        for at, table in enumerate(file.tables)
        for place, row in enumerate(table.rows)
        for limit in _limits_of(document, file, table, row, ("tables", at, "rows", place))
    ]
    _check_overlaps(document, rows)
    return LimitSet(
        standard=file.standard,
        title_zh=file.title.zh,
        title_en=file.title.en,
        kinds=file.kinds,
        columns=file.columns,
        aliases=file.aliases,
        trades=file.trades,
        column_setting=file.column_setting,
        proxies=file.proxies,
        methods=file.methods,
        bases=file.bases,
        limits=tuple(limit for _, limit in rows),
    )


def bounds(cell: Cell) -> tuple[Fraction | None, Fraction | None]:
    """Return the least and the greatest value that a cell allows; both None: not detectable."""
    if isinstance(cell, tuple):
        return _exact(cell[0]), _exact(cell[1])
    return None, None if isinstance(cell, str) or cell is None else _exact(cell)


def _limits_of(document: Document, file: LimitFile, table: LimitTable, row: LimitRow, path: _Path) -> Iterator[Limit]:
    columns = table.columns or file.columns
    _check_row(document, file, columns, row, path)
    first, last = row.start or table.start, row.last or table.last
    if last is not None and last < first:
        raise document.error((*path, "to"), f"{last} lies before {first}", "give the last day on which it holds")
    for column, cell in zip(columns, row.at, strict=True):
        if cell is None:
            continue
        low, high = bounds(cell)
        if low is not None and high is not None and low > high:
            raise document.error((*path, "at"), f"[{low}, {high}] is upside down", "give [least, greatest]")
        yield Limit(
            standard=file.standard,
            table=table.table,
            clause=table.clause,
            column=column,
            factor=row.factor,
            period=table.period,
            low=low,
            high=high,
            unit=row.unit,
            start_day=day_number(first),
            end_day=None if last is None else day_number(last),
            built_from=row.built_from or table.built_from,
            built_to=row.built_to or table.built_to,
            temperature=row.temperature,
            season=_season(file, row),
            trades=row.trades,
            place=row.place or table.place,
            hints=table.hints,
            proportional=file.proportional,
            source=row.source or table.source,
            confidence=table.confidence,
        )


def _check_row(document: Document, file: LimitFile, columns: tuple[str, ...], row: LimitRow, path: _Path) -> None:
    if len(row.at) != len(columns):
        mend = f"give one for each of {', '.join(columns)}; null where a column has no limit"
        raise document.error((*path, "at"), f"{len(row.at)} cells for {len(columns)} columns", mend)
    for name in columns:
        if name not in file.columns:
            raise document.error(
                (*path[:2], "columns"), f"no column {name!r}", f"name some of {', '.join(file.columns)}"
            )
    for key, name in (("season", row.season), ("outside", row.outside)):
        if name and name not in file.seasons:
            mend = f"name one of {', '.join(file.seasons) or 'seasons, once there are some'}"
            raise document.error((*path, key), f"no season {name!r}", mend)
    for name in row.trades:
        if name not in file.trades:
            mend = f"name one of {', '.join(file.trades) or 'trades, once there are some'}"
            raise document.error((*path, "trades"), f"no trade {name!r}", mend)


def _season(file: LimitFile, row: LimitRow) -> Season | None:
    name = row.season or row.outside
    if not name:
        return None
    found = file.seasons[name]
    return Season(name=name, first=_month_day(found.start), last=_month_day(found.last), inside=bool(row.season))


def _check_overlaps(document: Document, rows: Iterable[tuple[_Path, Limit]]) -> None:
    groups: dict[tuple[str, str, Period], list[tuple[_Path, Limit]]] = {}
    for path, limit in rows:
        groups.setdefault((limit.factor, limit.column, limit.period), []).append((path, limit))
    for group in groups.values():
        for (earlier, one), (path, other) in combinations(group, 2):
            if _meet(one, other):
                problem = (
                    f"{other.factor} in column {other.column} has a limit already for the same time and plant, "
                    f"in line {document.line_of(earlier)}"
                )
                raise document.error(path, problem, "let one end (to) on the day before the other begins (from)")


def _meet(one: Limit, other: Limit) -> bool:
    """Return whether two limits of a factor can hold for the same value."""
    days = max(one.start_day, other.start_day) <= min(_end(one), _end(other))
    age = max(one.built_from or _FIRST_DAY, other.built_from or _FIRST_DAY) <= min(
        one.built_to or _LAST_DAY, other.built_to or _LAST_DAY
    )
    warm = Temperature.ANY in {one.temperature, other.temperature} or one.temperature is other.temperature
    apart = (
        one.season is not None
        and other.season is not None
        and one.season.name == other.season.name
        and one.season.inside != other.season.inside
    )
    return days and age and warm and not apart and _share(one.trades, other.trades) and _share(one.place, other.place)


def _share(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return not one or not other or not set(one).isdisjoint(other)


def _end(limit: Limit) -> int:
    return day_number(_LAST_DAY) if limit.end_day is None else limit.end_day


def _exact(number: float) -> Fraction:
    return Fraction(str(number))


def _month_day(text: str) -> tuple[int, int]:
    return int(text[:2]), int(text[3:])


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(day + _EPOCH)


_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
