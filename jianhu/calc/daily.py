"""``jianhu calc daily``: hours in, days with every daily statistic of air out.

Rows may stand in any order; of two rows of one site and hour the later in the file holds. Hours are rounded to
the standard's digit first, as everywhere (rulings, "Rounding chain").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jianhu.calc.aqi import AUTO, Indexed, Request, Rows, index_rows, index_texts
from jianhu.calc.cells import Cell
from jianhu.calc.items import SITE, TIME, Period, bad_cells_text, item_columns, read_items, unusable
from jianhu.calc.times import Stamp, read_times
from jianhu.sheet import open_sheet, write_pieces
from sensors.clock import BEIJING_OFFSET_MS, HOUR_MS
from sensors.factors import Factor, load_factors
from sensors.layouts import Label
from streams.air.index import Profile
from streams.air.means import DAY_SPAN, FIRST_MDA8_END, MDA8_WINDOWS, O3_SPAN, mda8
from streams.judging.means import Means, day_mean, running_mean
from streams.standards import Completeness, Standards, calendar_date, load_standards

O3: Final = "O3"
_CHUNK: Final = 20_000
"""Days worked on at once."""


@dataclass(slots=True, kw_only=True)
class DailyReport:
    """What a run made, for the person who started it."""

    pack: str
    rows: int = 0
    days: int = 0
    indexed: int = 0
    bad_times: int = 0
    repeated: int = 0
    """Rows whose site and hour a later row gives again."""
    bad_cells: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the report as one line for the screen."""
        parts = [
            f"{self.rows} rows, {self.days} days, {self.indexed} with an AQI",
            f"{self.repeated} rows given again by a later one" if self.repeated else "",
            f"times that could not be used: {self.bad_times}" if self.bad_times else "",
            bad_cells_text(self.bad_cells),
            f"standards pack {self.pack}",
        ]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourTable:
    """Hours of sites in the order of site, day and hour, each once: ``I`` items, ``N`` rows."""

    sites: tuple[str, ...]
    site: NDArray[np.int32]
    """``[N]``: place in `sites`."""
    hour: NDArray[np.int64]
    """``[N]``: Beijing hours since 1970-01-01, of the interval's start."""
    values: NDArray[np.int64]
    """``[I, N]``: rounded to the standard's digit, in fixed point."""
    cells: NDArray[np.uint8]
    """``[I, N]`` of `Cell`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTable:
    """Days of sites: ``I`` items in the order of the factor table, ``D`` days."""

    site: NDArray[np.int32]
    day: NDArray[np.int64]
    values: NDArray[np.int64]
    """``[I, D]``: 24 h means, of ozone MDA8."""
    cells: NDArray[np.uint8]
    """``[I, D]`` of `Cell`."""
    counts: NDArray[np.int64]
    """``[I, D]``: valid hours, of ozone the valid 8 h means."""
    o3_max: NDArray[np.int64]
    """``[D]``: largest hour of ozone; -1 where there is none."""
    o3_hours: NDArray[np.int64]
    """``[D]``: valid hours of ozone."""


def calc_daily(
    in_path: Path,
    out_path: Path,
    *,
    label: Label,
    edition: str = AUTO,
    profile: Profile = Profile.STANDARD,
    zone: int = 2,
) -> DailyReport:
    """Write the days of a table of hours: means, ozone, IAQIs, AQI, level, primary pollutants, counts and reasons.

    Parameters
    ----------
    in_path
        CSV as for `jianhu.calc.aqi.calc_aqi` with ``1h``: ``time, site, PM2.5, PM10, SO2, NO2, CO, O3``. UTF-8 or GBK.
        Only the numbers are held in memory, about 60 bytes a row.
    out_path
        ``time`` (the date), ``site``, the five means and ``O3_8h`` (MDA8) as ``calc aqi --period 24h`` reads them,
        ``O3_1h_max``, the valid hours ``…_hours`` (of MDA8 the valid 8 h means ``O3_8h_windows``), and the index.
        Replaced only when everything went well.
    label
        Which end of its hour ``time`` names.
    edition
        ``auto``, or the name of an edition for all days.
    profile
        The rule for days with a missing item.
    zone
        Class of the zone, 1 or 2: over its ozone limit a day with fewer 8 h means counts.

    Raises
    ------
    ConfigError
        When the file is empty, no table, or lacks a column.
    UnknownName
        When there is no such edition.
    EdgeError
        When a file cannot be read or written.

    References
    ----------
    .. [1] GB 3095 table 4 and HJ 663: hours that a day needs; HJ 633: daily index.
    """
    standards = load_standards()
    chosen = None if edition == AUTO else standards.index_named(edition)
    request = Request(period=Period.DAY, edition=chosen, profile=profile)
    report = DailyReport(pack=standards.pack)
    hours = _read(in_path, label, report)
    days = days_of(hours, standards, zone)
    report.days = len(days.day)
    pieces = _pieces(days, hours.sites, request, standards, report)
    write_pieces(out_path, pieces)
    return report


def _read(path: Path, label: Label, report: DailyReport) -> HourTable:
    """Return the hours of a sheet; counts what cannot be used."""
    sheet = open_sheet(path)
    columns = item_columns(sheet.names, Period.HOUR, str(path))
    bad = np.zeros(len(columns), np.int64)
    sites: dict[str, int] = {}
    parts: list[tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]] = []
    for piece in sheet.pieces():
        starts, stamps = read_times(piece[TIME].combine_chunks(), label, hours=True)
        values, cells = read_items(piece, columns)
        bad += unusable(cells)
        timed = stamps == Stamp.TIME
        report.rows += len(timed)
        report.bad_times += int((~timed).sum())
        site = _site_places(piece[SITE].combine_chunks(), sites)
        hour = (starts + BEIJING_OFFSET_MS) // HOUR_MS
        parts.append((site[timed], hour[timed], values[:, timed].astype(np.int32), cells[:, timed]))
    report.bad_cells = {column.name: int(n) for column, n in zip(columns, bad, strict=True) if n}
    site, hour, values, cells = (np.concatenate([part[k] for part in parts], axis=-1) for k in range(4))
    order = np.lexsort((np.arange(len(hour)), hour, site))
    site, hour = site[order], hour[order]
    # Sorted by place in the file within one hour: the last one holds.
    last = np.ones(len(hour), np.bool_)
    last[:-1] = (site[1:] != site[:-1]) | (hour[1:] != hour[:-1])
    report.repeated = int((~last).sum())
    kept = order[last]
    return HourTable(
        sites=tuple(sites),
        site=site[last],
        hour=hour[last],
        values=values[:, kept].astype(np.int64),
        cells=cells[:, kept],
    )


def _site_places(texts: pa.Array, sites: dict[str, int]) -> NDArray[np.int32]:
    """Return each row's place among the sites, of which new ones are added."""
    encoded = pc.dictionary_encode(pc.fill_null(texts, ""))
    places = [sites.setdefault(name, len(sites)) for name in encoded.dictionary.to_pylist()]
    rows: NDArray[np.int32] = np.array(places, np.int32)[encoded.indices.to_numpy(zero_copy_only=False)]
    return rows


