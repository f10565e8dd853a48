from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from sensors.clock import BEIJING, MINUTE_MS, ms_of
from simulators.chance import Ints
from simulators.stories import load_script
from simulators.weather import Weather, weather_at


def span(day: datetime, days: int = 10) -> Ints:
    first = ms_of(day) // MINUTE_MS
    return np.arange(first, first + days * 1440, dtype=np.int64)[:, np.newaxis]


def weather(day: datetime, days: int = 10) -> Weather:
    return weather_at(span(day, days), 1, load_script())


JANUARY, JULY = datetime(2026, 1, 11, tzinfo=BEIJING), datetime(2026, 7, 11, tzinfo=BEIJING)


@pytest.mark.parametrize("day", [JANUARY, JULY])
def test_all_columns_stay_inside_what_can_be(day: datetime) -> None:
    found = weather(day)
    bounds = {
        "hour": (0, 24), "weekend": (0, 1), "summer": (0, 1), "sun": (0, 1), "stagnation": (0, 1), "sunshine": (0, 1),
        "rain": (0, 50), "wind_speed": (0.2, 20), "wind_from": (0, 360), "mixing_height": (50, 3000),
        "temperature": (-15, 45), "humidity": (20, 100), "pressure": (980, 1050),
    }  # fmt: skip
    assert set(bounds) == set(Weather.__slots__)
    for name, (low, high) in bounds.items():
        column = getattr(found, name)
        assert column.shape == (14_400, 1), name
        assert low <= float(column.min()), name
        assert float(column.max()) <= high, name


def test_july_is_warmer_than_january_and_its_air_mixes_higher() -> None:
    assert float(weather(JULY).temperature.mean()) > float(weather(JANUARY).temperature.mean()) + 15
    assert float(weather(JULY).mixing_height.max()) > float(weather(JANUARY).mixing_height.max())


def test_the_sun_is_down_at_night_and_strongest_after_noon() -> None:
    found = weather(JULY)
    assert float(found.sun[(found.hour < 5) | (found.hour > 22)].max()) == 0.0
    assert 12 < float(found.hour[int(found.sun.argmax())][0]) < 17


def test_stagnant_air_is_still_and_shallow_and_a_front_blows_and_rains() -> None:
    found = weather(JANUARY)
    still, front = found.stagnation[:, 0] > 0.9, found.rain[:, 0] > 4.0
    fair = (found.stagnation[:, 0] == 0) & ~front
    assert float(found.wind_speed[still].mean()) < 0.5 * float(found.wind_speed[fair].mean())
    assert float(found.wind_speed[front].mean()) > 1.3 * float(found.wind_speed[fair].mean())
    assert float(found.rain[still].max()) == 0.0


def test_saturday_and_sunday_are_the_weekend() -> None:
    found = weather(datetime(2026, 11, 16, tzinfo=BEIJING), 7)
    assert found.weekend[::1440, 0].tolist() == [0, 0, 0, 0, 0, 1, 1]


def test_weather_is_the_same_in_every_cut() -> None:
    minutes = span(JULY, 2)
    whole = weather_at(minutes, 1, load_script())
    part = weather_at(minutes[777:], 1, load_script())
    for name in Weather.__slots__:
        assert np.array_equal(getattr(whole, name)[777:], getattr(part, name)), name


def test_another_seed_is_another_weather_with_the_same_script() -> None:
    minutes = span(JULY, 2)
    one, two = (weather_at(minutes, seed, load_script()) for seed in (1, 2))
    assert not np.array_equal(one.wind_speed, two.wind_speed)
    assert np.array_equal(one.stagnation, two.stagnation)


def test_no_time_has_no_weather() -> None:
    found = weather_at(np.zeros((0, 1), dtype=np.int64), 1, load_script())
    assert found.wind_speed.shape == (0, 1)


def test_each_kind_of_episode_comes_in_every_five_days() -> None:
    found = weather(JANUARY, 5)
    assert float(found.stagnation.max()) == 1.0
    assert float(found.sunshine.max()) == 1.0
    assert float(found.rain.max()) > 4.0
