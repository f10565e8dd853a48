"""HJ 356: which days of an outfall are effective, and which load stands in for one that is not.

Only the load of a day is ever replaced; its concentration and flow stay as they were measured, or missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from sensors.windows import Confidence
from streams.discharge.permits import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveRule:
    """The figures of HJ 356."""

    rule: str
    day_share: Fraction
    substitute_days: int
    manual_samples: int
    source: str
    confidence: Confidence

    def enough(self, valid: int, due: int) -> bool:
        """Return whether ``valid`` of ``due`` values make a day effective; of nothing due it is not."""
        return due > 0 and valid >= self.day_share * due


class Method(StrEnum):
    """How the load of a day was come by."""

    MEASURED = "measured"
    MANUAL = "manual_samples"
    """Mean of manual samples times the day's volume: outside normal operation they go first."""
    LARGEST = "largest_of_30_before_calibration"
    """The largest of the effective daily loads before the last passed calibration."""
    NONE = "none"
    """Nothing may stand in: the gap stays, and is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLoad:
    """The load of a day and how it was come by."""

    grams: int | None
    method: Method


@cache
def load_effective_rule() -> EffectiveRule:
    """Read the packaged figures of HJ 356."""
    text = files("streams").joinpath("data/hj356.yaml").read_text(encoding="utf-8")
    row: Mapping[str, Any] = yaml.safe_load(text)
    return EffectiveRule(
        rule=row["rule"],
        day_share=Fraction(str(row["effective_day_share"])),
        substitute_days=int(row["substitute_days"]),
        manual_samples=int(row["manual_samples"]),
        source=row["source"],
        confidence=Confidence(row["confidence"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadHistory:
    """What is known of the daily loads of one factor of one outfall."""

    grams: Mapping[int, int]
    """Effective daily loads by Beijing day."""
    litres: Mapping[int, int]
    """Daily volumes by Beijing day, where the flow is known."""
    calibrations: Sequence[int]
    """Days of passed calibrations, in order."""
    samples: Mapping[int, Sample]
    """Manual samples by Beijing day, values in mg/L."""
    abnormal: frozenset[int]
    """Days outside normal operation, by the enterprise's marks."""


def day_load(day: int, history: LoadHistory, rule: EffectiveRule) -> DayLoad:
    """Return the load that counts for a day.

    Parameters
    ----------
    day
        Beijing day.
    history
        What is known of the outfall.
    rule
        The figures of HJ 356.

    Returns
    -------
    DayLoad
        The measured load where the day is effective. Else, outside normal operation, the manual samples
        times the day's volume where there are enough; else the largest of the last effective daily loads
        before the last calibration that was passed up to that day; else none.
    """
    if day in history.grams:
        return DayLoad(grams=history.grams[day], method=Method.MEASURED)
    manual = _manual(day, history, rule) if day in history.abnormal else None
    if manual is not None:
        return DayLoad(grams=manual, method=Method.MANUAL)
    passed = [when for when in history.calibrations if when <= day]
    if passed:
        before = sorted((when for when in history.grams if when < passed[-1]), reverse=True)[: rule.substitute_days]
        if before:
            return DayLoad(grams=max(history.grams[when] for when in before), method=Method.LARGEST)
    return DayLoad(grams=None, method=Method.NONE)


def _manual(day: int, history: LoadHistory, rule: EffectiveRule) -> int | None:
    """Return the grams of the day's manual samples (mg/L times litres is mg); None where they do not do."""
    sample, litres = history.samples.get(day), history.litres.get(day)
    if sample is None or litres is None or sample.unit != "mg/L" or len(sample.values) < rule.manual_samples:
        return None
    return round(sum(sample.values, Fraction(0)) / len(sample.values) * litres / 1000)
