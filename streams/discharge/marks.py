"""What an enterprise says of its plant and devices, and when that itself is worth a look.

A mark keeps the hours that it covers from being judged (`streams.discharge.limiting`), so it is counted, and these
things about it are worth an event: it was sent late, there are many of them, or something flowed while it says that the
plant stood still. The evaluation ``marks`` says them by the day (`streams.discharge.remarking`), and a rule of alerts
raises them. The bounds are settings of this project: no text gives them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.clock import DAY_MS, HOUR_MS
from streams.discharge.permitfile import State
from streams.discharge.permits import EnterpriseMark

LATE_MS: Final = 2 * HOUR_MS
"""Sent so long after it begins, a mark is late."""
OFTEN: Final = 8
"""More marks than this within `OFTEN_DAYS` are frequent."""
OFTEN_DAYS: Final = 30
_STILL: Final = frozenset({State.STOPPED})
"""States in which nothing flows."""


class Remark(StrEnum):
    """Why a mark is worth a look."""

    LATE = "late"
    FREQUENT = "frequent"
    CONTRADICTED = "contradicted"
    """Something flowed while the plant is said to stand still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Mean flows of the slots of one site."""

    start: NDArray[np.int64]
    """Starts of the slots, ms, ascending."""
    slot_ms: int
    value: NDArray[np.int64]
    present: NDArray[np.bool_]
    least: int
    """Stored units from which something flows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarked:
    """One mark and what is to be said of it."""

    mark: EnterpriseMark
    remarks: tuple[Remark, ...]
    excluded: int
    """Slots with a value that it keeps from being judged, by `touched`."""


def touched(mark: EnterpriseMark, start: NDArray[np.int64], slot_ms: int) -> NDArray[np.bool_]:
    """Return which slots a mark keeps from being judged: those that share any time with it.

    Parameters
    ----------
    mark
        Its end is outside.
    start, slot_ms
        Starts and length of the slots, ms.
    """
    shared: NDArray[np.bool_] = (start < mark.end) & (start + slot_ms > mark.start)
    return shared


def remarks(marks: Sequence[EnterpriseMark], flows: Flows) -> tuple[Remarked, ...]:
    """Return every mark with what is to be said of it, in order of time.

    Parameters
    ----------
    marks
        Of one site.
    flows
        What flowed; slots without a value contradict nothing.
    """
    ordered = sorted(marks, key=lambda mark: (mark.start, mark.end))
    return tuple(
        Remarked(
            mark=mark,
            remarks=tuple(_remarks(mark, ordered, flows)),
            excluded=int((touched(mark, flows.start, flows.slot_ms) & flows.present).sum()),
        )
        for mark in ordered
    )


def excluded_hours(marks: Iterable[EnterpriseMark]) -> dict[State, int]:
    """Return how many hours each state takes, overlaps counted once for each state."""
    taken = Counter(
        (mark.state, hour) for mark in marks for hour in range(mark.start // HOUR_MS, -(-mark.end // HOUR_MS))
    )
    return dict(Counter(state for state, _ in taken))


def _remarks(mark: EnterpriseMark, ordered: Sequence[EnterpriseMark], flows: Flows) -> Iterable[Remark]:
    if mark.sent - mark.start > LATE_MS:
        yield Remark.LATE
    before = [one for one in ordered if mark.start - OFTEN_DAYS * DAY_MS < one.start <= mark.start]
    if len(before) > OFTEN:
        yield Remark.FREQUENT
    if mark.state in _STILL and (flows.value[_covered(mark, flows)] >= flows.least).any():
        yield Remark.CONTRADICTED


def _covered(mark: EnterpriseMark, flows: Flows) -> NDArray[np.bool_]:
    """Return the slots with a value that lie wholly under a mark: only such a flow contradicts it."""
    inside: NDArray[np.bool_] = (flows.start >= mark.start) & (flows.start + flows.slot_ms <= mark.end)
    return inside & flows.present