def days_of(hours: HourTable, standards: Standards, zone: int) -> DayTable:
    """Return the days that have at least one row, in the order of site and day.

    Parameters
    ----------
    hours
        Sorted hours, each once.
    standards
        Counts by edition, and the ozone limit.
    zone
        Class of the zone, 1 or 2.
    """
    factors = tuple(load_factors("air").values())[: len(hours.values)]
    day_of_row = hours.hour // DAY_SPAN
    key = hours.site.astype(np.int64) * (1 << 32) + day_of_row
    keys, place = np.unique(key, return_inverse=True)
    site, day = (keys >> 32).astype(np.int32), keys & ((1 << 32) - 1)
    parts = []
    for start in range(0, max(len(keys), 1), _CHUNK):
        rows = slice(*np.searchsorted(place, [start, start + _CHUNK]))
        count = min(_CHUNK, len(keys) - start)
        values = np.zeros((len(factors), count, DAY_SPAN), np.int64)
        cells = np.full(values.shape, Cell.EMPTY, np.uint8)
        at = (place[rows] - start, hours.hour[rows] % DAY_SPAN)
        values[:, *at], cells[:, *at] = hours.values[:, rows], hours.cells[:, rows]
        parts.append(
            _days(values, cells=cells, day=day[start : start + count], factors=factors, standards=standards, zone=zone)
        )
    values, cells, counts, o3_max, o3_hours = (np.concatenate([p[k] for p in parts], axis=-1) for k in range(5))
    return DayTable(
        site=site, day=day, values=values, cells=cells.astype(np.uint8), counts=counts, o3_max=o3_max, o3_hours=o3_hours
    )


