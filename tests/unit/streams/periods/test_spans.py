from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.periods.spans import DaySpan, between, bits_between, blocks, clusters, running

SPANS = st.lists(
    st.tuples(st.integers(0, 3_000), st.integers(0, 900)).map(lambda pair: DaySpan(pair[0], sum(pair))),
    min_size=1, max_size=8,
)  # fmt: skip


@given(spans=SPANS)
def test_every_span_is_in_one_cluster_and_none_reads_more_than_800_days_or_its_longest_span(
    spans: list[DaySpan],
) -> None:
    found = list(clusters(spans))
    assert sorted(place for cluster in found for place in cluster.which.tolist()) == list(range(len(spans)))
    for cluster in found:
        longest = max(spans[place].last - spans[place].first + 1 for place in cluster.which.tolist())
        assert cluster.last - cluster.first + 1 <= max(800, longest)
        for place, begin, end in zip(cluster.which.tolist(), cluster.begin.tolist(), cluster.end.tolist(), strict=True):
            assert DaySpan(cluster.first + begin, cluster.first + end - 1) == spans[place]


@given(spans=SPANS, seed=st.integers(0, 1_000))
def test_running_sums_say_what_each_span_sums_to_and_which_bits_it_has(spans: list[DaySpan], seed: int) -> None:
    chance = np.random.default_rng(seed)
    for cluster in clusters(spans):
        days = cluster.last - cluster.first + 1
        numbers, bits = chance.integers(-9, 9, (2, days)), chance.choice([0, 0, 0, 5, 1024], (2, days)).astype(np.int32)
        sums, marks = between(running(numbers), cluster), bits_between(bits, cluster)
        for column, (begin, end) in enumerate(zip(cluster.begin.tolist(), cluster.end.tolist(), strict=True)):
            assert sums[:, column].tolist() == numbers[:, begin:end].sum(axis=1).tolist()
            assert marks[:, column].tolist() == np.bitwise_or.reduce(bits[:, begin:end], axis=1).tolist()


def test_some_of_the_spans_stay_over_the_same_days() -> None:
    (cluster,) = clusters([DaySpan(5, 9), DaySpan(7, 8)])
    assert between(running(np.ones((1, 5), np.int64)), cluster.only(np.array([False, True]))).tolist() == [[2]]


def test_rows_are_read_in_parts_that_leave_none_out() -> None:
    parts = list(blocks(1_000, 800))
    assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
    assert (parts[0].start, parts[-1].stop) == (0, 1_000)
    assert all((part.stop - part.start) * 800 <= 1 << 18 for part in parts)
    assert list(blocks(0, 5)) == []
