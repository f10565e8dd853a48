"""The evaluations of what is let out, by the names that kind files use (`streams.judging.registered`)."""

from __future__ import annotations

from functools import partial

from sensors.windows import Span
from streams.discharge.applied import LimitBook
from streams.discharge.indices import IndexEvaluation, load_indices
from streams.discharge.limiting import PERMIT, LimitsEvaluation, day_pairs
from streams.discharge.limits import load_limits
from streams.discharge.loads import LoadsEvaluation
from streams.discharge.outlets import FLOW, DryWeatherEvaluation, least_flow, load_dry_weather_rule
from streams.discharge.permits import Permits
from streams.discharge.remarking import MarksEvaluation
from streams.judging.completeness import Completeness
from streams.judging.registered import JudgingContext
from streams.judging.windows import asked, of_day


def limits(context: JudgingContext) -> LimitsEvaluation:
    """Return the evaluation that holds every averaging period against its limits."""
    kind = context.kind
    windows = [(window.name, window.factors) for window in kind.of_span(Span.DAY)]
    completeness = Completeness(kind=kind, standards=context.standards)
    return LimitsEvaluation(
        _book(context),
        slot_window=_slot(context),
        day_windows=day_pairs(windows, kind.factors),
        remade={
            (one.factor.symbol, one.spec.name): partial(of_day, one, completeness=completeness)
            for one in asked(kind, Span.DAY)
        },
        register=PERMIT if PERMIT in kind.facts else "",
    )


def loads(context: JudgingContext) -> LoadsEvaluation:
    """Return the evaluation that says volumes and loads."""
    return LoadsEvaluation(context.kind.factors, slot_window=_slot(context), slot_ms=context.kind.slot_ms)


def dry_weather(context: JudgingContext) -> DryWeatherEvaluation:
    """Return the evaluation of rain-water outlets."""
    return DryWeatherEvaluation(_book(context), slot_window=_slot(context))


def marks(context: JudgingContext) -> MarksEvaluation:
    """Return the evaluation of what enterprises say of their plants."""
    flow = context.kind.factors.get(FLOW)
    least = 1 if flow is None else least_flow(load_dry_weather_rule(), flow)
    return MarksEvaluation(_permits(context), flow="" if flow is None else FLOW, least=least)


def odour_index(context: JudgingContext) -> IndexEvaluation:
    """Return the evaluation of the odour index in the version of each day."""
    return _index(context, "odour_index")


def ofp(context: JudgingContext) -> IndexEvaluation:
    """Return the evaluation of the ozone-forming potential in the version of each day."""
    return _index(context, "OFP")


def _index(context: JudgingContext, name: str) -> IndexEvaluation:
    versions = tuple(version for version in load_indices() if version.index == name)
    daily = {name for window in context.kind.of_span(Span.DAY) if window.name == "24h" for name in window.factors}
    return IndexEvaluation(versions, context.kind.factors, slot_window=_slot(context), daily=daily)


def _book(context: JudgingContext) -> LimitBook:
    return LimitBook(
        kind=context.kind.name, factors=context.kind.factors, pack=load_limits(), permits=_permits(context)
    )


def _permits(context: JudgingContext) -> Permits:
    return context.permits if isinstance(context.permits, Permits) else Permits()


def _slot(context: JudgingContext) -> str:
    return context.kind.of_span(Span.SLOT)[0].name