def _days(
    values: NDArray[np.int64],
    *,
    cells: NDArray[np.uint8],
    day: NDArray[np.int64],
    factors: Sequence[Factor],
    standards: Standards,
    zone: int,
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return values, cells and counts ``[I, D]``, and ozone's largest hour and valid hours, of hours ``[I, D, 24]``."""
    present = cells == Cell.VALUE
    result, states, counts = np.zeros(values.shape[:2], np.int64), np.zeros(values.shape[:2], np.uint8), []
    for rule, mask in _completeness(day, standards):
        for item, factor in enumerate(factors):
            hours, there = values[item, mask], present[item, mask]
            if factor.symbol == O3:
                limits = _limits(day[mask], standards, zone) if rule.mda8_fewer_if_over else None
                means = _mda8(hours, there, rule, factor.step, limits)
            else:
                means = day_mean(hours, there, at_least=rule.day_hours, step=factor.step)
            result[item, mask], states[item, mask] = means.value, np.where(means.ok, Cell.VALUE, Cell.INCOMPLETE)
    for item in range(len(factors)):
        counts.append(present[item].sum(axis=-1))
        planned = (cells[item] == Cell.PLAN).any(axis=-1)
        states[item, counts[-1] == 0] = Cell.EMPTY
        # "/" in every hour that is there, and nowhere a value.
        states[item, (counts[-1] == 0) & planned] = Cell.PLAN
    o3 = [factor.symbol for factor in factors].index(O3)
    largest = np.where(present[o3], values[o3], -1).max(axis=-1, initial=-1)
    numbers = np.stack(counts)
    o3_hours = numbers[o3].copy()
    numbers[o3] = _windows(values[o3], present[o3], day, standards, factors[o3].step)
    return result, states, numbers, largest, o3_hours


def _completeness(day: NDArray[np.int64], standards: Standards) -> Iterator[tuple[Completeness, NDArray[np.bool_]]]:
    """Yield the counts that hold, with the mask of their days."""
    rules = {int(number): standards.completeness(int(number)) for number in np.unique(day)}
    for rule in dict.fromkeys(rules.values()):
        yield rule, np.isin(day, [number for number, found in rules.items() if found == rule])


def _limits(day: NDArray[np.int64], standards: Standards, zone: int) -> NDArray[np.int64]:
    """Return the limit of MDA8 on each day; before the first edition none is ever passed."""
    found = {int(number): standards.limit(O3, "MDA8", zone, int(number)) for number in np.unique(day)}
    never = np.iinfo(np.int64).max
    table = {number: never if limit is None else limit.value for number, limit in found.items()}
    return np.array([table[number] for number in day.tolist()], np.int64)


def _mda8(
    hours: NDArray[np.int64], there: NDArray[np.bool_], rule: Completeness, step: int, limits: NDArray[np.int64] | None
) -> Means:
    window = slice(FIRST_MDA8_END - 1, FIRST_MDA8_END - 1 + MDA8_WINDOWS)
    means = running_mean(hours, there, span=O3_SPAN, at_least=rule.o3_8h_hours, step=step)
    return mda8(means.value[:, window], means.ok[:, window], at_least=rule.mda8_windows, limit=limits)


def _windows(
    hours: NDArray[np.int64], there: NDArray[np.bool_], day: NDArray[np.int64], standards: Standards, step: int
) -> NDArray[np.int64]:
    """Return how many 8 h means of each day are valid."""
    found = np.zeros(len(day), np.int64)
    for rule, mask in _completeness(day, standards):
        found[mask] = _mda8(hours[mask], there[mask], rule, step, None).valid
    return found


def _pieces(
    days: DayTable, sites: Sequence[str], request: Request, standards: Standards, report: DailyReport
) -> Iterator[dict[str, pa.Array]]:
    """Yield the result in pieces, one at least."""
    factors = tuple(load_factors("air").values())[: len(days.values)]
    names = pa.array(list(sites), pa.utf8())
    for start in range(0, max(len(days.day), 1), _CHUNK):
        cut = slice(start, start + _CHUNK)
        rows = Rows(
            values=days.values[:, cut],
            cells=days.cells[:, cut],
            days=days.day[cut],
            stamps=np.zeros(len(days.day[cut]), np.uint8),
        )
        result = index_rows(rows, request, standards)
        report.indexed += int((result.aqi >= 0).sum())
        yield _columns(days, cut, names.take(pa.array(days.site[cut])), result, factors, standards)


def _columns(  # noqa: PLR0917  a piece and what is said of it
    days: DayTable,
    cut: slice,
    sites: pa.Array,
    result: Indexed,
    factors: Sequence[Factor],
    standards: Standards,
) -> dict[str, pa.Array]:
    """Return the columns of the result for some of the days."""
    dates = {number: calendar_date(number).isoformat() for number in np.unique(days.day[cut]).tolist()}
    made = {TIME: pa.array([dates[number] for number in days.day[cut].tolist()], pa.utf8()), SITE: sites}
    counts = {}
    for item, factor in enumerate(factors):
        ozone = factor.symbol == O3
        valid = days.cells[item, cut] == Cell.VALUE
        if ozone:
            made[f"{O3}_1h_max"] = _numbers(days.o3_max[cut], days.o3_max[cut] >= 0, factor)
            counts[f"{O3}_hours"] = _counts(days.o3_hours[cut])
        made[f"{O3}_8h" if ozone else factor.symbol] = _numbers(days.values[item, cut], valid, factor)
        counts[f"{O3}_8h_windows" if ozone else f"{factor.symbol}_hours"] = _counts(days.counts[item, cut])
    symbols = tuple(factor.symbol for factor in factors)
    return made | counts | index_texts(result, symbols, standards)


def _numbers(values: NDArray[np.int64], there: NDArray[np.bool_], factor: Factor) -> pa.Array:
    """Return values at the standard's digits as text, empty where there is none."""
    whole = (values // factor.step).tolist()
    texts = [
        "" if not ok else str(number) if not factor.decimals else f"{number / 10**factor.decimals:.{factor.decimals}f}"
        for number, ok in zip(whole, there.tolist(), strict=True)
    ]
    return pa.array(texts, pa.utf8())


def _counts(values: NDArray[np.int64]) -> pa.Array:
    return pc.cast(pa.array(values), pa.utf8())
