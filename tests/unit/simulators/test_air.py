from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from sensors.clock import BEIJING, MINUTE_MS, ms_of
from sensors.factors import load_factors
from sensors.registry import StationClass
from simulators.air import AIR_FACTORS, SURROUNDINGS, air_at, measured, places_of
from simulators.chance import Floats, Ints
from simulators.stories import load_script
from simulators.weather import Weather, weather_at

CLASSES = list(StationClass)
PLACES = places_of(CLASSES, list(range(len(CLASSES))))
JANUARY, JULY = datetime(2026, 1, 11, tzinfo=BEIJING), datetime(2026, 7, 11, tzinfo=BEIJING)


def span(day: datetime) -> Ints:
    first = ms_of(day) // MINUTE_MS
    return np.arange(first, first + 10 * 1440, dtype=np.int64)[:, np.newaxis]


def air(day: datetime) -> tuple[dict[str, Floats], Weather]:
    weather = weather_at(span(day), 1, load_script())
    return air_at(span(day), weather, PLACES, 1), weather


def column(station_class: StationClass) -> int:
    return CLASSES.index(station_class)


def test_every_class_has_surroundings_and_every_factor_a_curve() -> None:
    assert set(SURROUNDINGS) == set(StationClass)
    assert set(AIR_FACTORS) == set(load_factors("air"))
    assert tuple(air(JULY)[0]) == AIR_FACTORS


@pytest.mark.parametrize("day", [JANUARY, JULY])
def test_the_air_is_possible_at_every_minute(day: datetime) -> None:
    for symbol, factor in load_factors("air").items():
        values = air(day)[0][symbol]
        assert values.shape == (14_400, len(CLASSES))
        assert float(factor.low) <= float(values.min())
        assert float(values.max()) <= float(factor.high) / 5


@pytest.mark.parametrize("day", [JANUARY, JULY])
def test_fine_dust_is_a_part_of_inhalable_dust(day: datetime) -> None:
    found, _ = air(day)
    assert (found["PM2.5"] < found["PM10"]).all()


def test_fine_dust_is_of_the_cold_season_and_ozone_of_the_warm_one() -> None:
    winter, summer = air(JANUARY)[0], air(JULY)[0]
    assert float(winter["PM2.5"].mean()) > 1.8 * float(summer["PM2.5"].mean())
    assert float(summer["O3"].max()) > 1.5 * float(winter["O3"].max())


def test_nitrogen_dioxide_peaks_in_the_rush_hours_and_on_the_corridor() -> None:
    found, weather = air(JANUARY)
    fair = weather.stagnation[:, 0] == 0
    rush = fair & (np.abs(weather.hour[:, 0] - 8.0) < 1)
    night = fair & (np.abs(weather.hour[:, 0] - 3.0) < 1)
    assert float(found["NO2"][rush].mean()) > 1.3 * float(found["NO2"][night].mean())
    corridor, hills = column(StationClass.LOGISTICS), column(StationClass.CLEAN_AIR)
    assert float(found["NO2"][:, corridor].mean()) > 4 * float(found["NO2"][:, hills].mean())


def test_ozone_is_eaten_where_the_traffic_is_and_highest_in_the_afternoon() -> None:
    found, weather = air(JULY)
    assert found["O3"][:, column(StationClass.LOGISTICS)].mean() < found["O3"][:, column(StationClass.CLEAN_AIR)].mean()
    assert 12 < float(weather.hour[int(found["O3"][:, 0].argmax()), 0]) < 18


def test_stagnant_air_gathers_dust_and_carbon_monoxide_together() -> None:
    found, weather = air(JANUARY)
    still, fair = weather.stagnation[:, 0] > 0.9, weather.stagnation[:, 0] == 0
    assert found["PM2.5"][still].mean() > 2.5 * found["PM2.5"][fair].mean()
    assert np.corrcoef(found["PM2.5"][:, 0], found["CO"][:, 0])[0, 1] > 0.8


def test_the_hills_are_cleaner_than_the_park_in_all_but_ozone() -> None:
    found, _ = air(JANUARY)
    hills, park = column(StationClass.CLEAN_AIR), column(StationClass.DEVELOPMENT_ZONE)
    for symbol in ("PM2.5", "PM10", "SO2", "NO2", "CO"):
        assert found[symbol][:, hills].mean() < found[symbol][:, park].mean()


def test_an_analyser_adds_noise_but_never_a_negative_value() -> None:
    true = np.full((14_400, len(CLASSES)), 100.0)
    found = measured(true, 0, span(JULY), PLACES, 1)
    assert abs(float(found.mean()) - 100.0) < 0.1
    assert 2.0 < float(found.std()) < 3.0
    assert float(measured(true * 0, 0, span(JULY), PLACES, 1).min()) == 0.0
