from __future__ import annotations

import itertools
from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.clock import BEIJING, DAY_MS, HOUR_MS, ms_of
from simulators.region import MEDIA
from tests.region_cases import region

FIRST = ms_of(datetime(2025, 6, 30, tzinfo=BEIJING))
"""The day before a station moves."""


@pytest.mark.parametrize("kind", MEDIA)
@settings(deadline=None, max_examples=15)
@given(start=st.integers(0, 10 * DAY_MS), cuts=st.lists(st.integers(0, 9 * HOUR_MS), max_size=4))
def test_packets_of_any_cuts_are_the_packets_of_the_whole(kind: str, start: int, cuts: list[int]) -> None:
    edges = [FIRST + start + cut for cut in sorted([0, *cuts, 9 * HOUR_MS])]
    parts = [region().packets(kind, first, last) for first, last in itertools.pairwise(edges)]
    whole = region().packets(kind, edges[0], edges[-1])
    assert pa.Table.from_batches(parts, whole.schema).equals(pa.Table.from_batches([whole]))
