"""One run of each side: a filled topic, a worker process, and what it cost until the last result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time, time
from typing import Any, Final
from uuid import uuid4

import pyarrow.compute as pc

from benchmarks.cost import CpuMeter, busy_seconds, cpu_seconds, tree_seconds
from benchmarks.load import MARKER, PARTITIONS, Load, bytes_on_disk, end_ms, fill_frames, fill_messages
from benchmarks.packets import MINUTES_NEEDED, START_MS, STEP, Hour, Mean, registry_text
from benchmarks.watching import Message, Said, collect
from scripts.process import Process
from scripts.services import KafkaNode
from sensors.clock import HOUR_MS, day_of_hour
from sensors.frames import Tick
from streams.air.index import FACTORS, real_time_table
from streams.results import AQI, Window, decode_results
from streams.standards import load_standards
from streams.topics import Topics

ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of a side cost."""

    side: str
    load: Load
    disk: int
    """Bytes of the input topic on the broker's disk."""
    results: int
    """Windows said on the results topic."""
    span_s: float
    """From the first record's result to the last result, by the broker's stamps."""
    worker_s: float
    """CPU of the worker in that span."""
    broker_s: float
    """CPU of the broker in that span."""
    from_start_s: float
    """From the start of the process, imports and joining included, to the last result."""
    worker_from_start_s: float
    others: float
    """Cores that other processes of the machine kept busy meanwhile."""
    said: Said

    @property
    def per_wall(self) -> float:
        """Packets a second of wall time."""
        return self.load.packets / self.span_s

    @property
    def per_worker(self) -> float:
        """Packets a second of the worker's CPU."""
        return self.load.packets / self.worker_s

    @property
    def per_both(self) -> float:
        """Packets a second of CPU of worker and broker."""
        return self.load.packets / (self.worker_s + self.broker_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where runs happen."""

    node: KafkaNode
    folder: Path
    sites: tuple[str, ...]
    quix_python: Path
    flink: Flink | None = None
    """None leaves Flink out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flink:
    """Where PyFlink and its Kafka connector are, and how many threads take records."""

    python: Path
    jar: Path
    parallelism: int = 1


def run_jianhu(place: Place, hours: int, frame_minutes: int) -> Run:
    """Take so many hours through a ``jianhu worker``."""
    name = f"bench-{uuid4().hex[:8]}"
    home = place.folder / name
    home.mkdir()
    topics, last = Topics(prefix=name), end_ms(hours)
    load = fill_frames(place.node.bootstrap, topics, place.sites, hours, frame_minutes)
    registry = home / "registry.yaml"
    registry.write_text(registry_text(place.sites), encoding="utf-8")
    ended: set[int] = set()

    def whole(message: Message) -> bool:
        if message.value[:1] == b"{":
            tick = decode_results(message.value)
            if isinstance(tick, Tick) and tick.at == last:
                ended.add(message.partition)
        return len(ended) == PARTITIONS

    worker = Process(
        name="jianhu worker",
        command=[sys.executable, "-m", "jianhu", "worker"],
        log=home / "worker.log",
        env={
            "JIANHU_KAFKA": place.node.bootstrap,
            "JIANHU_PREFIX": name,
            "JIANHU_DIR": str(home),
            "JIANHU_REGISTRY": str(registry),
            "JIANHU_PARTITIONS": str(PARTITIONS),
            "PYTHONPATH": str(ROOT),
        },
    )
    return _run(
        place,
        _Job(
            side="jianhu",
            worker=worker,
            load=load,
            readings=topics.readings("air"),
            results=topics.results("air"),
            whole=whole,
            said=said_in_frames,
        ),
    )


def run_quix(place: Place, hours: int, *, changelog: bool) -> Run:
    """Take so many hours through Quix Streams, with or without its changelog topic."""
    side = "Quix Streams" if changelog else "Quix Streams without changelog"
    return _run_messages(place, hours, [str(place.quix_python), "quix_app.py"], {"side": side, "changelog": changelog})


def run_flink(place: Place, hours: int, flink: Flink) -> Run:
    """Take so many hours through Flink SQL in one process."""
    plan = {"side": "Flink SQL", "jar": str(flink.jar), "parallelism": flink.parallelism}
    return _run_messages(place, hours, [str(flink.python), "flink_app.py"], plan)


def _run_messages(place: Place, hours: int, command: list[str], more: dict[str, Any]) -> Run:
    """Take so many hours, a packet a message, through a program that gets a plan; ``more`` names the side."""
    (python, program), side = command, str(more["side"])
    name = f"{program.partition('_')[0]}-{uuid4().hex[:8]}"
    home = place.folder / name
    home.mkdir()
    readings, results = f"{name}.readings", f"{name}.results"
    load = fill_messages(place.node.bootstrap, readings, results, place.sites, hours)
    plan = home / "plan.json"
    given = {"bootstrap": place.node.bootstrap, "group": name, "state": str(home / "state"), **more}
    plan.write_text(json.dumps({**given, "readings": readings, "results": results, **_rules()}), encoding="utf-8")
    wanted, came = hours * len(place.sites), 0

    def whole(message: Message) -> bool:
        nonlocal came
        came += not _marks(message)
        return came == wanted

    worker = Process(
        name=side, command=[python, str(ROOT / "benchmarks" / program), str(plan)], log=home / "worker.log"
    )
    job = _Job(
        side=side, worker=worker, load=load, readings=readings, results=results, whole=whole, said=said_in_messages
    )
    return _run(place, job)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A worker that is to be started, and how to tell that it is done."""

    side: str
    worker: Process
    load: Load
    readings: str
    results: str
    whole: Callable[[Message], bool]
    """True at the last message of the results topic."""
    said: Callable[[list[Message]], tuple[int, Said]]


def _run(place: Place, job: _Job) -> Run:
    worker, broker = job.worker, place.node.process.pid
    began, busy, own = time(), busy_seconds(), process_time() + cpu_seconds(broker)
    worker.start(lambda: True)
    try:
        with CpuMeter(pids={"worker": worker.pid, "broker": broker}, read=tree_seconds) as meter:
            found = collect(
                place.node.bootstrap, job.results, PARTITIONS, whole=job.whole, alive=lambda: worker.running
            )
        total = tree_seconds(worker.pid)
        own = process_time() + cpu_seconds(broker) - own + total
        others = (busy_seconds() - busy - own) / (time() - began)
    finally:
        worker.stop()
    first, last = min(m.at for m in found), max(m.at for m in found)
    count, hourly = job.said(found)
    return Run(
        side=job.side,
        load=job.load,
        disk=bytes_on_disk(place.node.home, job.readings),
        results=count,
        span_s=last - first,
        worker_s=meter.between("worker", first, last),
        broker_s=meter.between("broker", first, last),
        from_start_s=last - began,
        worker_from_start_s=total,
        others=max(0.0, others),
        said=hourly,
    )


def _rules() -> dict[str, Any]:
    """Return what an hour's judge must know of the standards, as numbers."""
    edition = load_standards().index_edition(day_of_hour(START_MS // HOUR_MS))
    return {
        "factors": list(FACTORS),
        "step": STEP,
        "needed": MINUTES_NEEDED,
        "iaqi": real_time_table(edition).lookup.tolist(),
        "points": [
            [[point // STEP, index] for point, index in zip(column.concentrations, column.indices, strict=False)]
            for column in (item.breakpoints for item in edition.real_time)
        ],
        "rest_over": edition.rest_over,
        "index_min": edition.index_min,
    }


def said_in_frames(messages: list[Message]) -> tuple[int, Said]:
    """Return how many windows jianhu said, and the hours among them."""
    count = 0
    parts: dict[Hour, dict[str, int | None]] = {}
    for message in messages:
        answer = decode_results(message.value)
        if isinstance(answer, Tick):
            continue
        rows = answer[1]
        count += rows.num_rows
        hours = rows.filter(pc.equal(rows.column("window").cast("string"), Window.HOUR.value))
        columns = [hours.column(name).to_pylist() for name in ("site", "factor", "value")]
        for site, start, factor, value in zip(
            columns[0], hours.column("start").cast("int64").to_pylist(), *columns[1:], strict=True
        ):
            parts.setdefault((site, start), {})[factor] = value
    means: dict[Hour, Mean] = {
        hour: tuple(None if (value := part[factor]) is None else value // STEP for factor in FACTORS)
        for hour, part in parts.items()
    }
    return count, Said(means=means, indices={hour: part[AQI] for hour, part in parts.items()})


def said_in_messages(messages: list[Message]) -> tuple[int, Said]:
    """Return how many windows Quix said, each factor and index counted, and the hours."""
    means: dict[Hour, Mean] = {}
    indices: dict[Hour, int | None] = {}
    for message in messages:
        if not _marks(message):
            record = json.loads(message.value)
            hour = ((message.key or b"").decode(), int(record["start"]))
            means[hour], indices[hour] = tuple(record["means"]), record["aqi"]
    return len(means) * (len(FACTORS) + 1), Said(means=means, indices=indices)


def _marks(message: Message) -> bool:
    return (message.key or b"").startswith(MARKER.encode())
