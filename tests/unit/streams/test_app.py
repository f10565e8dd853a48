from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from sensors.frames import decode
from streams.app import EXIT_FAULT, WorkerSettings, create_app
from streams.bench import Outbound, Send
from tests.packets import frame, message, packet

A = message(frame(packet("A")))


class Bench1:
    """A bench that notes what it is given."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.taken: list[tuple[int, int, bytes]] = []
        self.kept: list[set[int]] = []

    async def take(self, partition: int, offset: int, data: bytes) -> None:
        if self.fault is not None:
            raise self.fault
        self.taken.append((partition, offset, data))

    def keep_only(self, partitions: Any) -> None:
        self.kept.append(set(partitions))


def settings(tmp_path: Path, bootstrap: str = "127.0.0.1:1") -> WorkerSettings:
    return WorkerSettings(bootstrap=bootstrap, group="t.judge", partitions=4, folder=tmp_path / "faust")


READINGS, AREAS = "t.readings.air", "t.areas.air"


def app_with(tmp_path: Path, bench: Bench1, areas: Bench1 | None = None) -> Any:
    return create_app(settings(tmp_path), lambda _: {READINGS: bench, AREAS: areas or Bench1()})


def test_an_app_is_made_without_a_broker(tmp_path: Path) -> None:
    app = app_with(tmp_path, Bench1())
    assert list(app.agents) == [f"judge-{READINGS}", f"judge-{AREAS}"]
    assert app.conf.id == "t.judge"
    assert app.conf.autodiscover is False
    assert app.conf.web_enabled is False
    assert app.conf.topic_allow_declare is False
    assert not (tmp_path / "faust").exists()


@pytest.mark.parametrize(
    ("bootstrap", "brokers"), [("a:1", ["kafka://a:1"]), ("a:1,b:2", ["kafka://a:1", "kafka://b:2"])]
)
def test_every_broker_named_is_known(tmp_path: Path, bootstrap: str, brokers: list[str]) -> None:
    app = create_app(settings(tmp_path, bootstrap), lambda _: {READINGS: Bench1()})
    assert [str(url) for url in app.conf.broker] == brokers


def test_two_apps_can_stand_in_one_process(tmp_path: Path) -> None:
    assert app_with(tmp_path, Bench1()) is not app_with(tmp_path, Bench1())


async def _give(app: Any, *values: bytes, topic: str = READINGS) -> None:
    async with app.agents[f"judge-{topic}"].test_context() as agent:
        for value in values:
            await agent.put(value, partition=2)


def test_the_agent_gives_every_record_with_its_place_to_the_bench(tmp_path: Path) -> None:
    bench = Bench1()
    asyncio.run(_give(app_with(tmp_path, bench), A, b"nonsense", A))
    assert [(place, offset) for place, offset, _ in bench.taken] == [(2, 0), (2, 1), (2, 2)]
    assert decode(bench.taken[0][2])


@pytest.mark.parametrize(("topic", "taken"), [(READINGS, (1, 0)), (AREAS, (0, 1))])
def test_each_topic_has_a_bench_of_its_own(tmp_path: Path, topic: str, taken: tuple[int, int]) -> None:
    readings, areas = Bench1(), Bench1()
    asyncio.run(_give(app_with(tmp_path, readings, areas), A, topic=topic))
    assert (len(readings.taken), len(areas.taken)) == taken


def test_a_fault_ends_the_process_with_what_was_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> tuple[int, str]:
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(os, "_exit", ended.set_result)
        monkeypatch.setattr(logging, "shutdown", lambda: None)
        app = app_with(tmp_path, Bench1(fault=ValueError("what is this")))
        await _give(app, A)
        return await ended, caplog.text

    code, logged = asyncio.run(fail())
    assert code == EXIT_FAULT
    assert f"offset 0 of {READINGS}[2]" in logged
    assert "what is this" in logged


def test_states_of_partitions_that_went_away_are_dropped_after_a_rebalance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, areas = Bench1(), Bench1()
    app = app_with(tmp_path, bench, areas)
    places = ((READINGS, 1), (READINGS, 3), (AREAS, 2), ("another", 7))
    assigned = [type("Place", (), {"topic": topic, "partition": number})() for topic, number in places]
    monkeypatch.setattr(app, "_consumer", type("Assigned", (), {"assignment": lambda _: assigned})())
    asyncio.run(app.on_rebalance_complete.send())
    assert (bench.kept, areas.kept) == ([{1, 3}], [{2}])


class Topic:
    """A topic that notes what is sent and when its acknowledgement was awaited."""

    def __init__(self, told: list[str], name: str) -> None:
        self.told, self.name = told, name

    async def send(self, *, value: bytes, partition: int) -> Any:
        self.told.append(f"{self.name}[{partition}] {value.decode()}")

        async def acknowledged() -> None:
            self.told.append(f"acknowledged {value.decode()}")

        return acknowledged()


def test_sending_returns_when_all_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    senders: list[Send] = []

    def make(send: Send) -> dict[str, Bench1]:
        senders.append(send)
        return {READINGS: Bench1()}

    app = create_app(settings(tmp_path), make)
    told: list[str] = []
    monkeypatch.setattr(app, "topic", lambda name, **_: Topic(told, name))
    out = [Outbound(topic=topic, partition=place, data=data) for topic, place, data in (("r", 1, b"a"), ("d", 3, b"b"))]
    asyncio.run(senders[0](out))  # type: ignore[arg-type]
    assert told == ["r[1] a", "d[3] b", "acknowledged a", "acknowledged b"]
    asyncio.run(senders[0]([]))  # type: ignore[arg-type]
    assert len(told) == 4
