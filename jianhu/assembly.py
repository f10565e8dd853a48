"""Assembly: names every long-lived object once, from the settings."""

from __future__ import annotations

import hashlib
from functools import cached_property

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from jianhu.settings import Settings, StoreKind
from sensors.clock import HOUR_MS
from sensors.errors import ConfigError, EdgeError
from sensors.factors import load_factors
from sensors.publisher import Gate, Publisher, PublisherSettings
from sensors.registry import Registry, load_registry
from streams.air.judge import AirJudge
from streams.air.state import JudgeSettings
from streams.archive import Archive
from streams.archiver import ArchiverSettings
from streams.bench import Bench, Send
from streams.history import LogHistory
from streams.results import ResultHead
from streams.standards import Standards, load_standards
from streams.store.contract import ResultStore
from streams.store.sqlite import Access, SqliteStore

KIND = "air"
FOLLOWERS = (
    ("judge", "readings"),
    ("archive", "readings"),
    ("archive", "results"),
    ("archive", "deadletter"),
    ("sink", "results"),
    ("alerts", "results"),
)
"""Which part reads which topic: all of them must keep up with a feeder on the embedded broker."""


class Assembly:
    """The parts of one system, made on demand from its settings.

    Parameters
    ----------
    settings
        As `jianhu.settings.parse_settings` returns them.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.topics = settings.topics

    @cached_property
    def registry(self) -> Registry:
        """The registry."""
        return load_registry(self.settings.registry_path)

    @cached_property
    def standards(self) -> Standards:
        """The packaged standards."""
        return load_standards()

    @cached_property
    def archive(self) -> Archive:
        """The archive's read side."""
        return Archive(self.settings.archive_dir)

    @cached_property
    def kafka(self) -> str:
        """The broker's address.

        Raises
        ------
        ConfigError
            When none is set.
        """
        if not self.settings.kafka:
            raise ConfigError(
                file="environment", line=None, key="JIANHU_KAFKA", problem="is not set",
                mend="give the address of a Kafka broker, or use `jianhu up`, which brings its own",
            )  # fmt: skip
        return self.settings.kafka

    @cached_property
    def log_id(self) -> str:
        """Name of the broker's current log: the topic's id, so that a topic made again is another log.

        Raises
        ------
        EdgeError
            When the broker does not answer or has no such topic.
        """
        if self.settings.log_id:
            return self.settings.log_id
        topic = self.topics.readings(KIND)
        admin = AdminClient({"bootstrap.servers": self.kafka})  # must live until the answer is there
        try:
            found = admin.describe_topics(TopicCollection([topic]))[topic].result(30)
        except (KafkaException, TimeoutError) as cause:
            told = str(cause) or f"{self.kafka} did not answer"
            raise EdgeError(f"no description of {topic}: {told}; create the topics with `jianhu topics`") from cause
        return f"kafka-{hashlib.sha256(str(found.topic_id).encode()).hexdigest()[:16]}"

    def store(self, access: Access = Access.WRITE) -> ResultStore:
        """Open the store of results; a SQLite file may also be opened to read only."""
        settings = self.settings
        if settings.store is StoreKind.SQLITE:
            settings.dir.mkdir(parents=True, exist_ok=True)
            return SqliteStore(settings.results_file, access)
        from streams.store.influx import InfluxStore  # noqa: PLC0415 - only where it is used

        return InfluxStore(
            url=settings.influx_url, token=settings.influx_token, org=settings.influx_org, bucket=settings.influx_bucket
        )

    def bench(self, send: Send) -> Bench:
        """Return a worker's bench."""
        history = LogHistory(self.archive, bootstrap=self.kafka, topic=self.topics.readings(KIND), log_id=self.log_id)
        judge_settings = JudgeSettings(grace_ms=self.settings.grace_s * 1000)

        def make_judge(partition: int) -> AirJudge:
            return AirJudge(
                self.registry.of_kind(KIND),
                partition=partition,
                partitions=self.settings.partitions,
                factors=load_factors(KIND),
                standards=self.standards,
                settings=judge_settings,
            )

        return Bench(
            readings=self.topics.readings(KIND),
            results=self.topics.results(KIND),
            deadletter=self.topics.deadletter,
            head=ResultHead(kind=KIND, pack=self.standards.pack),
            make_judge=make_judge,
            history=history,
            send=send,
            say_again=self.settings.say_again,
        )

    def archiver(self) -> ArchiverSettings:
        """Return what the archive follows."""
        return ArchiverSettings(
            bootstrap=self.kafka,
            group=self.topics.group("archive"),
            log_id=self.log_id,
            topics=self.topics.all(KIND),
            partitions=self.settings.partitions,
            cut_s=self.settings.archive_cut_s,
        )

    def publisher(self, source: str, *, synthetic: bool) -> Publisher:
        """Return a publisher of a source."""
        return Publisher(
            PublisherSettings(
                bootstrap=self.kafka,
                topic=self.topics.readings(KIND),
                deadletter=self.topics.deadletter,
                partitions=self.settings.partitions,
                kind=KIND,
                source=source,
                synthetic=synthetic,
            )
        )

    def gate(self) -> Gate:
        """Return what holds a feeder back: every reader on the embedded broker, else only the judge.

        On a real broker a store that is down holds up nothing; the log keeps what it has not read.
        """
        followers = self.followers() if self.settings.lag_gate else self.followers()[:1]
        return Gate(
            self.kafka,
            followers,
            partitions=self.settings.partitions,
            max_bytes=3_000_000 if self.settings.lag_gate else 64_000_000,
        )

    def followers(self) -> list[tuple[str, str]]:
        """Return the (group, topic) pairs of `FOLLOWERS` in this name space."""
        names = {
            "readings": self.topics.readings(KIND),
            "results": self.topics.results(KIND),
            "deadletter": self.topics.deadletter,
        }
        return [(self.topics.group(part), names[topic]) for part, topic in FOLLOWERS]

    def resume_at(self, fallback_ms: int) -> int:
        """Return from when a feeder goes on: the whole hour of the last tick that every partition has archived."""
        topic = self.topics.readings(KIND)
        ticks = [self.archive.last_tick(topic, p) for p in range(self.settings.partitions)]
        known = [tick for tick in ticks if tick is not None]
        return min(known) // HOUR_MS * HOUR_MS if len(known) == len(ticks) else fallback_ms
