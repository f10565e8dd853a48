"""How many packets a second one core judges: minute packets in frames, folded, and closed hour by hour."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from time import process_time
from typing import Final

import pyarrow as pa

from benchmarks.cost import machine
from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.frames import Frame, FrameHead, decode, encode_frame
from sensors.kinds import load_kind
from sensors.registry import Registry, load_registry
from simulators.region import SEED, Region
from streams.judging.judge import KindJudge
from streams.judging.registered import JudgingContext, judge_of
from streams.judging.state import JudgeSettings
from streams.standards import load_standards

START_MS: Final = 1_795_104_000_000
"""2026-11-20 00:00 in Beijing."""


@dataclass(slots=True, kw_only=True)
class Cost:
    """Seconds of CPU, and what they were spent on."""

    packets: int = 0
    frames: int = 0
    size: int = 0
    results: int = 0
    encode_s: float = 0.0
    decode_s: float = 0.0
    fold_s: float = 0.0
    tick_s: float = 0.0

    def lines(self) -> Iterator[str]:
        """Say it, one figure a line."""
        per = self.packets / 1e6
        yield f"packets      {self.packets:>12,}   in {self.frames:,} frames of {self.size / 1e6:,.1f} MB"
        yield f"results      {self.results:>12,}"
        for name, spent in (
            ("encode", self.encode_s),
            ("decode", self.decode_s),
            ("fold", self.fold_s),
            ("tick", self.tick_s),
        ):
            yield f"{name:<12} {spent:>10.2f} s   {per / spent if spent else 0:>8.2f} M packets per CPU second"
        judged = self.decode_s + self.fold_s + self.tick_s
        yield f"{'judge':<12} {judged:>10.2f} s   {per / judged:>8.2f} M packets per CPU second (decode + fold + tick)"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--frames", type=int, nargs="+", default=[250, 2_000], help="packets in a frame")


def run(given: argparse.Namespace) -> int:
    """Measure and print; return the exit code."""
    print(machine())
    for size in given.frames:
        print(f"\n{given.sites:,} sites, {given.hours} h of minutes, {size:,} packets a frame")
        for line in measure(given.sites, given.hours, size).lines():
            print("  " + line)
    return 0


def many_sites(count: int) -> Registry:
    """Return the simulated region with each of its stations as often as is needed for so many."""
    region = load_registry(Path(str(files("simulators").joinpath("data/shangyu/registry.yaml"))))
    stations = region.of_kind("air")
    copies = [replace(stations[n % len(stations)], id=f"S{n:05d}") for n in range(count)]
    return replace(region, sites=tuple(sorted(copies, key=lambda site: site.id)))


def measure(sites: int, hours: int, packets_in_frame: int) -> Cost:
    """Judge so many hours of so many sites' minutes, in this process; what makes the packets is not counted."""
    registry, cost = many_sites(sites), Cost()
    region = Region(seed=SEED, registry=registry)
    judge = judge_of(
        registry.of_kind("air"),
        JudgingContext(kind=load_kind("air"), standards=load_standards()),
        partition=0,
        partitions=1,
        settings=JudgeSettings(),
    )
    judge.tick(START_MS)
    for start in range(START_MS, START_MS + hours * HOUR_MS, HOUR_MS):
        _hour(judge, region.packets("air", start, start + HOUR_MS), packets_in_frame, start + HOUR_MS, cost)
    return cost


def _hour(judge: KindJudge, packets: pa.RecordBatch, packets_in_frame: int, end_ms: int, cost: Cost) -> None:
    head = FrameHead(kind="air", period_ms=MINUTE_MS, source="benchmark", sequence=cost.frames, synthetic=True)
    for at in range(0, packets.num_rows, packets_in_frame):
        rows = packets.slice(at, packets_in_frame)
        begun = process_time()
        data = encode_frame(Frame(head=head, rows=rows))
        encoded = process_time()
        frame = decode(data)
        decoded = process_time()
        if isinstance(frame, Frame):
            judge.fold(frame)
        folded = process_time()
        cost.encode_s += encoded - begun
        cost.decode_s += decoded - encoded
        cost.fold_s += folded - decoded
        cost.frames, cost.size, cost.packets = cost.frames + 1, cost.size + len(data), cost.packets + rows.num_rows
    begun = process_time()
    results = judge.tick(end_ms + JudgeSettings().grace_ms)
    cost.tick_s += process_time() - begun
    cost.results += 0 if results is None else results.num_rows
