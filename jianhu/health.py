"""Is a part of the system well? ``python -m jianhu.health PART``: exit code 0 and a line, or 1 and why not.

A part that reads topics is well when it has nothing unread, or reads on while it is looked at: a process
that hangs, or a sink whose store is away, is neither. Nothing has to be asked of the part itself.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic, sleep, time
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from jianhu.settings import Settings, parse_settings
from jianhu.stewarding import LIVES
from sensors.errors import EdgeError, JianhuError

PATIENCE_S: Final = 5.0
"""A part must have read something within this time."""
ALIVE_MS: Final = 60_000
"""A steward leaves a sign of life each few seconds; a long transaction may come between."""
_LOOK_S: Final = 0.25
_ANSWER_S: Final = 5.0


class Part(StrEnum):
    """What can be asked after; the names are those of the commands."""

    WORKER = "worker"
    ARCHIVE = "archive"
    SINK = "sink"
    WATCH = "watch"
    STEWARD = "steward"
    CONSOLE = "console"


_GROUPS: Final[Mapping[Part, str]] = {
    Part.WORKER: "judge", Part.ARCHIVE: "archive", Part.SINK: "sink", Part.WATCH: "alerts",
}  # fmt: skip
"""Group of each part that reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a partition has been read."""

    done: int
    """The next offset to be read."""
    end: int
    """The offset that the next message will get."""


Reaches = Mapping[tuple[str, int], Reach]
"""By topic and partition."""


def stuck(before: Reaches, now: Reaches) -> list[str]:
    """Return the partitions in which something is unread and nothing was read between two looks, in words."""
    return [
        f"{topic}[{partition}] is read to {reach.done} of {reach.end}"
        for (topic, partition), reach in sorted(now.items())
        if reach.done < reach.end and reach.done <= before[topic, partition].done
    ]


def follows(look: Callable[[], Reaches], *, patience_s: float, pause: Callable[[float], None] = sleep) -> None:
    """Return when nothing is unread, or every partition in which something is was read on.

    Raises
    ------
    EdgeError
        When that does not come true in time; names the partitions that stand still.
    """
    before = look()
    still = [place for place in sorted(before) if before[place].done < before[place].end]
    told = [f"{topic}[{partition}]" for topic, partition in still]
    until = monotonic() + patience_s
    while told:
        if monotonic() >= until:
            raise EdgeError(f"nothing read for {patience_s:.0f} s: {'; '.join(told)}")
        pause(_LOOK_S)
        told = stuck(before, look())


def topics_of(consumer: Consumer, part: Part, settings: Settings) -> list[str]:
    """Return the topics that a part reads, of every kind that the broker has topics of.

    The registry is not asked: reading it every few seconds would cost more than what is watched.

    Raises
    ------
    EdgeError
        When the broker does not answer, or has no such topic.
    """
    topics, kinds = settings.topics, settings.kind_names
    try:
        there = consumer.list_topics(timeout=_ANSWER_S).topics
    except KafkaException as cause:
        raise EdgeError(f"the broker does not answer: {cause}") from cause
    stems = [name("") for name in {
        Part.WORKER: (topics.readings, topics.areas),
        Part.ARCHIVE: (topics.readings, topics.areas, topics.results),
    }.get(part, (topics.results,))]  # fmt: skip
    found = sorted(
        name
        for name in there
        for stem in stems
        if name.startswith(stem) and (name.removeprefix(stem) in kinds if kinds else True)
    )
    if not found:
        raise EdgeError(f"no topics {', '.join(f'{stem}…' for stem in stems)} are there; `jianhu topics` creates them")
    return found


def reaches_of(consumer: Consumer, topics: Sequence[str]) -> Reaches:
    """Return how far the consumer's group has read each partition of the topics.

    Raises
    ------
    EdgeError
        When the broker does not answer, or a topic is not there.
    """
    try:
        places = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in consumer.list_topics(topic, timeout=_ANSWER_S).topics[topic].partitions
        ]
        if {place.topic for place in places} != set(topics):
            raise EdgeError(f"not all topics are there: {', '.join(topics)}; `jianhu topics` creates them")
        found = {}
        for place in consumer.committed(places, timeout=_ANSWER_S):
            low, end = consumer.get_watermark_offsets(place, timeout=_ANSWER_S)
            found[place.topic, place.partition] = Reach(done=max(place.offset, low), end=end)
    except KafkaException as cause:
        raise EdgeError(f"the broker does not answer: {cause}") from cause
    return found


def check(part: Part, settings: Settings, *, patience_s: float = PATIENCE_S) -> None:
    """Return when a part of the system is well.

    Raises
    ------
    EdgeError
        When it is not; says what is the matter.
    """
    if part is Part.STEWARD:
        _ask_steward(settings, int(time() * 1000))
        return
    if part is Part.CONSOLE:
        _ask_console(f"http://127.0.0.1:{settings.console_port}/readyz")
        return
    group = settings.topics.group(_GROUPS[part])
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": group,  # asked after, never joined
            "enable.auto.commit": False,
            "log_level": 2,
        }
    )
    with closing(consumer):
        topics = topics_of(consumer, part, settings)
        follows(lambda: reaches_of(consumer, topics), patience_s=patience_s)


def _ask_steward(settings: Settings, now: int) -> None:
    """Ask the database for signs of life: a steward whose database is away is not well either."""
    from alerts.journal import open_journal  # noqa: PLC0415 - the other parts are asked without it
    from alerts.steward import seen  # noqa: PLC0415

    journal = open_journal(settings.alerts_database, lambda: now)
    try:
        with journal.reading() as connection:
            signs = {name: seen(connection, name) for name in LIVES}
    finally:
        journal.close()
    if quiet := [name for name, at in signs.items() if at is None or now - at > ALIVE_MS]:
        raise EdgeError(f"no sign of life for {ALIVE_MS // 1000} s from: {', '.join(quiet)}")


def _ask_console(url: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:  # noqa: S310 - our own address
            answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            raise EdgeError(f"the console is not ready: {refusal.read().decode(errors='replace').strip()}") from refusal
    except OSError as cause:
        raise EdgeError(f"the console does not answer: {cause}") from cause


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code."""
    try:
        [part] = [Part(name) for name in arguments]
    except ValueError:
        print(f"usage: python -m jianhu.health {'|'.join(Part)}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        check(part, parse_settings(os.environ))
    except JianhuError as reason:
        print(f"{part}: {reason}")  # noqa: T201
        return 1
    print(f"{part}: well")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
