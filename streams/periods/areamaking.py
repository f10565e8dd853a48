"""Making the days and slots of areas from those of their sites, and saying them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from sensors.factors import Factor, Form
from sensors.kinds import Kind
from sensors.windows import Span, Statistic
from streams.air.index import FACTORS
from streams.discharge.judgement import Level
from streams.judging.hashing import joined
from streams.judging.plan import NO_NUMBER
from streams.judging.reasons import INCOMPLETE, OK
from streams.periods.areas import (
    AreaValues,
    Largest,
    SetOf,
    area_index,
    beside,
    largest,
    over_sites,
    part_of,
    sites_over,
)
from streams.periods.calendar import LEAP, year_first, years_of
from streams.periods.folding import LEVEL, Part
from streams.periods.members import Members
from streams.periods.pages import Cells, Page, Pages, empty_cells, present_of
from streams.periods.past import NOTHING_WEIGHS, base_series
from streams.periods.plan import Series
from streams.periods.registered import PeriodContext
from streams.periods.saying import Chunk, Speaker, Topic, text_hash
from streams.periods.touched import Touched
from streams.results import AQI, Window

JOINT_HOURS: Final = Series("joint_hours", Window.DAY)
"""Hours of an area's day in which PM2.5 and O3 are both over their management thresholds."""
LARGEST: Final = ".max"
"""Ends the window of the greatest value among an area's sites: ``24h.max``; ``primary`` names the site."""
OVER: Final = ".over"
"""Ends the window of the count of sites over a limit: ``24h.over``; ``primary`` names them."""
_AIR_INDEX: Final = "air_index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One window of one factor that areas have."""

    factor: Factor
    window: str
    statistic: Statistic
    step: int

    @property
    def series(self) -> Series:
        """Its series in the pages."""
        return Series(self.factor.symbol, self.window)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The places of one block that are made, with their days and starts: arrays [times]."""

    block: int
    slots: int
    """Places of the whole block."""
    place: NDArray[np.intp]
    day: NDArray[np.int64]
    start: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is said beside the values: arrays [times]."""

    iaqi: NDArray[np.int16] | None = None
    level: NDArray[np.int8] | None = None
    detail: Sequence[str] | None = None
    primary: Sequence[str] | None = None


BARE: Final = Beside()


