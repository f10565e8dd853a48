"""Windows of air: from judged hours to what is said of each hour and each day.

Every function takes judged hours ``[sites, factors, hours]`` and gives blocks ``[sites, times]``.
Rules: `streams.standards` (counts, editions) and the project's rulings, "Air".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.clock import first_hour_of_day
from streams.air.index import AVERAGED, FACTORS, combine, daily_table, iaqi, pack_states, real_time_table
from streams.air.means import DAY_SPAN, FIRST_MDA8_END, MDA8_WINDOWS, O3_SPAN, mda8
from streams.judging.hashing import Hash, joined, placed
from streams.judging.means import Means, day_mean, rounded_means, running_mean, tail_sums
from streams.judging.plan import NO_NUMBER, Block, Slots
from streams.judging.reasons import INCOMPLETE, NO_ITEM, NOT_IN_PLAN, OK, SILENT
from streams.standards import IndexEdition, Standards

O3: Final = FACTORS.index("O3")
AVERAGES: Final = slice(0, len(AVERAGED))
BEFORE: Final = DAY_SPAN - 1
"""Slots of context before the first one asked for."""


def edition_places(standards: Standards, days: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the place of the index edition in force on each day; before the first their number."""
    places = np.full(days.size, len(standards.index_editions), np.int8)
    for found, mask in standards.index_groups(days):
        places[mask] = standards.index_editions.index(found)
    return places


def _index_columns(edition: NDArray[np.int8], count: int) -> list[tuple[int, NDArray[np.bool_]]]:
    return [(place, edition == place) for place in range(count) if (edition == place).any()]


def hour_blocks(hours: Slots, standards: Standards, begin: int) -> list[Block]:
    """Return the six 1 h means and the real-time index of the hours from position ``begin`` on.

    References
    ----------
    .. [1] HJ 633-2012 and HJ 633-2026, real-time report; rulings: six 1 h values in both.
    """
    part, editions = hours.from_place(begin), standards.index_editions
    edition = edition_places(standards, part.day)
    states = part.states()
    iaqis = np.full(part.value.shape, NO_NUMBER, np.int16)
    index = _Indices.empty(part.value.shape[0], part.number.size)
    for place, mask in _index_columns(edition, len(editions)):
        found, after = iaqi(part.value[..., mask], states[..., mask], real_time_table(editions[place]))
        iaqis[..., mask] = found
        states[..., mask] = after
        index.put(mask, found, after, editions[place])
    blocks = [
        Block(
            value=part.value[:, f],
            present=part.present[:, f],
            valid=part.valid[:, f],
            expected=part.expected[:, f],
            reason=states[:, f],
            detail=np.zeros(part.value[:, f].shape, np.int64),
            marks=part.marks[:, f],
            iaqi=iaqis[:, f],
            level=np.full(part.value[:, f].shape, NO_NUMBER, np.int8),
            primary=np.zeros(part.value[:, f].shape, np.uint64),
            inputs=part.inputs[:, f],
            edition=np.broadcast_to(edition, part.value[:, f].shape),
            due=part.inputs[:, f] != 0,
        )
        for f in range(len(FACTORS))
    ]
    return [*blocks, index.block(blocks, states, edition)]


def running_blocks(hours: Slots, standards: Standards, begin: int) -> list[Block]:
    """Return O3 8 h, its platform variant and the five running 24 h means, from position ``begin`` on."""
    counts = [standards.completeness(int(day)) for day in hours.day[begin:]]
    since_midnight = hours.number - first_hour_of_day(hours.day) + 1
    inputs = placed(hours.inputs, hours.number)
    eight, whole_day = np.full(hours.number.size, O3_SPAN), np.full(hours.number.size, DAY_SPAN)

    def running(items: slice, spans: NDArray[np.int64], at_least: Sequence[int]) -> list[Block]:
        return _running(hours, items, spans, inputs, (at_least, edition_places(standards, hours.day[begin:])))

    o3 = slice(O3, O3 + 1)
    return [
        *running(o3, eight, [c.o3_8h_hours for c in counts]),
        *running(o3, np.minimum(since_midnight, O3_SPAN), [1] * len(counts)),
        *running(AVERAGES, whole_day, [c.running_24h_hours for c in counts]),
    ]


