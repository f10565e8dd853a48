"""The archive on a real Kafka: killed midway it leaves no hole and no repeat; with the tail it is the topic."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import pyarrow.compute as pc
import pytest

from sensors.clock import HOUR_MS
from sensors.frames import decode
from sensors.publisher import Publisher, PublisherSettings
from streams.archive import Archive, read_segment
from streams.history import LogHistory
from streams.segments import OFFSET, READINGS
from streams.topics import Topics, create_topics
from tests.integration.running import ROOT, System, records, system, wait_for
from tests.packets import T0, batch, packet, told

pytestmark = [pytest.mark.integration, pytest.mark.kafka]
PARTITIONS = 4
LOG = "log-1"
SITES = [f"S{number}" for number in range(12)]


@dataclass(slots=True)
class Followed:
    """Topics, and the archive that follows them."""

    kafka: str
    folder: Path
    topics: Topics = field(default_factory=lambda: Topics(prefix=f"archive-{uuid4().hex[:8]}"))
    sent_hours: int = 0

    def __post_init__(self) -> None:
        create_topics(self.kafka, self.topics.all("air"), partitions=PARTITIONS)

    @property
    def archive(self) -> Archive:
        return Archive(self.folder / "archive")

    @property
    def environment(self) -> dict[str, str]:
        return {
            "JIANHU_KAFKA": self.kafka, "JIANHU_PREFIX": self.topics.prefix, "JIANHU_DIR": str(self.folder),
            "JIANHU_LOG_ID": LOG, "JIANHU_ARCHIVE_CUT_S": "0.05", "JIANHU_PARTITIONS": str(PARTITIONS),
            "JIANHU_REGISTRY": str(ROOT / "sensors" / "data" / "beijing.yaml"),
        }  # fmt: skip

    def send(self, hours: int) -> None:
        """Publish hours of all sites, each with its tick."""
        publisher = Publisher(
            PublisherSettings(
                bootstrap=self.kafka, topic=self.topics.readings("air"), deadletter=self.topics.deadletter,
                partitions=PARTITIONS, kind="air", source="test",
            )
        )  # fmt: skip
        for hour in range(self.sent_hours, self.sent_hours + hours):
            publisher.publish(batch(*[packet(s, T0 + hour * HOUR_MS, hour) for s in SITES]), period_ms=HOUR_MS)
            publisher.tick(T0 + (hour + 1) * HOUR_MS)
            publisher.flush()
        self.sent_hours += hours

    def archived(self, partition: int) -> list[int]:
        """Return the offset of every message that is archived, once for each segment that holds it."""
        segments = self.archive.segments(self.topics.readings("air"), partition)
        return [o for s in segments for o in pc.unique(read_segment(s).column(OFFSET)).to_pylist()]

    def ends(self) -> list[int]:
        """Return how many messages the archive holds of each partition, without reading them."""
        readings = self.topics.readings("air")
        return [self.archive.end(LOG, readings, p) or 0 for p in range(PARTITIONS)]

    def grown_over(self, messages: int) -> bool:
        """Tell whether the archive holds more than so many messages."""
        return sum(self.ends()) > messages

    def log(self, partition: int) -> list[bytes]:
        """Return everything that the topic holds of a partition."""
        return [v for p, _, v in records(self.kafka, self.topics.readings("air"), PARTITIONS) if p == partition]


@pytest.fixture
def followed(kafka: str, tmp_path: Path) -> Followed:
    return Followed(kafka, tmp_path / "data")


@pytest.fixture
def processes(followed: Followed, tmp_path: Path) -> Iterator[System]:
    with system(followed.environment, tmp_path / "logs") as started:
        yield started


def test_an_archive_killed_again_and_again_has_every_offset_once(followed: Followed, processes: System) -> None:
    dice = random.Random(20261121)  # noqa: S311 - dice, no secret
    for _ in range(5):
        grown = partial(followed.grown_over, sum(followed.ends()))
        running = processes.start("archive")
        followed.send(dice.randrange(20, 60))
        wait_for("a new segment", grown)
        processes.kill(running)
    processes.start("archive")
    logs = [followed.log(partition) for partition in range(PARTITIONS)]
    wait_for("the whole topic", lambda: followed.ends() == [len(log) for log in logs])
    for partition, log in enumerate(logs):
        assert followed.archived(partition) == list(range(len(log))), processes.told()
        segments = followed.archive.segments(followed.topics.readings("air"), partition)
        said = [item for segment in segments for item in followed.archive.items(segment, None)]
        assert told(said) == told(decode(value) for value in log)


def test_a_second_writer_ends_with_a_line_that_says_why(followed: Followed, processes: System) -> None:
    followed.send(1)
    processes.start("archive")
    wait_for("the first writer", lambda: sum(followed.ends()) > 0)
    second = processes.start("archive")
    assert second.wait(60) == 3
    assert "another archive writer holds" in processes.told()
    assert "Traceback" not in processes.told()


def test_archive_and_tail_are_the_topic_from_any_offset(followed: Followed, processes: System) -> None:
    followed.send(30)
    running = processes.start("archive")
    wait_for("some of it", lambda: min(followed.ends()) > 0)
    processes.kill(running)
    followed.send(30)
    readings = followed.topics.readings("air")
    history = LogHistory(followed.archive, bootstrap=followed.kafka, topic=readings, log_id=LOG, form=READINGS)
    for partition in range(PARTITIONS):
        log = [decode(value) for value in followed.log(partition)]
        end = followed.ends()[partition]
        assert 0 < end < len(log)
        for stop in {0, 1, end - 1, end, end + 1, len(log)}:
            past = history.before(partition, stop, span_ms=10**12)
            assert past.whole
            assert told(past.items) == told(log[:stop])


def test_a_topic_that_was_made_again_under_the_same_log_is_refused(followed: Followed, processes: System) -> None:
    followed.send(2)
    wait = processes.start("archive")
    wait_for("the archive", lambda: min(followed.ends()) > 0)
    processes.kill(wait)
    readings, rows = (
        followed.topics.readings("air"),
        read_segment(followed.archive.segments(followed.topics.readings("air"), 0)[0]),
    )
    end = followed.ends()[0]
    followed.archive.write(LOG, readings, 0, rows, first=end, last=end + 1_000, last_tick=T0)
    refused = processes.start("archive")
    assert refused.wait(60) == 3
    assert "it holds another log" in processes.told()
