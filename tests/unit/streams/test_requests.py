"""A request in the log: days long past are judged again, as if all of their readings had come in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sensors.clock import DAY_MS, HOUR_MS, day_of
from sensors.deadletters import Refusal, decode_letter
from sensors.frames import Frame, Recompute, Tick, encode_frame, encode_recompute, encode_tick
from streams.archive import Archive
from streams.bench import Bench, Outbound
from streams.history import LogHistory
from streams.judging.judge import KindJudge
from streams.recall import Recall, Wanted
from streams.requests import Recomputer
from streams.results import CONTENT_COLUMNS, KEY_COLUMNS, ResultHead, decode_results
from streams.segments import READINGS, joined, rows_of
from streams.stages import JudgeStage, Way
from tests import air_cases
from tests.air_cases import ALL, T0, Row, hours, row
from tests.embedded import Embedded

GRACE = 5 * 60_000
DAYS = 9
SITES = [air_cases.site("A"), air_cases.site("B")]
HEAD = ResultHead(kind="air", pack="p")
Table = dict[tuple[Any, ...], tuple[Any, ...]]


def make_judge(_: int, sites: frozenset[str] | None) -> KindJudge:
    return air_cases.judge(SITES if sites is None else [site for site in SITES if site.id in sites], grace_ms=GRACE)


class System:
    """One partition of a worker on the embedded broker, fed record by record; what it says goes to the broker."""

    def __init__(self, folder: Path) -> None:
        self.broker = Embedded()
        self.archive = Archive(folder)
        self.archive.open_log("now", 4)
        self.results = self.broker.topics.results("air")
        self.offset = 0
        self.said: list[Outbound] = []
        self.records: list[bytes] = []
        self.bench = self._bench()

    def _bench(self) -> Bench[Frame | Tick]:
        way = Way(partition=0, partitions=4, results=self.results, areas="areas", deadletter="deadletter", head=HEAD)
        return Bench(
            topic=self.broker.readings,
            deadletter="deadletter",
            form=READINGS,
            make_stage=lambda partition: JudgeStage(way=way, judge=make_judge(partition, None), route=None),
            history=LogHistory(
                self.archive,
                bootstrap=self.broker.bootstrap,
                topic=self.broker.readings,
                log_id="now",
                form=READINGS,
            ),
            send=self._send,
            answer=Recomputer(
                recall=Recall(self.archive, bootstrap=self.broker.bootstrap, log_id="now"),
                readings=self.broker.readings,
                results=self.results,
                make_judge=make_judge,
                late_h=72,
                grace_ms=GRACE,
            ).answer,
        )

    async def _send(self, messages: list[Outbound]) -> None:
        self.said += messages
        self.broker.send(*[m.data for m in messages if m.topic == self.results], topic=self.results)

    def take(self, *records: bytes) -> None:
        async def all_of_them() -> None:
            for data in records:
                await self.bench.take(0, self.offset, data)
                self.records.append(data)
                self.offset += 1

        self.broker.send(*records)
        asyncio.run(all_of_them())

    def archive_all(self) -> None:
        for topic, kind, values in (
            (self.broker.readings, "readings", self.records),
            (self.results, "results", [value for _, value in self.broker.records(self.results)]),
        ):
            rows = joined([rows_of(kind, offset, value) for offset, value in enumerate(values)])
            self.archive.write("now", topic, 0, rows, first=0, last=len(values) - 1, last_tick=T0 + DAYS * DAY_MS)

    def start_again(self) -> None:
        self.bench = self._bench()

    def rows(self) -> list[dict[str, Any]]:
        return [
            record
            for message in self.said
            if message.topic == self.results and isinstance(found := decode_results(message.data), tuple)
            for record in air_cases.records([found[1]])
        ]

    def table(self) -> Table:
        """Return the content of the greatest revision of each window."""
        newest: dict[tuple[Any, ...], dict[str, Any]] = {}
        for record in self.rows():
            key = tuple(record[name] for name in KEY_COLUMNS)
            if key not in newest or record["revision"] >= newest[key]["revision"]:
                newest[key] = record
        return {key: tuple(record[name] for name in CONTENT_COLUMNS) for key, record in newest.items()}


def log_of(rows: Sequence[Row], days: int = DAYS) -> list[bytes]:
    """Return frames by day, each followed by the tick of its end; the first record is a tick."""
    records = [encode_tick(T0)]
    for day in range(days):
        mine = [r for r in rows if T0 + day * DAY_MS <= r.start < T0 + (day + 1) * DAY_MS]
        if mine:
            records.append(encode_frame(air_cases.frame(mine)))
        records.append(encode_tick(T0 + (day + 1) * DAY_MS + GRACE))
    return records


def request(first: int, last: int, *sites: str) -> bytes:
    """Return a request for days counted from the first of the log."""
    day = day_of(T0)
    return encode_recompute(
        Recompute(id="r", sites=sites, first_day=day + first, last_day=day + last, author="王工", why="迟到数据")
    )


NORMAL = [r for site in "AB" for r in hours(site, DAYS * 24, **ALL)]
LATE = [row("A", T0 + DAY_MS + hour * HOUR_MS, **(ALL | {"PM25": 250})) for hour in range(24)]
WITHOUT = [r for r in NORMAL if r.site != "A" or not T0 + DAY_MS <= r.start < T0 + 2 * DAY_MS]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """What stands when everything comes in time."""
    system = System(tmp_path_factory.mktemp("truth"))
    system.take(*log_of([*WITHOUT, *LATE]))
    return system.table()


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A system that lacked a day of one site, which came a week late."""
    made = System(tmp_path)
    made.take(*log_of(WITHOUT), encode_frame(air_cases.frame(LATE)))
    return made