class AreaMaker:
    """Makes and says what areas have of days and slots.

    Parameters
    ----------
    kind
        Its day windows and ``area_windows``.
    context
        Standards and the rule of the least share.
    members
        Of the partition.
    days
        Pages by year; areas' days are put into them.
    slots
        Pages by day, of sites.
    """

    def __init__(self, kind: Kind, context: PeriodContext, members: Members, days: Pages, slots: Pages) -> None:
        self._kind, self._context, self._members = kind, context, members
        self._days, self._slots = days, slots
        areas = len(members.areas)
        self._touched = Touched(areas)
        self._slots_touched: dict[tuple[int, int], NDArray[np.bool_]] = {}
        self._own_slots = Pages(areas, DAY_MS // kind.slot_ms)
        self._speaker = Speaker([area.id for area in members.areas])
        self._keys = np.array([text_hash(name) for name in members.names], np.uint64).view(np.int64)
        self._said = members.said[members.site_count :]
        self._oldest = -LEAP * 1000
        self._day_sources = _day_sources(kind)
        self._slot_sources = _slot_sources(kind)
        self._air = _AIR_INDEX in kind.evaluations

    @property
    def nbytes(self) -> int:
        """Bytes of what is remembered."""
        return self._own_slots.nbytes + self._speaker.nbytes

    def rows(self, at: int) -> pa.RecordBatch | None:
        """Return what is to be said of areas' days and slots."""
        return self._speaker.rows(at)

    def mark_days(self, member: NDArray[np.intp], day: NDArray[np.int64]) -> None:
        """Note changed days of sites: those of the areas that they lie in are to be made again."""
        area, pair = np.nonzero(self._members.lies_in[:, member])
        self._touched.mark(area, day[pair])

    def fold_slots(self, part: Part) -> int:
        """Fold slots of sites in; return how many rows are too old to be kept."""
        fresh = part.cells.block >= self._oldest
        cells = part.cells.where(fresh)
        changed = self._slots.fold(part.series, cells)
        changed_cells = cells.where(changed)
        for day, place in {*zip(changed_cells.block.tolist(), changed_cells.place.tolist(), strict=True)}:
            mine = changed_cells.member[(changed_cells.block == day) & (changed_cells.place == place)]
            noted = self._slots_touched.setdefault((day, place), np.zeros(len(self._members.areas), np.bool_))
            noted |= self._members.lies_in[:, mine].any(axis=1)
        return int(fresh.size - fresh.sum())

    def make_days(self, through: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Make the days of areas that changed and are over; return rows of the pages and days, pair by pair."""
        count = self._members.site_count
        areas, days = self._touched.take(through[count:])
        for area in np.unique(areas).tolist():
            mine = np.sort(days[areas == area])
            for times in _times_of_years(mine):
                self._make(area, times, self._day_sources, daily=True)
        return areas + count, days

    def make_slots(
        self, clock: NDArray[np.int64], *, grace_ms: int, slot_days: int
    ) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Make the slots of areas that changed and are over.

        Returns
        -------
        tuple
            Rows of the pages and days whose joint hours changed, pair by pair.
        """
        count, slot_ms = self._members.site_count, self._kind.slot_ms
        now = clock[count:]
        found: dict[tuple[int, int], list[int]] = {}
        for (day, place), noted in sorted(self._slots_touched.items()):
            end = day * DAY_MS - BEIJING_OFFSET_MS + (place + 1) * slot_ms
            over = noted & (now >= end + grace_ms)
            for area in np.nonzero(over & self._said)[0].tolist():
                found.setdefault((area, day), []).append(place)
            self._slots_touched[day, place] = noted & ~over
            if not self._slots_touched[day, place].any():
                del self._slots_touched[day, place]
        for (area, day), places in found.items():
            at = np.array(places, np.intp)
            start = day * DAY_MS - BEIJING_OFFSET_MS + at.astype(np.int64) * slot_ms
            times = Times(block=day, place=at, day=np.full(at.size, day), start=start, slots=DAY_MS // slot_ms)
            self._make(area, times, self._slot_sources, daily=False)
        self._forget(now, slot_days)
        return self._joint_hours(sorted(found))

    def _forget(self, now: NDArray[np.int64], slot_days: int) -> None:
        newest = int(now.max(initial=-DAY_MS * LEAP * 1000))
        oldest = (newest + BEIJING_OFFSET_MS) // DAY_MS - slot_days
        if oldest > self._oldest:
            self._oldest = oldest
            self._slots.forget(oldest)
            self._own_slots.forget(oldest)
            for source in self._slot_sources:
                self._speaker.forget(source.window, oldest)
                self._speaker.forget(source.window + LARGEST, oldest)

    def _make(self, area: int, times: Times, sources: Sequence[Source], *, daily: bool) -> None:
        reach = self._members.reach[area]
        rows = reach.rows
        if rows.size == 0:
            return
        of = SetOf(reach.set_on(rows, times.day), self._keys[rows])
        made, tops = self._made(sources, rows, times, of, daily=daily)
        for source in sources if daily or self._air else ():  # of slots, only joint hours are made of an area's own
            self._keep(area, source.series, times, made[source.series], daily=daily)
        if self._air:
            self._say_air(area, times, sources, made, daily=daily)
            return
        for source in sources:
            topic = Topic(source.factor.symbol, source.window, "", times.block)
            self._speak(area, topic, times, made[source.series], digits=source.factor.digits)
            if source.statistic is Statistic.FORM:
                top = tops.get(source.series)
                if top is None:
                    top = self._largest(source, self._cells(source.series, rows, times, daily=daily), of)
                self._say_largest(area, source, times, top)
        if daily:
            self._say_over(area, times, of)

    def _say_over(self, area: int, times: Times, of: SetOf) -> None:
        """Say of everything that is held against limits how many sites are over, and which."""
        rows = self._members.reach[area].rows
        for series in sorted(series for series in self._days.series if series.window.endswith(LEVEL)):
            levels = self._cells(series, rows, times, daily=True)
            window = series.window.removesuffix(LEVEL) + OVER
            topic = Topic(series.factor, window, series.edition, times.block)
            over = of.counted & present_of(levels.state) & (levels.value >= Level.HINT)
            named = [";".join(self._members.names[row] for row in rows[column]) for column in over.T]
            self._speak(area, topic, times, sites_over(levels, of), digits=0, beside=Beside(primary=named))

    def _made(
        self, sources: Sequence[Source], rows: NDArray[np.intp], times: Times, of: SetOf, *, daily: bool
    ) -> tuple[dict[Series, AreaValues], dict[Series, Largest]]:
        """Return what each source's sites make, and of plain means also the greatest: these are made all at once."""
        plain = [s for s in sources if s.statistic is Statistic.FORM and s.factor.form is Form.MEAN]
        made: dict[Series, AreaValues] = {}
        tops: dict[Series, Largest] = {}
        if plain:
            count = times.place.size
            cells = beside([self._cells(source.series, rows, times, daily=daily) for source in plain])
            each = SetOf(np.tile(of.counted, (1, len(plain))), of.keys)
            step = np.repeat([source.step for source in plain], count).astype(np.int64)
            share = self._context.rules.areas.share
            values = over_sites(plain[0].factor, Statistic.FORM, cells, each, share=share, step=step)
            top = None if self._air else largest(values, cells, each)
            for number, source in enumerate(plain):
                mine = slice(number * count, (number + 1) * count)
                made[source.series] = part_of(values, mine)
                if top is not None:
                    tops[source.series] = Largest(part_of(top.values, mine), top.where[mine])
        for source in sources:
            if source.series not in made:
                made[source.series] = self._over_sites(source, rows, times, of, daily=daily)
        return made, tops

    def _over_sites(
        self, source: Source, rows: NDArray[np.intp], times: Times, of: SetOf, *, daily: bool
    ) -> AreaValues:
        weighted = source.statistic is Statistic.FORM and source.factor.form in NOTHING_WEIGHS
        by = base_series(self._kind, source.factor.by, None) if daily else Series(source.factor.by, source.window)
        return over_sites(
            source.factor,
            source.statistic,
            self._cells(source.series, rows, times, daily=daily),
            of,
            share=self._context.rules.areas.share,
            step=source.step,
            by=self._cells(by, rows, times, daily=daily) if weighted else None,
        )

    def _cells(self, series: Series, rows: NDArray[np.intp], times: Times, *, daily: bool) -> Page:
        pages = self._days if daily else self._slots
        found = pages.cells(series, times.block, rows, times.place)
        return empty_cells(rows.size, times.place.size) if found is None else found

    def _keep(self, area: int, series: Series, times: Times, values: AreaValues, *, daily: bool) -> None:
        """Put an area's own values into the pages, where its longer windows find them."""
        content = joined(values.value, values.present, values.valid, values.reason, values.marks, values.inputs)
        cells = Cells(
            member=np.full(times.place.size, self._members.row_of_area(area) if daily else area),
            block=np.full(times.place.size, times.block),
            place=times.place,
            value=values.value,
            present=values.present,
            reason=values.reason,
            marks=values.marks,
            rank=(content & np.uint64(0xFFFFFFFF)) | np.uint64(1),
        )
        (self._days if daily else self._own_slots).put(series, cells.where(values.due))

    def _largest(self, source: Source, cells: Page, of: SetOf) -> Largest:
        share = self._context.rules.areas.share
        return largest(over_sites(source.factor, Statistic.MAX, cells, of, share=share, step=source.step), cells, of)

    def _say_largest(self, area: int, source: Source, times: Times, top: Largest) -> None:
        """Say the greatest value among the sites, and which site has it (of several, the first by id)."""
        if not self._said[area]:
            return
        rows = self._members.reach[area].rows
        names = [self._members.names[row] for row in rows[top.where].tolist()]
        where = [name if there else "" for name, there in zip(names, top.values.present.tolist(), strict=True)]
        topic = Topic(source.factor.symbol, source.window + LARGEST, "", times.block)
        self._speak(area, topic, times, top.values, digits=source.factor.digits, beside=Beside(primary=where))

    def _say_air(
        self, area: int, times: Times, sources: Sequence[Source], made: Mapping[Series, AreaValues], *, daily: bool
    ) -> None:
        """Say concentrations with their indices, and the index; by the edition of each day."""
        first = {source.factor.symbol: source for source in sources}
        window = Window.DAY if daily else Window.HOUR
        whole = [made[first[name].series] for name in FACTORS] if set(FACTORS) <= set(first) else []
        editions = list(self._context.standards.index_groups(times.day))
        for edition, mask in editions if whole else ():
            index = area_index(whole, edition, daily=daily)
            beside = Beside(level=index.level, detail=index.detail, primary=index.primary)
            topic = Topic(AQI, window, edition.name, times.block)
            self._speak(area, topic, times, index.values, digits=0, beside=beside, only=mask)
            for name, values, iaqi in zip(FACTORS, whole, index.iaqi, strict=True):
                topic = Topic(name, first[name].window, edition.name, times.block)
                digits = first[name].factor.digits
                self._speak(area, topic, times, values, digits=digits, beside=Beside(iaqi=iaqi), only=mask)
        for source in sources:
            if not whole or source.factor.symbol not in FACTORS or first[source.factor.symbol] is not source:
                topic = Topic(source.factor.symbol, source.window, "", times.block)
                self._speak(area, topic, times, made[source.series], digits=source.factor.digits)

    def _speak(
        self,
        area: int,
        topic: Topic,
        times: Times,
        values: AreaValues,
        *,
        digits: int,
        beside: Beside = BARE,
        only: NDArray[np.bool_] | None = None,
    ) -> None:
        if not self._said[area]:
            return
        at = np.nonzero(values.due if only is None else values.due & only)[0]
        self._speaker.say(
            Chunk(
                topic=topic,
                slots=times.slots,
                member=np.full(at.size, area, np.intp),
                place=times.place[at],
                start=times.start[at],
                value=values.value[at],
                present=values.present[at],
                digits=digits,
                valid=values.valid[at],
                expected=values.expected[at],
                reason=values.reason[at],
                inputs=values.inputs[at],
                marks=values.marks[at],
                iaqi=NO_NUMBER if beside.iaqi is None else beside.iaqi[at],
                level=NO_NUMBER if beside.level is None else beside.level[at],
                detail=[beside.detail[place] for place in at.tolist()] if beside.detail else "",
                primary=[beside.primary[place] for place in at.tolist()] if beside.primary else "",
            )
        )

    def _joint_hours(self, made: Sequence[tuple[int, int]]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Count the hours in which PM2.5 and O3 are over together, of the days of areas whose hours were made."""
        rule = self._context.rules.air_year.joint_hours
        pair = {"PM2.5": rule.fine, "O3": rule.ozone}
        if not self._air or not set(pair) <= set(self._kind.factors) or Window.HOUR not in self._kind.area_windows:
            return np.zeros(0, np.intp), np.zeros(0, np.int64)
        for area, day in made:
            whole = np.arange(DAY_MS // self._kind.slot_ms)
            over, there = np.ones(whole.size, np.bool_), np.ones(whole.size, np.bool_)
            for name, threshold in pair.items():
                found = self._own_slots.cells(Series(name, Window.HOUR), day, np.array([area]), whole)
                cells = empty_cells(1, whole.size) if found is None else found
                there &= present_of(cells.state[0])
                over &= cells.value[0] > threshold * 10 ** self._kind.factors[name].digits
            count = int((over & there).sum())
            self._days.put(JOINT_HOURS, _one_day(self._members.row_of_area(area), day, count, valid=int(there.sum())))
        pairs = np.array(made, np.int64).reshape(-1, 2)
        return pairs[:, 0].astype(np.intp) + self._members.site_count, pairs[:, 1]


def _one_day(row: int, day: int, count: int, *, valid: int) -> Cells:
    year = int(years_of(np.array([day]))[0])
    return Cells(
        member=np.array([row]),
        block=np.array([year]),
        place=np.array([day - year_first(year)]),
        value=np.array([count]),
        present=np.array([valid > 0]),
        reason=np.array([OK if valid else INCOMPLETE], np.uint8),
        marks=np.zeros(1, np.int32),
        rank=np.array([count * 64 + valid * 2 + 1], np.uint64),
    )


def _times_of_years(days: NDArray[np.int64]) -> Iterator[Times]:
    """Yield days in order, year by year."""
    years = years_of(days)
    for year in np.unique(years).tolist():
        mine = days[years == year]
        yield Times(
            block=year,
            slots=LEAP,
            place=(mine - year_first(year)).astype(np.intp),
            day=mine,
            start=mine * DAY_MS - BEIJING_OFFSET_MS,
        )


def _day_sources(kind: Kind) -> tuple[Source, ...]:
    """Return the day windows of the kind's own factors: those it names, and those that longer ones are made of."""
    found = {
        Series(name, spec.name): Source(
            factor=kind.factors[name],
            window=spec.name,
            statistic=spec.statistic,
            step=kind.factors[name].step if spec.step == "factor" else 1,
        )
        for spec in kind.of_span(Span.DAY)
        for name in spec.factors
    }
    for spec in kind.windows:
        for name in spec.factors if spec.of else ():
            made = Source(
                factor=kind.factors[name], window=spec.of, statistic=Statistic.FORM, step=kind.factors[name].step
            )
            found.setdefault(made.series, made)
    return tuple(source for source in found.values() if source.factor.form is not Form.STATE)


def _slot_sources(kind: Kind) -> tuple[Source, ...]:
    """Return the shorter windows that areas have."""
    return tuple(
        Source(
            factor=kind.factors[name],
            window=spec.name,
            statistic=spec.statistic,
            step=kind.factors[name].step if spec.step == "factor" else 1,
        )
        for spec in kind.windows
        for name in spec.factors
        if spec.name in kind.area_windows and spec.span is not Span.DAY and kind.factors[name].form is not Form.STATE
    )
