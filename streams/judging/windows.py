"""The windows that a kind file asks for: of the slot, running over slots, of the day, and shorter than the slot.

Arrays are [times, factors, sites] here; blocks of the plan are [sites, times] views of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.factors import WEIGHTED, Factor, Form
from sensors.flags import Mark
from sensors.kinds import Kind
from sensors.windows import Span, Statistic, WindowSpec
from streams.judging import slots as keyed
from streams.judging.completeness import Completeness
from streams.judging.entries import Rows
from streams.judging.forms import Formed, formed, greatest, statistic_of
from streams.judging.hashing import Hash, placed
from streams.judging.means import round_to_step
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import CALIBRATING, INCOMPLETE, INVALID, NOT_IN_PLAN, OK, SILENT
from streams.judging.state import State

EXTREMES: Final = frozenset({Statistic.MAX, Statistic.MIN})
JUDGED: Final = frozenset({Span.SLOT, Span.RUNNING, Span.DAY})
"""Spans that the first stage says of every slot or day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One window of one factor that a kind asks for."""

    spec: WindowSpec
    factor: Factor
    place: int
    """Of the factor among the kind's."""
    by: int
    """Place of the factor that weights it; its own where none does."""

    @property
    def output(self) -> Output:
        """Say what it is called."""
        count = self.spec.statistic is Statistic.COUNT
        return Output(factor=self.factor.symbol, window=self.spec.name, digits=0 if count else self.factor.digits)

    @property
    def step(self) -> int:
        """Return what a value is rounded to, in stored units."""
        return self.factor.step if self.spec.step == "factor" and self.spec.statistic is not Statistic.COUNT else 1


def asked(kind: Kind, *spans: Span) -> tuple[Asked, ...]:
    """Return what a kind asks for of some spans, in the file's order."""
    places = {name: place for place, name in enumerate(kind.factors)}
    return tuple(
        Asked(
            spec=spec,
            factor=kind.factors[name],
            place=places[name],
            by=places[kind.factors[name].by] if kind.factors[name].form in WEIGHTED else places[name],
        )
        for spec in kind.windows
        if spec.span in spans
        for name in spec.factors
    )


def of_slot(window: Asked, slots: Slots, begin: int) -> Block:
    """Return a window of the slot itself, for the positions from ``begin`` on."""
    part = slots.from_place(begin)
    place = window.place
    statistic, values = window.spec.statistic, part.value[:, place]
    if statistic in EXTREMES:
        values = (part.high if statistic is Statistic.MAX else part.low)[:, place]
    elif statistic is Statistic.COUNT:
        values = part.valid[:, place].astype(np.int64)
    return Block.of(
        value=round_to_step(values, window.step),
        present=part.present[:, place],
        valid=part.valid[:, place],
        expected=part.expected[:, place],
        reason=part.states()[:, place],
        marks=part.marks[:, place],
        inputs=part.inputs[:, place],
    )


def running(window: Asked, slots: Slots, begin: int, completeness: Completeness) -> Block:
    """Return a window of the slots up to and with each one from ``begin`` on."""
    span = window.spec.length
    ends = range(begin + 1, slots.number.size + 1)
    blocks = [_of_slots(window, slots, slice(max(end - span, 0), end), completeness, span) for end in ends]
    columns = {name: np.concatenate([getattr(b, name) for b in blocks], axis=1) for name in Block.__slots__}
    return Block(**columns)


def of_day(window: Asked, slots: Slots, completeness: Completeness) -> Block:
    """Return a window of the day that is the last of the slots."""
    day = int(slots.day[-1])
    first = int(np.searchsorted(slots.day, day))
    stop = slots.number.size
    return _of_slots(window, slots, slice(first, stop), completeness, stop - first)


def _of_slots(window: Asked, slots: Slots, part: slice, completeness: Completeness, expected: int) -> Block:
    """Return one window over some slots, [sites, 1]; what it needs is that of its newest slot's day."""
    day = int(slots.day[part][-1])
    place, statistic = window.place, window.spec.statistic
    ok = slots.present[:, place, part].T
    values = slots.value[:, place, part].T
    if statistic is Statistic.FORM:
        found = _by_form(window, slots, part, values, ok)
    else:
        if statistic in EXTREMES:
            values = (slots.high if statistic is Statistic.MAX else slots.low)[:, place, part].T
        number = np.count_nonzero(ok, axis=0).astype(np.int64)
        value = round_to_step(statistic_of(statistic, values, ok), window.step)
        found = Formed(value, number > 0, number, INCOMPLETE)
    inputs, marks = slots.inputs[:, place, part], slots.marks[:, place, part]
    needed = completeness.needed(window.spec, window.factor.symbol, day, np.array([expected], np.int64))
    enough = found.number >= needed
    came = (inputs != 0).any(axis=1)
    planned = slots.planned[:, place, part].any(axis=1)
    short = np.where(came, np.where(enough & ~found.has, found.why, INCOMPLETE), np.where(planned, SILENT, NOT_IN_PLAN))
    present = enough & found.has
    return Block.of(
        value=found.value[:, None],
        present=present[:, None],
        valid=found.number[:, None],
        expected=expected,
        reason=np.where(present, OK, short)[:, None],
        marks=np.bitwise_or.reduce(marks, axis=1)[:, None],
        inputs=placed(inputs, slots.number[part]).sum(axis=1, dtype=np.uint64)[:, None],
        due=came[:, None],
    )


def _by_form(window: Asked, slots: Slots, part: slice, values: NDArray[np.int64], ok: NDArray[np.bool_]) -> Formed:
    """Return the value by the factor's form; a slot in which nothing flowed counts by its flow of 0."""
    weights, weighed = slots.value[:, window.by, part].T, slots.present[:, window.by, part].T
    return formed(window.factor, values, ok, step=window.step, weights=weights, weighed=weighed)