def test_readings_that_come_too_late_are_letters_and_change_nothing_by_themselves(system: System, truth: Table) -> None:
    letters = [decode_letter(message.data) for message in system.said if message.topic == "deadletter"]
    assert [letter.reason for letter in letters] == [Refusal.TOO_LATE]
    assert system.table() != truth


@pytest.mark.parametrize("kept", ["in the broker", "in the archive"])
def test_after_a_request_the_table_is_that_of_a_log_in_time(system: System, truth: Table, kept: str) -> None:
    if kept == "in the archive":
        system.archive_all()
    before = len(system.rows())
    system.take(request(1, 1, "A"))
    assert system.table() == truth
    again = system.rows()[before:]
    assert {r["site"] for r in again} == {"A"}
    assert {r["revision"] for r in again} == {2}
    assert {day_of(r["start"]) - day_of(T0) for r in again} == {1, 2}  # running windows of the day after reach back


def test_a_request_without_sites_is_for_all_of_them(system: System, truth: Table) -> None:
    system.take(request(0, 4))
    assert system.table() == truth
    assert all(r["site"] == "A" for r in system.rows() if r["revision"] > 1)


def test_the_same_request_again_says_nothing(system: System) -> None:
    system.take(request(1, 1))
    before = len(system.said)
    system.take(request(1, 1), request(1, 1, "A"))
    assert len(system.said) == before


def test_a_worker_that_died_before_it_acknowledged_does_it_again_without_harm(system: System) -> None:
    system.take(request(1, 1))
    said, table = len(system.rows()), system.table()
    system.offset -= 1  # not acknowledged: the same record comes to a new worker
    system.start_again()
    asyncio.run(system.bench.take(0, system.offset, request(1, 1)))
    assert system.table() == table
    assert all(r["revision"] == 1 for r in system.rows()[said:])  # what the last ticks said is said again, no more


def test_days_that_the_live_judge_can_still_change_are_left_to_it(system: System) -> None:
    before = len(system.said)
    system.take(request(DAYS - 4, DAYS))
    assert len(system.said) == before


def test_what_comes_after_the_request_is_not_in_its_answer(system: System) -> None:
    system.take(request(1, 1))
    table = system.table()
    system.take(encode_frame(air_cases.frame([row("A", T0 + DAY_MS, correction=5, **ALL)])))
    system.start_again()
    assert system.table() == table
    system.take(request(1, 1))
    assert system.table() != table


def test_a_damaged_request_becomes_a_dead_letter(system: System) -> None:
    system.take(b'{"recompute":{"id":"x"}}')
    letter = decode_letter(system.said[-1].data)
    assert letter.reason is Refusal.BAD_FRAME
    assert letter.raw == b'{"recompute":{"id":"x"}}'


def test_a_request_before_the_first_tick_is_passed_over(tmp_path: Path) -> None:
    system = System(tmp_path)
    system.take(request(1, 1))
    assert system.said == []


def test_only_the_wanted_rows_are_recalled(system: System) -> None:
    system.archive_all()
    recall = Recall(system.archive, bootstrap=system.broker.bootstrap, log_id="now")
    wanted = Wanted(sites=frozenset({"B"}), start_ms=T0 + DAY_MS, stop_ms=T0 + 2 * DAY_MS)
    frames = list(recall.readings(system.broker.readings, 0, system.offset, wanted))
    assert sum(frame.rows.num_rows for frame in frames) == 24
    assert {site for frame in frames for site in frame.rows.column("site").to_pylist()} == {"B"}
    results = recall.results(system.results, 0, wanted)
    starts = results.column("start").cast(pa.int64()).to_pylist()
    assert set(results.column("site").to_pylist()) == {"B"}
    assert min(starts) == T0 + DAY_MS
    assert max(starts) < T0 + 2 * DAY_MS
