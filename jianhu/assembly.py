"""Assembly: names every long-lived object once, from the settings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from jianhu.settings import Settings, StoreKind
from sensors.clock import HOUR_MS
from sensors.errors import ConfigError, EdgeError
from sensors.frames import Frame, Tick
from sensors.kinds import Kind, load_kind, parse_kind
from sensors.publisher import Follower, Gate, Publisher, PublisherSettings
from sensors.registry import Registry, load_registry
from sensors.yamlfile import read_yaml
from streams.archive import Archive
from streams.archiver import ArchiverSettings
from streams.areas import AreaTick
from streams.bench import Bench, Send
from streams.discharge.permits import Permits, load_permits
from streams.history import LogHistory
from streams.periods.targets import NO_TARGETS, Targets, load_targets
from streams.segments import AREAS, READINGS, Form
from streams.standards import Standards, load_standards
from streams.store.contract import ResultStore
from streams.store.sqlite import Access, SqliteStore

if TYPE_CHECKING:
    from streams.app import Taker  # brings Faust, which only a worker needs

ItemT = TypeVar("ItemT")
RESULT_RECORDS = 60
"""So many records of a topic that no feeder writes may be unread: the embedded broker forgets."""
ENDLESS = 2**63
AREA_RECORDS = 400
"""So many records of an areas topic may be unread: nearly all of them are ticks."""


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
    def kinds(self) -> tuple[str, ...]:
        """The kinds that this system carries: those that have sites, or those of them that the settings name.

        Raises
        ------
        ConfigError
            When the settings name one that has no sites.
        """
        found = self.registry.kinds
        if strangers := set(self.settings.kind_names) - set(found):
            raise ConfigError(
                file="environment", line=None, key="JIANHU_KINDS",
                problem=f"{', '.join(sorted(strangers))}: no sites of this kind in {self.settings.registry_path}",
                mend=f"name some of {', '.join(found)}, or none for all of them",
            )  # fmt: skip
        return self.settings.kind_names or found

    def kind(self, name: str) -> Kind:
        """Return a kind, the user's own where its file stands beside the registry."""
        return load_kind(name, self.settings.kinds_dir)

    @cached_property
    def permits(self) -> Permits | None:
        """The permits; None when the configuration has none."""
        path = self.settings.permits_path
        kinds = {name: self.kind(name) for name in self.registry.kinds}
        return load_permits(path, self.registry, kinds) if path.exists() else None

    @cached_property
    def targets(self) -> Targets:
        """The targets of areas; none when the configuration has none."""
        path = self.settings.targets_path
        return load_targets(path, {area.id for area in self.registry.areas}) if path.exists() else NO_TARGETS

    def check_judging(self) -> None:
        """Read all that a worker would read before its first record.

        Raises
        ------
        ConfigError
            When something of it is wrong.
        UnknownName
            When a kind asks for what does not exist.
        """
        from jianhu.judging import KindStages  # noqa: PLC0415 - only where it is judged
        from streams.judging.registered import MAKERS  # noqa: PLC0415

        for path in sorted(self.settings.kinds_dir.glob("*.yaml")):
            parse_kind(read_yaml(path), MAKERS)
        for name in self.kinds:
            KindStages(self, name).check()

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
        topic = self.topics.deadletter  # the one topic that every system has, whatever its kinds
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

    def benches(self, send: Send) -> Mapping[str, Taker]:
        """Return topic → a worker's bench: for each kind one of its readings and one of its areas."""
        found: dict[str, Taker] = {}
        for kind in self.kinds:
            found[self.topics.readings(kind)] = self._readings_bench(kind, send)
            found[self.topics.areas(kind)] = self._areas_bench(kind, send)
        return found

    def _readings_bench(self, kind: str, send: Send) -> Bench[Frame | Tick]:
        from jianhu.judging import KindStages  # noqa: PLC0415 - only a worker judges
        from streams.recall import Recall  # noqa: PLC0415
        from streams.requests import Recomputer  # noqa: PLC0415

        stages = KindStages(self, kind)
        recomputer = Recomputer(
            recall=Recall(self.archive, bootstrap=self.kafka, log_id=self.log_id),
            readings=self.topics.readings(kind),
            results=self.topics.results(kind),
            make_judge=stages.judge,
            late_h=stages.settings.late_h,
            grace_ms=stages.settings.grace_ms,
        )
        return Bench(
            topic=self.topics.readings(kind),
            deadletter=self.topics.deadletter,
            form=READINGS,
            make_stage=stages.first,
            history=self._history(self.topics.readings(kind), READINGS),
            answer=recomputer.answer,
            send=send,
            say_again=self.settings.say_again,
        )

    def _areas_bench(self, kind: str, send: Send) -> Bench[pa.RecordBatch | AreaTick]:
        from jianhu.judging import KindStages  # noqa: PLC0415 - only a worker judges

        return Bench(
            topic=self.topics.areas(kind),
            deadletter=self.topics.deadletter,
            form=AREAS,
            make_stage=KindStages(self, kind).second,
            history=self._history(self.topics.areas(kind), AREAS),
            send=send,
            say_again=self.settings.say_again,
        )

    def _history(self, topic: str, form: Form[ItemT]) -> LogHistory[ItemT]:
        return LogHistory(self.archive, bootstrap=self.kafka, topic=topic, log_id=self.log_id, form=form)

    def archiver(self) -> ArchiverSettings:
        """Return what the archive follows."""
        return ArchiverSettings(
            bootstrap=self.kafka,
            group=self.topics.group("archive"),
            log_id=self.log_id,
            topics=self.topics.all(*self.kinds),
            partitions=self.settings.partitions,
            cut_s=self.settings.archive_cut_s,
        )

    def publisher(self, source: str, kind: str, *, synthetic: bool) -> Publisher:
        """Return a publisher of a source to the readings of a kind."""
        return Publisher(
            PublisherSettings(
                bootstrap=self.kafka,
                topic=self.topics.readings(kind),
                deadletter=self.topics.deadletter,
                partitions=self.settings.partitions,
                kind=kind,
                source=source,
                synthetic=synthetic,
            )
        )

    def gate(self) -> Gate:
        """Return what holds a feeder back: every reader on the embedded broker, else only the judge of what it sends.

        On a real broker a store that is down holds up nothing; the log keeps what it has not read.
        """
        bootstrap = self.kafka
        judging = [
            Follower(group=self.topics.group("judge"), topic=self.topics.readings(kind), max_records=ENDLESS)
            for kind in self.kinds
        ]
        return Gate(
            bootstrap,
            self.followers() if self.settings.lag_gate else judging,
            partitions=self.settings.partitions,
            max_bytes=3_000_000 if self.settings.lag_gate else 64_000_000,
        )

    def followers(self) -> list[Follower]:
        """Return which part reads which topic, in the order in which data goes through them."""
        topics, group = self.topics, self.topics.group
        readings, areas, results = (
            [name(kind) for kind in self.kinds] for name in (topics.readings, topics.areas, topics.results)
        )
        followed = [("judge", topic) for topic in (*readings, *areas)]
        followed += [("archive", topic) for topic in (*readings, *areas, *results, topics.deadletter)]
        followed += [(part, topic) for part in ("sink", "alerts") for topic in results]
        return [
            Follower(group=group(part), topic=topic, max_records=AREA_RECORDS if topic in areas else RESULT_RECORDS)
            for part, topic in followed
        ]

    def resume_at(self, kind: str, fallback_ms: int) -> int:
        """Return from when a feeder goes on: the whole hour of the last tick that every partition has archived."""
        topic = self.topics.readings(kind)
        ticks = [self.archive.last_tick(topic, p) for p in range(self.settings.partitions)]
        known = [tick for tick in ticks if tick is not None]
        return min(known) // HOUR_MS * HOUR_MS if len(known) == len(ticks) else fallback_ms
