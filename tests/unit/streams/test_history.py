from __future__ import annotations

from pathlib import Path

import pytest

from sensors.clock import HOUR_MS
from sensors.errors import EdgeError
from sensors.frames import Tick
from streams import history as history_module
from streams.archive import MERGE_AT, Archive
from streams.history import LogHistory, Past, first_offset, read_records
from streams.segments import READINGS, joined, rows_of
from tests.embedded import FORGOTTEN, LARGE, Embedded
from tests.packets import T0, Item, frame, message, packet, told

FAR = 10**12
"""A span that leaves nothing out."""


@pytest.fixture
def broker() -> Embedded:
    return Embedded()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def hours(first: int, count: int) -> list[Item]:
    """Return, per hour, a frame and the tick at its end."""
    return [
        item
        for hour in range(first, first + count)
        for item in (frame(packet("A", T0 + hour * HOUR_MS, hour)), Tick(T0 + (hour + 1) * HOUR_MS))
    ]


def keep(archive: Archive, broker: Embedded, items: list[Item], *, log: str = "now", size: int = 2) -> None:
    """Archive items as a log's next offsets, so many to a segment."""
    archive.open_log(log, 4)
    for begin in range(0, len(items), size):
        part = items[begin : begin + size]
        first = archive.end(log, broker.readings, 0) or 0
        rows = joined([rows_of("readings", first + place, message(item)) for place, item in enumerate(part)])
        held = archive.last_tick(broker.readings, 0) or 0
        tick = max([held, *(item.at for item in part if isinstance(item, Tick))])
        archive.write(log, broker.readings, 0, rows, first=first, last=first + len(part) - 1, last_tick=tick)


def before(archive: Archive, broker: Embedded, stop: int, *, span_ms: int = FAR) -> Past[Item]:
    history = LogHistory(archive, bootstrap=broker.bootstrap, topic=broker.readings, log_id="now", form=READINGS)
    return history.before(0, stop, span_ms=span_ms)


def test_nothing_came_before_the_first_record(broker: Embedded, archive: Archive) -> None:
    past = before(archive, broker, 0)
    assert past.whole
    assert list(past.items) == []


def test_without_an_archive_the_broker_tells_everything(broker: Embedded, archive: Archive) -> None:
    items = hours(0, 3)
    broker.send(*map(message, items))
    past = before(archive, broker, len(items))
    assert past.whole
    assert told(past.items) == told(items)


@pytest.mark.parametrize("stop", range(9))
@pytest.mark.parametrize("archived", [0, 2, 6, 8])
def test_archive_and_tail_together_are_the_topic(broker: Embedded, archive: Archive, archived: int, stop: int) -> None:
    items = hours(0, 4)
    broker.send(*map(message, items))
    keep(archive, broker, items[:archived], size=4)
    assert told(before(archive, broker, stop).items) == told(items[:stop])


def test_an_earlier_log_comes_before_this_one(broker: Embedded, archive: Archive) -> None:
    former, now = hours(0, 2), hours(2, 2)
    keep(archive, broker, former, log="former")
    keep(archive, broker, now[:2])
    broker.send(*map(message, now))
    past = before(archive, broker, 3)
    assert past.whole
    assert told(past.items) == told([*former, *now[:3]])


def test_a_new_log_that_is_not_archived_yet_follows_the_earlier_ones(broker: Embedded, archive: Archive) -> None:
    former, now = hours(0, 2), hours(2, 1)
    keep(archive, broker, former, log="former")
    broker.send(*map(message, now))
    assert told(before(archive, broker, 2).items) == told([*former, *now])


def test_bytes_that_nobody_can_read_are_left_out_wherever_they_lie(broker: Embedded, archive: Archive) -> None:
    [said, tick] = hours(0, 1)
    records = [message(said), b"nonsense", message(tick), b"{"]
    broker.send(*records)
    archive.open_log("now", 4)
    archive.write(
        "now", broker.readings, 0, joined([rows_of("readings", o, v) for o, v in enumerate(records[:2])]),
        first=0, last=1, last_tick=0,
    )  # fmt: skip
    assert told(before(archive, broker, 4).items) == told([said, tick])


