"""The two stages of a kind, put together from the configuration; only a worker and those who check one need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jianhu.packs import pack_of, reader_of
from streams.judging.judge import KindJudge
from streams.judging.registered import JudgingContext, evaluations_of, judge_of
from streams.judging.state import JudgeSettings
from streams.periods.judge import PeriodJudge, PeriodSettings
from streams.periods.registered import PeriodContext, period_evaluations_of
from streams.periods.routing import Router
from streams.results import ResultHead
from streams.stages import AreaStage, JudgeStage, Way

if TYPE_CHECKING:
    from jianhu.assembly import Assembly


class KindStages:
    """Makes the judges and stages of a kind, each with an empty state.

    Parameters
    ----------
    parts
        Registry, standards, permits, targets and settings.
    kind
        The kind's name.
    """

    def __init__(self, parts: Assembly, kind: str) -> None:
        grace_ms = parts.settings.grace_s * 1000
        self.settings: Final = JudgeSettings(grace_ms=grace_ms)
        self._period_settings = PeriodSettings(grace_ms=grace_ms)
        self._parts, self._kind = parts, parts.kind(kind)
        self._judging = JudgingContext(
            kind=self._kind, standards=parts.standards, registry=parts.registry, permits=parts.permits
        )
        self._periods = PeriodContext(
            kind=self._kind,
            standards=parts.standards,
            registry=parts.registry,
            permits=parts.permits,
            targets=parts.targets,
        )
        self._head = ResultHead(kind=kind, pack=pack_of(self._kind, reader_of(parts.settings)))
        self._router = Router(self._kind, parts.registry, parts.settings.partitions)

    def check(self) -> None:
        """Make what the kind's file asks for.

        Raises
        ------
        UnknownName
            When it asks for an evaluation that does not exist.
        """
        evaluations_of(self._kind, self._judging)
        period_evaluations_of(self._kind, self._periods)

    def judge(self, partition: int, ids: frozenset[str] | None) -> KindJudge:
        """Return the judge of a partition's readings, of some sites or, with None, of all."""
        return judge_of(
            (site for site in self._parts.registry.of_kind(self._kind.name) if ids is None or site.id in ids),
            self._judging,
            partition=partition,
            partitions=self._parts.settings.partitions,
            settings=self.settings,
        )

    def first(self, partition: int) -> JudgeStage:
        """Return the first stage of a partition of the readings."""
        return JudgeStage(way=self._way(partition), judge=self.judge(partition, None), route=self._router.route)

    def second(self, partition: int) -> AreaStage:
        """Return the second stage of a partition of the areas."""
        judge = PeriodJudge(
            partition=partition,
            partitions=self._parts.settings.partitions,
            kind=self._kind,
            registry=self._parts.registry,
            context=self._periods,
            settings=self._period_settings,
        )
        return AreaStage(way=self._way(partition), judge=judge)

    def _way(self, partition: int) -> Way:
        topics, name = self._parts.topics, self._kind.name
        return Way(
            partition=partition,
            partitions=self._parts.settings.partitions,
            results=topics.results(name),
            areas=topics.areas(name),
            deadletter=topics.deadletter,
            head=self._head,
        )
