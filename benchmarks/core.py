"""The judge alone, in this process: the same frames and ticks without a broker and without Faust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import process_time

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
    air = parse_registry(parse_yaml(registry_text(sites), "benchmark")).of_kind("air")
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
    return cost
