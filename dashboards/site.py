"""One site of any kind over a time: its factors on one window, what they were held against, provisional or final."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from alerts.against import TARGETS
from alerts.periods import Cadence
from dashboards.measures import LIMIT, Measure
from dashboards.media import CLASS, OVER_TARGET
from dashboards.rows import Row
from dashboards.station import moment
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS, day_of
from sensors.flags import Mark
from sensors.kinds import Kind
from sensors.registry import Site
from sensors.windows import Span as WindowSpan
from streams.discharge.applied import Verdict
from streams.discharge.judgement import Level, read_detail
from streams.results import Reason
from streams.water.standards import Body, load_water_standards

MeasureOf: TypeAlias = Callable[[Kind, str, int], Measure]
_STATISTIC: Final = re.compile(r"_(max|min|sum|count|p[0-9]{2})$")
_MOST_LINES: Final = 3
_LONGEST: Final = 800
"""Periods that one page shows at most."""
_USUAL: Final[tuple[tuple[int, int], ...]] = ((10 * MINUTE_MS, 72), (HOUR_MS, 48), (4 * HOUR_MS, 60), (DAY_MS, 30))
"""Length of a period up to which so many are shown at first."""
_USUAL_MONTHS: Final = 13
_USUAL_YEARS: Final = 6
RUNNING_YEAR: Final = "running_year"
_APART: Final = (CLASS, OVER_TARGET, "packets")
"""Rows that a strip shows, not a chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """The periods of a window that a page shows."""

    starts: tuple[int, ...]
    """Milliseconds UTC, one after the other."""
    end: int
    cadence: Cadence
    cut: bool = False
    """Whether more was asked for than a page shows."""

    @property
    def start(self) -> int:
        """First instant."""
        return self.starts[0]

    def end_of(self, place: int) -> int:
        """Return the end of one of the periods."""
        return self.starts[place + 1] if place + 1 < len(self.starts) else self.end

    @property
    def step(self) -> int:
        """Length of a period, of calendar periods about."""
        return self.cadence.length_ms or self.cadence.months * 30 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One period of a chart; without a row there was no result."""

    start: int
    row: Row | None
    judged: int
    """`streams.discharge.judgement.Level` of it; -1 where nothing was held against it."""
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What values were held against, over the part of the span in which it was."""

    start: int
    end: int
    value: str
    standard: str
    title: str
    """Column of the standard, or empty."""
    hint: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One factor on one window."""

    measure: Measure
    window: str
    points: tuple[Point, ...]
    lines: tuple[Line, ...]

    @property
    def values(self) -> int:
        """How many periods have a value."""
        return sum(point.row is not None and point.row.value is not None for point in self.points)

    @property
    def has_values(self) -> bool:
        """Whether any period has a value."""
        return self.values > 0

    @property
    def is_drawn(self) -> bool:
        """Whether it is worth a picture: of months and years one value alone is none."""
        return self.values > (1 if Cadence.of(self.window).months else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """A site over a span."""

    site: Site
    kind: Kind
    window: str
    periods: Periods
    charts: tuple[Chart, ...]
    classes: tuple[Row | None, ...]
    """The class of each period; empty where the kind has none."""
    judged: tuple[int, ...]
    """The gravest judgement of each period; empty where nothing was held against limits."""
    final_until: int
    """End of the newest period that no late data can change any more, milliseconds UTC."""


def views_of(kind: Kind) -> tuple[str, ...]:
    """Return the windows that pages of a kind's sites can show, shortest first, each without its statistics."""
    order = list(WindowSpan)
    ranked = sorted(kind.windows, key=lambda spec: (order.index(spec.span), spec.length))
    return tuple(dict.fromkeys(_STATISTIC.sub("", spec.name) for spec in ranked))


def slot_window(kind: Kind) -> str:
    """Return the name of a kind's slot."""
    return next(spec.name for spec in kind.windows if spec.span is WindowSpan.SLOT)


def windows_of(kind: Kind, view: str) -> tuple[str, ...]:
    """Return every window of a view: the plain one and its statistics."""
    return tuple(spec.name for spec in kind.windows if _STATISTIC.sub("", spec.name) == view)


def read_periods(view: str, kind: Kind, from_text: str, to_text: str, now: int) -> Periods:
    """Return the periods that a page was asked for.

    Parameters
    ----------
    from_text, to_text
        Beijing dates or times in ISO form; a date as the end means all of that day. Empty: the usual span.
    now
        Where an open end is, milliseconds UTC.

    Raises
    ------
    ValueError
        When a text is no time, or the end is not after the start.
    """
    cadence = Cadence.DAY if view == RUNNING_YEAR else Cadence.of(view, kind.slot_ms)
    last = cadence.number((moment(to_text, whole_day=True) if to_text else now) - 1)
    first = cadence.number(moment(from_text, whole_day=False)) if from_text else last + 1 - _usual(cadence)
    if first > last:
        raise ValueError(f"{from_text} is not before {to_text}")
    cut = last - first >= _LONGEST
    numbers = range(max(first, last + 1 - _LONGEST), last + 1)
    starts = tuple(cadence.start_ms(number) for number in numbers)
    return Periods(starts=starts, end=cadence.start_ms(last + 1), cadence=cadence, cut=cut)


def _usual(cadence: Cadence) -> int:
    if cadence.months:
        return _USUAL_YEARS if cadence.months == Cadence(months=12).months else _USUAL_MONTHS
    return next((count for length, count in _USUAL if cadence.length_ms <= length), _USUAL[-1][1])


