from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from streams.areas import AreaTick
from streams.bench import Outbound
from streams.results import ResultHead, decode_results
from streams.stages import ENDLESS_MS, AreaStage, Way
from tests.unit.streams.store import samples

WAY = Way(
    partition=2, partitions=4, results="results.air", areas="areas.air", deadletter="deadletter",
    head=ResultHead(kind="air", pack="p"),
)  # fmt: skip


@dataclass(slots=True)
class Summing:
    """A judge of areas that says at a tick of source 0 what it has folded."""

    folded: list[pa.RecordBatch] = field(default_factory=list)
    ticks: list[tuple[int, int]] = field(default_factory=list)

    def fold(self, rows: pa.RecordBatch) -> None:
        self.folded.append(rows)

    def tick(self, at: int, source: int) -> pa.RecordBatch | None:
        self.ticks.append((at, source))
        return None if source or not self.folded else self.folded.pop()


def rows_in(messages: list[Outbound]) -> list[int]:
    answers = [decode_results(message.data) for message in messages]
    return [answer[1].num_rows for answer in answers if isinstance(answer, tuple)]


def test_results_of_areas_leave_at_a_tick_to_their_own_partition_without_one() -> None:
    judge = Summing()
    stage = AreaStage(way=WAY, judge=judge)
    rows = samples.batch(samples.row(), samples.row(site="S2"))
    assert stage.take(rows, "w") == []
    assert stage.take(AreaTick(at=5, source=1), "w") == []
    sent = stage.take(AreaTick(at=6, source=0), "w")
    assert judge.ticks == [(5, 1), (6, 0)]
    assert [(message.topic, message.partition) for message in sent] == [("results.air", 2)]
    assert rows_in(sent) == [2]


def test_the_past_of_the_second_stage_is_the_whole_topic() -> None:
    stage = AreaStage(way=WAY, judge=Summing())
    stage.begin_late()
    assert stage.span_ms == ENDLESS_MS
