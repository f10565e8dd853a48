"""The Faust application: one agent for each topic that is judged, no tables, no web server.

An exception in a Faust agent acknowledges the message (measured), so anything but known bad input
ends the process at once, without a commit; another worker, or this one started again, takes over.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import faust

from streams.bench import Outbound, Send

log = logging.getLogger(__name__)
EXIT_FAULT = 70
"""Exit code of a worker that met something it does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker joins."""

    bootstrap: str
    group: str
    partitions: int
    """Of every topic; the same partition of all of them comes to the same worker."""
    folder: Path
    """Faust's own working folder."""


class Taker(Protocol):
    """What an agent needs of `streams.bench.Bench`."""

    async def take(self, partition: int, offset: int, data: bytes) -> None:
        """Fold one record and send what follows from it."""

    def keep_only(self, partitions: Iterable[int]) -> None:
        """Drop the states of partitions that went to another worker."""


def create_app(settings: WorkerSettings, make_benches: Callable[[Send], Mapping[str, Taker]]) -> faust.App:
    """Return the Faust application with its agents; nothing is connected yet.

    Parameters
    ----------
    settings
        Broker and group.
    make_benches
        Given the way to send, returns topic → the bench of this worker. Every topic must be there before it joins.
    """
    app = faust.App(
        settings.group,
        broker=[f"kafka://{host}" for host in settings.bootstrap.split(",")],
        store="memory://",
        datadir=str(settings.folder),
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_max_request_size=2 * 1024 * 1024,
        stream_wait_empty=False,
        key_serializer="raw",
        value_serializer="raw",
    )
    benches = make_benches(_sender(app))
    for topic, bench in benches.items():
        source = app.topic(topic, value_type=bytes, value_serializer="raw", partitions=settings.partitions)
        app.agent(source, name=f"judge-{topic}")(_agent(topic, bench))

    async def keep_assigned(*_: Any, **__: Any) -> None:
        assigned = app.consumer.assignment()
        for topic, bench in benches.items():
            bench.keep_only(place.partition for place in assigned if place.topic == topic)

    app.on_rebalance_complete.connect(keep_assigned)
    return app


def _agent(topic: str, bench: Taker) -> Callable[[Any], Any]:
    """Return the agent of a topic."""

    async def judge(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            try:
                await bench.take(message.partition, message.offset, message.value)
            except Exception:  # whatever it is, this record must not be acknowledged
                log.critical("offset %d of %s[%d]", message.offset, topic, message.partition, exc_info=True)
                logging.shutdown()
                os._exit(EXIT_FAULT)

    return judge


def _sender(app: faust.App) -> Send:
    """Return the way to send: it waits until the broker has acknowledged every message."""
    senders: dict[str, Any] = {}

    async def send(messages: list[Outbound]) -> None:
        waiting = []
        for message in messages:
            topic = senders.get(message.topic)
            if topic is None:
                topic = senders[message.topic] = app.topic(message.topic, value_type=bytes, value_serializer="raw")
            waiting.append(await topic.send(value=message.data, partition=message.partition))
        for acknowledged in waiting:
            await acknowledged

    return send
