from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from jianhu.filefeed import REMEMBER_EVERY, FeedPlan, FeedReport, Format, feed_files
from sensors.clock import HOUR_MS, hour_ending
from sensors.errors import ConfigError, EdgeError
from sensors.factors import load_factors
from sensors.frames import Origin
from sensors.registry import Registry
from tests.air_cases import site
from tests.packets import T0
from tests.unit.jianhu.test_feeding import Source

SETTLE_MS = 7


class Stops(Source):
    """A source that is stopped, or that fails, at the n-th hour."""

    def __init__(self, hours: int, fault: Exception | None = None) -> None:
        super().__init__()
        self.stop, self._left, self._fault = threading.Event(), hours, fault

    def publish(self, rows: pa.RecordBatch, *, period_ms: int, origin: Origin) -> int:
        self._left -= 1
        if self._left < 0 and self._fault is not None:
            raise self._fault
        if self._left <= 0 and self._fault is None:
            self.stop.set()
        return super().publish(rows, period_ms=period_ms, origin=origin)


def lines(*hours: int, sites: tuple[str, ...] = ("S1",)) -> str:
    return "".join(f"{hour_ending(T0 + h * HOUR_MS)},{name},{h + 1}\n" for h in hours for name in sites)


def plan(folder: Path, text: str = "", *, start_ms: int | None = None, end_ms: int | None = None) -> FeedPlan:
    path = folder / "in.csv"
    if not path.exists():
        path.write_text(f"time,site,PM2.5\n{text}", encoding="utf-8")
    return FeedPlan(
        files=(path,),
        format=Format.CSV,
        source="feed-csv",
        registry=Registry(region_zh="", region_en="", synthetic=True, sites=tuple(site(name) for name in ("S1", "S2"))),
        factors={"air": load_factors("air")},
        memory=folder / "feeds",
        settle_ms=SETTLE_MS,
        start_ms=start_ms,
        end_ms=end_ms,
    )


def feed(asked: FeedPlan, source: Source) -> FeedReport:
    return feed_files(asked, source.feeder(source.stop if isinstance(source, Stops) else None))


def ticks(source: Source) -> list[int]:
    return [said[1] for said in source.only("tick")]


def rows(source: Source) -> list[int]:
    return [said[1] for said in source.only("rows")]


def test_a_file_with_a_header_and_no_rows_moves_nothing(tmp_path: Path) -> None:
    source = Source()
    assert feed(plan(tmp_path), source) == FeedReport(rows=0, refused=0, hours=0, resumed_at=None)
    assert source.told == []


def test_rows_go_hour_by_hour_in_the_order_of_their_times_and_the_clock_settles(tmp_path: Path) -> None:
    source = Source()
    report = feed(plan(tmp_path, lines(2, 0, 1, 0, sites=("S1", "S2"))), source)
    assert report == FeedReport(rows=8, refused=0, hours=3, resumed_at=None)
    assert rows(source) == [4, 2, 2]
    ends = [T0 + hour * HOUR_MS for hour in (0, 1, 2, 3)]
    assert ticks(source) == [*ends, ends[-1] + SETTLE_MS]
    assert {said[2:] for said in source.only("rows")} == {(HOUR_MS, Origin.REPORTED)}


def test_hours_without_rows_are_passed_over(tmp_path: Path) -> None:
    source = Source()
    assert feed(plan(tmp_path, lines(0, 9)), source).hours == 2
    assert ticks(source) == [T0, T0 + HOUR_MS, T0 + 10 * HOUR_MS, T0 + 10 * HOUR_MS + SETTLE_MS]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [(None, None, 4), (0, 4, 4), (1, None, 3), (None, 1, 1), (1, 2, 1), (2, 2, 0), (9, None, 0), (None, 0, 0)],
)
def test_only_hours_that_were_asked_for_are_sent(
    tmp_path: Path, start: int | None, end: int | None, hours: int
) -> None:
    bounds = [None if hour is None else T0 + hour * HOUR_MS for hour in (start, end)]
    report = feed(plan(tmp_path, lines(0, 1, 2, 3), start_ms=bounds[0], end_ms=bounds[1]), Source())
    assert (report.hours, report.rows) == (hours, hours)


def test_what_cannot_be_used_goes_to_the_dead_letters_before_the_hours(tmp_path: Path) -> None:
    source = Source()
    text = lines(0) + f"{hour_ending(T0)},nobody,1\n" + f"{hour_ending(T0)},S2,many\n" + "one cell\n"
    report = feed(plan(tmp_path, text), source)
    assert report.refused == 3
    assert source.told[0] == ("letters", 3)
    assert report.rows == 2


def test_progress_is_told_of_reading_and_of_sending(tmp_path: Path) -> None:
    read, sent = list[int](), list[tuple[int, int]]()
    feed_files(
        plan(tmp_path, lines(0, 1)), Source().feeder(), on_read=read.append, on_hours=lambda *of: sent.append(of)
    )
    assert read == [2]
    assert sent == [(1, 2), (2, 2)]


