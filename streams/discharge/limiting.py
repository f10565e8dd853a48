"""The evaluation ``limits``: every averaging period of every factor held against the limits of its day.

A row has the factor's name with `SUFFIX` (``COD.limit``) and the window of the value (``1h``, ``24h``,
``1h_max``; of a range ``24h_min`` and ``24h_max``). Its value is the value that was judged, its ``level`` a
`streams.discharge.judgement.Level`, its ``detail`` what `streams.discharge.judgement.read_detail` reads: each
limit that was held against it or shown, which decides, finding or hint, and the multiple.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import HOUR_MS
from sensors.factors import Factor
from sensors.flags import Mark
from sensors.registry import Site
from streams.discharge.applied import LimitBook, Warmth, is_night, windows_of
from streams.discharge.effective import EffectiveRule, load_effective_rule
from streams.discharge.held import NIGHTS, PROFILE_BITS, HeldLimits, known_limits
from streams.discharge.judgement import Judgement, Level, decider_within, judge, levels, say
from streams.discharge.limits import Limit
from streams.discharge.loads import of_day
from streams.discharge.marks import touched
from streams.discharge.permitfile import State
from streams.judging.hashing import joined
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import NOT_JUDGED, OK, UNSET

SUFFIX: Final = ".limit"
"""Follows the factor in the names of judged rows."""
PERMIT: Final = "permit"
"""The factor of the row that says whether an outlet has a permit."""
TEMPERATURE: Final = "wtemp"
"""The factor that limits by water temperature ask for."""
_COLD_TO: Final = 12
"""°C: at and below it the cold row of GB 18918 holds."""
_STATES: Final = tuple(State)
_NUMBER: Final = (1 << 32) - 1
"""Low bits of a detail: the value of a window that is over a limit, else its level."""
_VALUE_OFFSET: Final = 1 << 31
_LEVEL_OFFSET: Final = 1
_OVER: Final = 1 << 32
_MARK_BITS: Final = 8
"""Of the enterprise's marks: 1 + the state's place + `len(_STATES)` times the slots that they cover (at most 24)."""
_MARK_SHIFT: Final = 33
_PROFILE_SHIFT: Final = _MARK_SHIFT + _MARK_BITS
_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One window of one factor, everything [sites, times]."""

    value: _Ints
    present: NDArray[np.bool_]
    valid: NDArray[np.integer]
    expected: NDArray[np.integer]
    reason: NDArray[np.uint8]
    marks: NDArray[np.integer]
    inputs: NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """What marks of the enterprise mean for windows, [sites, times]."""

    code: _Ints
    covered: NDArray[np.bool_]
    """Whether the window may not be judged."""


