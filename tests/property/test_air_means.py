"""Laws of the air means, against exact fractions and against the definition written out hour by hour."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.air.means import mda8, o3_8h_platform
from streams.judging.means import day_mean, divide_half_even, round_to_step, running_mean

LAW = settings(deadline=None)  # how long a case takes says nothing about it
STEP = 100
HOURS = st.lists(st.one_of(st.none(), st.integers(0, 3000)), min_size=1, max_size=60)


def row(hours: list[int | None]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    values = np.array([-7 if hour is None else hour * STEP for hour in hours], dtype=np.int64)
    return values, np.array([hour is not None for hour in hours])


def mean_of(hours: list[int | None]) -> int:
    there = [hour for hour in hours if hour is not None]
    return round(Fraction(sum(there), len(there))) * STEP


@LAW
@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_a_quotient_is_that_of_exact_fractions(numerator: int, denominator: int) -> None:
    assert divide_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@LAW
@given(st.lists(st.integers(-(10**9), 10**9), max_size=20), st.sampled_from([1, 10, 100, 1000]))
def test_rounding_twice_to_one_step_is_rounding_once(values: list[int], step: int) -> None:
    once = round_to_step(np.array(values, dtype=np.int64), step)
    assert round_to_step(once, step).tolist() == once.tolist()


@LAW
@given(HOURS, st.integers(1, 30), st.integers(1, 24))
def test_a_running_mean_is_that_of_its_own_hours(hours: list[int | None], span: int, at_least: int) -> None:
    found = running_mean(*row(hours), span=span, at_least=at_least, step=STEP)
    for end in range(len(hours)):
        window = hours[max(0, end + 1 - span) : end + 1]
        count = sum(hour is not None for hour in window)
        assert found.valid[end] == count
        assert found.ok[end] == (count >= at_least)
        assert found.value[end] == (mean_of(window) if count >= at_least else 0)


@LAW
@given(HOURS, st.integers(1, 30), st.data())
def test_a_running_mean_does_not_depend_on_where_the_block_was_cut(
    hours: list[int | None], span: int, data: st.DataObject
) -> None:
    values, present = row(hours)
    cut = data.draw(st.integers(0, len(hours) - 1))
    whole = running_mean(values, present, span=span, at_least=1, step=STEP)
    lead = max(0, cut - span + 1)
    tail = running_mean(values[lead:], present[lead:], span=span, at_least=1, step=STEP)
    assert whole.value[cut:].tolist() == tail.value[cut - lead :].tolist()
    assert whole.ok[cut:].tolist() == tail.ok[cut - lead :].tolist()


@LAW
@given(HOURS, st.integers(0, 23))
def test_the_platforms_mean_is_that_of_the_hours_since_midnight(hours: list[int | None], first: int) -> None:
    of_day = (np.arange(len(hours)) + first) % 24
    found = o3_8h_platform(*row(hours), of_day, at_least=1, step=STEP)
    for end in range(len(hours)):
        window = hours[max(0, end + 1 - min(8, int(of_day[end]) + 1)) : end + 1]
        there = any(hour is not None for hour in window)
        assert found.ok[end] == there
        assert found.value[end] == (mean_of(window) if there else 0)


@LAW
@given(st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=24, max_size=24))
def test_a_day_is_the_running_day_at_its_last_hour(hours: list[int | None]) -> None:
    values, present = row(hours)
    day = day_mean(values, present, at_least=20, step=STEP)
    running = running_mean(values, present, span=24, at_least=20, step=STEP)
    assert (day.value, day.ok, day.valid) == (running.value[-1], running.ok[-1], running.valid[-1])


@LAW
@given(st.lists(st.integers(0, 500), min_size=24, max_size=24), st.randoms(use_true_random=False))
def test_a_day_mean_does_not_depend_on_the_order_of_its_hours(hours: list[int], random: object) -> None:
    shuffled = hours.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    means = [day_mean(*row(list(each)), at_least=20, step=STEP).value for each in (hours, shuffled)]
    assert means[0] == means[1]


@LAW
@given(st.lists(st.one_of(st.none(), st.integers(0, 400)), min_size=17, max_size=17), st.integers(0, 300))
def test_the_largest_mean_counts_with_fourteen_windows_or_over_the_limit(windows: list[int | None], limit: int) -> None:
    found = mda8(*row(windows), at_least=14, limit=limit * STEP)
    there = [window for window in windows if window is not None]
    ok = len(there) >= 14 or (bool(there) and max(there) > limit)
    assert found.ok == ok
    assert found.value == (max(there) * STEP if ok else 0)


@LAW
@given(st.lists(st.integers(0, 400), min_size=17, max_size=17))
def test_the_largest_mean_lies_between_its_windows_and_the_largest_hour(windows: list[int]) -> None:
    assert mda8(*row(list(windows)), at_least=14).value == max(windows) * STEP