def day(tmp_path: Path, hours: int = 3 * REMEMBER_EVERY) -> FeedPlan:
    return plan(tmp_path, lines(*range(hours)))


@pytest.mark.parametrize(
    ("sent", "again_from"),
    [
        (1, 0),
        (REMEMBER_EVERY - 1, 0),
        (REMEMBER_EVERY + 1, REMEMBER_EVERY),
        (2 * REMEMBER_EVERY + 5, 2 * REMEMBER_EVERY),
    ],
)
def test_a_feed_that_failed_goes_on_where_it_last_remembered(tmp_path: Path, sent: int, again_from: int) -> None:
    with pytest.raises(EdgeError):
        feed(day(tmp_path), Stops(sent, EdgeError("the broker is gone")))
    source = Source()
    report = feed(day(tmp_path), source)
    assert report.resumed_at == (T0 + again_from * HOUR_MS if again_from else None)
    first = max(again_from - 1, 0)
    assert ticks(source)[0] == T0 + first * HOUR_MS
    assert report.hours == 3 * REMEMBER_EVERY - first


def test_a_feed_that_was_stopped_loses_no_hour(tmp_path: Path) -> None:
    first = Stops(REMEMBER_EVERY + 3)
    feed(day(tmp_path), first)
    source = Source()
    feed(day(tmp_path), source)
    assert set(ticks(first)) | set(ticks(source)) >= {T0 + h * HOUR_MS for h in range(3 * REMEMBER_EVERY + 1)}
    assert ticks(source)[-1] == T0 + 3 * REMEMBER_EVERY * HOUR_MS + SETTLE_MS


@pytest.mark.parametrize(("archived", "again_from"), [(10, 10), (5 * REMEMBER_EVERY, REMEMBER_EVERY)])
def test_a_feed_goes_on_no_later_than_what_is_on_disk(tmp_path: Path, archived: int, again_from: int) -> None:
    with pytest.raises(EdgeError):
        feed(day(tmp_path), Stops(REMEMBER_EVERY + 1, EdgeError("the power is gone")))
    asked = replace(day(tmp_path), durable_to={"air": T0 + archived * HOUR_MS})
    assert feed(asked, Source()).resumed_at == T0 + again_from * HOUR_MS


class Unsettled(Source):
    """A source that dies when the clock is to settle."""

    def flush(self) -> None:
        if ticks(self)[-1] % HOUR_MS == SETTLE_MS:
            raise EdgeError("killed here")
        super().flush()


def test_a_feed_killed_before_its_last_tick_closes_the_last_hour_when_it_is_started_again(tmp_path: Path) -> None:
    asked = day(tmp_path, REMEMBER_EVERY)
    with pytest.raises(EdgeError):
        feed(asked, Unsettled())
    source = Source()
    assert feed(asked, source).hours == 1
    assert ticks(source)[-1] == T0 + REMEMBER_EVERY * HOUR_MS + SETTLE_MS


def test_letters_are_not_sent_again_by_a_feed_that_goes_on(tmp_path: Path) -> None:
    asked = plan(tmp_path, lines(*range(2 * REMEMBER_EVERY)) + "one cell\n")
    first, second = Stops(REMEMBER_EVERY + 2, EdgeError("gone")), Source()
    with pytest.raises(EdgeError):
        feed(asked, first)
    assert first.only("letters") == [("letters", 1)]
    assert feed(asked, second).refused == 1
    assert second.only("letters") == []


def test_a_feed_that_ended_is_forgotten(tmp_path: Path) -> None:
    for _ in range(2):
        assert feed(day(tmp_path), Source()).resumed_at is None
    assert list((tmp_path / "feeds").iterdir()) == []


def test_a_file_that_changed_is_another_feed(tmp_path: Path) -> None:
    with pytest.raises(EdgeError):
        feed(day(tmp_path), Stops(REMEMBER_EVERY + 1, EdgeError("gone")))
    path = tmp_path / "in.csv"
    held = path.stat()
    os.utime(path, ns=(held.st_atime_ns, held.st_mtime_ns + 1))
    assert feed(day(tmp_path), Source()).resumed_at is None


def test_other_hours_of_a_file_are_another_feed(tmp_path: Path) -> None:
    with pytest.raises(EdgeError):
        feed(day(tmp_path), Stops(REMEMBER_EVERY + 1, EdgeError("gone")))
    assert feed(plan(tmp_path, start_ms=T0), Source()).resumed_at is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"end": null}', '{"end": "soon"}'])
def test_a_damaged_memory_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    with pytest.raises(EdgeError):
        feed(day(tmp_path), Stops(REMEMBER_EVERY + 1, EdgeError("gone")))
    [memory] = (tmp_path / "feeds").iterdir()
    memory.write_text(text)
    with pytest.raises(ConfigError, match="delete the file") as error:
        feed(day(tmp_path), Source())
    assert error.value.file == str(memory)


def test_a_file_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    asked = plan(tmp_path, lines(0))
    (tmp_path / "in.csv").unlink()
    with pytest.raises(EdgeError, match=r"in\.csv"):
        feed(asked, Source())
