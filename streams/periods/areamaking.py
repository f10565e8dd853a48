"""Making the days and slots of areas from those of their sites, and saying them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    sites_over,
)
from streams.periods.calendar import LEAP, year_first, years_of
from streams.periods.folding import LEVEL, Part
from streams.periods.members import Members
from streams.periods.pages import Cells, Page, Pages, empty_cells, present_of
from streams.periods.pairs import Pairs, pairs_of
from streams.periods.past import NOTHING_WEIGHS, base_series
from streams.periods.plan import Series
from streams.periods.registered import PeriodContext
from streams.periods.saying import Chunk, Speaker, Topic, text_hash
from streams.periods.touched import Touched
from streams.results import AQI, Window
from streams.standards import IndexEdition

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
    wanted: NDArray[np.bool_]
    """Which areas of the partition are made when, [areas, times]."""

    def part(self, some: slice) -> Times:
        """Return some of the times."""
        cut = {name: getattr(self, name)[some] for name in ("place", "day", "start")}
        return replace(self, wanted=self.wanted[:, some], **cut)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is said beside the values: arrays [n]."""

    iaqi: NDArray[np.int16] | None = None
    level: NDArray[np.int8] | None = None
    detail: Sequence[str] | str = ""
    primary: Sequence[str] | str = ""


