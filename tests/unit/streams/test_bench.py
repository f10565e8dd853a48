from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest

from sensors.deadletters import RAW_BYTES, Refusal, decode_letter
from sensors.frames import Frame, Tick, decode, encode_tick
from streams import stages
from streams.areas import AreaTick, decode_area
from streams.bench import Bench, Outbound
from streams.history import Past
from streams.judging.state import Refused
from streams.results import ResultHead, decode_results
from streams.segments import READINGS
from streams.stages import AREAS_FORWARD_MS, FORWARD_MS, JudgeStage, Router, Way
from tests.packets import T0, Item, frame, message, packet
from tests.unit.streams.store import samples

HEAD = ResultHead(kind="air", pack="p")
A = frame(packet("A", value=1))


@dataclass(slots=True, kw_only=True)
class Counting:
    """A judge that says, at each tick, how many rows it has folded since the last, when there were any."""

    span_ms: int = 1_000
    refuses: str = "X"
    folded: int = 0
    late: bool = False
    ticks: list[int] = field(default_factory=list)

    def fold(self, frame: Frame) -> tuple[Refused, ...]:
        wrong = np.array([site == self.refuses for site in frame.rows.column("site").to_pylist()], np.bool_)
        self.folded += int((~wrong).sum())
        return (Refused(reason=Refusal.UNKNOWN_SITE, detail="no such site", rows=wrong),) if wrong.any() else ()

    def tick(self, at: int) -> pa.RecordBatch | None:
        self.ticks.append(at)
        folded, self.folded = self.folded, 0
        return samples.batch(*[samples.row(at=at, value=folded)] * folded) if folded else None

    def begin_late(self) -> None:
        assert not self.ticks
        self.late = True


@dataclass(slots=True, kw_only=True)
class Log:
    """A history of records in memory."""

    records: list[bytes] = field(default_factory=list)
    whole: bool = True
    asked: list[tuple[int, int, int]] = field(default_factory=list)

    def before(self, partition: int, stop: int, *, span_ms: int) -> Past[Item]:
        self.asked.append((partition, stop, span_ms))
        return Past(items=map(decode, self.records[:stop]), whole=self.whole)


@dataclass(slots=True)
class Desk:
    """A bench with what left it."""

    log: Log = field(default_factory=Log)
    say_again: int = 1_000
    sent: list[Outbound] = field(default_factory=list)
    judges: list[Counting] = field(default_factory=list)
    route: Router | None = None
    bench: Bench[Item] = field(init=False)

    def __post_init__(self) -> None:
        async def send(messages: list[Outbound]) -> None:
            self.sent += messages

        def make(partition: int) -> JudgeStage:
            self.judges.append(Counting())
            way = Way(
                partition=partition, partitions=4, results="results.air", areas="areas.air", deadletter="deadletter",
                head=HEAD,
            )  # fmt: skip
            return JudgeStage(way=way, judge=self.judges[-1], route=self.route)

        self.bench = Bench(
            topic="readings.air", deadletter="deadletter", form=READINGS, make_stage=make, history=self.log, send=send,
            say_again=self.say_again,
        )  # fmt: skip

    def take(self, offset: int, said: Item | bytes, partition: int = 0) -> list[Outbound]:
        """Take one record and return what left."""
        del self.sent[:]
        asyncio.run(self.bench.take(partition, offset, said if isinstance(said, bytes) else message(said)))
        return list(self.sent)


def said(messages: Iterable[Outbound]) -> list[tuple[str, int]]:
    """Return topic and rows of results, or the moment of a tick."""
    found = []
    for sent in messages:
        answer = decode_results(sent.data)
        found.append(("tick", answer.at) if isinstance(answer, Tick) else ("rows", answer[1].num_rows))
    return found


def test_readings_alone_say_nothing() -> None:
    assert Desk().take(0, A) == []


def test_results_leave_at_the_tick_and_the_tick_after_them() -> None:
    desk = Desk()
    desk.take(0, A)
    desk.take(1, frame(packet("B"), packet("C")))
    sent = desk.take(2, Tick(T0))
    assert said(sent) == [("rows", 3), ("tick", T0)]
    assert {(message.topic, message.partition) for message in sent} == {("results.air", 0)}
    assert decode_results(sent[0].data)[0] == HEAD  # type: ignore[index]


def test_many_results_leave_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "RESULT_ROWS", 2)
    desk = Desk()
    desk.take(0, frame(*[packet(f"S{n}") for n in range(5)]))
    assert said(desk.take(1, Tick(T0))) == [("rows", 2), ("rows", 2), ("rows", 1), ("tick", T0)]


