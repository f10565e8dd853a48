"""Requests: what a worker does when the log asks it to judge days long past again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from sensors.frames import Frame, Recompute, Tick
from streams.bench import Outbound, Stage
from streams.recall import Recall, Wanted
from streams.recompute import Judge, judged_again, last_settled_day, revised, span_ms
from streams.stages import JudgeStage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputer:
    """Answers requests of one kind's readings; see docs/decisions/0006."""

    recall: Recall
    readings: str
    results: str
    make_judge: Callable[[int, frozenset[str] | None], Judge]
    """Partition and sites (None: all of it) → a judge with an empty state."""
    late_h: int
    grace_ms: int

    def answer(self, stage: Stage[Frame | Tick], partition: int, offset: int, request: Recompute) -> list[Outbound]:
        """Return the windows of a request that differ from what was said of them, as messages.

        Days that are not settled yet are left to the live judge.
        """
        if not isinstance(stage, JudgeStage) or stage.clock is None:
            log.warning("request %r came before the first tick and is passed over", request.id)
            return []
        last = min(request.last_day, last_settled_day(stage.clock, self.late_h))
        if last < request.first_day:
            log.warning("request %r: its days are not settled yet", request.id)
            return []
        request = msgspec.structs.replace(request, last_day=last)
        sites = frozenset(request.sites) or None
        begin, end = span_ms(request)
        wanted = Wanted(sites=sites, start_ms=begin, stop_ms=end)
        frames = self.recall.readings(self.readings, partition, offset, wanted)
        made = judged_again(self.make_judge(partition, sites), frames, request, grace_ms=self.grace_ms)
        rows = revised(made, self.recall.results(self.results, partition, wanted), stage.clock)
        log.info("request %r: %d windows differ", request.id, 0 if rows is None else rows.num_rows)
        return [] if rows is None else stage.say_past(rows)