def _running(
    hours: Slots,
    items: slice,
    spans: NDArray[np.int64],
    inputs: Hash,
    rule: tuple[Sequence[int], NDArray[np.int8]],
) -> list[Block]:
    """Return running means of some items; ``rule`` has the counts needed and the edition of each hour asked for."""
    at_least, edition = rule
    begin = hours.number.size - edition.size
    present = hours.present[:, items]
    sums = tail_sums(np.where(present, hours.value[:, items], 0), spans, begin)
    steps = np.array(hours.steps[items], np.int64)[:, None]
    means = rounded_means(sums, tail_sums(present.astype(np.int64), spans, begin), at_least, steps)
    came = tail_sums((hours.inputs[:, items] != 0).astype(np.int64), spans, begin) > 0
    hashes = tail_sums(inputs[:, items], spans, begin)
    marks = _marks_over(hours.marks[:, items], spans, begin)
    shape = came[:, 0].shape
    return [
        _plain_block(
            means=Means(means.value[:, i], means.ok[:, i], means.valid[:, i]),
            expected=np.broadcast_to(spans[begin:], shape),
            came=came[:, i],
            planned=hours.planned[:, items.start + i, begin:],
            marks=marks[:, i],
            inputs=hashes[:, i],
            edition=np.broadcast_to(edition, shape),
        )
        for i in range(came.shape[1])
    ]


def _plain_block(
    *,
    means: Means,
    expected: NDArray[np.int64],
    came: NDArray[np.bool_],
    planned: NDArray[np.bool_],
    marks: NDArray[np.integer],
    inputs: Hash,
    edition: NDArray[np.int8],
    iaqis: NDArray[np.int16] | None = None,
) -> Block:
    """Return a block of means that are no index: a reason where the mean is not valid."""
    shape = means.value.shape
    short = np.where(came, INCOMPLETE, np.where(planned, SILENT, NOT_IN_PLAN))
    return Block(
        value=means.value,
        present=means.ok,
        valid=means.valid.astype(np.int16),
        expected=expected.astype(np.int16),
        reason=np.where(means.ok, OK, short).astype(np.uint8),
        detail=np.zeros(shape, np.int64),
        marks=marks,
        iaqi=np.full(shape, NO_NUMBER, np.int16) if iaqis is None else iaqis,
        level=np.full(shape, NO_NUMBER, np.int8),
        primary=np.zeros(shape, np.uint64),
        inputs=inputs,
        edition=edition,
        due=came,
    )


def day_blocks(hours: Slots, standards: Standards, limit: NDArray[np.int64]) -> list[Block]:
    """Return the five 24 h means, MDA8 and the daily index of one natural day.

    Parameters
    ----------
    hours
        The 24 hours of the day.
    standards
        Counts and editions.
    limit
        Per site the limit of MDA8 in its zone, stored units: over it a day with fewer windows counts.
    """
    editions = standards.index_editions
    day = int(hours.day[0])
    place = int(edition_places(standards, hours.day[-1:])[0])
    counts = standards.completeness(day)
    came = np.any(hours.inputs != 0, axis=-1, keepdims=True)
    planned = np.any(hours.planned, axis=-1, keepdims=True)
    marks = np.bitwise_or.reduce(hours.marks, axis=-1)
    inputs = placed(hours.inputs, hours.number).sum(axis=-1, dtype=np.uint64)
    o3 = running_mean(
        hours.value[:, O3], hours.present[:, O3], span=O3_SPAN, at_least=counts.o3_8h_hours, step=hours.steps[O3]
    )
    window = slice(FIRST_MDA8_END - 1, FIRST_MDA8_END - 1 + MDA8_WINDOWS)
    fewer = limit if counts.mda8_fewer_if_over else None
    means = {O3: mda8(o3.value[:, window], o3.ok[:, window], at_least=counts.mda8_windows, limit=fewer)}
    for f in range(len(AVERAGED)):
        means[f] = day_mean(hours.value[:, f], hours.present[:, f], at_least=counts.day_hours, step=hours.steps[f])
    blocks = [
        _plain_block(
            means=Means(means[f].value[:, None], means[f].ok[:, None], means[f].valid[:, None]),
            expected=np.full((came.shape[0], 1), MDA8_WINDOWS if f == O3 else DAY_SPAN, np.int64),
            came=came[:, f],
            planned=planned[:, f],
            marks=marks[:, f, None],
            inputs=inputs[:, f, None],
            edition=np.full((came.shape[0], 1), place, np.int8),
        )
        for f in range(len(FACTORS))
    ]
    return _with_daily_index(blocks, editions, place)


