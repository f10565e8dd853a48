"""What alerts cost: rule–site pairs that one worker carries, and the time from a result on Kafka to its event."""

from __future__ import annotations

import argparse
import resource
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, process_time, sleep
from typing import Any, Final

import numpy as np
import pyarrow as pa
from confluent_kafka import Producer

from alerts.columns import columns_of
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.rules import Kind, Rule, Rules, load_rules
from alerts.verdicts import Judge
from alerts.watch import Progress, WatchSettings, run_alerts
from benchmarks.cost import machine
from benchmarks.watching import BenchmarkError
from jianhu.broker import EmbeddedBroker
from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.registry import Registry, Site
from streams.results import RESULT_SCHEMA, ResultHead, encode_results
from streams.standards import load_standards
from streams.topics import Topics

T0: Final = 1_797_091_200_000
"""2026-12-13 00:00, Beijing time."""
RULES_A_SITE: Final = 20
OVER: Final = 0.02
"""Share of rows over the lowest threshold."""
SITES_AT_ONCE: Final = 7
FACTORS: Final = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "AQI")
"""Seven sites with these make a message of the latency run."""
BATCH: Final = SITES_AT_ONCE * len(FACTORS)
PATIENCE_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What one hour of all pairs took."""

    seconds: float
    cpu_s: float
    steps: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--rate", type=int, default=1_000, help="results a second")
    parser.add_argument("--seconds", type=int, default=30, help="of the latency run")


def registry(count: int) -> Registry:
    """Return so many air sites."""
    sites = (
        Site(
            id=f"S{number:06d}", kind="air", name_zh="", name_en="", station_class="urban", lon=120.0, lat=30.0,
            county="", township="", zone=2, period_ms=MINUTE_MS, synthetic=True, source="benchmark", start=0, end=None,
            not_in_plan=(), assessment=True,
        )
        for number in range(count)
    )  # fmt: skip
    return Registry(region_zh="", region_en="", synthetic=True, sites=tuple(sites))


def thresholds(count: int) -> Rules:
    """Return so many rules of one factor, each with a greater threshold."""
    found = load_rules()
    first = next(rule for rule in found.rules if rule.kind is Kind.THRESHOLD and rule.id == "pm25-1h")
    made: list[Rule] = [replace(first, id=f"pm-{number}", threshold=Fraction(75 + number)) for number in range(count)]
    return replace(found, rules=tuple(made))


def rows(
    sites: Sequence[str], hour: int, chance: np.random.Generator, factors: Sequence[str] = ("PM2.5",)
) -> pa.RecordBatch:
    """Return an hour of some factors of some sites, a few of them over."""
    n = len(sites) * len(factors)
    start = T0 + hour * HOUR_MS
    over = chance.random(n) < OVER
    values = np.where(over, chance.integers(76, 100, n), chance.integers(5, 60, n))
    same: Mapping[str, Any] = {
        "window": "1h", "start": start, "edition": "", "digits": 0, "valid": 60, "expected": 60,
        "reason": "", "detail": "", "flags": 0, "iaqi": None, "level": None, "primary": "", "revision": 1,
        "inputs": hour, "at": start + HOUR_MS + MINUTE_MS,
    }  # fmt: skip
    columns: Mapping[str, Sequence[Any]] = {
        "site": [site for site in sites for _ in factors], "factor": list(factors) * len(sites),
        "value": values.tolist(),
    }  # fmt: skip
    arrays = []
    for field in RESULT_SCHEMA:
        given = columns.get(field.name, [same.get(field.name)] * n)
        if pa.types.is_dictionary(field.type):
            arrays.append(pa.array(given, pa.utf8()).dictionary_encode().cast(field.type))
        else:
            arrays.append(pa.array(given, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=RESULT_SCHEMA)


def carry(pairs: int, hours: int, folder: Path) -> Iterator[Hour]:
    """Judge hour after hour of all pairs in this process, with a journal in a file; yield what each took."""
    sites = registry(pairs // RULES_A_SITE)
    rules, ids = thresholds(RULES_A_SITE), [site.id for site in sites.sites]
    journal = open_journal(f"sqlite:///{folder / 'pairs.sqlite'}", lambda: 0)
    keeper = Keeper(Judge(rules, sites, load_standards()), rules)
    chance = np.random.default_rng(1)
    for hour in range(hours):
        batch = rows(ids, hour, chance)
        began, cpu = monotonic(), process_time()
        with journal.writing() as turn:
            keeper.take(columns_of(batch, "pack", "air"), turn)
            steps = keeper.save(turn)
        yield Hour(seconds=monotonic() - began, cpu_s=process_time() - cpu, steps=steps)
    journal.close()


def delays(rate: int, seconds: int, folder: Path) -> tuple[list[float], int]:
    """Send results at a rate to a broker; return for each message the seconds until its events stood, and all steps."""
    topics, broker = Topics(prefix="b"), EmbeddedBroker()
    broker.make_topics(topics.all("air"))
    topic = topics.results("air")
    sites, rules = registry(1_000), load_rules()
    journal = open_journal(f"sqlite:///{folder / 'delays.sqlite'}", lambda: 0)
    sent: dict[tuple[int, int], float] = {}
    done: dict[tuple[int, int], float] = {}
    steps: list[int] = []
    begun, stop = threading.Event(), threading.Event()
    next_of: dict[int, int] = {}

    def on_progress(progress: Progress) -> None:
        now = monotonic()
        steps.append(progress.steps)
        for (_, partition), offset in progress.offsets.items():
            for one in range(next_of.get(partition, 0), offset):
                done[partition, one] = now
            next_of[partition] = offset
        begun.set()

    settings = WatchSettings(bootstrap=broker.bootstrap, topics=(topic,), group="b", deadletter=topics.deadletter)
    worker = threading.Thread(
        target=run_alerts, args=(settings,),
        kwargs={
            "log_id": "b", "journal": journal, "rules": rules, "registry": sites, "standards": load_standards(),
            "stop": stop, "on_progress": on_progress,
        },
    )  # fmt: skip
    worker.start()
    producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 0})
    chance, ids = np.random.default_rng(2), [site.id for site in sites.sites]
    _send(producer, topic, rows(ids, 0, chance, FACTORS), 0)  # what every series loads once is not a result's way
    if not begun.wait(PATIENCE_S):
        raise BenchmarkError("the watch did not begin")
    until, number, pause = monotonic(), 0, BATCH / rate
    for number in range(rate * seconds // BATCH):
        hour, place = divmod(number * SITES_AT_ONCE, len(ids))
        batch = rows(ids[place : place + SITES_AT_ONCE], 1 + hour, chance, FACTORS)
        until += pause
        sleep(max(0.0, until - monotonic()))
        sent[0, number + 1] = monotonic()
        _send(producer, topic, batch, 0)
    ends = monotonic() + PATIENCE_S
    while (0, number + 1) not in done and monotonic() < ends and worker.is_alive():
        sleep(0.05)
    stop.set()
    worker.join()
    journal.close()
    if missing := [place for place in sent if place not in done]:
        raise BenchmarkError(f"{len(missing)} messages were never judged")
    return [done[place] - sent[place] for place in sent], sum(steps)


def _send(producer: Producer, topic: str, batch: pa.RecordBatch, partition: int) -> None:
    producer.produce(topic, encode_results(ResultHead(kind="air", pack="pack"), batch), partition=partition)
    producer.flush(10)


def run(given: argparse.Namespace) -> int:
    """Measure both and print; return the exit code."""
    print(f"# Alerts, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")
    print(f"Machine: {machine()}.\n")
    with TemporaryDirectory() as folder:
        print(
            f"{given.pairs:,} rule–site pairs ({RULES_A_SITE} rules a site) in one process, journal in a SQLite file:\n"
        )
        print("| hour | seconds | CPU s | pairs a second | steps of events |\n| ---: | ---: | ---: | ---: | ---: |")
        for number, hour in enumerate(carry(given.pairs, given.hours, Path(folder))):
            speed = given.pairs / hour.seconds
            print(f"| {number} | {hour.seconds:.2f} | {hour.cpu_s:.2f} | {speed:,.0f} | {hour.steps:,} |", flush=True)
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\nGreatest memory of the process: {held:,.0f} MB.\n")
        found, steps = delays(given.rate, given.seconds, Path(folder))
        low, middle, high, most = np.percentile(found, [50, 95, 99, 100]) * 1000
        print(
            f"{given.rate:,} results a second in messages of {BATCH} ({len(FACTORS)} factors), delivered rules, "
            f"1 000 sites, {given.seconds} s, "
            f"{steps:,} steps of events: from a result on Kafka to its event in SQL p50 {low:.0f} ms, "
            f"p95 {middle:.0f} ms, p99 {high:.0f} ms, greatest {most:.0f} ms."
        )
    return 0
