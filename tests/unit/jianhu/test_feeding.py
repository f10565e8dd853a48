from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from jianhu import feeding
from jianhu.feeding import LETTER_BYTES, LETTERS, Feeder, Packets, fill, keep_ticking, live, replay_rows
from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.deadletters import DeadLetter, Refusal
from sensors.frames import Origin
from sensors.publisher import TICK_IDLE_S, Gate, Publisher
from tests.packets import T0, batch, packet

Told = tuple[Any, ...]


@dataclass(slots=True)
class Source:
    """Publisher of a kind and gate that note what they are told."""

    told: list[Told] = field(default_factory=list)

    def publish(self, rows: pa.RecordBatch, *, period_ms: int, origin: Origin) -> int:
        self.told.append(("rows", rows.num_rows, period_ms, origin))
        return 1

    def tick(self, at_ms: int) -> None:
        self.told.append(("tick", at_ms))

    def flush(self) -> None:
        self.told.append(("flush",))

    def refuse(self, letters: Any) -> None:
        self.told.append(("letters", len(letters)))

    def wait(self, publishers: tuple[object, ...], stop: threading.Event) -> None:
        assert publishers == (self,)
        self.told.append(("gate", stop.is_set()))

    def feeder(self, stop: threading.Event | None = None) -> Feeder:
        return Feeder(
            publishers={"air": cast("Publisher", self)}, gate=cast("Gate", self), stop=stop or threading.Event()
        )

    def only(self, *kinds: str) -> list[Told]:
        return [said for said in self.told if said[0] in kinds]


def minutes(start: int, end: int) -> list[Packets]:
    rows = batch(*[packet(start=at) for at in range(start, end, MINUTE_MS)])
    return [Packets(kind="air", period_ms=MINUTE_MS, rows=rows)]


def test_an_hour_is_published_before_its_tick_and_waits_for_the_readers() -> None:
    source = Source()
    packets = [replace(part, origin=Origin.REPORTED) for part in minutes(T0, T0 + 2 * MINUTE_MS)]
    source.feeder().send(packets, T0 + HOUR_MS)
    assert source.told == [
        ("rows", 2, MINUTE_MS, Origin.REPORTED), ("tick", T0 + HOUR_MS), ("flush",), ("gate", False),
    ]  # fmt: skip


def two_kinds() -> tuple[Source, Source, Feeder]:
    """Return two sources and a feeder of both, whose gate lets everything pass."""
    air, water = Source(), Source()
    gate = SimpleNamespace(wait=lambda publishers, _: air.told.append(("gate", len(publishers))))
    publishers = {"air": cast("Publisher", air), "water": cast("Publisher", water)}
    return air, water, Feeder(publishers=publishers, gate=cast("Gate", gate), stop=threading.Event())


def test_packets_go_to_the_publisher_of_their_kind_and_every_kind_hears_the_clock() -> None:
    air, water, feeder = two_kinds()
    minute, day = minutes(T0, T0 + MINUTE_MS), Packets(kind="water", period_ms=4 * HOUR_MS, rows=batch(packet()))
    nothing = Packets(kind="water", period_ms=HOUR_MS, rows=batch())
    feeder.send([*minute, day, nothing], T0 + HOUR_MS)
    assert air.only("rows", "tick") == [("rows", 1, MINUTE_MS, Origin.DEVICE), ("tick", T0 + HOUR_MS)]
    assert water.only("rows", "tick") == [("rows", 1, 4 * HOUR_MS, Origin.DEVICE), ("tick", T0 + HOUR_MS)]
    assert air.only("gate") == [("gate", 2)]


def test_a_feed_of_one_kind_leaves_the_clocks_of_the_others_alone() -> None:
    air, water, feeder = two_kinds()
    feeder.of(["water"]).tick(T0)
    assert (air.told, water.only("tick")) == ([], [("tick", T0)])


