from __future__ import annotations

import pytest

from benchmarks.watching import BenchmarkError, Said, check

HOUR = ("S", 0)
MEANS = {HOUR: (1, 2, None, 4, 5, 6)}


def test_equal_results_pass() -> None:
    check("x", Said(means=dict(MEANS), indices={HOUR: 50}), MEANS, {HOUR: 50})


@pytest.mark.parametrize(
    ("means", "told"),
    [
        ({}, "1 of 1 differ, 0 too many"),
        ({HOUR: (1, 2, 3, 4, 5, 6)}, "1 of 1 differ"),
        ({**MEANS, ("T", 0): (1, 2, 3, 4, 5, 6)}, "0 of 1 differ, 1 too many"),
    ],
    ids=["missing", "different", "too many"],
)
def test_other_means_are_named(means: dict[tuple[str, int], tuple[int | None, ...]], told: str) -> None:
    with pytest.raises(BenchmarkError, match=told):
        check("x", Said(means=means, indices={}), MEANS)


@pytest.mark.parametrize("index", [51, None])
def test_another_index_is_named(index: int | None) -> None:
    with pytest.raises(BenchmarkError, match="x: indices: 1 of 1 differ"):
        check("x", Said(means=MEANS, indices={HOUR: index}), MEANS, {HOUR: 50})


def test_a_missing_index_differs_from_one_that_says_none() -> None:
    with pytest.raises(BenchmarkError, match="indices"):
        check("x", Said(means=MEANS, indices={}), MEANS, {HOUR: None})