def build_site(
    *,
    site: Site,
    kind: Kind,
    view: str,
    periods: Periods,
    rows: Sequence[Row],
    measure_of: MeasureOf,
    final_until: int,
) -> SiteView:
    """Return a site over some periods: a chart for each factor and window that has rows.

    A period without a row is a gap, never joined. A limit is drawn on the window it was held against alone.

    Parameters
    ----------
    rows
        Of the view's windows, from the first start to the end.
    final_until
        What ended before is final; later periods can still change by late data.
    """
    found: dict[tuple[str, str], dict[int, Row]] = {}
    for row in rows:
        found.setdefault((row.factor, row.window), {})[row.start] = row
    order = {name: place for place, name in enumerate(kind.factors)}
    shown = [key for key in found if not key[0].endswith(LIMIT) and key[0].split(".")[0] not in _APART]
    shown.sort(key=lambda key: (order.get(key[0], len(order)), key))
    charts = []
    for name, window in shown:
        digits = next(iter(found[name, window].values())).digits
        chart = _chart(
            found[name, window], found.get((name + LIMIT, window), {}), periods, final_until,
            measure=measure_of(kind, name, digits), window=window, more=_fixed_lines(site, kind, name, window, periods),
        )  # fmt: skip
        if any(point.row is not None and point.row.reason != Reason.NOT_IN_PLAN for point in chart.points):
            charts.append(chart)
    if any(chart.has_values for chart in charts):  # what no device of the site ever measured says nothing
        charts = [chart for chart in charts if chart.has_values or not _all_silent(chart)]
    classes = found.get((CLASS, view), {})
    limits = [by_start for (name, _), by_start in found.items() if name.endswith(LIMIT)]
    return SiteView(
        site=site,
        kind=kind,
        window=view,
        periods=periods,
        charts=tuple(charts),
        classes=tuple(classes.get(start) for start in periods.starts) if classes else (),
        judged=tuple(_gravest(limits, start) for start in periods.starts) if limits else (),
        final_until=final_until,
    )


def _all_silent(chart: Chart) -> bool:
    return all(point.row is None or point.row.reason in {Reason.SILENT, Reason.NOT_IN_PLAN} for point in chart.points)


def _gravest(limits: Sequence[Mapping[int, Row]], start: int) -> int:
    rows = (by_start.get(start) for by_start in limits)
    return max((row.level for row in rows if row is not None and row.level is not None), default=Level.NOT_JUDGED)


def _chart(
    rows: Mapping[int, Row],
    judged: Mapping[int, Row],
    periods: Periods,
    final_until: int,
    *,
    measure: Measure,
    window: str,
    more: tuple[Line, ...],
) -> Chart:
    points = []
    for place, start in enumerate(periods.starts):
        row, judgement = rows.get(start), judged.get(start)
        level = Level.NOT_JUDGED if judgement is None or judgement.level is None else judgement.level
        open_still = row is not None and bool(row.flags & Mark.OPEN)
        final = periods.end_of(place) <= final_until and not open_still
        points.append(Point(start=start, row=row, judged=level, final=final))
    lines = _limit_lines(judged, periods) or more
    return Chart(measure=measure, window=window, points=tuple(points), lines=lines[:_MOST_LINES])


def _limit_lines(judged: Mapping[int, Row], periods: Periods) -> tuple[Line, ...]:
    """Return the limits that judgements name, each over the periods in a row that it was held against."""
    open_lines: dict[tuple[str, str, str, bool], Line] = {}
    lines: list[Line] = []
    for place, start in enumerate(periods.starts):
        row, end = judged.get(start), periods.end_of(place)
        for key in _held_against(row):
            held = open_lines.get(key)
            began = held.start if held is not None and held.end == start else start
            if held is not None and held.end != start:
                lines.append(held)
            value, standard, title, hint = key
            open_lines[key] = Line(start=began, end=end, value=value, standard=standard, title=title, hint=hint)
    return (*lines, *open_lines.values())


def _held_against(row: Row | None) -> list[tuple[str, str, str, bool]]:
    if row is None or not row.detail.startswith(("[", "{")):
        return []
    found = []
    for limit in read_detail(row.detail).limits:
        if limit.verdict is Verdict.SHOWN:
            continue
        hint = limit.verdict is Verdict.HINT
        found += [(value, limit.standard, limit.column, hint) for value in (limit.low, limit.high) if value is not None]
    return list(dict.fromkeys(found))


def _fixed_lines(site: Site, kind: Kind, factor: str, window: str, periods: Periods) -> tuple[Line, ...]:
    """Return the limits that a site's own setting gives: the class of its target, or its minimum."""
    if window not in {slot_window(kind), "24h"}:
        return ()
    minimum = site.setting.get("minimum")
    if factor == "flow" and minimum is not None:
        return (_line(periods, str(minimum), "", "minimum"),)
    target = TARGETS.get(str(site.setting.get("target")))
    if target is None:
        return ()
    standards = load_water_standards()
    day = day_of(periods.end - 1)
    held = [one for one in standards.limits if one.start_day <= day and (one.end_day is None or day <= one.end_day)]
    item = held[-1].items.get(factor) if held else None
    if item is None:
        return ()
    limits = item.of(Body(site.setting.get("water", Body.RIVER)))
    given = limits if len(limits) != len(TARGETS) else limits[target - 1 : target]
    return tuple(_line(periods, _decimal(limit), held[-1].standard, "target") for limit in given)


def _line(periods: Periods, value: str, standard: str, title: str) -> Line:
    return Line(start=periods.start, end=periods.end, value=value, standard=standard, title=title, hint=False)


def _decimal(number: Fraction) -> str:
    return f"{float(number):.6f}".rstrip("0").rstrip(".")
