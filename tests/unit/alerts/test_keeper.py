from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import pytest

from alerts import keeper as keepers
from alerts.keeper import Keeper, Step
from alerts.series import Series
from alerts.verdicts import SeriesKey, Verdict
from tests.unit.alerts.building import columns, judge, only, row

RULES = only("pm25-1h")


class Shelf:
    """A shelf in memory: what was loaded and saved, in order."""

    def __init__(self) -> None:
        self.kept: dict[SeriesKey, Series] = {}
        self.loads: list[int] = []
        self.steps: list[Step] = []

    def load(self, floors: Mapping[SeriesKey, int], floor_ms: int) -> Sequence[Series]:
        self.loads.append(min(floors.values()))
        found = []
        for key, floor in floors.items():
            held = self.kept.get(key) or Series(key=key, floor=0, through=None, points={}, events={})
            points = {place: one for place, one in held.points.items() if one.start >= floor_ms}
            events = {name: one for name, one in held.events.items() if one.last > floor_ms}
            found.append(Series(key=key, floor=floor, through=held.through, points=points, events=events))
        return found

    def with_before(self, keys: Collection[SeriesKey], floor_ms: int) -> Collection[SeriesKey]:
        return [key for key in keys if self._has_before(key, floor_ms)]

    def _has_before(self, key: SeriesKey, floor_ms: int) -> bool:
        held = self.kept.get(key)
        return held is not None and any(
            one.start < floor_ms and one.verdict is not Verdict.OK for one in held.points.values()
        )

    def earlier(self, key: SeriesKey, start_ms: int, end_ms: int) -> Mapping[str, int]:
        held = self.kept[key].events if key in self.kept else {}
        return {name: one.start for name, one in held.items() if start_ms <= one.start < end_ms}

    def save(self, series: Iterable[Series], steps: Sequence[Step]) -> None:
        for one in series:
            kept = self.kept.setdefault(one.key, Series(key=one.key, floor=0, through=None, points={}, events={}))
            kept.points.update(one.fresh_points)
            kept.through = one.through
        for step in steps:
            self.kept[step.changed.event.key].events[step.changed.event.id] = step.changed.event
        self.steps += steps


def test_a_series_is_loaded_once_and_then_held() -> None:
    shelf, keeper = Shelf(), Keeper(judge(RULES), RULES)
    for hour in range(3):
        keeper.take(columns(row(hour=hour, value=80)), shelf)
        keeper.save(shelf)
    assert len(shelf.loads) == 1
    assert [step.changed.change for step in shelf.steps] == ["raised", None, None]


def test_an_open_episode_is_loaded_back_to_its_start() -> None:
    shelf = Shelf()
    first = Keeper(judge(RULES), RULES)
    first.take(columns(*[row(hour=hour, value=80) for hour in range(40)]), shelf)
    first.save(shelf)
    again = Keeper(judge(RULES), RULES, first_reach=1)
    again.take(columns(row(hour=40, value=90)), shelf)
    again.save(shelf)
    assert len(shelf.loads) > 2
    assert [step.changed.change for step in shelf.steps] == ["raised", "revised"]


def test_an_older_row_saves_what_is_fresh_before_it_loads_again() -> None:
    shelf, keeper = Shelf(), Keeper(judge(RULES), RULES, first_reach=2)
    keeper.take(columns(row(hour=50, value=80)), shelf)
    keeper.take(columns(row(hour=0, value=80)), shelf)
    assert keeper.save(shelf) == 2
    assert len(shelf.steps) == 2


def test_what_was_forgotten_is_neither_saved_nor_counted() -> None:
    shelf, keeper = Shelf(), Keeper(judge(RULES), RULES)
    keeper.take(columns(row(value=80)), shelf)
    keeper.forget()
    assert keeper.save(shelf) == 0
    assert shelf.steps == []


def test_a_full_memory_is_let_go_after_a_save(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepers, "POINTS_HELD", 0)
    shelf, keeper = Shelf(), Keeper(judge(RULES), RULES)
    for hour in range(2):
        keeper.take(columns(row(hour=hour, value=80)), shelf)
        keeper.save(shelf)
    assert len(shelf.loads) == 2
