"""The plan of a judge: what it says of each slot and day, and what an evaluation adds to it.

A kind's windows are said by the judge itself; an `Evaluation` says what needs a standard: an index, a class,
a limit. It is pure, sees arrays of many sites at once, and knows no clock and no revision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from sensors.registry import Site
from streams.judging.hashing import Hash
from streams.judging.reasons import NOT_IN_PLAN, OK, SILENT, States

NO_NUMBER: Final = -1
"""Stands in integer columns where there is no IAQI or level, and as ``edition`` where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One window of one factor that is said for every slot or day."""

    factor: str
    window: str
    digits: int
    """Of the value: ``value / 10**digits`` in the unit of the factor."""
    tell: Callable[[NDArray[np.int64]], pa.Array] | None = None
    """Turns `Block.detail` into texts of the same number; None: the detail is empty."""
    primaries: tuple[str, ...] = ()
    """Bit i of `Block.primary` is the i-th of them; at most 64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What was found for some sites and times: arrays [sites, times] of one output; build it by `of`."""

    value: NDArray[np.int64]
    """0 where not `present`."""
    present: NDArray[np.bool_]
    valid: NDArray[np.int16]
    expected: NDArray[np.int16]
    reason: States
    """Codes of `streams.judging.reasons`."""
    detail: NDArray[np.int64]
    """What `Output.tell` turns into text; part of the content."""
    marks: NDArray[np.integer]
    """`sensors.flags.Mark`."""
    iaqi: NDArray[np.int16]
    level: NDArray[np.int8]
    primary: NDArray[np.uint64]
    """Bit i: the i-th of `Output.primaries`."""
    inputs: Hash
    """Hash of what went in; 0 where nothing came."""
    edition: NDArray[np.int8]
    """Place in the evaluation's `Evaluation.editions`, whose last one (also -1) is none."""
    due: NDArray[np.bool_]
    """Some input came, so the window is said even where nothing is owed."""

    @classmethod
    def of(
        cls,
        *,
        value: ArrayLike,
        present: ArrayLike,
        reason: ArrayLike,
        inputs: ArrayLike,
        valid: ArrayLike = 0,
        expected: ArrayLike = 0,
        detail: ArrayLike = 0,
        marks: ArrayLike = 0,
        iaqi: ArrayLike = NO_NUMBER,
        level: ArrayLike = NO_NUMBER,
        primary: ArrayLike = 0,
        edition: ArrayLike = NO_NUMBER,
        due: ArrayLike | None = None,
    ) -> Block:
        """Return a block of arrays that broadcast to the shape of ``value``; a value not present becomes 0.

        Without ``due`` a window is due where something went in.
        """
        there = np.asarray(present, np.bool_)
        numbers = np.where(there, np.asarray(value, np.int64), 0)
        went_in = np.asarray(inputs, np.uint64)
        columns: dict[str, ArrayLike] = {
            "value": numbers, "present": there, "valid": valid, "expected": expected, "reason": reason,
            "detail": detail, "marks": marks, "iaqi": iaqi, "level": level, "primary": primary, "inputs": went_in,
            "edition": edition, "due": went_in != 0 if due is None else due,
        }  # fmt: skip
        return cls(
            **{
                name: np.broadcast_to(np.asarray(column).astype(_TYPES[name], copy=False), numbers.shape)
                for name, column in columns.items()
            }
        )


_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "value": np.int64, "present": np.bool_, "valid": np.int16, "expected": np.int16, "reason": np.uint8,
    "detail": np.int64, "marks": np.int32, "iaqi": np.int16, "level": np.int8, "primary": np.uint64,
    "inputs": np.uint64, "edition": np.int8, "due": np.bool_,
}  # fmt: skip
CONTENT: Final = tuple(f.name for f in fields(Block) if f.name != "due")
"""What makes two windows equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Judged slots in a row, without gaps: arrays [sites, factors, slots], factors in the kind's order."""

    value: NDArray[np.int64]
    """Fixed point at the factor's digits; 0 where not `present`."""
    present: NDArray[np.bool_]
    valid: NDArray[np.int16]
    """Valid fine values, in minutes where the fine values are shorter than the slot; else 1 or 0."""
    expected: NDArray[np.int16]
    reason: States
    """0 where a value is there; an absent one that was never judged has 0 as well: use `states`."""
    marks: NDArray[np.integer]
    inputs: Hash
    """0 where nothing came."""
    planned: NDArray[np.bool_]
    """Whether the site measures the factor by plan."""
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    """Least and greatest valid fine value of the slot; its own value where it came whole; else 0."""
    number: NDArray[np.int64]
    """Slot numbers, [slots]."""
    day: NDArray[np.int64]
    """Beijing day of each slot, [slots]."""
    start: NDArray[np.int64]
    """Start of each slot, ms, [slots]."""
    slot_ms: int
    factors: tuple[str, ...]
    steps: tuple[int, ...]
    """Per factor the stored units in the standard's last digit."""

    def states(self) -> States:
        """Return the reason code of every factor and slot; a slot never judged counts as silent."""
        reason = np.where(~self.present & (self.reason == OK), np.uint8(SILENT), self.reason)
        return np.where(self.planned, reason, np.uint8(NOT_IN_PLAN)).astype(np.uint8)

    def from_place(self, begin: int) -> Slots:
        """Return the slots from a place on."""
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        cut: dict[str, Any] = {
            n: column[..., begin:] for n, column in columns.items() if isinstance(column, np.ndarray)
        }
        return replace(self, **cut)

    def at(self, factor: str) -> int:
        """Return the place of a factor on the factor axis."""
        return self.factors.index(factor)


class Evaluation(Protocol):
    """What a standard says of slots and days; vectorised over sites, without state."""

    @property
    def name(self) -> str:
        """The name by which kind files ask for it."""
        ...

    @property
    def editions(self) -> tuple[str, ...]:
        """What `Block.edition` counts in; the last is the empty text."""
        ...

    @property
    def slot_outputs(self) -> tuple[Output, ...]:
        """What is said of each slot."""
        ...

    @property
    def reach(self) -> tuple[int, ...]:
        """Per slot output, how many slots before the newest it reaches back to."""
        ...

    @property
    def day_outputs(self) -> tuple[Output, ...]:
        """What is said of each day."""
        ...

    @property
    def before(self) -> int:
        """Slots of context that `slots` is given before the first one asked for."""
        ...

    @property
    def day_before(self) -> int:
        """Slots of context that `day` is given before the day; 0 for the day alone."""
        ...

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        """Return a block for each slot output, for the positions from ``begin`` on.

        ``sites`` are the registry entries in force at the newest slot, one per row.
        """
        ...

    def day(self, slots: Slots, sites: tuple[Site, ...], means: Mapping[tuple[str, str], Block]) -> list[Block]:
        """Return a block [sites, 1] for each day output of the day that ends with the last slot.

        ``means`` are the kind's own day windows, by factor and window name. ``sites`` are the registry
        entries in force on the day, one per row.
        """
        ...
