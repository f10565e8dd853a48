"""The judge of the second stage: long windows of one partition's sites, and every window of its areas.

It is a fold of result rows (`PeriodJudge.fold`) and says what changed at the ticks of the first stage's partitions
(`PeriodJudge.tick`). Its state is filled again by all rows and ticks of its partition of ``areas.<kind>``, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.areas import Area
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, MINUTE_MS
from sensors.factors import Factor
from sensors.flags import Mark
from sensors.kinds import Kind
from sensors.registry import Registry, Site
from sensors.windows import LONG, Span, WindowSpec
from streams.judging.plan import NO_NUMBER
from streams.periods.areamaking import AreaMaker
from streams.periods.calendar import LEAP, Bounds, Calendar
from streams.periods.folding import Part, parts_of
from streams.periods.members import Clocks, Members, members_of, site_on
from streams.periods.pages import Pages
from streams.periods.past import Found, Held, Sums, base_series, calendar_name
from streams.periods.plan import (
    AreaMembers,
    AreasEvaluation,
    Period,
    PeriodBlock,
    PeriodEvaluation,
    PeriodMeans,
    PeriodRow,
    Series,
    Told,
)
from streams.periods.registered import PeriodContext, period_evaluations_of
from streams.periods.saying import Chunk, Speaker, Topic
from streams.periods.spans import DaySpan, blocks, clusters
from streams.periods.touched import Touched

OPEN: Final = int(Mark.OPEN)
_ENTRIES: Final = 1 << 16
"""Registry entries that are remembered by site and day."""
_Masks = dict[tuple[Bounds, int], NDArray[np.bool_]]
"""Periods with the newest day that is over → which members are touched in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodSettings:
    """How the second stage waits, and what it keeps."""

    grace_ms: int = 5 * MINUTE_MS
    """A day or slot is closed this long after its end, as in the first stage."""
    slot_days: int = 8
    """Slots of sites are kept for so many days; older ones make no area slot again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A period, and which members are touched in it, [members]."""

    calendar: Calendar
    bounds: Bounds
    period: Period
    mask: NDArray[np.bool_]