BARE: Final = Beside()
_CELLS: Final = 1 << 19
"""At most so many cells are made at once."""


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
        self._pairs = pairs_of(members.reach)
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
        for times in _times_of_years(areas, days, len(self._members.areas)):
            self._make(times, self._day_sources, daily=True)
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
        found: dict[int, list[tuple[int, NDArray[np.bool_]]]] = {}
        for (day, place), noted in sorted(self._slots_touched.items()):
            end = day * DAY_MS - BEIJING_OFFSET_MS + (place + 1) * slot_ms
            over = noted & (now >= end + grace_ms)
            if (mine := over & self._said).any():
                found.setdefault(day, []).append((place, mine))
            self._slots_touched[day, place] = noted & ~over
            if not self._slots_touched[day, place].any():
                del self._slots_touched[day, place]
        for day, made in found.items():
            at = np.array([place for place, _ in made], np.intp)
            times = Times(
                block=day,
                slots=DAY_MS // slot_ms,
                place=at,
                day=np.full(at.size, day),
                start=day * DAY_MS - BEIJING_OFFSET_MS + at.astype(np.int64) * slot_ms,
                wanted=np.stack([mine for _, mine in made], axis=1),
            )
            self._make(times, self._slot_sources, daily=False)
        self._forget(now, slot_days)
        return self._joint_hours({day: np.logical_or.reduce([mine for _, mine in made]) for day, made in found.items()})

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

    def _make(self, times: Times, sources: Sequence[Source], *, daily: bool) -> None:
        """Make and say what areas have at some times, a part of the times at once."""
        pairs = self._pairs.only(np.logical_or.reduce(times.wanted, axis=1))
        if pairs.area.size == 0:
            return
        most = max(1, _CELLS // (pairs.row.size * max(1, len(sources))))
        for begin in range(0, times.place.size, most):
            self._make_part(times.part(slice(begin, begin + most)), pairs, sources, daily=daily)

    def _make_part(self, times: Times, pairs: Pairs, sources: Sequence[Source], *, daily: bool) -> None:
        of = SetOf(pairs, pairs.counted(times.day), self._keys[pairs.row])
        made, tops = self._made(sources, times, of, daily=daily)
        for source in sources if daily or self._air else ():  # of slots, only joint hours are made of an area's own
            self._keep(pairs, source.series, times, made[source.series], daily=daily)
        if self._air:
            self._say_air(pairs, times, sources, made, daily=daily)
            return
        for source in sources:
            topic = Topic(source.factor.symbol, source.window, "", times.block)
            self._speak(pairs, topic, times, made[source.series], digits=source.factor.digits)
            if source.statistic is Statistic.FORM:
                top = tops.get(source.series)
                if top is None:
                    top = self._largest(source, self._cells(source.series, pairs, times, daily=daily), of)
                self._say_largest(pairs, source, times, top)
        if daily:
            self._say_over(times, of)

    def _say_over(self, times: Times, of: SetOf) -> None:
        """Say of everything that is held against limits how many sites are over, and which."""
        pairs = of.pairs
        for series in sorted(series for series in self._days.series if series.window.endswith(LEVEL)):
            levels = self._cells(series, pairs, times, daily=True)
            window = series.window.removesuffix(LEVEL) + OVER
            topic = Topic(series.factor, window, series.edition, times.block)
            over = of.counted & present_of(levels.state) & (levels.value >= Level.HINT)
            named = [
                ";".join(self._members.names[row] for row in pairs.row[pairs.of(place)][over[pairs.of(place), column]])
                for place in range(pairs.area.size)
                for column in range(times.place.size)
            ]
            self._speak(pairs, topic, times, sites_over(levels, of), digits=0, primary=named)

    def _made(
        self, sources: Sequence[Source], times: Times, of: SetOf, *, daily: bool
    ) -> tuple[dict[Series, AreaValues], dict[Series, Largest]]:
        """Return what each source's sites make, and of plain means also the greatest: these are made all at once."""
        plain = [s for s in sources if s.statistic is Statistic.FORM and s.factor.form is Form.MEAN]
        made: dict[Series, AreaValues] = {}
        tops: dict[Series, Largest] = {}
        if plain:
            count = times.place.size
            cells = beside([self._cells(source.series, of.pairs, times, daily=daily) for source in plain])
            each = SetOf(of.pairs, np.tile(of.counted, (1, len(plain))), of.keys)
            step = np.repeat([source.step for source in plain], count).astype(np.int64)
            share = self._context.rules.areas.share
            values = over_sites(plain[0].factor, Statistic.FORM, cells, each, share=share, step=step)
            top = None if self._air else largest(values, cells, each)
            for number, source in enumerate(plain):
                mine = slice(number * count, (number + 1) * count)
                made[source.series] = values.at(slice(None), mine)
                if top is not None:
                    tops[source.series] = Largest(top.values.at(slice(None), mine), top.where[:, mine])
        for source in sources:
            if source.series not in made:
                made[source.series] = self._over_sites(source, times, of, daily=daily)
        return made, tops

    def _over_sites(self, source: Source, times: Times, of: SetOf, *, daily: bool) -> AreaValues:
        weighted = source.statistic is Statistic.FORM and source.factor.form in NOTHING_WEIGHS
        by = base_series(self._kind, source.factor.by, None) if daily else Series(source.factor.by, source.window)
        return over_sites(
            source.factor,
            source.statistic,
            self._cells(source.series, of.pairs, times, daily=daily),
            of,
            share=self._context.rules.areas.share,
            step=source.step,
            by=self._cells(by, of.pairs, times, daily=daily) if weighted else None,
        )

    def _cells(self, series: Series, pairs: Pairs, times: Times, *, daily: bool) -> Page:
        pages = self._days if daily else self._slots
        found = pages.cells(series, times.block, pairs.row, times.place)
        return empty_cells(pairs.row.size, times.place.size) if found is None else found

    def _keep(self, pairs: Pairs, series: Series, times: Times, values: AreaValues, *, daily: bool) -> None:
        """Put areas' own values into the pages, where their longer windows find them."""
        area, at = np.nonzero(values.due & times.wanted[pairs.area])
        found = values.at(area, at)
        content = joined(found.value, found.present, found.valid, found.reason, found.marks, found.inputs)
        cells = Cells(
            member=pairs.area[area] + (self._members.site_count if daily else 0),
            block=np.full(area.size, times.block),
            place=times.place[at],
            value=found.value,
            present=found.present,
            reason=found.reason,
            marks=found.marks,
            rank=(content & np.uint64(0xFFFFFFFF)) | np.uint64(1),
        )
        (self._days if daily else self._own_slots).put(series, cells)

    def _largest(self, source: Source, cells: Page, of: SetOf) -> Largest:
        share = self._context.rules.areas.share
        return largest(over_sites(source.factor, Statistic.MAX, cells, of, share=share, step=source.step), cells, of)

    def _say_largest(self, pairs: Pairs, source: Source, times: Times, top: Largest) -> None:
        """Say the greatest value among the sites, and which site has it (of several, the first by id)."""
        rows, there = top.where.ravel().tolist(), top.values.present.ravel().tolist()
        where = [self._members.names[row] if some else "" for row, some in zip(rows, there, strict=True)]
        topic = Topic(source.factor.symbol, source.window + LARGEST, "", times.block)
        self._speak(pairs, topic, times, top.values, digits=source.factor.digits, primary=where)

    def _say_air(
        self, pairs: Pairs, times: Times, sources: Sequence[Source], made: Mapping[Series, AreaValues], *, daily: bool
    ) -> None:
        """Say concentrations with their indices, and the index; by the edition of each day."""
        first = {source.factor.symbol: source for source in sources}
        whole = set(FACTORS) <= set(first)
        if whole:
            six = [(first[name], made[first[name].series]) for name in FACTORS]
            for edition, mask in self._context.standards.index_groups(times.day):
                self._say_index(pairs, times, six, (edition, mask), daily=daily)
        for source in sources:
            if not whole or source.factor.symbol not in FACTORS or first[source.factor.symbol] is not source:
                topic = Topic(source.factor.symbol, source.window, "", times.block)
                self._speak(pairs, topic, times, made[source.series], digits=source.factor.digits)

    def _say_index(
        self,
        pairs: Pairs,
        times: Times,
        six: Sequence[tuple[Source, AreaValues]],
        by: tuple[IndexEdition, NDArray[np.bool_]],
        *,
        daily: bool,
    ) -> None:
        """Say the index at the times of one edition, and the six concentrations with theirs."""
        edition, mask = by
        due = np.logical_or.reduce([values.due for _, values in six])
        area, at = np.nonzero(due & mask & self._spoken(pairs, times))
        found = [values.at(area, at) for _, values in six]
        index = area_index(found, edition, daily=daily)
        topic = Topic(AQI, Window.DAY if daily else Window.HOUR, edition.name, times.block)
        beside = Beside(level=index.level, detail=index.detail, primary=index.primary)
        self._speak_of(topic, times, pairs.area[area], at, index.values, digits=0, beside=beside)
        for (source, _), values, iaqi in zip(six, found, index.iaqi, strict=True):
            topic = Topic(source.factor.symbol, source.window, edition.name, times.block)
            mine = np.nonzero(values.due)[0]
            beside = Beside(iaqi=iaqi[mine])
            digits = source.factor.digits
            self._speak_of(
                topic, times, pairs.area[area[mine]], at[mine], values.at(mine), digits=digits, beside=beside
            )

    def _spoken(self, pairs: Pairs, times: Times) -> NDArray[np.bool_]:
        """Return which areas are spoken of when, [areas of the pairs, times]."""
        spoken: NDArray[np.bool_] = times.wanted[pairs.area] & self._said[pairs.area, None]
        return spoken

    def _speak(
        self,
        pairs: Pairs,
        topic: Topic,
        times: Times,
        values: AreaValues,
        *,
        digits: int,
        primary: Sequence[str] | None = None,
    ) -> None:
        area, at = np.nonzero(values.due & self._spoken(pairs, times))
        named = None if primary is None else [primary[n] for n in (area * times.place.size + at).tolist()]
        beside = BARE if named is None else Beside(primary=named)
        self._speak_of(topic, times, pairs.area[area], at, values.at(area, at), digits=digits, beside=beside)

    def _speak_of(
        self,
        topic: Topic,
        times: Times,
        member: NDArray[np.intp],
        at: NDArray[np.intp],
        values: AreaValues,
        *,
        digits: int,
        beside: Beside,
    ) -> None:
        """Say values [n] of these areas at these of the times."""
        self._speaker.say(
            Chunk(
                topic=topic,
                slots=times.slots,
                member=member,
                place=times.place[at],
                start=times.start[at],
                value=values.value,
                present=values.present,
                digits=digits,
                valid=values.valid,
                expected=values.expected,
                reason=values.reason,
                inputs=values.inputs,
                marks=values.marks,
                iaqi=NO_NUMBER if beside.iaqi is None else beside.iaqi,
                level=NO_NUMBER if beside.level is None else beside.level,
                detail=beside.detail,
                primary=beside.primary,
            )
        )

    def _joint_hours(self, made: Mapping[int, NDArray[np.bool_]]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Count the hours in which PM2.5 and O3 are over together, of the days of areas whose hours were made."""
        rule = self._context.rules.air_year.joint_hours
        pair = {"PM2.5": rule.fine, "O3": rule.ozone}
        areas, days = [np.zeros(0, np.intp)], [np.zeros(0, np.int64)]
        if not self._air or not set(pair) <= set(self._kind.factors) or Window.HOUR not in self._kind.area_windows:
            return areas[0], days[0]
        whole = np.arange(DAY_MS // self._kind.slot_ms)
        for day, mask in sorted(made.items()):
            area = np.nonzero(mask)[0]
            over, there = np.ones((area.size, whole.size), np.bool_), np.ones((area.size, whole.size), np.bool_)
            for name, threshold in pair.items():
                found = self._own_slots.cells(Series(name, Window.HOUR), day, area, whole)
                cells = empty_cells(area.size, whole.size) if found is None else found
                there &= present_of(cells.state)
                over &= cells.value > threshold * 10 ** self._kind.factors[name].digits
            rows = area + self._members.site_count
            self._days.put(JOINT_HOURS, _one_day(rows, day, (over & there).sum(axis=1), there.sum(axis=1)))
            areas.append(rows)
            days.append(np.full(area.size, day, np.int64))
        return np.concatenate(areas), np.concatenate(days)


def _one_day(rows: NDArray[np.intp], day: int, count: NDArray[np.int64], valid: NDArray[np.int64]) -> Cells:
    year = int(years_of(np.array([day]))[0])
    return Cells(
        member=rows,
        block=np.full(rows.size, year),
        place=np.full(rows.size, day - year_first(year)),
        value=count,
        present=valid > 0,
        reason=np.where(valid > 0, OK, INCOMPLETE).astype(np.uint8),
        marks=np.zeros(rows.size, np.int32),
        rank=(count * 64 + valid * 2 + 1).astype(np.uint64),
    )


def _times_of_years(areas: NDArray[np.intp], days: NDArray[np.int64], count: int) -> Iterator[Times]:
    """Yield pairs of area and day year by year, the days in order."""
    years = years_of(days)
    for year in np.unique(years).tolist():
        mine = years == year
        every, place = np.unique(days[mine], return_inverse=True)
        wanted = np.zeros((count, every.size), np.bool_)
        wanted[areas[mine], place] = True
        yield Times(
            block=year,
            slots=LEAP,
            place=(every - year_first(year)).astype(np.intp),
            day=every,
            start=every * DAY_MS - BEIJING_OFFSET_MS,
            wanted=wanted,
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