class LimitsEvaluation:
    """Holds values against limits.

    Parameters
    ----------
    book
        Standards, permits and factors of the kind.
    slot_window
        Name of the kind's slot: ``1h`` or ``4h``.
    day_windows
        Names and factors of the kind's day windows: pairs (factor, window).
    remade
        How a day window is made of slots: (factor, window) → from the slots of the day its block. Where marks cover
        some slots of a day, but leave enough, the day is made again without them; one that is not here is not judged.
    rule
        The share of its slots that a day needs.
    register
        The entry of a site's setting that holds its permit's number; empty where the kind has none. null there is
        an outlet without a permit: every day a finding. Left out, it is not known: unset.
    """

    name = "limits"
    editions = ("",)
    before = 0
    day_before = 0

    def __init__(
        self,
        book: LimitBook,
        *,
        slot_window: str,
        day_windows: Iterable[tuple[str, str]],
        remade: Mapping[tuple[str, str], Callable[[Slots], Block]] | None = None,
        rule: EffectiveRule | None = None,
        register: str = "",
    ) -> None:
        self._book, self._register = book, register
        self._remade, self._rule = remade or {}, rule or load_effective_rule()
        self._texts: dict[int, str] = {}
        known, bound = _pairs(book, known_limits(book)), _pairs(book, _bound(book))
        ends = ("", "_min", "_max")
        self._slot_pairs = tuple(
            (factor, window)
            for factor in book.factors
            for window in (slot_window + end for end in ends)
            if (factor, window) in bound
        )
        days = list(day_windows)
        self._day_pairs = tuple(pair for pair in days if pair in known)
        self._table = HeldLimits(book, (*self._slot_pairs, *self._day_pairs))
        self.slot_outputs = tuple(self._output(*pair) for pair in self._slot_pairs)
        permit = (Output(factor=PERMIT, window="24h", digits=0),) if register else ()
        self.day_outputs = (*(self._output(*pair) for pair in self._day_pairs), *permit)
        self.reach = (0,) * len(self.slot_outputs)

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        """Return each slot window of each factor, judged; see `streams.judging.plan.Evaluation`."""
        part = slots.from_place(begin)
        if not self._slot_pairs:
            return []
        warm = self._warmth(part)
        cases = warm * NIGHTS + is_night(part.start // HOUR_MS)[None, :]
        states = self._excluded(sites, part.start, part.slot_ms)
        marks = _Marks(code=np.where(states != 0, states + len(_STATES), 0), covered=states != 0)
        cells = self._table.cells(sites, part.day)
        return [
            self._block(place, _of_slots(part, *pair), cases, marks, cells)
            for place, pair in enumerate(self._slot_pairs)
        ]

    def day(self, slots: Slots, sites: tuple[Site, ...], means: Mapping[tuple[str, str], Block]) -> list[Block]:
        """Return each day window of each factor, judged."""
        if not self._day_pairs:
            return [self._permitted(slots, sites)] if self._register else []
        slots = slots.from_place(of_day(slots))
        warm = self._warmth_of(means.get((TEMPERATURE, "24h")), len(sites))
        states = self._excluded(sites, slots.start, slots.slot_ms)
        count = (states != 0).sum(axis=1, keepdims=True)
        left, share = states.shape[1] - count, self._rule.day_share
        enough = left * share.denominator >= states.shape[1] * share.numerator
        code = np.where(count > 0, states.max(axis=1, keepdims=True) + len(_STATES) * count, 0)
        some = (count > 0) & enough
        uncovered = replace(slots, present=slots.present & (states == 0)[:, None]) if some.any() else None
        first = len(self._slot_pairs)
        cells = self._table.cells(sites, slots.day[-1:])
        judged = []
        for place, pair in enumerate(self._day_pairs):
            found, covered = _of_block(means[pair]), count > 0
            if uncovered is not None and pair in self._remade:
                found, covered = _without(found, self._remade[pair](uncovered), some), covered & ~enough
            marks = _Marks(code=code, covered=covered)
            judged.append(self._block(first + place, found, warm * NIGHTS, marks, cells))
        return [*judged, self._permitted(slots, sites)] if self._register else judged

    def _permitted(self, slots: Slots, sites: tuple[Site, ...]) -> Block:
        """Return for each site whether it has a permit: 1, or 0 and a finding; unset where that is not known."""
        known = np.array([[self._register in site.setting] for site in sites])
        permits = np.array([[bool(site.setting.get(self._register))] for site in sites])
        came = (slots.inputs != 0).any(axis=(1, 2))[:, None]
        return Block.of(
            value=permits,
            present=known,
            reason=np.where(known, OK, UNSET),
            level=np.where(known, np.where(permits, Level.WITHIN, Level.FINDING), Level.NOT_JUDGED),
            inputs=came.astype(np.uint64),
        )

    def _output(self, factor: str, window: str) -> Output:
        digits = self._book.factors[factor].digits
        return Output(factor=factor + SUFFIX, window=window, digits=digits, tell=self._teller(digits))

    def _teller(self, digits: int) -> Callable[[_Ints], pa.Array]:
        return lambda codes: pa.array([self._tell(int(code), digits) for code in codes], pa.utf8())

    def _tell(self, code: int, digits: int) -> str:
        if code & _OVER:
            limits = self._table.limits_of(code >> _PROFILE_SHIFT)
            judgement = judge(Fraction((code & _NUMBER) - _VALUE_OFFSET, 10**digits), limits)
            return say(limits, judgement, *_marked(code))
        if code not in self._texts:  # as many as there are sets of limits and levels
            self._texts[code] = self._tell_within(code)
        return self._texts[code]

    def _tell_within(self, code: int) -> str:
        """Return the detail of a window that is over nothing: it does not depend on the value."""
        limits = self._table.limits_of(code >> _PROFILE_SHIFT)
        level, (excluded, count) = Level((code & _NUMBER) - _LEVEL_OFFSET), _marked(code)
        if not limits and not excluded:
            return ""
        judgement = Judgement(level=level, decides=decider_within(limits, level), multiple=None)
        return say(limits, judgement, excluded, count)

    def _block(self, output: int, judged: _Judged, cases: _Ints, marked: _Marks, cells: _Ints) -> Block:
        """Return one output of `_table`, by the cells of sites and times and the case of each."""
        cases = np.broadcast_to(cases, judged.value.shape)
        rows, profiles = self._table.rows(output, cells, cases), self._table.profiles(output, cells, cases)
        profile, why = profiles & ((1 << PROFILE_BITS) - 1), profiles >> PROFILE_BITS
        held_against = judged.present & ~marked.covered
        level = np.where(held_against, levels(judged.value, rows), Level.NOT_JUDGED)
        unheld = np.where(marked.covered, NOT_JUDGED, np.where(level == Level.NOT_JUDGED, why, OK))
        over = level >= Level.HINT
        number = np.where(
            over, np.clip(judged.value + _VALUE_OFFSET, 0, _NUMBER), level.astype(np.int64) + _LEVEL_OFFSET
        )
        detail = profile << _PROFILE_SHIFT | marked.code << _MARK_SHIFT | np.where(over, _OVER, 0) | number
        return Block.of(
            value=judged.value,
            present=judged.present,
            valid=judged.valid,
            expected=judged.expected,
            reason=np.where(judged.present, unheld, judged.reason),
            detail=detail,
            marks=judged.marks,
            level=level,
            inputs=np.where(judged.inputs != 0, joined(judged.inputs, cases) | np.uint64(1), np.uint64(0)),
        )

    def _excluded(self, sites: tuple[Site, ...], starts: _Ints, slot_ms: int) -> _Ints:
        """Return 1 + the place in `State` of the enterprise's mark that covers each slot, else 0; [sites, times]."""
        states = np.zeros((len(sites), starts.size), np.int64)
        for row, site in enumerate(sites):
            for mark in self._book.permits.site(site.id).marks:
                states[row, touched(mark, starts, slot_ms)] = _STATES.index(mark.state) + 1
        return states

    def _warmth(self, slots: Slots) -> _Ints:
        if TEMPERATURE not in slots.factors:
            return np.zeros((slots.value.shape[0], slots.number.size), np.int64)
        place = slots.at(TEMPERATURE)
        return self._warm(slots.value[:, place], slots.present[:, place])

    def _warmth_of(self, block: Block | None, count: int) -> _Ints:
        return np.zeros((count, 1), np.int64) if block is None else self._warm(block.value, block.present)

    def _warm(self, value: _Ints, present: NDArray[np.bool_]) -> _Ints:
        edge = _COLD_TO * 10 ** self._book.factors[TEMPERATURE].digits
        return np.where(present, np.where(value > edge, Warmth.WARM, Warmth.COLD), Warmth.UNKNOWN).astype(np.int64)


def _marked(code: int) -> tuple[str, int]:
    """Return the state of the marks in a detail's code, and how many slots they cover."""
    marks = (code >> _MARK_SHIFT & ((1 << _MARK_BITS) - 1)) - 1
    return ("", 0) if marks < 0 else (_STATES[marks % len(_STATES)].value, marks // len(_STATES))


def _without(judged: _Judged, remade: Block, some: NDArray[np.bool_]) -> _Judged:
    """Return a day window, made again where marks cover some slots of the day."""
    return replace(
        judged,
        value=np.where(some, remade.value, judged.value),
        present=np.where(some, remade.present, judged.present),
        valid=np.where(some, remade.valid, judged.valid),
        reason=np.where(some, remade.reason, judged.reason),
        marks=np.where(some, remade.marks | int(Mark.COMPUTED), judged.marks),
    )


def _bound(book: LimitBook) -> tuple[Limit, ...]:
    """Return every limit that binds some site at some time: of standards that apply, and of permits."""
    holders = (*book.permits.sites.values(), *book.permits.areas.values())
    applied = {one.standard for holder in holders for one in holder.applies}
    standards = tuple(
        limit for found in book.sets if found.standard in applied or found.column_setting for limit in found.limits
    )
    return (*standards, *(limit for holder in holders for limit in holder.limits))


def _pairs(book: LimitBook, limits: Iterable[Limit]) -> set[tuple[str, str]]:
    """Return the factors and windows that limits judge, proxies among them."""
    return {
        (factor, window)
        for limit in limits
        for factor in (limit.factor, *book.proxies.get(limit.factor, ()))
        for window in windows_of(limit)
    }


def _of_slots(slots: Slots, factor: str, window: str) -> _Judged:
    place = slots.at(factor)
    column = slots.high if window.endswith("_max") else slots.low if window.endswith("_min") else slots.value
    return _Judged(
        value=column[:, place],
        present=slots.present[:, place],
        valid=slots.valid[:, place],
        expected=slots.expected[:, place],
        reason=slots.states()[:, place],
        marks=slots.marks[:, place],
        inputs=slots.inputs[:, place],
    )


def _of_block(block: Block) -> _Judged:
    return _Judged(
        value=block.value,
        present=block.present,
        valid=block.valid,
        expected=block.expected,
        reason=block.reason,
        marks=block.marks,
        inputs=block.inputs,
    )


def day_pairs(windows: Iterable[tuple[str, Iterable[str]]], factors: Mapping[str, Factor]) -> list[tuple[str, str]]:
    """Return (factor, window) for every factor of every window, in the factors' order."""
    listed = [(name, set(names)) for name, names in windows]
    return [(factor, name) for factor in factors for name, names in listed if factor in names]
