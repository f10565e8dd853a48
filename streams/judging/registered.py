"""Which evaluations there are: the name in a kind file, and the module that makes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from sensors.errors import UnknownName
from sensors.kinds import Kind
from sensors.registry import Registry, Site
from streams.judging.judge import KindJudge
from streams.judging.plan import Evaluation
from streams.judging.state import JudgeSettings
from streams.standards import Standards

MAKERS: Final[Mapping[str, str]] = {
    "air_index": "streams.air.evaluation",
    "water_class": "streams.water.evaluation",
    "trophic": "streams.water.evaluation",
    "flux": "streams.water.evaluation",
    "limits": "streams.discharge.evaluation",
    "loads": "streams.discharge.evaluation",
    "dry_weather": "streams.discharge.evaluation",
    "marks": "streams.discharge.evaluation",
    "odour_index": "streams.discharge.evaluation",
    "ofp": "streams.discharge.evaluation",
    "combination": "streams.combining.evaluation",
}
"""Name of an evaluation → module with a function of that name that takes a `JudgingContext`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingContext:
    """What an evaluation may be made from."""

    kind: Kind
    standards: Standards
    """The air pack; the packs of other media are loaded by their own modules."""
    registry: Registry | None = None
    permits: object = None
    """What ``permits.yaml`` says; None where there is none."""


def evaluations_of(kind: Kind, context: JudgingContext) -> tuple[Evaluation, ...]:
    """Return the evaluations that a kind file names, in its order.

    Raises
    ------
    UnknownName
        When it names one that does not exist.
    """
    return tuple(made_by_name(name, MAKERS, "the evaluations", context) for name in kind.evaluations)


def made_by_name(name: str, makers: Mapping[str, str], table: str, context: object) -> Any:
    """Return what the function of a name makes of a context, from the module that a table gives.

    Raises
    ------
    UnknownName
        When the table has no such name; it is told with those that it has.
    """
    if name not in makers:
        raise UnknownName(f"{table} ({', '.join(makers)})", name)
    return getattr(import_module(makers[name]), name)(context)


def judge_of(
    sites: Iterable[Site], context: JudgingContext, *, partition: int, partitions: int, settings: JudgeSettings
) -> KindJudge:
    """Return the judge of a partition of a kind, with the evaluations that its file names.

    Raises
    ------
    UnknownName
        When it names one that does not exist.
    """
    return KindJudge(
        sites,
        partition=partition,
        partitions=partitions,
        kind=context.kind,
        evaluations=evaluations_of(context.kind, context),
        standards=context.standards,
        settings=settings,
    )
