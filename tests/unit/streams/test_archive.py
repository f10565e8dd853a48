from __future__ import annotations

from pathlib import Path

import pytest

from sensors.errors import ConfigError, EdgeError
from sensors.frames import Tick
from streams.archive import MERGE_AT, Archive, Segment, read_segment
from streams.segments import OFFSET, joined, rows_of
from tests.packets import T0, Item, frame, message, packet, told

LOG, TOPIC = "log-1", "readings.air"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    found = Archive(tmp_path / "archive")
    found.open_log(LOG, 4)
    return found


def write(
    archive: Archive, first: int, *items: Item, last_tick: int = 0, log: str = LOG, topic: str = TOPIC
) -> Segment:
    rows = joined([rows_of("readings", first + number, message(item)) for number, item in enumerate(items)])
    return archive.write(log, topic, 0, rows, first=first, last=first + len(items) - 1, last_tick=last_tick)


def offsets(archive: Archive, log: str = LOG) -> list[int]:
    return [o for s in archive.segments(TOPIC, 0, log) for o in read_segment(s).column(OFFSET).to_pylist()]


def one(value: int) -> Item:
    return frame(packet("A", value=value))


def many(archive: Archive, count: int) -> None:
    for number in range(count):
        write(archive, number, one(number), last_tick=T0 + number)


def test_an_archive_that_was_never_begun_holds_nothing(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "nowhere")
    assert archive.logs() == ()
    assert archive.segments(TOPIC, 0) == []
    assert archive.last_tick(TOPIC, 0) is None
    assert archive.end(LOG, TOPIC, 0) is None


def test_a_log_without_segments_has_no_end(archive: Archive) -> None:
    assert archive.logs() == (LOG,)
    assert archive.end(LOG, TOPIC, 0) is None


def test_a_segment_is_read_as_it_was_written(archive: Archive) -> None:
    items = [one(1), Tick(T0), one(2)]
    segment = write(archive, 5, *items, last_tick=T0)
    assert archive.segments(TOPIC, 0) == [segment]
    assert told(archive.items(segment, None)) == told(items)
    assert archive.end(LOG, TOPIC, 0) == 8
    assert archive.last_tick(TOPIC, 0) == T0


@pytest.mark.parametrize(("stop", "count"), [(4, 0), (5, 0), (6, 1), (7, 2), (8, 3), (99, 3), (None, 3)])
def test_only_what_lies_before_an_offset_is_read(archive: Archive, stop: int | None, count: int) -> None:
    items = [one(1), Tick(T0), one(2)]
    segment = write(archive, 5, *items, last_tick=T0)
    assert told(archive.items(segment, stop)) == told(items[:count])


@pytest.mark.parametrize("first", [0, 1, 3, 99])
def test_a_segment_that_does_not_follow_the_last_is_refused(archive: Archive, first: int) -> None:
    write(archive, 0, one(1), one(2))
    with pytest.raises(EdgeError, match=f"from {first} cannot follow one that ends before 2"):
        write(archive, first, one(3))


def test_the_first_segment_may_begin_anywhere(archive: Archive) -> None:
    write(archive, 77, one(1))
    assert archive.end(LOG, TOPIC, 0) == 78


def test_logs_stand_in_the_order_in_which_they_were_begun(archive: Archive) -> None:
    for log in ("b", "a", "a"):
        archive.open_log(log, 4)
    write(archive, 0, one(2), log="b", last_tick=T0)
    write(archive, 0, one(3), log="a", last_tick=T0 - 1)
    write(archive, 0, one(1), last_tick=T0 + 1)
    assert archive.logs() == (LOG, "b", "a")
    assert [s.log_id for s in archive.segments(TOPIC, 0)] == [LOG, "b", "a"]
    assert archive.last_tick(TOPIC, 0) == T0 + 1


def test_a_log_begun_after_an_older_one_was_taken_away_is_still_the_last(archive: Archive) -> None:
    archive.open_log("z", 4)
    (archive.root / LOG / "log.json").unlink()
    archive.open_log("a", 4)
    assert archive.logs() == ("z", "a")


def test_another_number_of_partitions_is_refused_with_what_to_set(archive: Archive) -> None:
    with pytest.raises(ConfigError, match="JIANHU_PARTITIONS=4"):
        archive.open_log("log-2", 8)
    assert archive.logs() == (LOG,)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a\x00b", "a b", "日志", "a" * 201, "a\n"])
def test_a_name_that_could_leave_the_folder_is_refused(archive: Archive, name: str) -> None:
    with pytest.raises(EdgeError, match="may hold letters"):
        archive.open_log(name, 4)
    with pytest.raises(EdgeError, match="may hold letters"):
        write(archive, 0, one(1), topic=name)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"id": "x", "order": "first", "partitions": 4}', "\xff"])
def test_a_damaged_head_of_a_log_is_named(archive: Archive, text: str) -> None:
    (archive.root / LOG / "log.json").write_text(text, encoding="latin-1")
    with pytest.raises(EdgeError, match=r"log\.json cannot be read"):
        archive.logs()


