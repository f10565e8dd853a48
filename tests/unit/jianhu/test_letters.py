from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jianhu.assembly import Assembly
from jianhu.feeding import Feeder
from jianhu.letters import Wanted, again, counts_of, drive, letters_of, line_of
from jianhu.settings import Settings
from sensors.deadletters import DeadLetter, Refusal, encode_letter
from sensors.frames import encode_frame
from sensors.publisher import Gate, Publisher
from sensors.registry import Registry
from streams.segments import joined, rows_of
from tests.air_cases import site
from tests.embedded import Embedded
from tests.packets import T0, frame, packet
from tests.unit.jianhu.test_feeding import Source

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


def test_readings_whose_site_is_known_now_go_again() -> None:
    raw = encode_frame(frame(packet("S1", value=1), packet("nobody"), packet("S2", value=2), source="gateway"))
    [part] = again([letter(raw=raw)], REGISTRY, ["air"])
    assert part.rows.column("PM2.5").to_pylist() == [1, 2]
    assert (part.kind, part.period_ms) == ("air", 3_600_000)


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
    assert list(again([refused], REGISTRY, ["air"])) == []


def test_what_goes_again_is_published_behind_the_gate_without_a_tick() -> None:
    source = Source()
    rows = drive(source.feeder(), again([letter(), letter()], REGISTRY, ["air"]))
    assert rows == 2
    assert [said[0] for said in source.told] == ["rows", "flush", "gate"] * 2


def test_driving_again_ends_when_told() -> None:
    stop, source = threading.Event(), Source()
    stop.set()
    assert drive(source.feeder(stop), again([letter()], REGISTRY, ["air"])) == 0
    assert source.told == []


def test_each_kind_goes_to_its_own_publisher() -> None:
    air, water = Source(), Source()
    gate = cast("Gate", SimpleNamespace(wait=lambda *_: None))
    publishers = {"air": cast("Publisher", air), "water": cast("Publisher", water)}
    feeder = Feeder(publishers=publishers, gate=gate, stop=threading.Event())
    assert drive(feeder, again([letter()], REGISTRY, ["air", "water"])) == 1
    assert (len(air.only("rows")), len(water.told)) == (1, 0)
