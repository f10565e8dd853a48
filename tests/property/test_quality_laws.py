"""Laws of the quality tests: they mark what is there, they change nothing, and a cut of time does not matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from sensors.kinds import load_kind
from sensors.quality import flat_line, gross_range, rate_of_change, reach_of, spike, suspects

KINDS = [load_kind(name) for name in ("air", "water", "outfall")]


@st.composite
def feeds(draw: st.DrawFn) -> tuple[int, NDArray[np.int64], NDArray[np.bool_]]:
    kind = draw(st.integers(0, len(KINDS) - 1))
    shape = (draw(st.integers(1, 3)), len(KINDS[kind].factors), draw(st.integers(1, 12)))
    values = draw(arrays(np.int64, shape, elements=st.integers(0, 2**31 - 1), fill=st.just(5000)))
    present = draw(arrays(np.bool_, shape, fill=st.just(value=True)))
    return kind, values, present


@given(feeds())
def test_only_what_is_there_is_suspect_and_the_input_stays_as_it_was(
    feed: tuple[int, NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    kind, values, present = feed
    held = values.copy(), present.copy()
    values.flags.writeable = present.flags.writeable = False
    found = suspects(KINDS[kind], values, present)
    assert found.shape == values.shape
    assert found.dtype == np.bool_
    assert not (found & ~present).any()
    assert np.array_equal(values, held[0])
    assert np.array_equal(present, held[1])


@given(feeds())
def test_what_stands_where_nothing_is_present_does_not_matter(
    feed: tuple[int, NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    kind, values, present = feed
    other = np.where(present, values, np.iinfo(np.int64).max)
    assert np.array_equal(suspects(KINDS[kind], values, present), suspects(KINDS[kind], other, present))


@given(feeds())
def test_a_site_is_tested_without_regard_to_the_others(feed: tuple[int, NDArray[np.int64], NDArray[np.bool_]]) -> None:
    kind, values, present = feed
    whole = suspects(KINDS[kind], values, present)
    for site in range(values.shape[0]):
        alone = suspects(KINDS[kind], values[site : site + 1], present[site : site + 1])
        assert np.array_equal(whole[site : site + 1], alone)


@given(feeds(), st.data())
def test_a_verdict_depends_on_no_slot_beyond_the_reach(
    feed: tuple[int, NDArray[np.int64], NDArray[np.bool_]], data: st.DataObject
) -> None:
    kind, values, present = feed
    reach = reach_of(KINDS[kind])
    slot = data.draw(st.integers(0, values.shape[2] - 1))
    begin, end = max(0, slot - reach.before), slot + reach.after + 1
    part = suspects(KINDS[kind], values[:, :, begin:end], present[:, :, begin:end])
    assert np.array_equal(part[:, :, slot - begin], suspects(KINDS[kind], values, present)[:, :, slot])


ROWS = arrays(np.int64, (2, 8), elements=st.integers(-1000, 1000))
MASKS = arrays(np.bool_, (2, 8))


@given(ROWS, MASKS, st.integers(0, 500), st.integers(0, 500))
def test_a_wider_bound_marks_no_more(
    values: NDArray[np.int64], present: NDArray[np.bool_], bound: int, more: int
) -> None:
    for test in (spike, rate_of_change):
        assert not (test(values, present, bound + more) & ~test(values, present, bound)).any()
    narrow, wide = (
        gross_range(values, present, -bound, bound),
        gross_range(values, present, -bound - more, bound + more),
    )
    assert not (wide & ~narrow).any()
    assert not (flat_line(values, present, 4, bound) & ~flat_line(values, present, 3, bound)).any()


@given(ROWS, MASKS, st.integers(-500, 500), st.integers(0, 500))
def test_spikes_rates_and_flat_lines_do_not_know_the_level(
    values: NDArray[np.int64], present: NDArray[np.bool_], level: int, bound: int
) -> None:
    for test in (spike, rate_of_change):
        assert np.array_equal(test(values, present, bound), test(values + level, present, bound))
        assert np.array_equal(test(values, present, bound), test(-values, present, bound))
    assert np.array_equal(flat_line(values, present, 3, bound), flat_line(values + level, present, 3, bound))
