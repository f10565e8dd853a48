from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jianhu.assembly import Assembly
from jianhu.feeding import Feeder
from jianhu.letters import (
    Again,
    Driven,
    Wanted,
    Welcome,
    again,
    counts_of,
    drive,
    letters_of,
    line_of,
    welcome_of,
)
from jianhu.settings import Settings
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.deadletters import DeadLetter, Refusal, encode_letter
from sensors.frames import encode_frame
from sensors.kinds import load_kind
from sensors.partition import partition_of
from sensors.publisher import Gate, Publisher
from sensors.registry import Registry
from streams.judging.registered import JudgingContext, judge_of
from streams.judging.state import JudgeSettings
from streams.segments import joined, rows_of
from streams.standards import load_standards
from tests.air_cases import site
from tests.embedded import Embedded
from tests.packets import T0, frame, packet
from tests.unit.jianhu.test_feeding import Source
from tests.unit.jianhu.test_judging import KIND as HUM
from tests.unit.jianhu.test_judging import REGISTRY as HUM_REGISTRY

MIDNIGHT = (T0 + 8 * HOUR_MS) // DAY_MS * DAY_MS - 8 * HOUR_MS
"""In Beijing."""
REGISTRY = Registry(region_zh="", region_en="", synthetic=True, sites=(site("S1"), site("S2")))


def letter(**more: Any) -> DeadLetter:
    given: dict[str, Any] = {
        "reason": Refusal.UNKNOWN_SITE, "source": "gateway", "where": "readings.air[0]@7", "detail": "no such site",
        "raw": encode_frame(frame(packet("S1"))), "site": "S1",
    }  # fmt: skip
    return DeadLetter(**(given | more))


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        (Wanted(), True),
        (Wanted(reason=Refusal.UNKNOWN_SITE, site="S1"), True),
        (Wanted(reason=Refusal.BAD_FRAME), False),
        (Wanted(site="S2"), False),
        (Wanted(start_ms=5), True),
        (Wanted(start_ms=6), False),
        (Wanted(end_ms=6), True),
        (Wanted(end_ms=5), False),
    ],
)
def test_letters_are_chosen_by_reason_site_and_time(*, wanted: Wanted, held: bool) -> None:
    assert wanted.holds(letter(received_at=5)) is held


def test_a_letter_without_a_time_is_found_unless_a_time_is_asked_for() -> None:
    assert Wanted().holds(letter())
    assert not Wanted(end_ms=10).holds(letter())
    assert not Wanted(start_ms=0).holds(letter())


def parts_of(folder: Path, **more: Any) -> Assembly:
    return Assembly(Settings(dir=folder, prefix="t", log_id="now", **more))


def keep(parts: Assembly, log: str, *values: bytes) -> None:
    """Archive records of partition 1 of the dead letters."""
    parts.archive.open_log(log, 4)
    rows = joined([rows_of("deadletter", number, value) for number, value in enumerate(values)])
    parts.archive.write(log, "t.deadletter", 1, rows, first=0, last=len(values) - 1, last_tick=0)


def test_letters_of_all_logs_come_from_the_archive_and_then_from_the_broker(tmp_path: Path) -> None:
    broker = Embedded()
    parts = parts_of(tmp_path, kafka=broker.bootstrap)
    first, second, third = (letter(site=name) for name in ("A", "B", "C"))
    keep(parts, "before", encode_letter(first), b"no letter")
    keep(parts, "now", encode_letter(second))
    broker.send(encode_letter(second), encode_letter(third), topic=parts.topics.deadletter, partition=1)
    assert list(letters_of(parts, Wanted())) == [first, second, third]
    assert list(letters_of(parts, Wanted(site="C"))) == [third]


def test_without_a_broker_the_archive_tells_what_it_has(tmp_path: Path) -> None:
    parts = parts_of(tmp_path)
    assert list(letters_of(parts, Wanted())) == []
    keep(parts, "before", encode_letter(letter()))
    assert list(letters_of(parts, Wanted())) == [letter()]


def test_a_letter_is_one_line_that_a_terminal_only_prints() -> None:
    line = line_of(letter(detail="two\nlines \x1b[31m", received_at=T0))
    assert line == (
        "2016-11-24 23:00  unknown_site  S1  -  gateway  readings.air[0]@7  two?lines ?[31m"
    )  # fmt: skip
    assert line_of(letter(site="")).startswith("-  unknown_site  -  ")


