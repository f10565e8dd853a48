"""The watch: results from the broker into the journal, with the offsets in the journal's own transaction.

The broker's group offsets are only told afterwards, so that a feeder can see how far the watch is; where
to go on stands in SQL. What was not committed is read again, and read again it changes nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any, Final, TypeAlias

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from alerts.columns import Columns, columns_of
from alerts.gates.keeper import GateKeeper
from alerts.journal import Journal
from alerts.keeper import Keeper
from alerts.modes import NO_MODES, Modes
from alerts.rules import NetworkOf, Rules
from alerts.verdicts import Judge
from sensors.deadletters import DeadLetter, Refusal, encode_letter
from sensors.errors import BadFrame, EdgeError, StoreError
from sensors.frames import Tick
from sensors.kinds import load_kind
from sensors.partition import partition_of
from sensors.registry import Registry
from streams.results import decode_results
from streams.standards import Standards

log = logging.getLogger(__name__)
Place: TypeAlias = tuple[str, int]
"""A topic and one of its partitions."""
SOURCE: Final = "alerts"
_ACK_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """Where results come from, and how the watch behaves when something is away."""

    bootstrap: str
    topics: tuple[str, ...]
    """Results of every kind, for example ``results.air`` and ``results.water``."""
    group: str
    """Consumer group that is told the progress, for example ``jianhu-alerts``."""
    deadletter: str
    """Topic of messages that cannot be read."""
    gated: tuple[str, ...] = ()
    """Those of the topics of which sites have rain gates: ticks of them decide."""
    messages_at_once: int = 200
    """Most messages in one transaction."""
    poll_s: float = 0.5
    """Longest wait for messages."""
    retry_s: float = 1.0
    """First wait when the database is away; doubled up to ``retry_most_s``."""
    retry_most_s: float = 30.0
    client: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """More settings of librdkafka, for example of TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one transaction brought."""

    offsets: Mapping[Place, int]
    """Topic and partition → offset of the next message."""
    messages: int
    steps: int
    """Steps of events that were written."""
    refused: int
    """Messages that became dead letters."""
    missed: int
    """Messages that the broker no longer had."""
    waiting_for_database: bool = False
    """Whether the database is away; nothing was taken."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """One message as far as it could be read."""

    place: Place
    offset: int
    columns: Columns | None
    """None for a tick and for what cannot be read."""
    tick: int | None = None
    """Of a tick: its time."""


def run_alerts(
    settings: WatchSettings,
    *,
    log_id: str,
    journal: Journal,
    rules: Rules,
    registry: Registry,
    standards: Standards,
    stop: Flag,
    on_progress: Callable[[Progress], None],
    network_of: NetworkOf = load_kind,
    modes: Modes = NO_MODES,
    gates: GateKeeper | None = None,
) -> None:
    """Watch results until told to stop; one watch for one journal.

    Parameters
    ----------
    settings
        Broker and topics.
    log_id
        Which log the topics are: a new one for each start of the embedded broker. A log that the journal has
        not met is read from its beginning.
    journal, rules, registry, standards
        Where events go and what makes them.
    stop
        Set to end after the transaction under way.
    on_progress
        Called after each transaction, and at each failed attempt.
    network_of
        Gives the kinds of readings that the rules name; by default those delivered.
    modes
        What tightens thresholds for a time; a rule may name one without which it does not judge.
    gates
        Decides about rain gates in the same transactions; None where there are none.

    Raises
    ------
    EdgeError
        When the broker refuses for good, or a topic is not there. While the database is away it waits.
    """
    keeper = Keeper(Judge(rules, registry, standards, network_of, modes), rules)
    watch = _Watch(settings, log_id, journal, keeper, gates)
    try:
        if watch.begin(stop, on_progress):
            while not stop.is_set():
                watch.turn(stop, on_progress)
    except KafkaException as cause:
        raise EdgeError(f"the broker at {settings.bootstrap} refused: {cause}") from cause
    finally:
        watch.close()


class _Watch:
    """One run: a consumer with assigned partitions, and a producer of dead letters."""

    def __init__(
        self, settings: WatchSettings, log_id: str, journal: Journal, keeper: Keeper, gates: GateKeeper | None
    ) -> None:
        self._settings, self._log_id, self._journal, self._keeper = settings, log_id, journal, keeper
        self._gates, self._counts = gates, dict[str, int]()
        shared = {"bootstrap.servers": settings.bootstrap, **settings.client}
        self._consumer = Consumer(
            {
                **shared,
                "group.id": settings.group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
            }
        )
        self._letters = Producer({**shared, "enable.idempotence": False, "acks": "all"})
        self._next: dict[Place, int] = {}

    def begin(self, stop: Flag, on_progress: Callable[[Progress], None]) -> bool:
        """Take all partitions where SQL says; return whether that was possible before the stop."""
        places = [(topic, one) for topic in self._settings.topics for one in self._partitions(self._consumer, topic)]
        self._counts = Counter(topic for topic, _ in places)
        known = self._until_written(self._offsets, stop, on_progress)
        if known is None:
            return False
        self._next = known
        self._consumer.assign([TopicPartition(*place, known.get(place, OFFSET_BEGINNING)) for place in places])
        return True

    def turn(self, stop: Flag, on_progress: Callable[[Progress], None]) -> None:
        """Take what has come, in one transaction."""
        # Asked for many it would wait for many; so the first alone, and then what has come with it.
        messages = self._consumer.consume(1, self._settings.poll_s)
        if messages:
            messages += self._consumer.consume(self._settings.messages_at_once - 1, 0)
        taken, refused = self._read(messages)
        if not taken:
            return
        before = dict(self._next)
        done = self._until_written(lambda turn: self._apply(turn, taken), stop, on_progress)
        if done is None:
            return
        steps, offsets = done
        self._next = offsets
        self._tell_broker(offsets)
        missed = sum(_gap(before, [one.offset for one in taken if one.place == place], place) for place in offsets)
        if missed:
            log.warning("%d messages of %s were no longer at the broker", missed, ", ".join(self._settings.topics))
        on_progress(Progress(offsets=dict(offsets), messages=len(taken), steps=steps, refused=refused, missed=missed))

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
        self._letters.flush(_ACK_S)

    def _offsets(self, turn: Any) -> dict[Place, int]:
        return {
            (topic, partition): offset
            for topic in self._settings.topics
            for partition, offset in turn.offsets(self._log_id, topic).items()
        }

    def _apply(self, turn: Any, taken: Sequence[_Taken]) -> tuple[int, dict[Place, int]]:
        offsets = self._offsets(turn)
        if any(offsets.get(place) != offset for place, offset in self._next.items()):
            self._forget()  # somebody else wrote: what is held may be behind
        for one in taken:
            if one.offset < offsets.get(one.place, 0):
                continue
            if one.columns is not None:
                self._keeper.take(one.columns, turn)
                if self._gates is not None:
                    self._gates.take(one.columns, turn)
            self._decide_gates(one, turn)
            offsets[one.place] = one.offset + 1
        steps = self._keeper.save(turn)
        if self._gates is not None:
            self._gates.save(turn)
        for topic in {one.place[0] for one in taken}:
            moved = {partition: offset for (held, partition), offset in offsets.items() if held == topic}
            turn.move_offsets(self._log_id, topic, moved)
        return steps, offsets

    def _decide_gates(self, one: _Taken, turn: Any) -> None:
        topic, partition = one.place
        if self._gates is not None and one.tick is not None and topic in self._settings.gated:
            self._gates.advance(one.tick, partition, self._counts[topic], turn)

    def _forget(self) -> None:
        self._keeper.forget()
        if self._gates is not None:
            self._gates.forget()

    def _until_written(self, work: Callable[[Any], Any], stop: Flag, on_progress: Callable[[Progress], None]) -> Any:
        """Do work in a transaction, again and again while the database is away; None when told to stop."""
        wait = self._settings.retry_s
        while not stop.is_set():
            try:
                with self._journal.writing() as turn:
                    return work(turn)
            except StoreError as cause:
                self._forget()
                log.warning("%s; next attempt in %.0f s", cause, wait)
                on_progress(
                    Progress(
                        offsets=dict(self._next), messages=0, steps=0, refused=0, missed=0, waiting_for_database=True
                    )
                )
                stop.wait(wait)
                wait = min(wait * 2, self._settings.retry_most_s)
        return None

    def _read(self, messages: Sequence[Message]) -> tuple[list[_Taken], int]:
        taken: list[_Taken] = []
        letters: list[DeadLetter] = []
        for message in messages:
            error = message.error()
            if error is not None:
                _pass_or_raise(error)
                continue
            place, offset = (str(message.topic()), int(message.partition() or 0)), int(message.offset() or 0)
            columns, tick = None, None
            try:
                found = _columns(message.value() or b"")
            except BadFrame as cause:
                letters.append(self._letter(message, str(cause)))
            else:
                columns, tick = (None, found.at) if isinstance(found, Tick) else (found, None)
            taken.append(_Taken(place, offset, columns, tick))
        self._send(letters)
        return taken, len(letters)

    def _letter(self, message: Message, detail: str) -> DeadLetter:
        return DeadLetter(
            reason=Refusal.BAD_FRAME,
            source=SOURCE,
            where=f"{message.topic()} {message.partition()} {message.offset()}",
            detail=detail,
            raw=message.value() or b"",
            received_at=max(0, message.timestamp()[1]),
        )

    def _send(self, letters: Sequence[DeadLetter]) -> None:
        """Send dead letters and wait until the broker has them: only then may the offset move on."""
        if not letters:
            return
        partition = partition_of(SOURCE, len(self._partitions(self._letters, self._settings.deadletter)))
        failed: list[KafkaError] = []
        for letter in letters:
            self._letters.produce(
                self._settings.deadletter,
                encode_letter(letter),
                partition=partition,
                on_delivery=lambda error, _: failed.append(error) if error is not None else None,
            )
        if self._letters.flush(_ACK_S) or failed:
            raise EdgeError(f"dead letters were not taken by {self._settings.deadletter}: {failed[:1]}")

    @staticmethod
    def _partitions(client: Consumer | Producer, topic: str) -> list[int]:
        described = client.list_topics(topic, timeout=_ACK_S).topics[topic]
        if described.error is not None or not described.partitions:
            raise EdgeError(f"topic {topic} is not there: {described.error}")
        return sorted(described.partitions)

    def _tell_broker(self, offsets: Mapping[Place, int]) -> None:
        """Commit progress to the group: for those who look at the lag, never to go on from."""
        try:
            self._consumer.commit(
                offsets=[TopicPartition(*place, offset) for place, offset in offsets.items()],
                asynchronous=False,
            )
        except KafkaException as cause:
            log.warning("group %s was not told the progress: %s", self._settings.group, cause)


def _columns(data: bytes) -> Columns | Tick:
    found = decode_results(data)
    if isinstance(found, Tick):
        return found
    head, rows = found
    return columns_of(rows, head.pack, head.kind)


def _pass_or_raise(error: KafkaError) -> None:
    """Let librdkafka mend what it can mend itself; anything else ends the watch."""
    if error.fatal() or error.code() in {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED}:
        raise EdgeError(f"the broker refused: {error.str()}")
    log.warning("broker: %s", error.str())


def _gap(before: Mapping[Place, int], offsets: Sequence[int], place: Place) -> int:
    """Return how many messages lie between the one expected and the first that came."""
    if not offsets or place not in before:
        return 0
    return max(0, min(offsets) - before[place])
