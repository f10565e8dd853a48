"""Beijing, March 2013 to February 2017, twelve stations, 420 768 station-hours, against pandas and fractions.

The whole record takes minutes; `make soak` runs it. The stream's way with the same rules is tested with one month.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
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
GRACE = 300_000
Found = dict[tuple[str, str, pd.Timestamp], tuple[object, ...]]


def readings(path: Path) -> pa.Table:
    """Return a station's rows as the intake takes them; nothing of the record is refused."""
    delivery = Delivery(source="record", received_ms=1_700_000_000_000)
    batches = []
    for block in read_table(path, delivery):
        taken = take(block, PRSA, registry=REGISTRY, factors=load_factors("air"), delivery=delivery)
        assert taken.letters == ()
        batches.append(taken.rows)
    return pa.Table.from_batches(batches)


def judged(station: str, path: Path) -> Found:
    """Return every compared window of a station, fed day by day."""
    rows = readings(path)
    starts = rows.column(START).cast(pa.int64()).to_numpy()
    judge = judge_of(
        (site for site in REGISTRY.sites if site.id == station),
        JudgingContext(kind=load_kind("air"), standards=load_standards()),
        partition=0,
        partitions=1,
        settings=JudgeSettings(grace_ms=GRACE),
    )
    head = FrameHead(kind="air", period_ms=HOUR_MS, source="record", sequence=0, origin=Origin.REPORTED)
    found: Found = {}
    begin, end = int(starts.min()), int(starts.max()) + HOUR_MS
    judge.tick(begin)
    for day in range(begin, end, DAY_MS):
        mine = rows.filter(pa.array((starts >= day) & (starts < day + DAY_MS))).combine_chunks()
        for batch in mine.to_batches():
            assert judge.fold(Frame(head=head, rows=batch)) == ()
        said = judge.tick(min(day + DAY_MS, end) + GRACE)
        if said is not None:
            found |= dict(_values(said))
    return found


def _values(said: pa.RecordBatch) -> Any:
    columns = {n: said.column(n).to_pylist() for n in ("factor", "window", "value", "digits", "primary")}
    times = pd.to_datetime(said.column("start").cast(pa.int64()).to_numpy(), unit="ms")
    for factor, window, value, digits, primary, at in zip(*columns.values(), times, strict=True):
        if window in COMPARED and factor != PACKETS:
            number = None if value is None else Fraction(value, 10**digits)
            yield (factor, window, at), (number, primary) if factor == "AQI" else (number,)


@pytest.mark.slow
@pytest.mark.parametrize("station", STATIONS)
def test_every_value_of_four_years_equals_an_independent_calculation(station: str) -> None:
    path = shared(f"beijing/PRSA_Data_{station}_20130301-20170228.csv.gz")
    expected, ours = independent_air.results(independent_air.read(path)), judged(station, path)
    expected = {key: value for key, value in expected.items() if key[1] in COMPARED}
    differing = [(key, ours[key], value) for key, value in expected.items() if key in ours and ours[key] != value]
    missing = [key for key, value in expected.items() if key not in ours and value[0] is not None]
    extra = [key for key, value in ours.items() if key not in expected and value[0] is not None]
    assert (differing[:5], missing[:5], extra[:5]) == ([], [], [])
    compared = Counter(key[1] for key in expected if key in ours)
    assert compared[Window.HOUR] >= 7 * 35_000
    assert compared[Window.DAY] >= 6 * 1_450
