"""Values of areas: made of the concentrations of the sites that count, never of their indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensors.factors import Factor, Form
from sensors.windows import Statistic
from streams.air.index import FACTORS, combine, daily_table, iaqi, missing_details, primary_names, real_time_table
from streams.discharge.judgement import Level
from streams.judging.hashing import Hash, joined, placed
from streams.judging.means import Flags, Ints
from streams.judging.plan import NO_NUMBER
from streams.judging.reasons import NOT_IN_PLAN, OK, TOO_FEW_SITES, UNSET, States
from streams.periods.pages import Page, present_of, reason_of
from streams.periods.pairs import Pairs
from streams.periods.past import NOTHING_WEIGHS
from streams.periods.statistics import Taken, quotient, take
from streams.standards import IndexEdition

_ALL_OF: Final = frozenset({Form.SUM, Form.COUNTER})
"""Forms whose total is wrong when a site is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaValues:
    """One window of one factor of areas: arrays [areas, times]."""

    value: Ints
    present: Flags
    valid: Ints
    """Sites that were valid, or are known to weigh nothing."""
    expected: Ints
    """Sites that count and measure the factor by plan."""
    reason: States
    marks: NDArray[np.int32]
    inputs: Hash
    due: Flags
    """A row came from some site that counts."""

    def at(self, *places: Any) -> AreaValues:
        """Return some of the values: places on each axis, as numpy takes them."""
        return AreaValues(**{name: getattr(self, name)[places] for name in self.__slots__})


class SetOf(NamedTuple):
    """The sites that count in some areas."""

    pairs: Pairs
    counted: NDArray[np.bool_]
    """Which count when, [pairs, times]."""
    keys: NDArray[np.int64]
    """A hash of each site's id, [pairs]: part of the hash of what went in."""


def over_sites(
    factor: Factor,
    statistic: Statistic,
    cells: Page,
    of: SetOf,
    *,
    share: Fraction,
    step: int | Ints,
    by: Page | None = None,
) -> AreaValues:
    """Return what the values of the sites of areas make, valid where enough of them are.

    Parameters
    ----------
    factor
        Its form says how: mean of concentrations, sum of amounts, energy mean of levels, and so on.
    statistic
        Of the window: maxima give the greatest, minima the least, sums the sum.
    cells
        [pairs, times].
    of
        Who counts.
    share
        Least share of the expected sites; sums need all.
    step
        The result is rounded half to even to multiples of this; of means also one for each time.
    by
        Cells of the flow or speed that weights the factor.
    """
    pairs = of.pairs
    came = of.counted & (cells.rank != 0)
    present = came & present_of(cells.state)
    planned = of.counted & ~(came & (reason_of(cells.state) == NOT_IN_PLAN))
    none = NOTHING_WEIGHS.get(factor.form)
    known = present if none is None else present | (came & (reason_of(cells.state) == none))
    expected, valid = pairs.count(planned), pairs.count(known)
    taken = _taken(factor, statistic, cells, present, pairs, step=step, by=by)
    additive = statistic in {Statistic.SUM, Statistic.COUNT} or (statistic is Statistic.FORM and factor.form in _ALL_OF)
    least_share = Fraction(1) if additive else share
    enough = (valid > 0) & (valid * least_share.denominator >= expected * least_share.numerator)
    ok = enough & taken.ok
    why = np.where(enough, TOO_FEW_SITES if none is None else none, np.where(expected == 0, NOT_IN_PLAN, TOO_FEW_SITES))
    due = pairs.some(came)
    return AreaValues(
        value=np.where(ok, taken.value, 0),
        present=ok,
        valid=valid,
        expected=expected,
        reason=np.where(ok, OK, why).astype(np.uint8),
        marks=pairs.bits(np.where(came, cells.marks, 0)),
        inputs=_content(cells, came, of) | due.astype(np.uint64),
        due=due,
    )


def _content(cells: Page, came: Flags, of: SetOf) -> Hash:
    """Return a hash of what came of each area's sites."""
    each = placed(cells.rank & np.uint64(0xFFFFFFFF), np.broadcast_to(of.keys[:, None], came.shape))
    return of.pairs.total(np.where(came, each, np.uint64(0)))


def _taken(
    factor: Factor,
    statistic: Statistic,
    cells: Page,
    present: Flags,
    of: Pairs,
    *,
    step: int | Ints,
    by: Page | None,
) -> Taken:
    form = Form.SUM if statistic in {Statistic.SUM, Statistic.COUNT} else factor.form
    highest = statistic is Statistic.MAX or (statistic is Statistic.FORM and form is Form.MAX)
    if highest or statistic is Statistic.MIN:
        sign = 1 if highest else -1
        ok = of.some(present)
        return Taken(np.where(ok, sign * of.greatest(sign * cells.value, present), 0), ok)
    if form in {Form.MEAN, Form.SUM, Form.COUNTER}:
        sums = of.sum(np.where(present, cells.value, 0))
        return quotient(sums, of.count(present) if form is Form.MEAN else of.some(present).astype(np.int64), step)
    if not isinstance(step, int):
        raise TypeError("weighted values and levels are rounded to one step at all times")
    made = [_of_one(factor, cells, present, of.of(place), step=step, by=by) for place in range(of.area.size)]
    return Taken(np.stack([one.value for one in made]), np.stack([one.ok for one in made]))


