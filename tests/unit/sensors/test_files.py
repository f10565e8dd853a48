from __future__ import annotations

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from sensors import files
from sensors.deadletters import DeadLetter, Refusal
from sensors.errors import EdgeError
from sensors.files import read_table
from sensors.intake import Delivery, TextBlock

DELIVERY = Delivery(source="test", received_ms=1000)
HEADER = b"time,site,SO2\n"


def blocks(tmp_path: Path, data: bytes, block_rows: int = 100) -> list[TextBlock]:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    return list(read_table(path, DELIVERY, block_rows))


def read(tmp_path: Path, data: bytes) -> tuple[list[dict[str, str]], list[int], tuple[DeadLetter, ...]]:
    (block,) = blocks(tmp_path, data)
    return block.columns.to_pylist(), block.lines.tolist(), block.letters


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", [b"", b"end"])
def test_lines_end_as_they_like(tmp_path: Path, end: bytes, mark: bytes, last: bytes) -> None:
    data = mark + end.join((b"time,site,SO2", b"t1,A,1", b"", b"t2,B,2")) + (end if last else b"")
    rows, lines, letters = read(tmp_path, data)
    assert rows == [{"time": "t1", "site": "A", "SO2": "1"}, {"time": "t2", "site": "B", "SO2": "2"}]
    assert (lines, letters) == ([2, 4], ())


def test_lines_of_utf_8_and_of_gbk_may_stand_in_one_file(tmp_path: Path) -> None:
    data = "站点,值\n百官,1\n".encode() + "曹娥,2\n".encode("gbk")
    rows, _, letters = read(tmp_path, data)
    assert rows == [{"站点": "百官", "值": "1"}, {"站点": "曹娥", "值": "2"}]
    assert letters == ()


def test_a_line_in_no_known_encoding_goes_to_a_letter_with_its_bytes_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows, lines, letters = read(tmp_path, HEADER + b"t1,\xff\xff\xff,1\nt2,B,2\n")
    assert (len(rows), lines) == (1, [3])
    assert [(letter.reason, letter.where, letter.raw) for letter in letters] == [
        (Refusal.BAD_FILE, "a.csv:2", b"t1,\xff\xff\xff,1")
    ]
    assert (letters[0].source, letters[0].received_at) == ("test", 1000)


@pytest.mark.parametrize("data", [b"", b"\n\n\r\n", b"\xef\xbb\xbf", b"x" * 200_000])
def test_an_empty_file_is_one_letter_and_no_rows(tmp_path: Path, data: bytes) -> None:
    rows, lines, letters = read(tmp_path, data)
    assert (rows, lines) == ([], [])
    assert [letter.reason for letter in letters] == [Refusal.BAD_FILE]
    assert "header" in letters[0].detail


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    (block,) = blocks(tmp_path, HEADER)
    assert block.columns.column_names == ["time", "site", "SO2"]
    assert (len(block.columns), block.letters) == (0, ())


def test_a_line_with_too_few_or_too_many_cells_goes_to_a_letter(tmp_path: Path) -> None:
    rows, lines, letters = read(tmp_path, HEADER + b"t1,A\nt2,B,2\nt3,C,3,4\nt4,D,4\n")
    assert ([row["site"] for row in rows], lines) == (["B", "D"], [3, 5])
    assert [(letter.where, letter.raw, letter.detail) for letter in letters] == [
        ("a.csv:2", b"t1,A", "2 cells under a header of 3"),
        ("a.csv:4", b"t3,C,3,4", "4 cells under a header of 3"),
    ]


def test_files_joined_into_one_keep_every_line(tmp_path: Path) -> None:
    rows, lines, letters = read(tmp_path, HEADER + b"t1,A,1\n\xef\xbb\xbft2,B,2\n\xef\xbb\xbf\n")
    assert ([row["time"] for row in rows], lines, letters) == (["t1", "t2"], [2, 3], ())


def test_wide_lines_close_a_block_before_its_rows_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BLOCK_BYTES", 100)
    found = blocks(tmp_path, HEADER + b"".join(b"t%d,%s,1\n" % (n, b"A" * 70) for n in range(5)))
    assert [len(block.columns) for block in found] == [2, 2, 1]