@pytest.mark.parametrize(("later", "passed_on"), [(0, False), (FORWARD_MS - 1, False), (FORWARD_MS, True)])
def test_a_tick_without_results_is_passed_on_now_and_then(*, later: int, passed_on: bool) -> None:
    desk = Desk()
    assert said(desk.take(0, Tick(T0))) == [("tick", T0)]
    assert said(desk.take(1, Tick(T0 + later))) == ([("tick", T0 + later)] if passed_on else [])


def test_a_record_taken_before_does_nothing() -> None:
    desk = Desk()
    desk.take(0, A)
    desk.take(1, Tick(T0))
    for offset in (0, 1):
        assert desk.take(offset, Tick(T0 + FORWARD_MS)) == []
    assert desk.judges[0].ticks == [T0]


@pytest.mark.parametrize("data", [b"", b"{", b"nonsense", b'{"at": "noon"}'])
def test_bytes_that_nobody_can_read_become_a_letter_and_the_log_goes_on(data: bytes) -> None:
    desk = Desk()
    [sent] = desk.take(0, data, partition=3)
    assert (sent.topic, sent.partition) == ("deadletter", 3)
    letter = decode_letter(sent.data)
    assert (letter.reason, letter.raw, letter.where) == (Refusal.BAD_FRAME, data, "readings.air[3]@0")
    desk.take(1, A, partition=3)
    assert said(desk.take(2, Tick(T0), partition=3)) == [("rows", 1), ("tick", T0)]


def test_a_message_of_the_largest_size_becomes_a_letter_that_a_topic_takes() -> None:
    [sent] = Desk().take(0, b"x" * 2 * 1024 * 1024)
    assert len(sent.data) < 2_000_000
    assert f"the first {RAW_BYTES} of 2097152 bytes" in decode_letter(sent.data).detail


def test_rows_without_a_place_become_a_letter_that_can_be_driven_again() -> None:
    desk = Desk()
    [sent] = desk.take(7, frame(packet("X", value=1), packet("A"), packet("X", value=2), source="gateway"))
    letter = decode_letter(sent.data)
    assert (letter.reason, letter.source, letter.site, letter.where) == (
        Refusal.UNKNOWN_SITE, "gateway", "X", "readings.air[0]@7",
    )  # fmt: skip
    again = decode(letter.raw)
    assert isinstance(again, Frame)
    assert again.rows.column("PM2.5").to_pylist() == [1, 2]


def test_refused_rows_of_more_than_a_message_come_in_several_letters() -> None:
    noise = np.random.default_rng(1).bytes(40_000).hex()
    desk = Desk()
    sent = desk.take(0, frame(*[packet("X", value=n, other=[("k", f"{n}{noise}")]) for n in range(40)]))
    letters = [decode_letter(message.data) for message in sent]
    assert len(letters) > 1
    assert max(len(message.data) for message in sent) < 2_000_000
    frames = [decode(letter.raw) for letter in letters]
    assert [v for f in frames if isinstance(f, Frame) for v in f.rows.column("PM2.5").to_pylist()] == list(range(40))


def records(*items: Item) -> Log:
    return Log(records=[message(item) for item in items])


def test_a_state_is_filled_from_history_at_the_first_record() -> None:
    desk = Desk(log=records(A, Tick(T0), A, A))
    assert said(desk.take(4, Tick(T0 + 1))) == [("rows", 1), ("tick", T0), ("rows", 2), ("tick", T0 + 1)]
    assert desk.log.asked == [(0, 4, 1_000)]
    assert not desk.judges[0].late


def test_a_gap_is_read_from_history_before_the_log_goes_on() -> None:
    desk = Desk(log=records(A, A, A, A))
    desk.take(0, A)
    assert desk.take(3, A) == []
    assert said(desk.take(4, Tick(T0))) == [("rows", 4), ("tick", T0)]
    assert [stop for _, stop, _ in desk.log.asked] == [0, 3]


@pytest.mark.parametrize(("say_again", "ticks"), [(0, []), (1, [3]), (2, [2, 3]), (3, [1, 2, 3]), (99, [1, 2, 3])])
def test_only_the_last_ticks_of_the_past_are_said_again(say_again: int, ticks: list[int]) -> None:
    past = records(A, Tick(T0 + 1), A, Tick(T0 + 2), A, Tick(T0 + 3))
    sent = Desk(log=past, say_again=say_again).take(6, A)
    assert said(sent) == [pair for at in ticks for pair in (("rows", 1), ("tick", T0 + at))]