def judged_days(block: Block, window: Asked, keys: keyed.Keys, tolerance: Fraction) -> Block:
    """Return day values with the sources' own in the place of ours where they came.

    Ours stays the check: where both are valid and differ by more than the tolerance, the day is suspect.

    Parameters
    ----------
    block
        Our day values, [sites, 1].
    window
        Which they are.
    keys
        Of the sources' own day values, [sites, factors].
    tolerance
        Share of ours by which the two may differ; one step at least.
    """
    mine = keys[:, window.place]
    came, marks = mine != 0, keyed.marks_of(mine)
    entering = keyed.counts(mine)
    value = round_to_step(np.where(entering, keyed.values_of(mine), 0), window.step)
    negative = entering & (value < 0) & (window.factor.low >= 0)
    marks = marks | np.where(negative, np.uint16(Mark.IMPOSSIBLE), np.uint16(0))
    present = entering & ~negative
    ours = block.value[:, 0]
    allowed = np.maximum(np.abs(ours) * tolerance.numerator // tolerance.denominator, window.factor.step)
    differs = present & block.present[:, 0] & (np.abs(value - ours) > allowed)
    marks = marks | np.where(differs, np.uint16(Mark.SUSPECT | Mark.DIFFERS), np.uint16(0))
    invalid = np.where((marks & int(Mark.CALIBRATION)) != 0, CALIBRATING, INVALID)
    content = placed(keyed.content_of(mine), np.zeros_like(mine))
    own: Mapping[str, NDArray[np.generic]] = {
        "value": np.where(present, value, 0),
        "present": present,
        "valid": present,
        "expected": np.ones_like(mine),
        "reason": np.where(present, OK, invalid),
        "marks": marks,
        "inputs": content + block.inputs[:, 0],
        "due": came,
    }
    columns = {name: getattr(block, name) for name in Block.__slots__}
    for name, column in own.items():
        columns[name] = np.where(came, column.astype(columns[name].dtype), columns[name][:, 0])[:, None]
    return Block(**columns)


def fine(windows: tuple[Asked, ...], state: State, slot: int, sites: Rows, completeness: Completeness) -> list[Block]:
    """Return windows shorter than the slot, [sites, windows of the slot], all of one length.

    Only what came is said of them: a missing one is seen in the slot's accounting.
    """
    grid = state.shape.grid
    length = windows[0].spec.length * 60_000 // grid.fine_ms
    shape = (grid.places // length, length, state.count, -1)
    keys = state.pages[slot].reshape(shape)[:, :, sites].swapaxes(0, 1)  # [places of a window, windows, sites, factors]
    periods = state.entries.period_at(sites, np.full(sites.size, grid.start_of(slot)))
    units = periods // grid.fine_ms
    return [_fine(window, keys, units, completeness, grid.day_of(slot)) for window in windows]


def _fine(window: Asked, keys: keyed.Keys, units: NDArray[np.int64], completeness: Completeness, day: int) -> Block:
    mine = keys[..., window.place]
    ok, values, came = keyed.counts(mine), keyed.values_of(mine), mine != 0
    if window.spec.statistic is not Statistic.FORM:
        number = np.count_nonzero(ok, axis=0).astype(np.int64)
        value = round_to_step(statistic_of(window.spec.statistic, values, ok), window.step)
        found = Formed(value, number > 0, number, INCOMPLETE)
    else:
        factor, by = window.factor, keys[..., window.by]
        if factor.form is Form.COUNTER:  # the count as it stood; what it added is said of the slot
            last = np.where(ok.any(axis=0), greatest(values, ok), 0)
            number = np.count_nonzero(ok, axis=0).astype(np.int64)
            found = Formed(last, number > 0, number, INCOMPLETE)
        else:
            found = formed(
                factor, values, ok, step=window.step, weights=keyed.values_of(by), weighed=keyed.counts(by)
            )  # fmt: skip
    number = found.number * units
    expected = np.full(units.size, keys.shape[0], np.int64)
    enough = number >= completeness.needed(window.spec, window.factor.symbol, day, expected)
    negative = found.has & (found.value < 0) & (window.factor.low >= 0)
    present = enough & found.has & ~negative
    marks = np.bitwise_or.reduce(keyed.marks_of(mine), axis=0)
    marks |= np.where(negative, np.uint16(Mark.IMPOSSIBLE), np.uint16(0))
    if keys.shape[0] > 1:
        marks |= np.where(came.any(axis=0), np.uint16(Mark.COMPUTED), np.uint16(0))
    invalid = np.where((marks & int(Mark.CALIBRATION)) != 0, CALIBRATING, INVALID)
    short = np.where(ok.any(axis=0), np.where(enough & ~found.has, found.why, INCOMPLETE), invalid)
    places = np.arange(keys.shape[0], dtype=np.int64)[:, None, None]
    hashes: Hash = np.where(came, placed(keyed.content_of(mine), places), np.uint64(0)).sum(axis=0, dtype=np.uint64)
    return Block.of(
        value=found.value.T,
        present=present.T,
        valid=number.T,
        expected=expected[:, None],
        reason=np.where(present, OK, short).T,
        marks=marks.T,
        inputs=hashes.T,
    )


def lengths(kind: Kind) -> Iterator[tuple[Asked, ...]]:
    """Yield what is asked of windows shorter than the slot, those of one length together."""
    windows = asked(kind, Span.FINE)
    for length in dict.fromkeys(w.spec.length for w in windows):
        yield tuple(w for w in windows if w.spec.length == length)