def _with_daily_index(blocks: list[Block], editions: tuple[IndexEdition, ...], place: int) -> list[Block]:
    """Return the blocks with their IAQIs, and the daily index after them; none before the first edition."""
    if place == len(editions):
        return blocks
    values = np.stack([b.value for b in blocks], axis=1)
    states = np.stack([b.reason for b in blocks], axis=1)
    found, after = iaqi(values, states, daily_table(editions[place]))
    index = _Indices.empty(values.shape[0], values.shape[-1])
    index.put(np.ones(values.shape[-1], np.bool_), found, after, editions[place])
    rated = [_rated(block, found[:, f], after[:, f]) for f, block in enumerate(blocks)]
    return [*rated, index.block(rated, after, np.full(values.shape[-1], place, np.int8))]


def _rated(block: Block, iaqis: NDArray[np.int16], states: NDArray[np.uint8]) -> Block:
    return replace(block, iaqi=iaqis, reason=states)


@dataclass(slots=True, kw_only=True)
class _Indices:
    """An index that is filled edition by edition."""

    aqi: NDArray[np.int16]
    level: NDArray[np.int8]
    primary: NDArray[np.uint64]
    reason: NDArray[np.uint8]

    @classmethod
    def empty(cls, sites: int, times: int) -> _Indices:
        shape = (sites, times)
        return cls(
            aqi=np.full(shape, NO_NUMBER, np.int16),
            level=np.zeros(shape, np.int8),
            primary=np.zeros(shape, np.uint64),
            reason=np.full(shape, NO_ITEM, np.uint8),
        )

    def put(
        self, mask: NDArray[np.bool_], iaqis: NDArray[np.int16], states: NDArray[np.uint8], edition: IndexEdition
    ) -> None:
        found = combine(iaqis, states, edition)
        self.aqi[:, mask], self.level[:, mask] = found.aqi, found.level
        self.primary[:, mask], self.reason[:, mask] = found.primary, found.reason

    def block(self, parts: list[Block], states: NDArray[np.uint8], edition: NDArray[np.int8]) -> Block:
        given = self.aqi != NO_NUMBER
        silent = ((states == SILENT) | (states == NOT_IN_PLAN)).all(axis=1) & (self.reason == NO_ITEM)
        missing = np.where((states == OK) | (states == NOT_IN_PLAN), np.uint8(0), states)
        return Block(
            value=np.where(given, self.aqi, 0).astype(np.int64),
            present=given,
            valid=(states == OK).sum(axis=1).astype(np.int16),
            expected=(states != NOT_IN_PLAN).sum(axis=1).astype(np.int16),
            reason=np.where(silent, SILENT, self.reason).astype(np.uint8),
            detail=pack_states(missing),
            marks=np.bitwise_or.reduce(np.stack([p.marks for p in parts]), axis=0),
            iaqi=np.full(given.shape, NO_NUMBER, np.int16),
            level=np.where(given, self.level, np.int8(NO_NUMBER)).astype(np.int8),
            primary=self.primary.astype(np.uint64),
            inputs=joined(*(p.inputs for p in parts)),
            edition=np.broadcast_to(edition, given.shape),
            due=np.logical_or.reduce([p.due for p in parts]),
        )


def _marks_over(marks: NDArray[np.integer], spans: NDArray[np.int64], begin: int) -> NDArray[np.integer]:
    """Return the union of marks over the last ``spans[h]`` hours of each hour ``h`` from ``begin`` on."""
    hours = range(begin, marks.shape[-1])
    unions = [np.bitwise_or.reduce(marks[..., max(0, h + 1 - spans[h]) : h + 1], axis=-1) for h in hours]
    return np.stack(unions, axis=-1)