def test_a_lone_quotation_mark_does_not_swallow_the_lines_below(tmp_path: Path) -> None:
    rows, lines, letters = read(tmp_path, HEADER + b't1,"A,1\nt2,"B, C",2\nt3,"say ""x""",3\n')
    assert ([row["site"] for row in rows], lines) == (["B, C", 'say "x"'], [3, 4])
    assert [letter.where for letter in letters] == ["a.csv:2"]


def test_a_column_named_twice_does_not_hide_the_other(tmp_path: Path) -> None:
    rows, _, _ = read(tmp_path, b"site,SO2,SO2,SO2\nA,1,2,3\n")
    assert rows == [{"site": "A", "SO2": "1", "SO2#2": "2", "SO2#3": "3"}]


def test_texts_stay_as_they_are(tmp_path: Path) -> None:
    rows, _, _ = read(tmp_path, HEADER + b"NA,null,007\n, ,\n")
    assert [list(row.values()) for row in rows] == [["NA", "null", "007"], ["", " ", ""]]


def test_a_large_file_comes_in_blocks_with_running_line_numbers(tmp_path: Path) -> None:
    data = HEADER + b"".join(b"t%d,A,1\n" % n for n in range(7))
    found = blocks(tmp_path, data, block_rows=3)
    assert [block.number for block in found] == [0, 1, 2]
    assert [block.lines.tolist() for block in found] == [[2, 3, 4], [5, 6, 7], [8]]


def test_letters_alone_fill_a_block_too_so_that_rubbish_does_not_fill_the_memory(tmp_path: Path) -> None:
    found = blocks(tmp_path, HEADER + b"\xff\xff\n" * 5, block_rows=2)
    assert [len(block.letters) for block in found] == [2, 2, 1]


def test_a_file_longer_than_one_chunk_keeps_every_line_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_CHUNK", 5)
    rows, lines, _ = read(tmp_path, b"time,site,SO2\r\n" + b"".join(b"t%d,A,1\r\n" % n for n in range(4)))
    assert [row["time"] for row in rows] == ["t0", "t1", "t2", "t3"]
    assert lines == [2, 3, 4, 5]


def test_an_endless_line_goes_to_a_letter_and_the_next_line_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_CHUNK", 10)
    monkeypatch.setattr(files, "LONGEST_LINE", 20)
    rows, lines, letters = read(tmp_path, HEADER + b"y" * 95 + b"\nt2,B,2\n")
    assert ([row["site"] for row in rows], lines) == (["B"], [3])
    assert [letter.where for letter in letters] == ["a.csv:2"]


def test_a_gzip_file_is_read_as_its_content(tmp_path: Path) -> None:
    rows, _, _ = read(tmp_path, gzip.compress(HEADER + b"t1,A,1\n"))
    assert rows == [{"time": "t1", "site": "A", "SO2": "1"}]


def test_a_gzip_file_that_breaks_off_gives_what_it_has_and_a_letter(tmp_path: Path) -> None:
    data = gzip.compress(HEADER + b"".join(b"t%d,A,%d\n" % (n, n * n) for n in range(50_000)))
    found = blocks(tmp_path, data[: len(data) // 2], block_rows=1_000_000)
    assert sum(len(block.columns) for block in found) > 0
    assert any("break off" in letter.detail for block in found for letter in block.letters)


def test_a_file_that_is_not_there_is_an_error_of_the_edge(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match=r"gone\.csv: No such file"):
        list(read_table(tmp_path / "gone.csv", DELIVERY))


def test_a_line_that_the_parser_cannot_bear_is_found_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = pacsv.read_csv

    def picky(data: io.BytesIO, **options: object) -> pa.Table:
        if b"poison" in data.getvalue():
            raise pa.ArrowInvalid("cannot bear it")
        return parse(data, **options)

    monkeypatch.setattr(pacsv, "read_csv", picky)
    rows, lines, letters = read(tmp_path, HEADER + b"t1,A,1\nt2,poison,2\nt3,C\nt4,D,4\n")
    assert ([row["site"] for row in rows], lines) == (["A", "D"], [2, 5])
    assert sorted((letter.where, letter.detail) for letter in letters) == [
        ("a.csv:3", "no line of a table: cannot bear it"),
        ("a.csv:4", "2 cells under a header of 3"),
    ]
