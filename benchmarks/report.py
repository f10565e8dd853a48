"""The table: what each side did in how much time, as Markdown that also reads well on a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median

from benchmarks.core import CoreCost
from benchmarks.sides import Run


def spread(numbers: Iterable[float], form: str = ",.0f") -> str:
    """Return the median and, where there are several numbers, the least and the greatest."""
    found = sorted(numbers)
    middle, least, greatest = (format(number, form) for number in (median(found), found[0], found[-1]))
    return middle if least == greatest else f"{middle} ({least} … {greatest})"


def ratios(first: Sequence[Run], second: Sequence[Run], measure: Callable[[Run], float]) -> list[float]:
    """Return the ratio of each pair of runs that ran one after the other."""
    return [measure(a) / measure(b) for a, b in zip(first, second, strict=True)]


def table(sides: Sequence[Sequence[Run]]) -> Iterator[str]:
    """Yield the lines of the comparison; every side stands in a column, its runs are summed up."""
    yield "| | " + " | ".join(runs[0].side for runs in sides) + " |"
    yield "| --- |" + " ---: |" * len(sides)
    rows: list[tuple[str, Callable[[Run], float], str]] = [
        ("packets in a run", lambda r: r.load.packets, ",.0f"),
        ("packets a message", lambda r: r.load.packets / r.load.messages, ",.0f"),
        ("frame size: bytes a message on disk", lambda r: r.disk / r.load.messages, ",.0f"),
        ("bytes a packet on disk", lambda r: r.disk / r.load.packets, ",.1f"),
        ("windows said", lambda r: r.results, ",.0f"),
        ("seconds, first record to last result", lambda r: r.span_s, ".2f"),
        ("CPU seconds, worker", lambda r: r.worker_s, ".2f"),
        ("CPU seconds, broker", lambda r: r.broker_s, ".2f"),
        ("seconds from the start of the process", lambda r: r.from_start_s, ".2f"),
        ("CPU seconds of the worker from its start", lambda r: r.worker_from_start_s, ".2f"),
        ("cores that others kept busy meanwhile", lambda r: r.others, ".2f"),
        ("**packets a second of wall time**", lambda r: r.per_wall, ",.0f"),
        ("**packets a second of worker CPU**", lambda r: r.per_worker, ",.0f"),
        ("**packets a second of worker and broker CPU**", lambda r: r.per_both, ",.0f"),
    ]
    for name, measure, form in rows:
        yield f"| {name} | " + " | ".join(spread(map(measure, runs), form) for runs in sides) + " |"


def comparison(ours: Sequence[Run], theirs: Sequence[Run]) -> Iterator[str]:
    """Yield how many times as many packets jianhu takes."""
    measures: list[tuple[str, Callable[[Run], float]]] = [
        ("wall time", lambda r: r.per_wall),
        ("worker CPU", lambda r: r.per_worker),
        ("worker and broker CPU", lambda r: r.per_both),
    ]
    for name, measure in measures:
        yield f"- jianhu over {theirs[0].side}, by {name}: **{spread(ratios(ours, theirs, measure), '.1f')} times**"


def core_lines(costs: Sequence[CoreCost]) -> Iterator[str]:
    """Yield what the judge alone costs, in packets a CPU second."""
    yield f"- decode, fold, judge and encode: {spread(cost.per_cpu for cost in costs)} packets a CPU second"
    for step in costs[0].spent:
        share = (100 * cost.spent[step] / sum(cost.spent.values()) for cost in costs)
        yield f"  - {step}: {spread(share, '.0f')} % of it"