class PeriodJudge:
    """Judges the long windows of one partition.

    Parameters
    ----------
    partition, partitions
        Of ``areas.<kind>``; the first stage has as many.
    kind
        Its windows are said, and its period evaluations asked.
    registry
        Sites and areas, dated.
    context
        What evaluations are made from.
    settings
        Grace and the time for which slots are kept.
    """

    def __init__(
        self,
        *,
        partition: int,
        partitions: int,
        kind: Kind,
        registry: Registry,
        context: PeriodContext,
        settings: PeriodSettings | None = None,
    ) -> None:
        self._kind, self._registry = kind, registry
        self._settings = settings or PeriodSettings()
        self._members = members_of(partition, partitions, kind, registry)
        names = self._members.names
        self._member = {name: row for row, name in enumerate(names)}
        self._site = {name: row for row, name in enumerate(names[: self._members.site_count])}
        self._clocks = Clocks(self._members, self._settings.grace_ms)
        self._days = Pages(len(names), LEAP)
        self._slots = Pages(self._members.site_count, DAY_MS // kind.slot_ms)
        self._held = Held(kind, context.rules, names, self._days)
        self._touched = Touched(len(names))
        self._speaker = Speaker(names)
        self._areas = AreaMaker(kind, context, self._members, self._days, self._slots)
        self._evaluations = period_evaluations_of(kind, context)
        self._calendars = _calendars(kind)
        self._made_of = _made_of(kind)
        self._entries: dict[tuple[str, int], Site] = {}
        self._asked = tuple(
            calendar
            for calendar in (*self._calendars, Calendar(window="24h", span=Span.DAY))
            if any(calendar.span in evaluation.spans for evaluation in self._evaluations)
        )

    @property
    def nbytes(self) -> int:
        """Bytes of the state."""
        return self._days.nbytes + self._slots.nbytes + self._speaker.nbytes + self._areas.nbytes

    @property
    def members(self) -> Members:
        """The sites and areas of this partition."""
        return self._members

    def fold(self, rows: pa.RecordBatch) -> int:
        """Fold rows of the first stage in; nothing is said before the next tick.

        Parameters
        ----------
        rows
            Of `streams.results.RESULT_SCHEMA`, in any order, also again.

        Returns
        -------
        int
            Rows of slots that are too old to be kept: their area slots are not made again.
        """
        late = 0
        for part in parts_of(rows, self._kind, self._site):
            if part.daily:
                self._fold_days(part)
            else:
                late += self._areas.fold_slots(part)
        return late

    def _fold_days(self, part: Part) -> None:
        changed = self._days.fold(part.series, part.cells)
        member, day = part.cells.member[changed].astype(np.intp), part.day[changed]
        self._touched.mark(member, day)
        self._areas.mark_days(member, day)

    def tick(self, at: int, source: int) -> pa.RecordBatch | None:
        """Move the clock of a source partition and return what changed, as result rows; None when nothing did.

        Parameters
        ----------
        at
            The tick, ms. One that lies before the newest of its partition moves nothing.
        source
            The partition of the first stage that it comes from.
        """
        before = self._clocks.advance(source, at)
        self._cross_days(before)
        settings = self._settings
        joint = self._areas.make_slots(self._clocks.at, grace_ms=settings.grace_ms, slot_days=settings.slot_days)
        self._touched.mark(*joint)
        self._touched.mark(*self._areas.make_days(self._clocks.through))
        if self._touched:
            self._say_periods(*self._touched.take(self._clocks.through))
        said = [self._areas.rows(at), self._speaker.rows(at)]
        return _together([rows for rows in said if rows is not None])

    def _cross_days(self, before: NDArray[np.int64]) -> None:
        """Note the days that are newly over: what is due grew, and periods may have ended, even of a silent site."""
        through = self._clocks.through
        moved = np.nonzero((through > before) & (before > -(2**40)))[0]
        for first, last in {(int(before[row]) + 1, int(through[row])) for row in moved}:
            rows = moved[(before[moved] == first - 1) & (through[moved] == last)]
            self._touched.mark_span(rows, first, last)

    def _say_periods(self, members: NDArray[np.intp], days: NDArray[np.int64]) -> None:
        """Say the periods that hold any of these days of these members."""
        if members.size == 0:
            return
        touched = {
            calendar.window: self._periods(calendar, members, days) for calendar in {*self._calendars, *self._asked}
        }
        said = self._members.said
        columns = [
            _Column(calendar=calendar, bounds=bounds, period=period, mask=mask & said)
            for calendar in self._calendars
            for (bounds, through), mask in sorted(touched[calendar.window].items(), key=_by_bounds)
            if (period := calendar.period(bounds, through)).due
        ]
        self._say_windows(columns)
        self._ask_all([column for calendar in self._asked for column in self._reached(calendar, touched)])

    def _periods(self, calendar: Calendar, members: NDArray[np.intp], days: NDArray[np.int64]) -> _Masks:
        """Return the periods with the newest day that is over, and which members are touched in each."""
        found: _Masks = {}
        through = self._clocks.through[members]
        for newest in np.unique(through).tolist():
            same = through == newest
            for day in np.unique(days[same]).tolist():
                rows = members[same & (days == day)]
                for bounds in calendar.holding([day], newest):
                    mask = found.setdefault((bounds, newest), np.zeros(len(self._members.names), np.bool_))
                    mask[rows] = True
        return found

    def _reached(self, calendar: Calendar, touched: Mapping[str, _Masks]) -> Iterator[tuple[PeriodEvaluation, _Column]]:
        """Yield what evaluations are asked: of touched periods, and of later ones that look back on them."""
        for evaluation in self._evaluations:
            if calendar.span in evaluation.spans:
                back = getattr(evaluation, "looks_back", {}).get(calendar.span, 0)
                reached = _reached(calendar, touched[calendar.window], back)
                for (bounds, through), mask in sorted(reached.items(), key=_by_bounds):
                    if (period := calendar.period(bounds, through)).due:
                        yield evaluation, _Column(calendar=calendar, bounds=bounds, period=period, mask=mask)

    def _say_windows(self, columns: Sequence[_Column]) -> None:
        """Say the kind's own windows of periods; those that are made of the same days at once."""
        if not columns:
            return
        rows = np.nonzero(np.logical_or.reduce([column.mask for column in columns]))[0]
        masks = np.stack([column.mask[rows] for column in columns], axis=1)
        for series in self._made_of:
            specs = self._made_of[series] if series in self._days.series else {}
            mine = [place for place, column in enumerate(columns) if column.calendar.window in specs]
            spans = [DaySpan(columns[p].period.first_day, columns[p].period.through_day) for p in mine]
            for cluster in clusters(spans):
                within = [mine[place] for place in cluster.which.tolist()]
                some = np.nonzero(np.logical_or.reduce(masks[:, within], axis=1))[0]
                for part in blocks(some.size, cluster.last - cluster.first + 1):
                    sums = self._held.sums(rows[some[part]], series, cluster)
                    wanted = masks[np.ix_(some[part], within)]
                    self._say_shared(specs, [columns[place] for place in within], wanted, sums)

    def _say_shared(
        self,
        specs: Mapping[str, Sequence[tuple[WindowSpec, Factor]]],
        columns: Sequence[_Column],
        wanted: NDArray[np.bool_],
        sums: Sums,
    ) -> None:
        """Say the windows of periods that share their days."""
        for window, pairs in specs.items():
            chosen = np.array([column.calendar.window == window for column in columns], np.bool_)
            mine = [column for column in columns if column.calendar.window == window]
            periods, of = [column.period for column in mine], sums.cluster.only(chosen)
            for spec, factor in pairs if mine else ():
                found = self._held.windows(sums, spec, factor, periods, of)
                self._say_found((spec, factor), mine, found, sums.rows, wanted[:, chosen] & found.due)

    def _say_found(
        self,
        of: tuple[WindowSpec, Factor],
        columns: Sequence[_Column],
        found: Found,
        rows: NDArray[np.intp],
        wanted: NDArray[np.bool_],
    ) -> None:
        """Say a window of those rows and periods that are wanted, year by year."""
        spec, factor = of
        years = np.array([column.bounds.year for column in columns])
        place = np.array([column.bounds.slot for column in columns], np.int64)
        start = np.array([_ms(column.period.start_day) for column in columns], np.int64)
        open_ = np.array([OPEN if column.period.open else 0 for column in columns], np.int32)
        for year in np.unique(years).tolist():
            row, at = np.nonzero(wanted & (years == year))
            self._speaker.say(
                Chunk(
                    topic=Topic(factor.symbol, spec.name, "", year),
                    slots=columns[0].calendar.slots,
                    member=rows[row],
                    place=place[at],
                    start=start[at],
                    value=found.value[row, at],
                    present=found.present[row, at],
                    digits=factor.digits,
                    valid=found.valid[row, at],
                    expected=found.expected[at],
                    reason=found.reason[row, at],
                    inputs=found.inputs[row, at],
                    marks=found.marks[row, at] | open_[at],
                )
            )

    def _ask_all(self, asked: Sequence[tuple[PeriodEvaluation, _Column]]) -> None:
        """Ask evaluations about the periods that are touched."""
        if not asked:
            return
        count = self._members.site_count
        touched = np.logical_or.reduce([column.mask for _, column in asked]) & self._members.said
        needed = touched.copy()
        needed[:count] |= np.logical_or.reduce(self._members.lies_in[touched[count:]], axis=0)
        needed[count:] = True  # areas are ranked beside others that did not change
        rows = np.nonzero(needed)[0]
        spans = [DaySpan(column.bounds.first, column.period.through_day) for _, column in asked]
        found = self._days.contents(rows, spans)
        content = np.zeros((len(self._members.names), len(asked)), np.uint64)
        content[rows] = found
        for place, (evaluation, column) in enumerate(asked):
            self._ask(evaluation, column, content[:, place])

    def _ask(self, evaluation: PeriodEvaluation, column: _Column, content: NDArray[np.uint64]) -> None:
        """Ask an evaluation about one period: the sites and areas that are touched in it."""
        calendar, bounds, period = column.calendar, column.bounds, column.period
        touched = column.mask & self._members.said
        count = self._members.site_count
        sites = np.nonzero(touched[:count] & (content[:count] != 0))[0]
        if sites.size and calendar.span is not Span.DAY:  # days of sites are the first stage's
            names = [self._members.names[row] for row in sites]
            entries = tuple(self._entry(name, period.through_day) for name in names)
            rows = evaluation.site(period, self._means(evaluation)(names, period), entries)
            self._say_rows(calendar, bounds, period, rows, content)
        wanted = [
            place
            for place in range(len(self._members.areas))
            if touched[self._members.row_of_area(place)] and (content[:count][self._members.lies_in[place]] != 0).any()
        ]
        if not wanted:
            return
        together = self._area_content(wanted, content)
        if isinstance(evaluation, AreasEvaluation):
            told, below = evaluation.areas(period, *self._areas_of(self._means(evaluation), wanted, period))
            self._say_rows(calendar, bounds, period, told, together)
            self._say_rows(calendar, bounds, period, below, content)
            return
        for place in wanted:
            area = self._members.areas[place]
            members = self._area_means(self._means(evaluation), place, area, period)
            entries = tuple(self._entry(name, period.through_day) for name in members.members)
            rows = evaluation.area(period, members, area, entries)
            self._say_rows(calendar, bounds, period, rows, together)

    def _areas_of(
        self, make: Callable[[Sequence[str], Period], PeriodMeans], places: Sequence[int], period: Period
    ) -> tuple[PeriodMeans, list[AreaMembers]]:
        """Return the means of areas' own day values, and who belongs to each."""
        areas = [self._members.areas[place] for place in places]
        members = [
            AreaMembers(
                area=area,
                sites=tuple(self._entry(name, period.through_day) for name in self._counted(place, period)),
                children=self._members.children(area.id),
            )
            for place, area in zip(places, areas, strict=True)
        ]
        return make([area.id for area in areas], period), members

    def _counted(self, place: int, period: Period) -> list[str]:
        """Return the sites that count in an area on the newest day of a period that is over."""
        reach = self._members.reach[place]
        counted = reach.set_on(reach.rows, np.array([period.through_day]))[:, 0]
        return [self._members.names[row] for row in reach.rows[counted]]

    def _entry(self, name: str, day: int) -> Site:
        """Return the registry entry of a site on a day, or its newest."""
        if len(self._entries) > _ENTRIES:
            self._entries.clear()
        found = self._entries.get((name, day))
        if found is None:
            found = self._entries[name, day] = site_on(self._registry, name, day)
        return found

    def _means(self, evaluation: PeriodEvaluation) -> Callable[[Sequence[str], Period], PeriodMeans]:
        """Return what makes the means that an evaluation is given: none where it says that it needs the days only."""
        return self._held.bare if getattr(evaluation, "days_only", False) else self._held.means

    def _area_means(
        self, make: Callable[[Sequence[str], Period], PeriodMeans], place: int, area: Area, period: Period
    ) -> PeriodMeans:
        """Return the means of an area's set, with its own and those of the areas below it."""
        names = self._counted(place, period)
        children = self._members.children(area.id)
        return replace(
            make(names, period),
            own=make([area.id], period),
            children=make(children, period) if children else None,
        )

    def _area_content(self, places: Sequence[int], content: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the hashes of members with those of areas' sites in the areas' rows."""
        together = content.copy()
        for place in places:
            inside = content[: self._members.site_count][self._members.lies_in[place]]
            together[self._members.row_of_area(place)] = inside.sum(dtype=np.uint64) | np.uint64(1)
        return together

    def _say_rows(
        self, calendar: Calendar, bounds: Bounds, period: Period, told: Told, content: NDArray[np.uint64]
    ) -> None:
        """Say what an evaluation told of a period."""
        blocks = [each for each in told if isinstance(each, PeriodBlock)]
        rows = [each for each in told if isinstance(each, PeriodRow)]
        known: dict[int, NDArray[np.intp]] = {}
        for block in (*blocks, *(_block(of, digits, same) for (of, digits), same in _by_topic(rows))):
            member = known.get(id(block.sites))
            if member is None:
                member = known[id(block.sites)] = np.array([self._member[name] for name in block.sites], np.intp)
            self._speaker.say(
                Chunk(
                    topic=Topic(block.factor, block.window, block.edition, bounds.year),
                    slots=calendar.slots,
                    member=member,
                    place=bounds.slot,
                    start=_ms(block.start_day),
                    value=block.value,
                    present=block.present,
                    digits=block.digits,
                    valid=block.valid,
                    expected=block.expected,
                    reason=block.reason,
                    inputs=content[member],
                    marks=np.asarray(block.flags) | (OPEN if period.open else 0),
                    level=block.level,
                    detail=block.detail,
                    primary=block.primary,
                )
            )


def _calendars(kind: Kind) -> tuple[Calendar, ...]:
    """Return the periods that a kind has windows of, each once, in its order."""
    seasons = {season.id: season for season in kind.seasons}
    named = {
        calendar_name(spec): Calendar(
            window=calendar_name(spec), span=spec.span, season=seasons[spec.season] if spec.season else None
        )
        for spec in kind.windows
        if spec.span in LONG
    }
    return tuple(named.values())


def _made_of(kind: Kind) -> dict[Series, dict[str, list[tuple[WindowSpec, Factor]]]]:
    """Return the kind's long windows by the day values that they are made of, then by their periods."""
    found: dict[Series, dict[str, list[tuple[WindowSpec, Factor]]]] = {}
    for spec in kind.windows:
        for name in spec.factors if spec.span in LONG else ():
            by_period = found.setdefault(base_series(kind, name, spec), {})
            by_period.setdefault(calendar_name(spec), []).append((spec, kind.factors[name]))
    return found


def _by_bounds(entry: tuple[tuple[Bounds, int], object]) -> tuple[Bounds, int]:
    return entry[0]


def _reached(calendar: Calendar, touched: _Masks, looks_back: int) -> _Masks:
    """Return the touched periods with the later ones that are made of them too.

    These are the same periods of all later years, which are compared with them, and those that begin up to
    ``looks_back`` days after them; each up to the clock.
    """
    found = {key: mask.copy() for key, mask in touched.items()}
    for (bounds, newest), mask in touched.items():
        for later in {*calendar.later(bounds, newest), *calendar.following(bounds, looks_back, newest)}:
            known = found.get((later, newest))
            found[later, newest] = mask if known is None else known | mask
    return found


def _by_topic(rows: Iterable[PeriodRow]) -> Iterator[tuple[tuple[tuple[str, str, str, int], int], list[PeriodRow]]]:
    """Yield rows of one topic, start and number of digits together, in the order in which they came first."""
    found: dict[tuple[tuple[str, str, str, int], int], list[PeriodRow]] = {}
    for row in rows:
        found.setdefault(((row.factor, row.window, row.edition, row.start_day), row.digits), []).append(row)
    yield from found.items()


def _block(of: tuple[str, str, str, int], digits: int, rows: Sequence[PeriodRow]) -> PeriodBlock:
    """Return rows of one topic as columns."""
    factor, window, edition, start_day = of
    return PeriodBlock(
        sites=tuple(row.site for row in rows),
        factor=factor,
        window=window,
        start_day=start_day,
        digits=digits,
        edition=edition,
        value=[0 if row.value is None else row.value for row in rows],
        present=[row.value is not None for row in rows],
        valid=[row.valid for row in rows],
        expected=[row.expected for row in rows],
        reason=[row.reason for row in rows],
        detail=[row.detail for row in rows],
        level=[NO_NUMBER if row.level is None else row.level for row in rows],
        primary=[row.primary for row in rows],
        flags=[row.flags for row in rows],
    )


def _ms(day: int) -> int:
    return day * DAY_MS - BEIJING_OFFSET_MS


def _together(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch | None:
    if len(parts) < 2:  # noqa: PLR2004  one batch needs no joining
        return parts[0] if parts else None
    return pa.Table.from_batches(parts).unify_dictionaries().combine_chunks().to_batches()[0]
