"""The judge alone, in this process: the same frames and ticks without a broker and without Faust."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from time import process_time

import numpy as np

from benchmarks.load import FRAME_MINUTES, PARTITIONS, end_ms
from benchmarks.packets import MINUTES, START_MS, packets, registry_text, rows_of
from sensors.clock import MINUTE_MS
from sensors.frames import Frame, FrameHead, decode, encode_frame, encode_tick
from sensors.kinds import load_kind
from sensors.publisher import FRAME_ROWS, split_by_partition
from sensors.registry import parse_registry
from sensors.yamlfile import parse_yaml
from streams.judging.registered import JudgingContext, judge_of
from streams.judging.state import JudgeSettings
from streams.results import ResultHead, encode_results
from streams.standards import load_standards

Record = tuple[int, bytes]
"""Partition and message."""


@dataclass(slots=True, kw_only=True)
class CoreCost:
    """CPU seconds of the steps, and what they were spent on."""

    packets: int
    results: int = 0
    spent: dict[str, float] = field(default_factory=dict)
    held: int = 0
    """Bytes of the judges' state at the end."""

    @property
    def per_cpu(self) -> float:
        """Packets a CPU second."""
        return self.packets / sum(self.spent.values())

    def add(self, step: str, begun: float) -> float:
        """Book the time since ``begun`` to a step; return the time now."""
        now = process_time()
        self.spent[step] = self.spent.get(step, 0.0) + now - begun
        return now


def records(sites: tuple[str, ...], hours: int, frame_minutes: int = FRAME_MINUTES) -> Iterator[Record]:
    """Yield the messages that `benchmarks.load.fill_frames` sends."""

    def ticks(at: int) -> Iterator[Record]:
        return ((partition, encode_tick(at)) for partition in range(PARTITIONS))

    head = FrameHead(kind="air", period_ms=MINUTE_MS, source="benchmark", sequence=0, synthetic=True)
    yield from ticks(START_MS)
    for minute in range(0, hours * MINUTES, frame_minutes):
        for partition, rows in split_by_partition(rows_of(packets(sites, minute, frame_minutes)), PARTITIONS):
            for at in range(0, rows.num_rows, FRAME_ROWS):
                yield partition, encode_frame(Frame(head=head, rows=rows.slice(at, FRAME_ROWS)))
        yield from ticks(START_MS + (minute + frame_minutes) * MINUTE_MS)
    yield from ticks(end_ms(hours))


def run_core(sites: tuple[str, ...], hours: int, frame_minutes: int = FRAME_MINUTES) -> CoreCost:
    """Judge so many hours in this process; making the messages is not counted."""
    (one,) = parse_registry(parse_yaml(registry_text(sites[:1]), "benchmark")).of_kind("air")
    air = tuple(replace(one, id=site) for site in sites)
    standards = load_standards()
    judges = [
        judge_of(
            air,
            JudgingContext(kind=load_kind("air"), standards=standards),
            partition=partition,
            partitions=PARTITIONS,
            settings=JudgeSettings(),
        )
        for partition in range(PARTITIONS)
    ]
    cost, head = CoreCost(packets=hours * MINUTES * len(sites)), ResultHead(kind="air", pack=standards.pack)
    for partition, data in records(sites, hours, frame_minutes):
        begun = process_time()
        item = decode(data)
        begun = cost.add("decode", begun)
        if isinstance(item, Frame):
            judges[partition].fold(item)
            cost.add("fold", begun)
            continue
        said = judges[partition].tick(item.at)
        begun = cost.add("tick", begun)
        if said is not None:
            encode_results(head, said)
            cost.results += said.num_rows
            cost.add("encode results", begun)
    cost.held = sum(map(held_bytes, judges))
    return cost


def held_bytes(value: object, seen: set[int] | None = None) -> int:
    """Return the bytes of all arrays that a value holds, each counted once."""
    known = set() if seen is None else seen
    if id(value) in known:
        return 0
    known.add(id(value))
    if isinstance(value, np.ndarray):
        return value.nbytes if value.base is None else held_bytes(value.base, known)
    if isinstance(value, Mapping):
        return sum(held_bytes(part, known) for part in value.values())
    if isinstance(value, tuple | list | deque):
        return sum(held_bytes(part, known) for part in value)
    if isinstance(value, type) or not type(value).__module__.startswith("streams."):
        return 0
    names = {
        *getattr(value, "__dict__", ()),
        *(n for kind in type(value).__mro__ for n in getattr(kind, "__slots__", ())),
    }
    return sum(held_bytes(getattr(value, name, None), known) for name in names)
