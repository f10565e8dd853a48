"""Judging a value by the limits that are held against it: pure, exact, and the strictest decides.

Levels: 0 within, 1 from 80 % and 2 from 90 % of a limit (early warning), 3 over as a hint, 4 over as a
finding. A value that equals its limit is within it. Ranges (pH) and decibel give no early warning
and no multiple.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from math import ceil, floor
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.discharge.applied import AppliedLimit, Verdict, Why

WARNINGS: Final = (Fraction(8, 10), Fraction(9, 10))
"""Shares of a limit from which a value is an early warning (rulings, "Outfalls and VOCs")."""
FAR: Final = 2**62
"""Stands in thresholds for a limit that there is not."""


class Level(IntEnum):
    """How a value stands to its limits."""

    NOT_JUDGED = -1
    WITHIN = 0
    WARNING_80 = 1
    WARNING_90 = 2
    HINT = 3
    FINDING = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How one value stands to all its limits."""

    level: Level
    decides: int | None
    """Place of the limit that decides; None where nothing is judged."""
    multiple: Fraction | None
    """``value / limit - 1`` where the value is over a greatest value (超标倍数)."""


def judge(value: Fraction, limits: Sequence[AppliedLimit]) -> Judgement:
    """Return how a value stands to its limits.

    Parameters
    ----------
    value
        In the factor's canonical unit.
    limits
        By `limits_for`; none of them is judged where all are only shown.

    Returns
    -------
    Judgement
        The gravest level over all limits; of those that give it the strictest decides, findings first.
    """
    levels = [level_of(value, applied) for applied in limits]
    judged = [place for place, level in enumerate(levels) if level is not Level.NOT_JUDGED]
    if not judged:
        return Judgement(level=Level.NOT_JUDGED, decides=None, multiple=None)
    # of two equally strict ones the one that has a multiple: what is said must not hang on their order
    decides = max(
        judged, key=lambda place: (levels[place], -_strictness(limits[place]), _shares(limits[place]), -place)
    )
    high, over = limits[decides].high, levels[decides] >= Level.HINT
    multiple = value / high - 1 if over and high and value > high and _shares(limits[decides]) else None
    return Judgement(level=levels[decides], decides=decides, multiple=multiple)


def decider_within(limits: Sequence[AppliedLimit], level: Level) -> int | None:
    """Return the place of the limit that decides a value that is over nothing, by its level alone; see `judge`."""
    able = [
        place
        for place, applied in enumerate(limits)
        if applied.verdict is not Verdict.SHOWN and (level is Level.WITHIN or _shares(applied))
    ]
    if level is Level.NOT_JUDGED or not able:
        return None
    return min(able, key=lambda place: (_strictness(limits[place]), not _shares(limits[place]), place))


def level_of(value: Fraction, applied: AppliedLimit) -> Level:
    """Return how a value stands to one limit."""
    if applied.verdict is Verdict.SHOWN:
        return Level.NOT_JUDGED
    if (applied.high is not None and value > applied.high) or (applied.low is not None and value < applied.low):
        return Level.FINDING if applied.verdict is Verdict.FINDING else Level.HINT
    if applied.high is None or not _shares(applied):
        return Level.WITHIN
    return Level(sum(value >= share * applied.high and value > 0 for share in WARNINGS))


def _shares(applied: AppliedLimit) -> bool:
    """Return whether shares and multiples of a limit mean anything: not of a range, not of decibel."""
    return applied.low is None and applied.limit.proportional


def _strictness(applied: AppliedLimit) -> Fraction:
    return applied.high if applied.high is not None else applied.low or Fraction(0)


THRESHOLDS: Final = 6
"""Numbers in a row of `thresholds`."""


def thresholds(limits: Sequence[AppliedLimit], digits: int) -> tuple[int, ...]:
    """Return limits as integers that a whole column can be held against.

    Parameters
    ----------
    limits
        By `limits_for`.
    digits
        Of the values: ``value / 10**digits`` in the canonical unit.

    Returns
    -------
    tuple
        A value is over as a finding when greater than the first number or less than the second, over as
        a hint when greater than the third or less than the fourth, and at a warning from the fifth
        (80 %) and the sixth (90 %) on. `FAR` (or its negative) where there is no such limit.
    """
    unit = 10**digits
    row = [FAR, -FAR, FAR, -FAR, FAR, FAR]
    for applied in limits:
        if applied.verdict is Verdict.SHOWN:
            continue
        place = 0 if applied.verdict is Verdict.FINDING else 2
        if applied.high is not None:
            row[place] = min(row[place], floor(applied.high * unit))
        if applied.low is not None:
            row[place + 1] = max(row[place + 1], ceil(applied.low * unit))
        elif applied.high is not None and applied.limit.proportional:
            for warning, share in enumerate(WARNINGS, start=4):
                row[warning] = min(row[warning], max(1, ceil(share * applied.high * unit)))
    return tuple(row)


def levels(values: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the level of each value by its row of `thresholds` (last axis); -1 where its row has none."""
    over = (values > rows[..., 0]) | (values < rows[..., 1])
    hint = (values > rows[..., 2]) | (values < rows[..., 3])
    warned = (values >= rows[..., 4]).astype(np.int8) + (values >= rows[..., 5])
    level = np.where(over, Level.FINDING, np.where(hint, Level.HINT, warned))
    return np.where((np.abs(rows) == FAR).all(axis=-1), Level.NOT_JUDGED, level).astype(np.int8)


class LimitSaid(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One limit in the detail of a result."""

    standard: str
    table: str
    column: str
    period: str
    low: str | None
    high: str | None
    unit: str
    verdict: Verdict
    why: Why
    confidence: str
    author: str = ""


class JudgementSaid(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The detail of a judged row: a JSON list, so that pages and alerts can read it back with `read_detail`."""

    limits: tuple[LimitSaid, ...]
    decides: int | None = None
    multiple: str | None = None
    excluded: str = ""
    """State of the enterprise's mark that covers the window or slots of it; with `decides` they were left out."""
    slots: int = 0
    """How many slots of the window marks cover."""


def say(limits: Sequence[AppliedLimit], judgement: Judgement, excluded: str = "", slots: int = 0) -> str:
    """Return a judgement as the detail of its row; `read_detail` turns it back.

    Parameters
    ----------
    limits, judgement
        By `limits_for` and `judge`.
    excluded, slots
        State of the enterprise's mark, and how many slots of the window marks cover.
    """
    said = JudgementSaid(
        limits=tuple(_said(applied) for applied in limits),
        decides=judgement.decides,
        multiple=None if judgement.multiple is None else f"{float(round(judgement.multiple, 2)):.2f}",
        excluded=excluded,
        slots=slots,
    )
    return msgspec.json.encode(said).decode()


def read_detail(text: str) -> JudgementSaid:
    """Return what `say` wrote; an empty text is a row that no limit was held against."""
    return msgspec.json.decode(text, type=JudgementSaid) if text else JudgementSaid(limits=())


def _said(applied: AppliedLimit) -> LimitSaid:
    limit = applied.limit
    return LimitSaid(
        standard=limit.standard,
        table=limit.table,
        column=limit.column,
        period=limit.period.value,
        low=_number(limit.low),
        high=_number(limit.high),
        unit=limit.unit,
        verdict=applied.verdict,
        why=applied.why,
        confidence=limit.confidence.value,
        author=applied.author,
    )


def _number(number: Fraction | None) -> str | None:
    """Return a limit as it is written: a decimal without trailing zeros."""
    if number is None:
        return None
    text = f"{float(number):.6f}".rstrip("0").rstrip(".")
    return text or "0"
