"""kill -9 of a worker at random moments: the final tables of both stages are those of a run nobody interrupted."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest

from jianhu.assembly import Assembly
from jianhu.judging import KindStages
from jianhu.settings import Settings, parse_settings
from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.frames import Tick, decode
from sensors.publisher import Publisher, PublisherSettings, lag_of
from sensors.registry import load_registry
from simulators.region import Region
from streams.areas import decode_area
from streams.results import ResultHead, decode_results, encode_results
from streams.standards import load_standards
from streams.store.sqlite import SqliteStore
from streams.topics import Topics, create_topics
from tests.integration.running import has_read_all, records, said_on, system, table_of, wait_for
from tests.region_cases import write_air_only

pytestmark = [pytest.mark.integration, pytest.mark.kafka, pytest.mark.slow]
SOAK = bool(os.environ.get("JIANHU_SOAK"))
KILLS = 20 if SOAK else 5
PARTITIONS = 4
HOURS_A_KILL = 10 if SOAK else 6
LATE = 0.05 if SOAK else 0.002
"""Share of packets that come late: each makes hours of areas again, which is what the long form is long by."""
ROWS_A_STATION = 8
"""Six factors, the index, and how many packets came."""
START = 1_795_190_400_000 // (24 * HOUR_MS) * 24 * HOUR_MS


def _uninterrupted(settings: Settings, log: list[tuple[int, int, bytes]]) -> list[pa.RecordBatch]:
    """Return every result that the two stages make of a log of readings, in this process and without a broker."""
    parts = Assembly(settings)
    stages = KindStages(parts, "air")
    first = {p: stages.first(p) for p in range(PARTITIONS)}
    second = {p: stages.second(p) for p in range(PARTITIONS)}
    said: list[pa.RecordBatch] = []
    for partition, _, value in log:
        for message in first[partition].take(decode(value), ""):
            if message.topic == parts.topics.areas("air"):
                told = second[message.partition].take(decode_area(message.data), "")
                said += [rows for _, rows in map(decode_results, (one.data for one in told))]  # type: ignore[misc]
            elif message.topic == parts.topics.results("air"):
                answer = decode_results(message.data)
                said += [] if isinstance(answer, Tick) else [answer[1]]
    return said


def _hours(region: Region, count: int, chance: np.random.Generator) -> Iterator[pa.RecordBatch]:
    """Yield the packets of each hour, some of them up to 48 h late: then hours of areas are made again."""
    late: dict[int, list[pa.RecordBatch]] = {}
    for hour in range(count):
        rows = region.packets("air", START + hour * HOUR_MS, START + (hour + 1) * HOUR_MS)
        held_back = chance.random(rows.num_rows) < LATE
        late.setdefault(hour + int(chance.integers(1, 48)), []).append(rows.filter(pa.array(held_back)))
        yield rows.filter(pa.array(~held_back))
        yield from late.pop(hour, [])
    for batches in late.values():
        yield from batches


def test_killed_workers_change_nothing_in_the_final_table(kafka: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    dice, chance = random.Random(seed), np.random.default_rng(seed)  # noqa: S311 - dice, no secret
    topics = Topics(prefix=f"kill-{uuid4().hex[:8]}")
    create_topics(kafka, topics.all("air"), partitions=PARTITIONS)
    path = write_air_only(tmp_path / "air.yaml")
    registry = load_registry(path)
    publisher = Publisher(
        PublisherSettings(
            bootstrap=kafka,
            topic=topics.readings("air"),
            deadletter=topics.deadletter,
            partitions=PARTITIONS,
            kind="air",
            source="kill",
        )
    )
    publisher.tick(START)
    environment = {
        "JIANHU_KAFKA": kafka,
        "JIANHU_PREFIX": topics.prefix,
        "JIANHU_DIR": str(tmp_path),
        "JIANHU_REGISTRY": str(path),
        "JIANHU_ARCHIVE_CUT_S": "2",
    }
    count = KILLS * HOURS_A_KILL
    deaths = {round_ * HOURS_A_KILL + dice.randrange(1, HOURS_A_KILL) for round_ in range(KILLS)}
    with system(environment, tmp_path / "logs") as made:
        workers = [made.start("worker"), made.start("worker")]
        made.start("archive")
        made.start("sink")
        at = START
        for number, rows in enumerate(_hours(Region(registry=registry), count, chance)):
            publisher.publish(rows, period_ms=MINUTE_MS)
            at = max(at, START + min(number + 1, count) * HOUR_MS)
            publisher.tick(at)
            publisher.flush()
            if number in deaths:
                wait_for(
                    f"a worker to have read something (seed {seed})\n{made.told()}",
                    lambda: (
                        lag_of(kafka, topics.group("judge"), topics.readings("air"), PARTITIONS)
                        < dice.randrange(1, 4 * PARTITIONS * HOURS_A_KILL)
                    ),
                    120,
                )
                victim = dice.randrange(2)
                made.kill(workers[victim])
                workers[victim] = made.start("worker")
        publisher.tick(at + HOUR_MS)
        publisher.flush()
        log = records(kafka, topics.readings("air"), PARTITIONS)
        alone = _uninterrupted(parse_settings(environment), log)
        expected = table_of(alone)
        assert {key[0] for key in expected} >= {
            area.id for area in registry.areas if registry.members(area.id, "air", at)
        }
        followed = (("judge", topics.readings("air")), ("judge", topics.areas("air")), ("sink", topics.results("air")))
        for group, topic in followed:
            wait_for(made.told, partial(has_read_all, kafka, topics.group(group), topic, PARTITIONS), 180)
        said = said_on(kafka, topics, PARTITIONS)
        assert said.keys() == expected.keys(), f"seed {seed}"
        assert said == expected, f"seed {seed}"
        wait_for("the sink's file", lambda: _stored(tmp_path) == len(expected), 30)
    head = ResultHead(kind="air", pack=load_standards().pack)
    store = SqliteStore(tmp_path / "results.sqlite")
    stored = store.slice("1h", START + 5 * HOUR_MS)
    store.close()
    sites = {s.id for s in registry.at(START)}
    assert sum(site in sites for site in stored.column("site").to_pylist()) == ROWS_A_STATION * len(sites)
    again = _uninterrupted(parse_settings(environment), log)
    assert [encode_results(head, rows) for rows in again] == [encode_results(head, rows) for rows in alone]


def _stored(folder: Path) -> int:
    with sqlite3.connect(f"file:{folder / 'results.sqlite'}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM result").fetchone()[0])
