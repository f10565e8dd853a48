"""A day that came a week late, through a real Kafka, is judged as if it had come in time."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sensors.clock import DAY_MS, HOUR_MS
from sensors.deadletters import Refusal, decode_letter
from sensors.frames import Frame, Tick
from sensors.publisher import Publisher, PublisherSettings
from sensors.registry import load_registry
from streams.results import CONTENT_COLUMNS, Window
from streams.topics import Topics
from tests.air_cases import Row, frame, judge, row, run
from tests.integration.running import ROOT, Table, has_read_all, records, said_on, system, table_of, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.kafka]
PARTITIONS = 4
START = 1_480_521_600_000
"""2016-12-01 00:00 in Beijing."""
DAYS = 9
GRACE = 300_000
REGISTRY = ROOT / "sensors" / "data" / "beijing.yaml"
LATE_SITE, OTHER = "Dongsi", "Changping"


def moving(site: str, hour: int, *, haze: int = 0) -> Row:
    """Return an hour whose values move a little, as an instrument's do."""
    step = hour * 7 % 5
    values: dict[str, Any] = {"PM25": 30 + haze + step, "PM10": 60 + haze + step, "CO": 0.8 + step / 10}
    return row(site, START + hour * HOUR_MS, SO2=6 + step, NO2=35 + step, O3=80 + step, **values)


LATE = [moving(LATE_SITE, hour, haze=150) for hour in range(24, 48)]
IN_TIME = [
    moving(site, hour)
    for site in (LATE_SITE, OTHER)
    for hour in range(DAYS * 24)
    if site == OTHER or not 24 <= hour < 48
]


def by_day(rows: list[Row]) -> list[tuple[list[Row], int]]:
    """Return the rows of each day and the tick of its end."""
    days = range(START, START + DAYS * DAY_MS, DAY_MS)
    return [([r for r in rows if day <= r.start < day + DAY_MS], day + DAY_MS + GRACE) for day in days]


def test_a_day_that_came_too_late_is_judged_as_if_it_had_come_in_time(kafka: str, tmp_path: Path) -> None:
    topics = Topics(prefix=f"t{uuid4().hex[:8]}")
    environment = {
        "JIANHU_KAFKA": kafka,
        "JIANHU_PREFIX": topics.prefix,
        "JIANHU_DIR": str(tmp_path / "data"),
        "JIANHU_REGISTRY": str(REGISTRY),
        "JIANHU_PARTITIONS": str(PARTITIONS),
        "JIANHU_GRACE_S": str(GRACE // 1000),
        "JIANHU_ARCHIVE_CUT_S": "0.5",
    }
    publisher = Publisher(
        PublisherSettings(
            bootstrap=kafka,
            topic=topics.readings("air"),
            deadletter=topics.deadletter,
            partitions=PARTITIONS,
            kind="air",
            source="test",
        )
    )
    with system(environment, tmp_path / "logs") as held:
        assert held.start("topics").wait(60) == 0, held.told()
        publisher.tick(START)
        for rows, end in by_day(IN_TIME):
            publisher.publish(frame(rows).rows, period_ms=HOUR_MS)
            publisher.tick(end)
        publisher.publish(frame(LATE).rows, period_ms=HOUR_MS)
        publisher.flush()
        held.start("worker")
        held.start("archive")
        for part, topic in (("judge", "readings"), ("judge", "areas"), ("archive", "readings"), ("archive", "results")):
            name = getattr(topics, topic)("air")
            wait_for(held.told, lambda part=part, name=name: has_read_all(kafka, topics.group(part), name, PARTITIONS))  # type: ignore[misc]
        wait_for(held.told, lambda: has_read_all(kafka, topics.group("archive"), topics.deadletter, PARTITIONS))
        letters = [decode_letter(value) for _, _, value in records(kafka, topics.deadletter, PARTITIONS)]
        assert [letter.reason for letter in letters] == [Refusal.TOO_LATE]
        before = said_on(kafka, topics, PARTITIONS)
        assert held.start("recompute", "air", "--late", "--author", "王工").wait(120) == 0, held.told()
        wait_for(held.told, lambda: has_read_all(kafka, topics.group("judge"), topics.areas("air"), PARTITIONS))
        after = said_on(kafka, topics, PARTITIONS)

    log: list[Frame | Tick] = [Tick(START)]
    for rows, end in by_day([*IN_TIME, *LATE]):
        log += [frame(rows), Tick(end)]
    expected = table_of(run(judge(load_registry(REGISTRY).sites, grace_ms=GRACE), log))
    judged = {key: content for key, content in after.items() if key in expected}
    assert {key: content for key, content in before.items() if key in expected} != expected
    assert judged == expected
    changed = {key for key in after if before.get(key) != after[key]}
    assert {key[0] for key in changed} == {LATE_SITE}
    assert {Window.HOUR, Window.DAY, Window.MDA8, Window.RUNNING_24H} <= {key[2] for key in changed}
    # On to the long windows: the month has the days of the log, and the one that was missing.
    assert days_of_month(before) == DAYS - 1
    assert days_of_month(after) == DAYS


def days_of_month(table: Table) -> int:
    """Return how many valid days the late site's month of PM2.5 has."""
    (valid,) = {
        content[CONTENT_COLUMNS.index("valid")]
        for key, content in table.items()
        if key[:3] == (LATE_SITE, "PM2.5", "month")
    }
    return int(valid)
