"""One site over a time: its factors on one window, its index hour by hour, and why values are missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dashboards.limits import LimitOf, over
from dashboards.rows import Row
from sensors.clock import BEIJING, DAY_MS, HOUR_MS, day_of, first_hour_of_day, ms_of
from sensors.factors import Factor
from sensors.registry import Site
from streams.results import AQI, Window
from streams.standards import Limit

DEFAULT_HOURS: Final = 48
DEFAULT_DAYS: Final = 30
_FIRST_YEAR, _LAST_YEAR = 1992, 2200
LONGEST_HOURS: Final = 31 * 24
LONGEST_DAYS: Final = 366


class View(StrEnum):
    """Which windows a station page shows."""

    HOUR = "1h"
    EIGHT = "8h"
    RUNNING = "24h"
    DAY = "day"


WINDOWS: Final[Mapping[View, tuple[Window, ...]]] = {
    View.HOUR: (Window.HOUR,),
    View.EIGHT: (Window.O3_8H, Window.O3_8H_PLATFORM),
    View.RUNNING: (Window.RUNNING_24H,),
    View.DAY: (Window.DAY, Window.MDA8),
}
"""The windows of a view; the first that a factor has is its panel, any other is a panel of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of intervals: starts from ``start`` to before ``end``, milliseconds UTC."""

    start: int
    end: int
    step: int
    cut: bool = False
    """Whether more was asked for than a page shows."""

    @property
    def starts(self) -> range:
        """The start of every interval."""
        return range(self.start, self.end, self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One interval of a panel; without a row there was no result."""

    start: int
    row: Row | None
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """A limit over the part of the span in which it was in force."""

    start: int
    end: int
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One factor on one window."""

    factor: Factor
    window: Window
    points: tuple[Point, ...]
    limits: tuple[LimitLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StationView:
    """A site over a span."""

    site: Site
    view: View
    span: Span
    panels: tuple[Panel, ...]
    index: tuple[Point, ...]
    """The AQI of each interval: real-time by hour, daily by day."""


def read_span(view: View, from_text: str, to_text: str, newest: int) -> Span:
    """Return the span that a page was asked for.

    Parameters
    ----------
    from_text, to_text
        Beijing dates or times in ISO form, ``2026-11-19`` or ``2026-11-19T08:00``; a date as the end
        means all of that day. Empty: the last 48 h, or 30 days of days.
    newest
        Start of the newest hour, milliseconds UTC, where an open end is.

    Raises
    ------
    ValueError
        When a text is no time, or the end is not after the start.
    """
    daily = view is View.DAY
    step = DAY_MS if daily else HOUR_MS
    asked_end = moment(to_text, whole_day=True) if to_text else None
    end = _ceil(asked_end, daily=daily) if asked_end is not None else _floor(newest, daily=daily) + step
    asked_start = moment(from_text, whole_day=False) if from_text else None
    usual = (DEFAULT_DAYS if daily else DEFAULT_HOURS) * step
    start = _floor(asked_start, daily=daily) if asked_start is not None else end - usual
    if start >= end:
        raise ValueError(f"{from_text} is not before {to_text}")
    longest = (LONGEST_DAYS if daily else LONGEST_HOURS) * step
    return Span(start=max(start, end - longest), end=end, step=step, cut=end - start > longest)


def moment(text: str, *, whole_day: bool) -> int:
    """Return a Beijing date or time in ISO form as milliseconds UTC; of a date as an end its last instant.

    Raises
    ------
    ValueError
        When it is no time, or lies in no year that can be meant.
    """
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=BEIJING)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"{text} lies outside of {_FIRST_YEAR} to {_LAST_YEAR}")
    ms = ms_of(moment)
    return ms + DAY_MS if whole_day and len(text) == len("2026-11-19") else ms


def _floor(ms: int, *, daily: bool) -> int:
    return first_hour_of_day(day_of(ms)) * HOUR_MS if daily else ms // HOUR_MS * HOUR_MS


def _ceil(ms: int, *, daily: bool) -> int:
    floor = _floor(ms, daily=daily)
    return floor if floor == ms else floor + (DAY_MS if daily else HOUR_MS)


def build_station(
    *,
    site: Site,
    view: View,
    span: Span,
    rows: Sequence[Row],
    factors: Mapping[str, Factor],
    limit_of: LimitOf,
) -> StationView:
    """Return a site over a span: a panel for each factor and window of the view that has rows.

    An interval without a row is a point without one: a gap, never joined.
    """
    found: dict[tuple[str, str], dict[int, Row]] = {}
    for row in rows:
        found.setdefault((row.factor, row.window), {})[row.start] = row
    panels = [
        _panel(site=site, factor=factor, window=window, span=span, rows=found[factor.symbol, window], limit_of=limit_of)
        for factor in factors.values()
        for window in WINDOWS[view]
        if (factor.symbol, window) in found
    ]
    index = found.get((AQI, Window.DAY if view is View.DAY else Window.HOUR), {})
    return StationView(
        site=site,
        view=view,
        span=span,
        panels=tuple(panels),
        index=tuple(Point(start=start, row=index.get(start), over=False) for start in span.starts),
    )


def strip_labels(points: Sequence[Point], step: int) -> list[str]:
    """Return which primary pollutants a strip of an index names under its cells; empty for most.

    Named where they change and once a day, never in neighbouring cells, which are too narrow.
    """
    labels: list[str] = []
    before = ""
    for place, point in enumerate(points):
        primary = point.row.primary if point.row else ""
        morning = step == HOUR_MS and first_hour_of_day(day_of(point.start)) * HOUR_MS == point.start
        free = not any(labels[-2:])
        shown = primary if free and (primary != before or morning or place == 0) else ""
        labels.append(shown)
        before = shown or (before if primary else "")
    return labels


def _panel(
    *, site: Site, factor: Factor, window: Window, span: Span, rows: Mapping[int, Row], limit_of: LimitOf
) -> Panel:
    limits = {start: limit_of(start, factor.symbol, window, site.zone) for start in span.starts}
    points = []
    for start in span.starts:
        row = rows.get(start)
        points.append(Point(start=start, row=row, over=row is not None and over(row.value, row.digits, limits[start])))
    return Panel(factor=factor, window=window, points=tuple(points), limits=_lines(limits, span.step))


def _lines(limits: Mapping[int, Limit | None], step: int) -> tuple[LimitLine, ...]:
    lines: list[LimitLine] = []
    for start, limit in limits.items():
        if limit is None:
            continue
        if lines and lines[-1].limit == limit and lines[-1].end == start:
            lines[-1] = LimitLine(start=lines[-1].start, end=start + step, limit=limit)
        else:
            lines.append(LimitLine(start=start, end=start + step, limit=limit))
    return tuple(lines)
