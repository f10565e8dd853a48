"""How long a city's year of minutes takes through Kafka: some of its days, by as many workers as there are cores.

500 sites and ten factors by default: the six of air and four more that a city's stations measure, as a kind of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa
import yaml

from benchmarks.cost import cpu_seconds, machine, tree_seconds, wait_for_calm
from benchmarks.load import PARTITIONS, end_ms
from benchmarks.packets import MINUTES, START_MS, packets, registry_text, rows_of, site_names
from benchmarks.sides import ROOT
from benchmarks.watching import BenchmarkError, Message, collect
from scripts import places
from scripts.process import Process
from scripts.services import KafkaNode, running
from sensors.clock import DAY_HOURS, MINUTE_MS
from sensors.frames import Tick, flag_column, frame_schema
from sensors.publisher import Publisher, PublisherSettings
from streams.air.index import FACTORS
from streams.results import decode_results
from streams.topics import Topics, create_topics

KIND: Final = "city"
MORE: Final = {"NO": "NO2", "NOx": "NO2", "PM1": "PM2.5", "NH3": "SO2"}
"""Further factors, each with the bounds and the values of one of the six."""
YEAR_DAYS: Final = 365
FRAME_MINUTES: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class YearRun:
    """What some days took."""

    packets: int
    fill_s: float
    span_s: float
    """From the first result to the last, by the broker's stamps."""
    whole_s: float
    """From the start of the workers to the last result."""
    worker_cpu_s: float
    broker_cpu_s: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--days", type=int, default=10, help="days of minutes that are really taken through")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--calm", type=float, default=0.0, metavar="S", help="wait so long for an idle machine")


def run(given: argparse.Namespace) -> int:
    """Measure and print; return the exit code.

    Raises
    ------
    BenchmarkError
        When Kafka is not there, or a worker ends early.
    """
    lib = places.kafka_lib()
    if lib is None:
        raise BenchmarkError("Kafka is not there; `make services` makes it")
    wait_for_calm(given.calm)
    with running(lambda home: KafkaNode(home, lib)) as node, TemporaryDirectory(prefix="jianhu-year-") as folder:
        done = measure(node, Path(folder), given.sites, given.days, given.workers)
    for line in lines(done, given):
        print(line)
    return 0


def lines(done: YearRun, given: argparse.Namespace) -> Iterator[str]:
    """Say it."""
    year = done.span_s * YEAR_DAYS / given.days / 60
    yield f"Machine: {machine()}."
    yield (
        f"{given.sites:,} sites x {len(FACTORS) + len(MORE)} factors, {given.days} days of minutes, "
        f"{done.packets:,} packets, {given.workers} workers, one Kafka node, {PARTITIONS} partitions."
    )
    yield f"filling the topic   {done.fill_s:8.1f} s"
    yield f"first to last result{done.span_s:8.1f} s   {done.packets / done.span_s:,.0f} packets a second"
    yield f"with the start      {done.whole_s:8.1f} s"
    yield f"CPU of the workers  {done.worker_cpu_s:8.1f} s   of the broker {done.broker_cpu_s:.1f} s"
    yield f"a year at this pace {year:8.1f} min (by rule of three from {given.days} days)"


def kind_text() -> str:
    """Return the kind file: air with more factors."""
    air: dict[str, Any] = yaml.safe_load(files("sensors").joinpath("data/kinds/air.yaml").read_text(encoding="utf-8"))
    air["kind"] = KIND
    for name, like in MORE.items():
        air["factors"][name] = {**air["factors"][like], "code": "", "name": {"zh": name, "en": name}}
    every = [name for name in air["factors"] if name != "O3"]
    for window in air["windows"]:
        if "O3" not in window.get("factors", ["O3"]) and window["name"] in {"24h", "month", "quarter", "year"}:
            window["factors"] = every
    plain = json.loads(json.dumps(air))  # nothing is there twice: a kind file takes no aliases
    return str(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False))


def wide(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows of the six factors with the further ones."""
    columns = {name: rows.column(name) for name in rows.schema.names}
    for name, like in MORE.items():
        columns |= {name: columns[like], flag_column(name): columns[flag_column(like)]}
    schema = frame_schema((*FACTORS, *MORE))
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def measure(node: KafkaNode, folder: Path, count: int, days: int, workers: int) -> YearRun:
    """Fill the topics, start the workers and wait for the last result.

    Raises
    ------
    BenchmarkError
        When a worker ends early.
    """
    sites, hours, topics = site_names(count), days * DAY_HOURS, Topics(prefix=f"year-{uuid4().hex[:8]}")
    (folder / "kinds").mkdir()
    (folder / "kinds" / f"{KIND}.yaml").write_text(kind_text(), encoding="utf-8")
    registry = registry_text(sites).replace("class: urban", f"kind: {KIND}, class: urban")
    (folder / "registry.yaml").write_text(registry, encoding="utf-8")
    begun = time()
    _fill(node.bootstrap, topics, sites, hours)
    filled = time()
    last, ended = end_ms(hours), set[int]()

    def whole(message: Message) -> bool:
        found = decode_results(message.value) if message.value[:1] == b"{" else None
        if isinstance(found, Tick) and found.at == last:
            ended.add(message.partition)
        return len(ended) == PARTITIONS

    environment = {
        "JIANHU_KAFKA": node.bootstrap,
        "JIANHU_PREFIX": topics.prefix,
        "JIANHU_DIR": str(folder),
        "JIANHU_PARTITIONS": str(PARTITIONS),
        "PYTHONPATH": str(ROOT),
    }
    broker = cpu_seconds(node.process.pid)
    with ExitStack() as stack:
        started = [_worker(folder, number, environment) for number in range(workers)]
        for worker in started:
            worker.start(lambda: True)
            stack.callback(worker.stop)
        alive = lambda: all(worker.running for worker in started)  # noqa: E731 - one line, used once
        said = collect(node.bootstrap, topics.results(KIND), PARTITIONS, whole=whole, alive=alive)
        spent = sum(tree_seconds(worker.pid) for worker in started)
    times = [message.at for message in said]
    return YearRun(
        packets=hours * MINUTES * count,
        fill_s=filled - begun,
        span_s=max(times) - min(times),
        whole_s=max(times) - filled,
        worker_cpu_s=spent,
        broker_cpu_s=cpu_seconds(node.process.pid) - broker,
    )


def _worker(folder: Path, number: int, environment: dict[str, str]) -> Process:
    command = [sys.executable, "-m", "jianhu", "worker"]
    return Process(name=f"worker {number}", command=command, log=folder / f"worker-{number}.log", env=environment)


def _fill(bootstrap: str, topics: Topics, sites: tuple[str, ...], hours: int) -> None:
    create_topics(bootstrap, topics.all(KIND), partitions=PARTITIONS)
    publisher = Publisher(
        PublisherSettings(
            bootstrap=bootstrap,
            topic=topics.readings(KIND),
            deadletter=topics.deadletter,
            partitions=PARTITIONS,
            kind=KIND,
            source="benchmark",
            synthetic=True,
        )
    )
    publisher.tick(START_MS)
    for minute in range(0, hours * MINUTES, FRAME_MINUTES):
        publisher.publish(wide(rows_of(packets(sites, minute, FRAME_MINUTES))), period_ms=MINUTE_MS)
        publisher.tick(START_MS + (minute + FRAME_MINUTES) * MINUTE_MS)
    publisher.tick(end_ms(hours))
    publisher.flush()
