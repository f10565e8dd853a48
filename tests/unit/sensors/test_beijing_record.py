"""The Beijing record as a whole, where it is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.clock import hour_ending
from sensors.factors import load_factors
from sensors.files import read_table
from sensors.intake import Delivery, Taken, take
from sensors.kinds import load_kind
from sensors.layouts import PRSA
from sensors.quality import suspects
from sensors.registry import load_registry
from tests.published.record import shared

ROOT = Path(__file__).parents[3]
DELIVERY = Delivery(source="test", received_ms=1_700_000_000_000)


@pytest.fixture(scope="module", name="station")
def _station() -> list[Taken]:
    path = shared("beijing/PRSA_Data_Aotizhongxin_20130301-20170228.csv.gz")
    registry = load_registry(ROOT / "sensors/data/beijing.yaml")
    factors = load_factors("air")
    blocks = read_table(path, DELIVERY)
    return [take(block, PRSA, registry=registry, factors=factors, delivery=DELIVERY) for block in blocks]


def test_every_hour_is_taken_and_nothing_is_refused(station: list[Taken]) -> None:
    assert sum(part.rows.num_rows for part in station) == 35_064
    assert [letter for part in station for letter in part.letters] == []
    first = station[0].rows
    assert hour_ending(int(first.column("start").cast("int64")[0].as_py())) == "2013-03-01 00:00"
    assert (first.column("PM2.5")[0].as_py(), first.column("CO")[0].as_py()) == (400, 300)


def test_coarse_dust_is_marked_as_copied_where_it_equals_fine_dust(station: list[Taken]) -> None:
    for part in station:
        fine, coarse = (part.rows.column(name).fill_null(-1).to_numpy() for name in ("PM2.5", "PM10"))
        copied = part.rows.column("PM10.flag").fill_null(0).to_numpy() == ord("K")
        assert np.array_equal(copied, (fine == coarse) & (fine >= 0))
        assert copied.any()


AIR = load_kind("air")
PLACES = {symbol: place for place, symbol in enumerate(AIR.factors)}


@pytest.fixture(scope="module", name="hours")
def _hours(station: list[Taken]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Values and presence of four years, [1, factors, hours]; the record is in order and without a gap."""
    columns = [[part.rows.column(symbol) for part in station] for symbol in AIR.factors]
    values = [np.concatenate([c.fill_null(0).to_numpy().astype(np.int64) for c in parts]) for parts in columns]
    present = [np.concatenate([c.is_valid().to_numpy(zero_copy_only=False) for c in parts]) for parts in columns]
    return np.stack(values)[np.newaxis], np.stack(present)[np.newaxis]


@pytest.mark.parametrize(
    ("factor", "most"),
    [("PM2.5", 0.07), ("PM10", 0.07), ("SO2", 0.005), ("NO2", 0.005), ("CO", 0.005), ("O3", 0.01)],
)
def test_few_hours_of_a_real_station_are_suspect(
    factor: str, most: float, hours: tuple[NDArray[np.int64], NDArray[np.bool_]]
) -> None:
    # Of dust, nearly all are hours of PM2.5 over PM10, which this record has.
    values, present = hours
    place = PLACES[factor]
    assert suspects(AIR, values, present)[:, place].sum() < most * present[:, place].sum()


def test_the_worst_haze_of_the_record_is_not_called_a_spike_or_a_jump(
    hours: tuple[NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    values, present = hours
    fine = values[0, PLACES["PM2.5"]]
    worst = np.flatnonzero(present[0, PLACES["PM2.5"]] & (fine > 50_000))  # over 500 µg/m³
    found = suspects(AIR, values, present)[0, PLACES["PM2.5"], worst]
    assert worst.size > 30
    assert found.mean() < 0.1


@pytest.mark.parametrize(
    ("factor", "fault", "marked"),
    [
        ("O3", [7_700] * 12, range(5, 12)),  # stuck: from the sixth hour on
        ("NO2", [2_500] * 6, range(5, 6)),
        ("CO", [1_100] * 12, range(11, 12)),
        ("SO2", [2_000, 90_000, 2_100], range(1, 2)),  # one hour far from its neighbours
        ("PM2.5", [5_000, 5_100, 90_000, 90_500], range(2, 3)),  # a jump that stays
    ],
)
def test_a_fault_put_into_the_record_is_found_where_it_was_put(
    factor: str,
    fault: list[int],
    marked: range,
    hours: tuple[NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    values, present = hours[0].copy(), hours[1].copy()
    place = PLACES[factor]
    for begin in range(1_000, 30_000, 1_000):
        values[0, place, begin : begin + len(fault)] = fault
        present[0, place, begin : begin + len(fault)] = True
    found = suspects(AIR, values, present)[0, place]
    recalled = [found[begin + step] for begin in range(1_000, 30_000, 1_000) for step in marked]
    assert all(recalled)
