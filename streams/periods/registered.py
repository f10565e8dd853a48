"""Which evaluations of periods there are: the name in a kind file, and the module that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sensors.kinds import Kind
from sensors.registry import Registry
from streams.judging.registered import made_by_name
from streams.periods.plan import PeriodEvaluation
from streams.periods.rules import PeriodRules, load_rules
from streams.periods.targets import NO_TARGETS, Targets
from streams.standards import Standards

MAKERS: Final[Mapping[str, str]] = {
    "air_year": "streams.periods.air_year",
    "water_period": "streams.water.periods",
    "load_period": "streams.discharge.periods",
    "firm_indices": "streams.discharge.firms",
}
"""Name of an evaluation → module with a function of that name that takes a `PeriodContext`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodContext:
    """What an evaluation of periods may be made from."""

    kind: Kind
    standards: Standards
    """The air pack; the packs of other media are loaded by their own modules."""
    registry: Registry
    permits: object = None
    """What ``permits.yaml`` says; None where there is none."""
    targets: Targets = NO_TARGETS
    """What ``targets.yaml`` says."""
    rules: PeriodRules = field(default_factory=load_rules)


def period_evaluations_of(kind: Kind, context: PeriodContext) -> tuple[PeriodEvaluation, ...]:
    """Return the evaluations of periods that a kind file names, in its order.

    Raises
    ------
    UnknownName
        When it names one that does not exist.
    """
    table = "the evaluations of periods"
    return tuple(made_by_name(name, MAKERS, table, context) for name in kind.period_evaluations)
