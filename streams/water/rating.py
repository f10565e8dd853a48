"""Many sections together: shares over the registry, the rating of a river or basin, sources by tier, bay entries.

References
----------
.. [1] 环办〔2011〕22号: rating of a section by its class, of a river or basin by the shares of its sections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from streams.water.standards import CLASSES, WORSE, BayEntry, Evaluation, Tier

GOOD = 3
"""The last class that counts as good: I to III."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How the sections of an area spread over the classes; every share has the whole registry below the line."""

    total: int
    """Sections that the registry gives the area, with or without data."""
    good: int
    fifth: int
    """Sections of class V."""
    worse: int
    """Sections worse than V."""
    without: tuple[str, ...]
    """Sections that have no class, in the order given."""

    @property
    def judged(self) -> int:
        """Sections that have a class."""
        return self.total - len(self.without)

    def share(self, count: int) -> Fraction | None:
        """Return a count as a share of the whole registry; None where it has no section."""
        return Fraction(count, self.total) if self.total else None


class Verdict(StrEnum):
    """How a number stands to its target."""

    MET = "met"
    MISSED = "missed"
    UNSET = "unset"
    """Nobody set a target: neither met nor missed."""
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierResult:
    """The pass rate of one tier of drinking sources."""

    tier: Tier
    total: int
    passed: int
    failed: tuple[str, ...]
    without: tuple[str, ...]
    verdict: Verdict


def shares(classes: Mapping[str, int | None]) -> Shares:
    """Return the shares of an area.

    Parameters
    ----------
    classes
        Every section that the registry gives the area → its class, None where it has none.
    """
    found = [value for value in classes.values() if value is not None]
    return Shares(
        total=len(classes),
        good=sum(value <= GOOD for value in found),
        fifth=sum(value == CLASSES for value in found),
        worse=sum(value == WORSE for value in found),
        without=tuple(section for section, value in classes.items() if value is None),
    )


def reaches(found: Shares, target: Fraction | None) -> Verdict:
    """Return whether the share of class I to III reaches a target: 281 of 296 do not reach 95 %, 282 do."""
    if target is None:
        return Verdict.UNSET
    share = found.share(found.good)
    if share is None or not found.judged:
        return Verdict.NO_DATA
    return Verdict.MET if share >= target else Verdict.MISSED


def rating_of_class(water_class: int, rules: Evaluation) -> int:
    """Return the rating of a section, 1 (excellent) to 5 (heavy pollution)."""
    return rules.class_ratings[water_class - 1]


def rating_of_shares(found: Shares, rules: Evaluation) -> int | None:
    """Return the rating of a river or basin of many sections by the shares of those that were judged.

    None where fewer than the set share of its sections were judged. With fewer sections than
    ``rules.by_shares_from`` the means of the items are rated instead: `by_shares`.
    """
    if not found.total or Fraction(found.judged, found.total) < rules.area_share or not found.judged:
        return None
    good, worse = Fraction(found.good, found.judged), Fraction(found.worse, found.judged)
    for row in rules.shares:
        if row.good_at_least is not None and good < row.good_at_least:
            continue
        if row.worse_below is not None and worse >= row.worse_below:
            continue
        return row.rating
    return None


def by_shares(total: int, rules: Evaluation) -> bool:
    """Tell whether an area of so many sections is rated by shares (5 or more) or by the means of its items."""
    return total >= rules.by_shares_from


def tier_results(
    passes: Mapping[str, bool | None], tier_of: Mapping[str, str], rules: Evaluation
) -> tuple[TierResult, ...]:
    """Return the pass rate of drinking sources per tier; a source that fails touches its own tier only.

    Parameters
    ----------
    passes
        Source → whether it passes; None where it has no valid result.
    tier_of
        Source → tier; sources of no tier are in none.
    rules
        Tiers and the share that each is to reach, over all its sources.
    """
    return tuple(
        _tier(tier, passes, [source for source in passes if tier_of.get(source) == tier.tier]) for tier in rules.tiers
    )


def _tier(tier: Tier, passes: Mapping[str, bool | None], sources: Sequence[str]) -> TierResult:
    passed = sum(passes[source] is True for source in sources)
    without = tuple(source for source in sources if passes[source] is None)
    if tier.share is None:
        verdict = Verdict.UNSET
    elif len(without) == len(sources):
        verdict = Verdict.NO_DATA
    else:
        verdict = Verdict.MET if Fraction(passed, len(sources)) >= tier.share else Verdict.MISSED
    return TierResult(
        tier=tier,
        total=len(sources),
        passed=passed,
        failed=tuple(source for source in sources if passes[source] is False),
        without=without,
        verdict=verdict,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BayVerdict:
    """How a bay entry's nitrogen stands in a year."""

    limit: Fraction | None
    """The year's step, or the final target from its year on; None: unset."""
    verdict: Verdict
    declining: Verdict
    """Whether it is below the year before, or already at the final target: the way there is a stepwise cut."""


def bay_verdict(year: int, mean: Fraction | None, before: Fraction | None, rule: BayEntry) -> BayVerdict:
    """Return how the year's mean stands to its step and to the year before.

    Parameters
    ----------
    year
        Calendar year.
    mean, before
        Mean of this year and of the one before; None where there is none. [mg/L]
    rule
        Final limit, its year, and the steps that somebody set. The plans give no yearly step.
    """
    limit = rule.steps.get(year, rule.limit if year >= rule.by_year else None)
    if mean is None:
        return BayVerdict(limit=limit, verdict=Verdict.NO_DATA, declining=Verdict.NO_DATA)
    verdict = Verdict.UNSET if limit is None else Verdict.MET if mean <= limit else Verdict.MISSED
    if before is None:
        declining = Verdict.NO_DATA
    else:
        declining = Verdict.MET if mean < before or mean <= rule.limit else Verdict.MISSED
    return BayVerdict(limit=limit, verdict=verdict, declining=declining)