def test_letters_of_the_past_are_not_sent_again() -> None:
    desk = Desk(log=records(frame(packet("X"))))
    assert desk.take(1, A) == []


@pytest.mark.parametrize("whole", [True, False])
def test_a_judge_is_told_when_its_past_does_not_begin_with_the_first_record(*, whole: bool) -> None:
    log = records(A, Tick(T0))
    log.whole = whole
    desk = Desk(log=log)
    desk.take(2, A)
    assert desk.judges[0].late is not whole


def test_partitions_have_states_of_their_own() -> None:
    desk = Desk()
    desk.take(0, A, partition=1)
    desk.take(0, A, partition=2)
    assert said(desk.take(1, Tick(T0), partition=1)) == [("rows", 1), ("tick", T0)]
    assert len(desk.judges) == 2


@pytest.mark.parametrize("kept", [[], [1], [1, 2, 3]])
def test_a_partition_that_went_away_begins_anew_when_it_comes_back(kept: list[int]) -> None:
    desk = Desk()
    for partition in (1, 2):
        desk.take(0, A, partition=partition)
    desk.bench.keep_only(kept)
    assert set(desk.bench.held) == {1, 2} & set(kept)
    desk.log.records = [message(A)]
    for partition in (1, 2):
        assert said(desk.take(1, Tick(T0), partition=partition)) == [("rows", 1), ("tick", T0)]


def failing(times: int) -> Callable[[list[Outbound]], object]:
    left = [times]

    async def send(_: list[Outbound]) -> None:
        if left[0]:
            left[0] -= 1
            raise ConnectionError("the broker is away")

    return send


def test_a_record_whose_results_could_not_leave_is_not_taken() -> None:
    desk = Desk()
    desk.take(0, A)
    desk.bench.send = failing(1)  # type: ignore[assignment]
    with pytest.raises(ConnectionError):
        desk.take(1, Tick(T0))
    assert desk.bench.held[0].folded == 0


def test_a_state_whose_past_could_not_be_said_is_not_held() -> None:
    desk = Desk(log=records(A, Tick(T0)))
    desk.bench.send = failing(1)  # type: ignore[assignment]
    with pytest.raises(ConnectionError):
        desk.take(2, A)
    assert desk.bench.held == {}


def test_a_tick_travels_as_it_was_said() -> None:
    assert Desk().take(0, Tick(T0))[0].data == encode_tick(T0)


def to_areas(rows: pa.RecordBatch) -> list[tuple[int, pa.RecordBatch]]:
    """Send the first row to partition 3 and all of them to partition 1."""
    return [(3, rows.slice(0, 1)), (1, rows)]


def heard(messages: Iterable[Outbound]) -> list[tuple[int, int | tuple[int, int]]]:
    """Return of the messages to the areas the partition, and rows or the tick with its source."""
    found: list[tuple[int, int | tuple[int, int]]] = []
    for sent in messages:
        if sent.topic == "areas.air":
            said_there = decode_area(sent.data)
            if isinstance(said_there, AreaTick):
                found.append((sent.partition, (said_there.at, said_there.source)))
            else:
                found.append((sent.partition, said_there.num_rows))
    return found


def test_rows_for_areas_leave_after_the_results_and_before_the_clock_that_every_partition_hears() -> None:
    desk = Desk(route=to_areas)
    desk.take(0, frame(packet("A"), packet("B")), partition=2)
    sent = desk.take(1, Tick(T0), partition=2)
    assert [message.topic for message in sent] == ["results.air"] * 2 + ["areas.air"] * 6
    assert heard(sent) == [(3, 1), (1, 2), *[(p, (T0, 2)) for p in range(4)]]


@pytest.mark.parametrize(("later", "passed_on"), [(AREAS_FORWARD_MS - 1, False), (AREAS_FORWARD_MS, True)])
def test_areas_hear_the_clock_now_and_then_when_nothing_is_routed(*, later: int, passed_on: bool) -> None:
    desk = Desk(route=lambda _: [])
    assert len(heard(desk.take(0, Tick(T0)))) == 4
    desk.take(1, A)
    assert len(heard(desk.take(2, Tick(T0 + later)))) == (4 if passed_on else 0)


def test_what_the_areas_were_told_is_told_again_when_a_state_is_filled() -> None:
    sent = Desk(log=records(A, Tick(T0), A), route=to_areas).take(3, A)
    assert heard(sent) == [(3, 1), (1, 1), *[(p, (T0, 0)) for p in range(4)]]
