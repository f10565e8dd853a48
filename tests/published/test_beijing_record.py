"""Beijing, March 2013 to February 2017, twelve stations, 420 768 station-hours, against pandas and fractions.

The stream's way with the same rules is tested with one month.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sensors.clock import DAY_MS, HOUR_MS
from sensors.factors import load_factors
from sensors.files import read_table
from sensors.frames import START, Frame, FrameHead, Origin
from sensors.intake import Delivery, take
from sensors.kinds import load_kind
from sensors.layouts import PRSA
from sensors.registry import load_registry
from streams.judging.registered import JudgingContext, judge_of
from streams.judging.state import JudgeSettings
from streams.results import PACKETS, Window
from streams.standards import load_standards
from tests import independent_air
from tests.published.record import shared

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = load_registry(ROOT / "sensors" / "data" / "beijing.yaml")
STATIONS = sorted(site.id for site in REGISTRY.sites)
COMPARED = {Window.HOUR, Window.O3_8H, Window.RUNNING_24H, Window.DAY, Window.MDA8}
COLUMNS = ["site", "factor", "window", "start", "value", "digits", "primary"]
GRACE = 300_000


def readings(path: Path) -> pa.Table:
    """Return a station's rows as the intake takes them; nothing of the record is refused."""
    delivery = Delivery(source="record", received_ms=1_700_000_000_000)
    batches = []
    for block in read_table(path, delivery):
        taken = take(block, PRSA, registry=REGISTRY, factors=load_factors("air"), delivery=delivery)
        assert taken.letters == ()
        batches.append(taken.rows)
    return pa.Table.from_batches(batches)


@pytest.fixture(scope="module")
def judged() -> pa.Table:
    """Every compared window of the twelve stations, all fed day by day to one judge: it costs little more than one."""
    rows = pa.concat_tables([readings(path_of(station)) for station in STATIONS]).unify_dictionaries()
    rows = rows.sort_by(START).combine_chunks()
    starts = rows.column(START).cast(pa.int64()).to_numpy()
    judge = judge_of(
        REGISTRY.sites,
        JudgingContext(kind=load_kind("air"), standards=load_standards()),
        partition=0,
        partitions=1,
        settings=JudgeSettings(grace_ms=GRACE),
    )
    head = FrameHead(kind="air", period_ms=HOUR_MS, source="record", sequence=0, origin=Origin.REPORTED)
    said = []
    begin, end = int(starts[0]), int(starts[-1]) + HOUR_MS
    judge.tick(begin)
    for day in range(begin, end, DAY_MS):
        first, last = np.searchsorted(starts, (day, day + DAY_MS))
        for batch in rows.slice(first, last - first).to_batches():
            assert judge.fold(Frame(head=head, rows=batch)) == ()
        answer = judge.tick(min(day + DAY_MS, end) + GRACE)
        if answer is not None:
            said.append(answer.select(COLUMNS).filter(_compared(answer)))
    return pa.Table.from_batches(said)


def path_of(station: str) -> Path:
    return shared(f"beijing/PRSA_Data_{station}_20130301-20170228.csv.gz")


def _compared(said: pa.RecordBatch) -> pa.Array:
    windows = pc.is_in(said.column("window").cast(pa.string()), pa.array(sorted(COMPARED)))
    return pc.and_(windows, pc.not_equal(said.column("factor").cast(pa.string()), PACKETS))


def found(said: pa.Table, station: str) -> independent_air.Found:
    """Return the compared windows of a station."""
    mine = said.filter(pc.equal(said.column("site").cast(pa.string()), station))
    columns = [mine.column(n).to_pylist() for n in ("factor", "window", "value", "digits", "primary")]
    times = pd.to_datetime(mine.column("start").cast(pa.int64()).to_numpy(), unit="ms")
    return {
        (factor, window, at): (number(value, digits), primary) if factor == "AQI" else (number(value, digits),)
        for factor, window, value, digits, primary, at in zip(*columns, times, strict=True)
    }


@cache
def number(value: int | None, digits: int) -> Fraction | None:
    return None if value is None else Fraction(value, 10**digits)


@pytest.mark.slow
@pytest.mark.parametrize("station", STATIONS)
def test_every_value_of_four_years_equals_an_independent_calculation(station: str, judged: pa.Table) -> None:
    expected, ours = independent_air.results(independent_air.read(path_of(station))), found(judged, station)
    expected = {key: value for key, value in expected.items() if key[1] in COMPARED}
    differing = [(key, ours[key], value) for key, value in expected.items() if key in ours and ours[key] != value]
    missing = [key for key, value in expected.items() if key not in ours and value[0] is not None]
    extra = [key for key, value in ours.items() if key not in expected and value[0] is not None]
    assert (differing[:5], missing[:5], extra[:5]) == ([], [], [])
    compared = Counter(key[1] for key in expected if key in ours)
    assert compared[Window.HOUR] >= 7 * 35_000
    assert compared[Window.DAY] >= 6 * 1_450
