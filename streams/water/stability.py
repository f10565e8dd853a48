"""How steady a section keeps its target: stability index and watch list.

No text that was found defines either; the formula is the project's own, by name and version
(`water_evaluation.yaml`, ``stability``). Another one takes another name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from streams.water.standards import CLASSES, Stability


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month of a section."""

    last_day: int
    """Beijing day number."""
    water_class: int | None
    """1 to 6; None where the month has no valid class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """What the last months say."""

    formula: str
    index: int | None
    """0 to 100 at the formula's digits; None with too few months or no target."""
    digits: int
    passed: int
    failed: tuple[int, ...]
    """Last days of the months that failed, oldest first."""
    months: int
    """Months with a class."""
    fluctuation: Fraction | None
    """Mean step in classes between months that follow each other among those with a class."""
    days_since_fail: int | None
    """From the last day of the newest month that failed to the end of the newest month; None: none failed."""


def steadiness(months: Sequence[Month], target: int | None, rule: Stability) -> Steadiness:
    """Return the stability of a section over its last months.

    ``stability-1``: 100 x pass share x (1 - fluctuation / 5), where a month passes when its class is not
    worse than the section's target, and 5 is the largest step there is, from Ⅰ to 劣Ⅴ.

    Parameters
    ----------
    months
        Oldest first; the newest ``rule.months`` of them count.
    target
        The section's own target class; None: unset.
    rule
        Name and settings of the formula.
    """
    window = list(months)[-rule.months :]
    classed = [(month.last_day, month.water_class) for month in window if month.water_class is not None]
    failed = tuple(day for day, found in classed if target is not None and found > target)
    steps = [abs(after - before) for (_, before), (_, after) in pairwise(classed)]
    fluctuation = Fraction(sum(steps), len(steps)) if steps else None
    index = None
    if target is not None and len(classed) >= max(rule.at_least, 2) and fluctuation is not None:
        share = Fraction(len(classed) - len(failed), len(classed))
        index = round(100 * share * (1 - fluctuation / CLASSES) * 10**rule.digits)
    return Steadiness(
        formula=rule.name,
        index=index,
        digits=rule.digits,
        passed=len(classed) - len(failed),
        failed=failed,
        months=len(classed),
        fluctuation=fluctuation,
        days_since_fail=window[-1].last_day - failed[-1] if failed else None,
    )


def watched(year_class: int | None, months: Sequence[Month], target: int | None) -> tuple[int, ...]:
    """Return the last days of the months that failed although the year passes; empty: not on the watch list.

    A year without a class, or a section without a target, puts nothing on the list.
    """
    if year_class is None or target is None or year_class > target:
        return ()
    return tuple(month.last_day for month in months if month.water_class is not None and month.water_class > target)
