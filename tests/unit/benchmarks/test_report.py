from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.core import CoreCost
from benchmarks.load import Load
from benchmarks.report import comparison, core_lines, ratios, spread, table
from benchmarks.sides import Run
from benchmarks.watching import Said

RUN = Run(
    side="jianhu",
    load=Load(packets=1_000_000, messages=250),
    disk=25_000_000,
    results=100,
    span_s=4.0,
    worker_s=2.0,
    broker_s=0.5,
    from_start_s=9.0,
    worker_from_start_s=5.0,
    others=0.1,
    said=Said(means={}, indices={}),
)
OTHER = replace(RUN, side="Quix Streams", load=Load(packets=100_000, messages=100_000), worker_s=4.0, broker_s=1.0)


def test_rates_are_packets_over_seconds() -> None:
    assert (RUN.per_wall, RUN.per_worker, RUN.per_both) == (250_000, 500_000, 400_000)


@pytest.mark.parametrize(
    ("numbers", "told"), [([5.0], "5"), ([1.0, 9.0, 2.0], "2 (1 … 9)"), ([1.0, 2000.0], "1,000 (1 … 2,000)")]
)
def test_a_spread_is_median_least_and_greatest(numbers: list[float], told: str) -> None:
    assert spread(numbers) == told


def test_ratios_are_of_runs_that_followed_each_other() -> None:
    slower = replace(RUN, worker_s=4.0)
    assert ratios([RUN, slower], [OTHER, OTHER], lambda r: r.per_worker) == [20.0, 10.0]


def test_the_table_has_a_column_for_each_side_in_every_line() -> None:
    lines = list(table([[RUN, RUN], [OTHER, OTHER]]))
    assert lines[0] == "| | jianhu | Quix Streams |"
    assert {line.count("|") for line in lines} == {4}
    assert "| frame size: bytes a message on disk | 100,000 | 250 |" in lines


def test_the_comparison_names_the_three_measures() -> None:
    assert list(comparison([RUN], [OTHER])) == [
        "- jianhu over Quix Streams, by wall time: **10.0 times**",
        "- jianhu over Quix Streams, by worker CPU: **20.0 times**",
        "- jianhu over Quix Streams, by worker and broker CPU: **20.0 times**",
    ]


def test_the_judge_alone_is_told_by_its_steps() -> None:
    cost = CoreCost(packets=100, spent={"decode": 0.25, "tick": 0.75})
    assert list(core_lines([cost])) == [
        "- decode, fold, judge and encode: 100 packets a CPU second",
        "  - decode: 25 % of it",
        "  - tick: 75 % of it",
    ]