@pytest.mark.parametrize(
    ("end", "hours"),
    [
        (T0 - 1, []),
        (T0, []),
        (T0 + MINUTE_MS, [1]),
        (T0 + HOUR_MS, [60]),
        (T0 + HOUR_MS + MINUTE_MS, [60, 1]),
        (T0 + 3 * HOUR_MS, [60, 60, 60]),
    ],
)
def test_history_is_filled_hour_by_hour_from_its_first_tick(end: int, hours: list[int]) -> None:
    source, told = Source(), list[int]()
    reached = fill(source.feeder(), minutes, T0, end, told.append)
    assert reached == max(T0, end)
    assert [said[1] for said in source.only("rows")] == hours
    ticks = [said[1] for said in source.only("tick")]
    assert ticks == [T0, *told]
    assert told == [min(T0 + (n + 1) * HOUR_MS, end) for n in range(len(hours))]


def test_filling_stops_when_told_and_says_how_far_it_came() -> None:
    stop, source = threading.Event(), Source()

    def after(hour: int) -> None:
        if hour == T0 + 2 * HOUR_MS:
            stop.set()

    assert fill(source.feeder(stop), minutes, T0, T0 + 9 * HOUR_MS, after) == T0 + 2 * HOUR_MS
    assert fill(source.feeder(stop), minutes, T0, T0 + 9 * HOUR_MS, after) == T0


class Turns(threading.Event):
    """An event on which waiting moves a clock on; it is set after so many turns."""

    def __init__(self, steps_s: list[float]) -> None:
        super().__init__()
        self.now, self._steps = 1_000.0, iter(steps_s)

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        step = next(self._steps, None)
        if step is None:
            self.set()
        else:
            self.now += step
        return self.is_set()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    event = Turns([])
    monkeypatch.setattr(feeding, "monotonic", lambda: event.now)
    monkeypatch.setattr(feeding, "time", lambda: T0 / 1000)
    return event


def run_live(turns: Turns, steps_s: list[float], *, start: int = T0, speed: float = 1.0) -> tuple[Source, list[int]]:
    turns._steps = iter(steps_s)
    source, told = Source(), list[int]()
    live(source.feeder(turns), minutes, start, speed, told.append)
    return source, told


def test_live_a_tick_comes_at_once_and_minutes_as_they_end(turns: Turns) -> None:
    source, told = run_live(turns, [59.0, 1.0, 60.0])
    assert told == [T0 + MINUTE_MS, T0 + 2 * MINUTE_MS]
    assert [said[1] for said in source.only("rows")] == [1, 1]
    assert [said[1] for said in source.only("tick")] == [
        T0, T0 + 59_000, T0 + MINUTE_MS, T0 + 2 * MINUTE_MS,
    ]  # fmt: skip


def test_live_an_idle_minute_has_a_tick_every_ten_seconds(turns: Turns) -> None:
    source, _ = run_live(turns, [1.0] * 45)
    assert [(said[1] - T0) / 1000 for said in source.only("tick")] == [0, TICK_IDLE_S, 20, 30, 40]


def test_live_a_clock_that_runs_fast_is_caught_up_with_hour_by_hour(turns: Turns) -> None:
    source, told = run_live(turns, [1.0], speed=3600 * 2.5)
    assert told == [T0 + 150 * MINUTE_MS]
    assert [said[1] for said in source.only("rows")] == [60, 60, 30]
    assert [said[1] for said in source.only("tick")] == [T0, T0 + HOUR_MS, T0 + 2 * HOUR_MS, T0 + 150 * MINUTE_MS]


def test_live_what_passed_on_the_wall_while_history_was_filled_is_sent_first(turns: Turns) -> None:
    source, told = run_live(turns, [1.0], start=T0 - 90 * MINUTE_MS)
    assert told == [T0]
    assert [said[1] for said in source.only("rows")] == [60, 30]
    assert [said[1] for said in source.only("tick")] == [T0 - 30 * MINUTE_MS, T0]


def test_live_a_simulated_clock_that_was_ahead_of_the_wall_goes_on_from_there(turns: Turns) -> None:
    _, told = run_live(turns, [60.0], start=T0 + 5 * HOUR_MS)
    assert told == [T0 + 5 * HOUR_MS + MINUTE_MS]