def _of_one(factor: Factor, cells: Page, present: Flags, mine: slice, *, step: int, by: Page | None) -> Taken:
    """Return what one area's sites make by a form that weighs, or adds in the order of the sites."""
    weights = None if by is None else (by.value[mine].T, present_of(by.state[mine]).T)
    values, there = cells.value[mine].T, present[mine].T
    return take(factor.form, values, there, digits=factor.digits, step=step, weights=weights)


class Largest(NamedTuple):
    """The greatest value among the sites of areas: arrays [areas, times]."""

    values: AreaValues
    where: NDArray[np.intp]
    """Row in the pages of the site that has it; of several the first."""


def largest(values: AreaValues, cells: Page, of: SetOf) -> Largest:
    """Return the greatest value among the sites of areas, wherever these have the value that they make together.

    Parameters
    ----------
    values
        What the same cells make together; what counts, and the reason where there is no value, are those of it.
    cells
        [pairs, times].
    of
        Who counts.
    """
    there = of.counted & (cells.rank != 0) & present_of(cells.state)
    top = np.where(values.present, of.pairs.greatest(cells.value, there), 0)
    return Largest(replace(values, value=top), of.pairs.first(there & (cells.value == of.pairs.each(top))))


def beside(parts: Sequence[Page]) -> Page:
    """Return cells of the same sites one after the other on the axis of times."""
    return Page(
        value=np.concatenate([part.value for part in parts], axis=1),
        rank=np.concatenate([part.rank for part in parts], axis=1),
        state=np.concatenate([part.state for part in parts], axis=1),
        marks=np.concatenate([part.marks for part in parts], axis=1),
    )


def sites_over(levels: Page, of: SetOf) -> AreaValues:
    """Return how many sites of areas are over a limit, of those that are held against one.

    Parameters
    ----------
    levels
        `streams.discharge.judgement.Level` of each site, [pairs, times]; a site without one is not judged.
    of
        Who counts.
    """
    came = of.counted & (levels.rank != 0)
    judged = came & present_of(levels.state) & (levels.value >= Level.WITHIN)
    due, some = of.pairs.some(came), of.pairs.some(judged)
    return AreaValues(
        value=of.pairs.count(judged & (levels.value >= Level.HINT)),
        present=some,
        valid=of.pairs.count(judged),
        expected=of.pairs.count(of.counted),
        reason=np.where(some, OK, UNSET).astype(np.uint8),
        marks=of.pairs.bits(np.where(came, levels.marks, 0)),
        inputs=_content(levels, came, of) | due.astype(np.uint64),
        due=due,
    )


class AreaIndex(NamedTuple):
    """The index of areas: arrays [n], and the index of each item."""

    values: AreaValues
    iaqi: NDArray[np.int16]
    """[items, n]."""
    level: NDArray[np.int8]
    detail: Sequence[str]
    primary: Sequence[str]


def area_index(items: Sequence[AreaValues], edition: IndexEdition, *, daily: bool) -> AreaIndex:
    """Return the air index of areas from their own rounded concentrations.

    Parameters
    ----------
    items
        Of the six items in the order of `streams.air.index.FACTORS`, arrays [n].
    edition
        That of the date.
    daily
        Whether they are days (24 h means and MDA8) or hours.

    References
    ----------
    .. [1] HJ 633-2026: for point, county and city from the concentrations by HJ 663, not the mean of indices.
    """
    values = np.stack([item.value for item in items])
    states = np.stack([np.where(item.due, item.reason, TOO_FEW_SITES) for item in items]).astype(np.uint8)
    iaqis, after = iaqi(values, states, daily_table(edition) if daily else real_time_table(edition))
    found = combine(iaqis, after, edition)
    given = found.aqi != NO_NUMBER
    names = primary_names(FACTORS)
    return AreaIndex(
        values=AreaValues(
            value=np.where(given, found.aqi, 0).astype(np.int64),
            present=given,
            valid=(after == OK).sum(axis=0).astype(np.int64),
            expected=(after != NOT_IN_PLAN).sum(axis=0).astype(np.int64),
            reason=found.reason,
            marks=np.bitwise_or.reduce(np.stack([item.marks for item in items]), axis=0),
            inputs=joined(*(item.inputs for item in items)),
            due=np.logical_or.reduce([item.due for item in items]),
        ),
        iaqi=iaqis,
        level=np.where(given, found.level, np.int8(NO_NUMBER)).astype(np.int8),
        detail=missing_details(after, FACTORS).tolist(),
        primary=[names[int(bits)] for bits in found.primary],
    )