@pytest.mark.parametrize("tick", [0, T0, 10**14 - 1, 10**14, 2**63 - 1])
def test_a_segment_is_found_again_whatever_tick_its_name_carries(archive: Archive, tick: int) -> None:
    segment = write(archive, 0, one(1), last_tick=tick)
    assert archive.segments(TOPIC, 0) == [segment]
    assert archive.last_tick(TOPIC, 0) == tick


@pytest.mark.parametrize("name", ["notes.txt", "x.parquet", "1-2-3.parquet", ".00.parquet.12"])
def test_files_of_other_names_are_passed_over(archive: Archive, name: str) -> None:
    segment = write(archive, 0, one(1))
    (segment.path.parent / name).write_bytes(b"")
    assert archive.segments(TOPIC, 0) == [segment]


def test_a_segment_that_is_missing_is_told_and_not_passed_over(archive: Archive) -> None:
    many(archive, 3)
    archive.segments(TOPIC, 0)[1].path.unlink()
    with pytest.raises(EdgeError, match="a hole or a file too many"):
        archive.segments(TOPIC, 0)


def test_a_segment_that_overlaps_another_is_told(archive: Archive) -> None:
    segment = write(archive, 0, one(1), one(2))
    stranger = segment.path.with_name(f"{1:020d}-{2:020d}-{0:014d}.parquet")
    stranger.write_bytes(segment.path.read_bytes())
    with pytest.raises(EdgeError, match="a hole or a file too many"):
        archive.segments(TOPIC, 0)


def test_a_damaged_segment_is_named(archive: Archive) -> None:
    segment = write(archive, 0, one(1))
    segment.path.write_bytes(b"PAR1")
    with pytest.raises(EdgeError, match=segment.path.name):
        list(archive.items(segment, None))


@pytest.mark.parametrize("count", [0, 1, MERGE_AT - 1])
def test_few_small_segments_are_left_alone(archive: Archive, count: int) -> None:
    many(archive, count)
    assert archive.merge_small(LOG, TOPIC, 0) is None
    assert len(archive.segments(TOPIC, 0)) == count


def test_many_small_segments_become_one_that_says_the_same(archive: Archive) -> None:
    many(archive, MERGE_AT)
    before = [said for s in archive.segments(TOPIC, 0) for said in told(archive.items(s, None))]
    merged = archive.merge_small(LOG, TOPIC, 0)
    assert merged is not None
    assert (merged.first, merged.last, merged.last_tick) == (0, MERGE_AT - 1, T0 + MERGE_AT - 1)
    assert archive.segments(TOPIC, 0) == [merged]
    assert told(archive.items(merged, None)) == before
    assert offsets(archive) == list(range(MERGE_AT))


def test_segments_with_and_without_readings_merge(archive: Archive) -> None:
    for number in range(MERGE_AT):
        write(archive, number, [Tick(T0 + number), one(number), frame()][number % 3])
    archive.merge_small(LOG, TOPIC, 0)
    [merged] = archive.segments(TOPIC, 0)
    values = [said for said in told(archive.items(merged, None)) if said[0] != "tick"]
    assert len(values) == len([number for number in range(MERGE_AT) if number % 3 == 1])


def test_a_large_segment_is_not_written_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.archive.SMALL_ROWS", 2)
    write(archive, 0, one(1), one(2))
    for number in range(2, 2 + MERGE_AT):
        write(archive, number, one(number))
    archive.merge_small(LOG, TOPIC, 0)
    assert [(s.first, s.last) for s in archive.segments(TOPIC, 0)] == [(0, 1), (2, 1 + MERGE_AT)]


def test_what_was_merged_stays_for_readers_until_the_next_merge(archive: Archive) -> None:
    many(archive, MERGE_AT)
    small = archive.segments(TOPIC, 0)
    archive.merge_small(LOG, TOPIC, 0)
    assert all(segment.path.exists() for segment in small)
    for number in range(MERGE_AT, 2 * MERGE_AT):
        write(archive, number, one(number))
    archive.merge_small(LOG, TOPIC, 0)
    assert not any(segment.path.exists() for segment in small)
    assert offsets(archive) == list(range(2 * MERGE_AT))


def test_a_reader_who_listed_what_was_merged_away_still_reads_the_same(archive: Archive) -> None:
    many(archive, MERGE_AT)
    small = archive.segments(TOPIC, 0)
    archive.merge_small(LOG, TOPIC, 0)
    for segment in small:
        segment.path.unlink()
    for number, segment in enumerate(small):
        assert told(archive.items(segment, None)) == told([one(number)])


def test_drafts_of_a_killed_writer_are_cleared_and_nothing_else(archive: Archive) -> None:
    segment = write(archive, 0, one(1))
    draft = segment.path.with_name(f".{segment.path.name}.4711")
    draft.write_bytes(b"half")
    archive.clear_drafts(LOG)
    assert not draft.exists()
    assert archive.segments(TOPIC, 0) == [segment]
