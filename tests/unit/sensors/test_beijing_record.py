"""The Beijing record as a whole, where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sensors.clock import hour_ending
from sensors.factors import load_factors
from sensors.files import read_table
from sensors.intake import Delivery, Taken, take
from sensors.layouts import PRSA
from sensors.registry import load_registry

ROOT = Path(__file__).parents[3]
DELIVERY = Delivery(source="test", received_ms=1_700_000_000_000)


@pytest.fixture(scope="module", name="station")
def _station() -> list[Taken]:
    home = Path(os.environ.get("JIANHU_SHARED_DATA", ROOT.parent / "shared/data")) / "beijing"
    found = sorted(home.glob("PRSA_Data_Aotizhongxin_*.csv.gz"))
    if not found:
        pytest.skip("the Beijing record is not on this machine; name its folder in JIANHU_SHARED_DATA")
    registry = load_registry(ROOT / "sensors/data/beijing.yaml")
    factors = load_factors("air")
    blocks = read_table(found[0], DELIVERY)
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
