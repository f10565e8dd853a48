"""A kind that stands nowhere in the code goes through both stages from its file alone."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from jianhu.assembly import Assembly
from jianhu.judging import KindStages
from jianhu.settings import Settings
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.errors import UnknownName
from sensors.frames import Frame, Tick
from streams.areas import decode_area
from streams.bench import Outbound
from streams.results import decode_results
from tests.packets import batch, head

KIND = """
kind: hum
name: {zh: 嗡声, en: hum}
slot: 1h
fine: 1min
classes: [spot]
factors:
  tone: {name: {zh: 音, en: tone}, unit: dB, decimals: 1, low: 0, high: 200, form: mean, units: {dB: 1}}
windows:
  - {name: 1h, needs: [{share: 0.75, source: ours, confidence: not_seen}]}
  - {name: 24h, needs: [{at_least: 20, source: ours, confidence: not_seen}]}
  - {name: month, needs: [{share: 0.75, source: ours, confidence: not_seen}]}
evaluations: []
"""
REGISTRY = """
region: {zh: 地, en: Land}
synthetic: true
areas:
  - {id: park, type: park, name: {zh: 园（模拟）, en: Park}, parent: null, origin: synthetic, source: ours}
sites:
  - id: SYN-1
    kind: hum
    class: spot
    name: {zh: 点（模拟）, en: spot}
    lon: 120.0
    lat: 30.0
    county: c
    areas: [park]
    period: minute
    origin: synthetic
    source: ours
    from: 2020-01-01
"""
DAY = 1_785_513_600_000 // DAY_MS * DAY_MS - 8 * HOUR_MS
"""A Beijing midnight."""


@pytest.fixture
def parts(tmp_path: Path) -> Assembly:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "hum.yaml").write_text(KIND, encoding="utf-8")
    (tmp_path / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    return Assembly(Settings(dir=tmp_path, partitions=1, grace_s=60))


def hour(start: int, value: int) -> Frame:
    rows = [
        {
            "site": "SYN-1", "start": start + n * MINUTE_MS, "received": start + n * MINUTE_MS + 1, "correction": 0,
            "other": None, "tone": value, "tone.flag": ord("N"),
        }
        for n in range(60)
    ]  # fmt: skip
    return Frame(head=head(kind="hum", period_ms=MINUTE_MS), rows=batch(*rows, factors=("tone",)))


def values(sent: list[Outbound]) -> dict[tuple[str, str], int | None]:
    found = {}
    for message in sent:
        answer = decode_results(message.data)
        if not isinstance(answer, Tick):
            assert answer[0].kind == "hum"
            for row in answer[1].to_pylist():
                if row["factor"] == "tone":
                    found[row["site"], row["window"]] = row["value"]
    return found


def test_a_kind_of_the_configuration_folder_has_topics_of_its_own(parts: Assembly) -> None:
    parts.check_judging()
    assert parts.kinds == ("hum",)
    assert parts.topics.all(*parts.kinds) == ("readings.hum", "areas.hum", "results.hum", "deadletter")


def test_its_day_goes_through_both_stages_to_the_area(parts: Assembly) -> None:
    stages = KindStages(parts, "hum")
    first, second = stages.first(0), stages.second(0)
    first.take(Tick(DAY), "")
    said: dict[tuple[str, str], int | None] = {}
    told: dict[tuple[str, str], int | None] = {}
    for number in range(25):
        first.take(hour(DAY + number * HOUR_MS, 50_000), "")
        sent = first.take(Tick(DAY + (number + 1) * HOUR_MS + 60_000), "")
        said |= values([message for message in sent if message.topic == "results.hum"])
        for message in sent:
            if message.topic == "areas.hum":
                told |= values(second.take(decode_area(message.data), ""))
    assert (said["SYN-1", "1h"], said["SYN-1", "24h"]) == (50_000, 50_000)
    assert told["park", "24h"] == 50_000
    assert ("SYN-1", "month") in told


def test_a_judge_of_some_sites_knows_no_others(parts: Assembly) -> None:
    judge = KindStages(parts, "hum").judge(0, frozenset())
    judge.tick(DAY)
    [refused] = judge.fold(hour(DAY, 1))
    assert refused.reason == "unknown_site"
    assert pa.array(refused.rows).true_count == 60


def test_an_evaluation_that_nobody_made_is_told_when_it_is_checked(parts: Assembly) -> None:
    path = parts.settings.kinds_dir / "hum.yaml"
    path.write_text(KIND.replace("evaluations: []", "evaluations: [loudness]"), encoding="utf-8")
    with pytest.raises(UnknownName, match="loudness"):
        KindStages(parts, "hum").check()