def test_live_no_minute_is_sent_twice_when_it_begins_within_one(turns: Turns) -> None:
    source, told = run_live(turns, [30.0, 30.0], start=T0 + 30_000)
    assert told == [T0 + MINUTE_MS]
    assert [said[1] for said in source.only("rows")] == [1]


def test_live_it_stops_between_the_hours_it_catches_up(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source()
    monkeypatch.setattr(Source, "wait", lambda *_: turns.set())
    turns._steps = iter([1.0])
    live(source.feeder(turns), minutes, T0, 3600 * 50.0, lambda _: None)
    assert [said[1] for said in source.only("rows")] == [60]


def test_a_system_without_a_simulator_is_given_the_wall_clock_behind_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "time", lambda: 1.5)
    source = Source()
    keep_ticking(source.feeder(Turns([10.0])))
    assert source.told == [("tick", 1500), ("flush",), ("gate", False)] * 2


def test_nothing_is_ticked_when_it_was_told_to_stop_before() -> None:
    source, stop = Source(), threading.Event()
    stop.set()
    keep_ticking(source.feeder(stop))
    live(source.feeder(stop), minutes, T0, 1.0, lambda _: None)
    assert source.told == []


def replay(source: Source, blocks: list[tuple[pa.RecordBatch, int]], stop: threading.Event | None = None) -> int:
    packets = [([Packets(kind="air", period_ms=HOUR_MS, rows=rows)], end) for rows, end in blocks]
    return replay_rows(source.feeder(stop), packets, settle_ms=7)


def test_no_blocks_move_no_clock() -> None:
    source = Source()
    assert replay(source, []) == 0
    assert source.told == []


def test_blocks_are_published_in_their_own_time_and_the_clock_settles() -> None:
    source = Source()
    blocks = [
        (batch(packet(start=T0 + n * HOUR_MS), packet(start=T0 + n * HOUR_MS)), T0 + (n + 1) * HOUR_MS)
        for n in range(2)
    ]
    assert replay(source, blocks) == 4
    assert [said[1] for said in source.only("tick")] == [T0, T0 + HOUR_MS, T0 + 2 * HOUR_MS, T0 + 2 * HOUR_MS + 7]


def test_blocks_out_of_order_never_turn_the_clock_back() -> None:
    source = Source()
    assert replay(source, [(batch(packet(start=T0)), T0 + HOUR_MS), (batch(packet(start=T0 - HOUR_MS)), T0)]) == 2
    assert [said[1] for said in source.only("tick")] == [T0, T0 + HOUR_MS, T0 + HOUR_MS, T0 + HOUR_MS + 7]


def test_an_empty_block_moves_the_clock_and_nothing_else() -> None:
    source = Source()
    assert replay(source, [(batch(), T0)]) == 0
    assert [said[1] for said in source.only("tick")] == [T0, T0 + 7]


def test_a_replay_that_is_stopped_does_not_settle() -> None:
    source, stop = Source(), threading.Event()
    stop.set()
    assert replay(source, [(batch(packet()), T0)], stop) == 0
    assert source.told == []


def letter(size: int = 1) -> DeadLetter:
    return DeadLetter(reason=Refusal.BAD_FILE, source="s", where="f:1", detail="d", raw=b"x" * size)


@pytest.mark.parametrize(
    ("letters", "groups"),
    [
        ([], []),
        ([letter()], [1]),
        ([letter()] * LETTERS, [LETTERS]),
        ([letter()] * (LETTERS + 1), [LETTERS, 1]),
        ([letter(LETTER_BYTES - 1)] * 3, [2, 1]),
        ([letter(2 * LETTER_BYTES)] * 2, [1, 1]),
    ],
)
def test_dead_letters_go_a_few_at_a_time_behind_the_gate(letters: list[DeadLetter], groups: list[int]) -> None:
    source = Source()
    source.feeder().refuse(letters)
    assert source.told == [said for count in groups for said in (("letters", count), ("flush",), ("gate", False))]


def test_no_letters_are_sent_once_it_was_told_to_stop() -> None:
    source, stop = Source(), threading.Event()
    stop.set()
    source.feeder(stop).refuse([letter()])
    assert source.told == []