def test_letters_are_counted_by_reason_and_site() -> None:
    found = counts_of([letter(), letter(reason=Refusal.BAD_FRAME, site=""), letter()])
    assert [line.split() for line in found] == [["2", "unknown_site", "S1"], ["1", "bad_frame", "-"]]


def test_counts_of_untrusted_sites_only_print() -> None:
    [line] = counts_of([letter(site="A\x1b[2J\nforged")])
    assert line.split() == ["1", "unknown_site", "A?[2J?forged"]


def welcome(clock: int | None = T0, sites: Registry = REGISTRY, *kinds: str) -> Welcome:
    return Welcome(
        registry=sites, kinds={name: load_kind(name) for name in kinds or ("air",)}, clock_of=lambda *_: clock
    )


def sent(letters: list[DeadLetter], to: Welcome | None = None, driven: Driven | None = None) -> list[Again]:
    return list(again(letters, to or welcome(), driven or Driven(Path("there is no such file"))))


def test_readings_whose_site_is_known_now_go_again() -> None:
    raw = encode_frame(frame(packet("S1", value=1), packet("nobody"), packet("S2", value=2), source="gateway"))
    [found] = sent([letter(raw=raw)])
    part = found.packets
    assert part.rows.column("PM2.5").to_pylist() == [1, 2]
    assert (part.kind, part.period_ms, len(found.digests)) == ("air", 3_600_000, 2)


@pytest.mark.parametrize(
    "refused",
    [
        letter(reason=Refusal.TOO_LATE),
        letter(reason=Refusal.STORE_REFUSED),
        letter(raw=b'{"time": "x"}'),
        letter(raw=b""),
        letter(raw=encode_frame(frame(packet("nobody")))),
        letter(raw=encode_frame(frame(packet("S1"), kind="water"))),
    ],
    ids=["too-late", "a-result", "a-row-of-a-file", "nothing", "still-unknown", "another-kind"],
)
def test_what_cannot_be_used_now_does_not_go_again(refused: DeadLetter) -> None:
    assert sent([refused]) == []


MINUTELY = Registry(region_zh="", region_en="", synthetic=True, sites=(site("S1", period_ms=MINUTE_MS),))
TEN_MINUTES = 10 * MINUTE_MS
WITH_DAYS = replace(welcome(), kinds={"air": replace(load_kind("air"), own_days=True)})


@pytest.mark.parametrize(
    ("reason", "start", "period_ms", "to", "goes"),
    [
        # Ten minutes of a site that owes hours, and of one that owes minutes; its minutes and whole hours are taken.
        (Refusal.UNKNOWN_PERIOD, T0, TEN_MINUTES, welcome(), False),
        (Refusal.UNKNOWN_PERIOD, T0, TEN_MINUTES, welcome(T0, MINUTELY), False),
        (Refusal.UNKNOWN_PERIOD, T0, MINUTE_MS, welcome(T0, MINUTELY), True),
        (Refusal.UNKNOWN_PERIOD, T0, HOUR_MS, welcome(T0, MINUTELY), True),
        (Refusal.UNKNOWN_PERIOD, T0, 7 * MINUTE_MS, welcome(T0, MINUTELY), False),
        # An hour that starts at 20 past will never start at the full hour.
        (Refusal.IMPOSSIBLE_TIME, T0 + 20 * MINUTE_MS, HOUR_MS, welcome(), False),
        (Refusal.IMPOSSIBLE_TIME, T0, HOUR_MS, welcome(), True),
        # Days, where a kind takes them, begin at midnight in Beijing.
        (Refusal.IMPOSSIBLE_TIME, MIDNIGHT + HOUR_MS, DAY_MS, WITH_DAYS, False),
        (Refusal.IMPOSSIBLE_TIME, MIDNIGHT, DAY_MS, WITH_DAYS, True),
        (Refusal.IMPOSSIBLE_TIME, MIDNIGHT, DAY_MS, welcome(), False),
        # A day ahead of the clock at most, and three days behind it.
        (Refusal.TOO_EARLY, T0 + 25 * HOUR_MS, HOUR_MS, welcome(), False),
        (Refusal.TOO_EARLY, T0 + 24 * HOUR_MS, HOUR_MS, welcome(), True),
        (Refusal.UNKNOWN_SITE, T0, HOUR_MS, welcome(T0 + 73 * HOUR_MS), False),
        (Refusal.UNKNOWN_SITE, T0, HOUR_MS, welcome(T0 + 72 * HOUR_MS), True),
        (Refusal.UNKNOWN_SITE, T0, HOUR_MS, welcome(None), False),
    ],
)  # fmt: skip
def test_only_what_the_judge_takes_by_period_phase_and_clock_goes_again(
    *, reason: Refusal, start: int, period_ms: int, to: Welcome, goes: bool
) -> None:
    raw = encode_frame(frame(packet("S1", start=start), period_ms=period_ms))
    assert bool(sent([letter(reason=reason, raw=raw)], to)) is goes


