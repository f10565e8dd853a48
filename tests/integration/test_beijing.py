"""Beijing, December 2016, through a real Kafka and two workers into a real InfluxDB, against pandas."""

from __future__ import annotations

import shutil
from collections import Counter
from fractions import Fraction
from functools import partial
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from alerts.desk import Desk, Filters
from alerts.journal import open_journal
from scripts.services import InfluxAccess
from sensors.clock import HOUR_MS
from streams.results import PACKETS
from streams.store.influx import InfluxStore
from tests import independent_air
from tests.integration.running import ROOT, System, has_read_all, system, wait_for

DATA = ROOT / "tests" / "data" / "beijing"
WINDOWS = ("1h", "8h", "8h_platform", "24h_running", "24h", "MDA8")
EPISODE = (pd.Timestamp("2016-12-16"), pd.Timestamp("2016-12-21"))
pytestmark = [pytest.mark.integration, pytest.mark.kafka, pytest.mark.influx]


@pytest.fixture(scope="module")
def fed(kafka: str, influx: InfluxAccess, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Feed the record once; give the store and the folder."""
    folder = tmp_path_factory.mktemp("beijing")
    prefix = f"beijing-{uuid4().hex[:8]}"
    shutil.copy(ROOT / "sensors" / "data" / "beijing.yaml", folder / "registry.yaml")
    environment = {
        "JIANHU_KAFKA": kafka,
        "JIANHU_PREFIX": prefix,
        "JIANHU_DIR": str(folder),
        "JIANHU_STORE": "influx",
        "JIANHU_INFLUX_URL": influx.url,
        "JIANHU_INFLUX_TOKEN": influx.token,
        "JIANHU_INFLUX_ORG": influx.org,
        "JIANHU_INFLUX_BUCKET": influx.bucket,
    }
    with system(environment, folder / "logs") as made:
        _run(made, "topics")
        for part in ("worker", "worker", "sink", "watch"):
            made.start(part)
        _run(made, "feed", "--format", "prsa", *(str(p) for p in sorted(DATA.glob("*_2016-12.csv.gz"))), wait_s=300)
        for group, topic in (("judge", "readings"), ("sink", "results"), ("alerts", "results")):
            done = partial(has_read_all, kafka, f"{prefix}.jianhu-{group}", f"{prefix}.{topic}.air", 4)
            wait_for(made.told, done, 240)
        store = InfluxStore(url=influx.url, token=influx.token, org=influx.org, bucket=influx.bucket)
        yield store, folder
        store.close()


def _run(made: System, *command: str, wait_s: float = 60) -> None:
    process = made.start(*command)
    assert process.wait(wait_s) == 0, made.told()


def _ours(store: InfluxStore, station: str) -> dict[tuple[str, str, pd.Timestamp], tuple[object, ...]]:
    start, end = (int(pd.Timestamp(day).timestamp() * 1000) for day in ("2016-11-25", "2017-01-03"))
    table = store.site_rows(station, start, end, windows=WINDOWS)
    table = table.filter(pc.not_equal(table.column("factor").cast(pa.utf8()), PACKETS))
    table = table.set_column(3, "start", table.column("start").cast(pa.int64()))
    found: dict[tuple[str, str, pd.Timestamp], tuple[object, ...]] = {}
    for row in table.to_pylist():
        key = (row["factor"], row["window"], pd.Timestamp(row["start"], unit="ms"))
        assert key not in found
        assert row["edition"] == "HJ633-2012"
        value = None if row["value"] is None else Fraction(row["value"], 10 ** row["digits"])
        found[key] = (value, row["primary"]) if row["factor"] == "AQI" else (value,)
        assert (value is None) == bool(row["reason"] not in ("", "over_table", "missing_item")) or row[
            "factor"
        ] == "AQI"
    return found


def test_every_value_equals_an_independent_calculation(fed: Any) -> None:
    store, _ = fed
    compared: Counter[str] = Counter()
    for path in sorted(DATA.glob("*_2016-12.csv.gz")):
        station = path.name.split("_")[1]
        expected, ours = independent_air.results(independent_air.read(path)), _ours(store, station)
        differing = {k: (ours.get(k), v) for k, v in expected.items() if k in ours and ours[k] != v}
        missing = {k: v for k, v in expected.items() if k not in ours and v[0] is not None}
        assert not differing, f"{station}: {len(differing)}, first {list(differing.items())[:5]}"
        assert not missing, f"{station}: {len(missing)}, first {list(missing.items())[:5]}"
        extra = {k: v for k, v in ours.items() if k not in expected and v[0] is not None}
        assert not extra, f"{station}: {list(extra.items())[:5]}"
        compared.update(window for _, window, _ in expected)
    assert compared["1h"] == 12 * 792 * 7
    assert compared["24h"] == 12 * 33 * 6
    assert compared["MDA8"] == 12 * 33


def test_the_red_alert_episode_appears_as_levels_and_alerts(fed: Any) -> None:
    store, folder = fed
    days = pd.date_range(*EPISODE, freq="D") - pd.Timedelta(hours=8)
    levels = Counter(
        row["level"]
        for day in days
        for row in store.slice("24h", int(day.timestamp() * 1000)).to_pylist()
        if row["factor"] == "AQI"
    )
    assert sum(levels.values()) == 12 * 6
    assert levels[5] + levels[6] >= 12 * 4, levels  # heavily or severely polluted on most station-days
    journal = open_journal(f"sqlite:///{folder / 'alerts.sqlite'}", lambda: 0)
    try:
        events = Desk(journal).events(Filters(rules=("aqi-heavy",)), limit=200).alerts
    finally:
        journal.close()
    begin, end = (int((t - pd.Timedelta(hours=8)).timestamp() * 1000) for t in (EPISODE[0], EPISODE[1]))
    struck = {alert.event.key.site for alert in events if begin <= alert.event.start <= end + 24 * HOUR_MS}
    assert len(struck) == 12
    peak = max(alert.value or 0 for alert in events)
    assert peak == 500
