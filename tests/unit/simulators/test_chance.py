from __future__ import annotations

import numpy as np
import pytest

from simulators.chance import Stream, bell, bits, ease, key_of, smooth

KEYS = np.array([[key_of("A"), key_of("B")]], dtype=np.int64)
MINUTES = np.arange(20_000_000, 20_000_600, dtype=np.int64)[:, np.newaxis]


def test_the_same_place_has_the_same_number_however_it_is_asked_for() -> None:
    whole = bits(1, Stream.WIND, KEYS, MINUTES)
    assert whole.shape == (600, 2)
    assert np.array_equal(bits(1, Stream.WIND, KEYS[:, 1:], MINUTES[99:100]), whole[99:100, 1:])


def test_seed_stream_key_and_count_each_change_the_number() -> None:
    one = np.zeros((1, 1), dtype=np.int64)
    found = {
        int(bits(seed, stream, one + key, one + count)[0, 0])
        for seed in (0, 1, -1) for stream in (0, 1) for key in (0, 1) for count in (0, 1)
    }  # fmt: skip
    assert len(found) == 24


def test_the_generator_is_frozen_so_that_old_drills_can_be_played_again() -> None:
    assert int(bits(1, 2, np.array([[3]]), np.array([[4]]))[0, 0]) == 0x33FCDCB486CBFB3C


def test_a_key_is_the_same_on_every_machine() -> None:
    assert key_of("123456789") == 0xCBF43926


def test_noise_has_mean_0_and_deviation_1_and_ends() -> None:
    noise = bell(7, Stream.PARTICLES, KEYS, np.arange(100_000)[:, np.newaxis])
    assert abs(float(noise.mean())) < 0.01
    assert abs(float(noise.std()) - 1.0) < 0.01
    assert float(np.abs(noise).max()) <= 3.5
    assert abs(float(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1])) < 0.01


@pytest.mark.parametrize("knot", [1, 7, 90, 1440])
def test_a_smooth_curve_stays_between_its_ends_and_bends_slowly(knot: int) -> None:
    curve = smooth(3, Stream.SITE, KEYS, MINUTES, knot)
    assert float(np.abs(curve).max()) <= 1.0
    assert float(np.abs(np.diff(curve, axis=0)).max()) <= 3.0 / knot + 1e-9


@pytest.mark.parametrize("first", [0, 1, 59, 60, 61, 333])
def test_a_smooth_curve_is_the_same_in_every_cut(first: int) -> None:
    whole = smooth(3, Stream.SITE, KEYS, MINUTES, 60)
    assert np.array_equal(smooth(3, Stream.SITE, KEYS, MINUTES[first:], 60), whole[first:])


def test_no_minutes_give_no_curve() -> None:
    assert smooth(3, Stream.SITE, KEYS, MINUTES[:0], 60).shape == (0, 2)


def test_a_soft_step_is_flat_outside_and_half_in_the_middle() -> None:
    assert ease(np.array([-1.0, 0.0, 0.5, 1.0, 9.0])).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
