from __future__ import annotations

import itertools
from datetime import datetime
from functools import cache
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.clock import BEIJING, DAY_MS, HOUR_MS, ms_of
from sensors.registry import load_registry
from simulators.region import Region

FIRST = ms_of(datetime(2025, 6, 30, tzinfo=BEIJING))
"""The day before a station moves."""


@cache
def region() -> Region:
    return Region(registry=load_registry(Path(__file__).parents[2] / "simulators/data/shangyu.yaml"))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 3 * DAY_MS), st.lists(st.integers(0, 6 * HOUR_MS), max_size=4))
def test_packets_of_any_cuts_are_the_packets_of_the_whole(start: int, cuts: list[int]) -> None:
    edges = [FIRST + start + cut for cut in sorted([0, *cuts, 6 * HOUR_MS])]
    parts = [region().packets(first, last) for first, last in itertools.pairwise(edges)]
    whole = region().packets(edges[0], edges[-1])
    assert pa.Table.from_batches(parts, whole.schema).equals(pa.Table.from_batches([whole]))