@pytest.mark.parametrize("period_ms", [MINUTE_MS, HOUR_MS, TEN_MINUTES, DAY_MS])
@pytest.mark.parametrize("shift", [0, 20 * MINUTE_MS, 25 * HOUR_MS, -80 * HOUR_MS, 30 * 24 * HOUR_MS])
def test_what_is_welcome_is_what_the_judge_itself_takes(*, period_ms: int, shift: int) -> None:
    """Held to the judge: what goes again is refused by it exactly when it would not have gone."""
    for entries in (REGISTRY, MINUTELY):
        judge = judge_of(
            entries.sites, JudgingContext(kind=load_kind("air"), standards=load_standards()),
            partition=0, partitions=1, settings=JudgeSettings(),
        )  # fmt: skip
        judge.tick(T0)
        item = frame(packet("S1", start=T0 + shift), period_ms=period_ms)
        goes = bool(sent([letter(raw=encode_frame(item))], welcome(T0, entries)))
        assert goes is not bool(judge.fold(item))


def test_a_second_run_drives_nothing_twice(tmp_path: Path) -> None:
    source, path = Source(), tmp_path / "made" / "driven"
    refused = [letter(), letter(where="a repeat"), letter(raw=encode_frame(frame(packet("S2"))))]
    driven = Driven(path)
    assert drive(source.feeder(), again(refused, welcome(), driven), driven) == 2
    # What comes back as a letter bears another source and another time of receipt.
    came_back = letter(raw=encode_frame(frame(packet("S1", received=T0 + 9), source="again", sequence=7)))
    driven = Driven(path)
    assert drive(source.feeder(), again([*refused, came_back], welcome(), driven), driven) == 0
    other = letter(raw=encode_frame(frame(packet("S1", value=101))))
    assert drive(source.feeder(), again([other], welcome(), driven), driven) == 1
    assert len(path.read_text(encoding="ascii").split()) == 3


def test_what_the_broker_never_had_goes_in_the_next_run(tmp_path: Path) -> None:
    stop, source, path = threading.Event(), Source(), tmp_path / "driven"
    stop.set()
    driven = Driven(path)
    assert drive(source.feeder(stop), again([letter()], welcome(), driven), driven) == 0
    assert source.told == []
    driven = Driven(path)
    assert drive(source.feeder(), again([letter()], welcome(), driven), driven) == 1


def test_the_clock_is_that_of_the_archive_of_the_sites_partition(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, partitions=2)
    (tmp_path / "registry.yaml").write_text(HUM_REGISTRY, encoding="utf-8")
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "hum.yaml").write_text(HUM, encoding="utf-8")
    place = partition_of("SYN-1", 2)
    parts.archive.open_log("now", 2)
    rows = joined([rows_of("deadletter", 0, b"x")])
    parts.archive.write("now", parts.topics.readings("hum"), place, rows, first=0, last=0, last_tick=T0)
    found = welcome_of(parts)
    other = next(name for name in "abcdefgh" if partition_of(name, 2) != place)
    assert (found.clock_of("hum", "SYN-1"), found.clock_of("hum", other)) == (T0, None)
    assert list(found.kinds) == ["hum"]


def test_what_goes_again_is_published_behind_the_gate_without_a_tick(tmp_path: Path) -> None:
    source, driven = Source(), Driven(tmp_path / "driven")
    letters = [letter(), letter(raw=encode_frame(frame(packet("S2"))))]
    assert drive(source.feeder(), again(letters, welcome(), driven), driven) == 2
    assert [said[0] for said in source.told] == ["rows", "flush", "gate"] * 2


def test_each_kind_goes_to_its_own_publisher(tmp_path: Path) -> None:
    air, water = Source(), Source()
    gate = cast("Gate", SimpleNamespace(wait=lambda *_: None))
    publishers = {"air": cast("Publisher", air), "water": cast("Publisher", water)}
    feeder = Feeder(publishers=publishers, gate=gate, stop=threading.Event())
    driven = Driven(tmp_path / "driven")
    assert drive(feeder, again([letter()], welcome(T0, REGISTRY, "air", "water"), driven), driven) == 1
    assert (len(air.only("rows")), len(water.told)) == (1, 0)