@pytest.mark.parametrize(("span_h", "first"), [(0, 8), (1, 7), (3, 5), (100, 0)])
def test_segments_that_end_before_the_span_are_left_out(
    broker: Embedded, archive: Archive, span_h: int, first: int
) -> None:
    items = hours(0, 10)
    keep(archive, broker, items)
    past = before(archive, broker, len(items), span_ms=span_h * HOUR_MS)
    assert past.whole is (first == 0)
    assert told(past.items) == told(items[2 * first :])


def test_a_worker_that_was_away_for_long_gets_the_past_of_its_own_place(broker: Embedded, archive: Archive) -> None:
    items = hours(0, 100)
    keep(archive, broker, items)
    stop = 2 * 10
    past = before(archive, broker, stop, span_ms=3 * HOUR_MS)
    assert told(past.items) == told(items[stop - 2 * 5 : stop])


def test_a_past_begins_with_a_tick_before_its_span_even_where_the_clock_jumped(
    broker: Embedded, archive: Archive
) -> None:
    items = [*hours(0, 5), *hours(300, 3)]
    keep(archive, broker, items)
    past = before(archive, broker, len(items), span_ms=146 * HOUR_MS)
    ticks = [item.at for item in past.items if isinstance(item, Tick)]
    assert ticks[0] <= ticks[-1] - 146 * HOUR_MS
    assert len(ticks) == 4


def test_the_span_is_counted_over_logs(broker: Embedded, archive: Archive) -> None:
    former, now = hours(0, 10), hours(10, 2)
    keep(archive, broker, former, log="former")
    keep(archive, broker, now)
    past = before(archive, broker, len(now), span_ms=3 * HOUR_MS)
    assert not past.whole
    assert told(past.items) == told([*former, *now][-10:])


def test_a_past_that_the_broker_forgot_is_not_whole(broker: Embedded, archive: Archive) -> None:
    broker.send(*[b"x" * LARGE] * FORGOTTEN, message(Tick(T0)))
    past = before(archive, broker, FORGOTTEN + 1)
    assert not past.whole
    assert list(past.items) == [Tick(T0)]


def test_an_archive_that_begins_in_the_middle_is_not_whole(broker: Embedded, archive: Archive) -> None:
    archive.open_log("now", 4)
    rows = rows_of("readings", 5, message(Tick(T0)))
    archive.write("now", broker.readings, 0, rows, first=5, last=5, last_tick=T0)
    assert not before(archive, broker, 6).whole


def test_what_is_neither_archived_nor_in_the_broker_is_told(broker: Embedded, archive: Archive) -> None:
    items = hours(0, 1)
    keep(archive, broker, items)
    broker.send(*[b"x" * LARGE] * FORGOTTEN)
    past = before(archive, broker, FORGOTTEN)
    with pytest.raises(EdgeError, match="neither archived nor in the broker"):
        list(past.items)


def test_segments_that_are_merged_while_they_are_read_are_read_all_the_same(broker: Embedded, archive: Archive) -> None:
    items = hours(0, MERGE_AT)
    keep(archive, broker, items)
    past = before(archive, broker, len(items))
    found = told([next(past.items)])
    listed = archive.segments(broker.readings, 0)
    archive.merge_small("now", broker.readings, 0)
    for segment in listed:
        segment.path.unlink()
    assert found + told(past.items) == told(items)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 1), (1, 3), (2, 3), (None, 3), (3, 3)])
def test_records_are_read_from_start_to_before_stop(broker: Embedded, start: int | None, stop: int) -> None:
    broker.send(b"a", b"b", b"c", b"d")
    found = list(read_records(broker.bootstrap, broker.readings, 0, start, stop))
    assert found == list(enumerate([b"a", b"b", b"c", b"d"]))[start or 0 : stop]


def test_a_broker_that_has_less_than_was_asked_for_is_told(broker: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    broker.send(b"a")
    monkeypatch.setattr(history_module, "READ_TIMEOUT_S", 0.5)
    with pytest.raises(EdgeError, match=r"silent for 0\.5 s at 1"):
        list(read_records(broker.bootstrap, broker.readings, 0, 0, 2))


def test_a_topic_that_is_not_there_is_told(broker: Embedded) -> None:
    with pytest.raises(EdgeError, match="cannot be read"):
        list(read_records(broker.bootstrap, broker.readings, 9, 0, 1))
    with pytest.raises(EdgeError, match="cannot be read"):
        first_offset(broker.bootstrap, broker.readings, 9)
