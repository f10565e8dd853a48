from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from jianhu.sheet import open_sheet, read_sheet, write_pieces, write_sheet
from sensors.errors import ConfigError, EdgeError


def sheet(folder: Path, data: bytes | str) -> Path:
    path = folder / "in.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_columns_and_rows_keep_their_order_and_their_text(tmp_path: Path) -> None:
    table = read_sheet(sheet(tmp_path, "b,a\n 1 ,007\n,x\n"))
    assert table.to_pydict() == {"b": [" 1 ", ""], "a": ["007", "x"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_a_chinese_sheet_is_read_in_any_usual_encoding(tmp_path: Path, encoding: str, ends: str) -> None:
    text = ends.join(["site,备注", "柯桥,正常", "越城,缺测", ""])
    table = read_sheet(sheet(tmp_path, text.encode(encoding)))
    assert table.to_pydict() == {"site": ["柯桥", "越城"], "备注": ["正常", "缺测"]}


def test_a_sheet_of_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    table = read_sheet(sheet(tmp_path, "a,b\n"))
    assert (table.num_rows, table.column_names) == (0, ["a", "b"])


def test_quoted_cells_may_hold_commas_marks_and_line_ends(tmp_path: Path) -> None:
    table = read_sheet(sheet(tmp_path, 'a,b\n"x, ""y""","two\nlines"\n'))
    assert table.to_pydict() == {"a": ['x, "y"'], "b": ["two\nlines"]}


def test_blank_lines_are_left_out(tmp_path: Path) -> None:
    assert read_sheet(sheet(tmp_path, "\n\na,b\n\n1,2\n\n")).to_pydict() == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize("data", ["", "\n \r\n", "\ufeff"])
def test_an_empty_file_is_named_as_such(tmp_path: Path, data: str) -> None:
    with pytest.raises(ConfigError, match=r"in\.csv: the file is empty"):
        read_sheet(sheet(tmp_path, data))


@pytest.mark.parametrize(("row", "cells"), [("1", 1), ("1,2,3", 3)])
def test_a_row_of_another_width_is_named_with_its_line(tmp_path: Path, row: str, cells: int) -> None:
    with pytest.raises(ConfigError, match=rf"in\.csv:4: {cells} cells under a header of 2"):
        read_sheet(sheet(tmp_path, f"a,b\n1,2\n\n{row}\n1,2\n"))


def test_the_line_of_a_ragged_row_counts_line_ends_inside_cells(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"in\.csv:4: 1 cells"):
        read_sheet(sheet(tmp_path, 'a,b\n"1\n1",2\n1\n'))


def test_a_column_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"in\.csv:2: a: the header names this column twice"):
        read_sheet(sheet(tmp_path, "\na,b,a\n1,2,3\n"))


@pytest.mark.parametrize("data", [b"a,b\n1,2\n\xff\xff,2\n", "a,b\n1,2\n3,4\n".encode("utf-16"), b"a,b\n1,2\n3,\x00\n"])
def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"in\.csv:[13]: bytes that are neither"):
        read_sheet(sheet(tmp_path, data))


def test_a_quotation_mark_without_its_partner_is_no_silent_loss(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"in\.csv:3: a quotation mark without its partner"):
        read_sheet(sheet(tmp_path, 'a,b\n0,0\n1,"2\n3,4\n5,6\n'))


def test_an_open_quotation_that_swallows_a_long_file_is_named_where_it_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"in\.csv:3: a quotation mark"):
        read_sheet(sheet(tmp_path, 'a,b\n0,0\n1,"2\n' + "3,4\n" * 50_000))


def test_a_file_that_is_not_there_is_an_edge_error(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="No such file"):
        read_sheet(tmp_path / "none.csv")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    columns = {"a,1": pa.array(["x", 'say "y"', "", "two\nlines"]), "乙": pa.array(["1", "2", "3,4", "缺"])}
    write_sheet(tmp_path / "out.csv", columns)
    table = read_sheet(tmp_path / "out.csv")
    assert table.to_pydict() == {name: column.to_pylist() for name, column in columns.items()}
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_sheet_without_rows_is_its_header(tmp_path: Path) -> None:
    write_sheet(tmp_path / "out.csv", {"a": pa.array([], pa.utf8()), "b": pa.array([], pa.utf8())})
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "a,b\n"


def test_a_folder_that_is_not_there_is_an_edge_error(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="No such file"):
        write_sheet(tmp_path / "none" / "out.csv", {"a": pa.array(["1"])})


QUOTED = 'name,note\n甲,"one\ntwo"\n\n乙,"a ""b"", c"\n丙,plain\n'


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jianhu.sheet._BLOCK_BYTES", 5)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
@pytest.mark.parametrize("size", [1, 7, 16, 4096])
def test_a_file_in_pieces_is_the_whole_file(tmp_path: Path, encoding: str, size: int) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(QUOTED.replace("\n", "\r\n").encode(encoding))
    pieces = list(open_sheet(path).pieces(size))
    assert pa.concat_tables(pieces).equals(read_sheet(path))
    assert read_sheet(path)["name"].to_pylist() == ["甲", "乙", "丙"]
    assert len(pieces) > 1 or size == 4096


@pytest.mark.usefixtures("_small_blocks")
def test_a_bad_row_in_a_later_piece_has_its_line_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("a,b\n" + "1,2\n" * 20 + "1,2,3\n" + "1,2\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        list(open_sheet(path).pieces(10))
    assert caught.value.line == 22


@pytest.mark.usefixtures("_small_blocks")
def test_bytes_that_are_no_text_are_found_across_blocks(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes("名,值\n甲,1\n".encode() + b"\xff\xff,2\n")
    with pytest.raises(ConfigError) as caught:
        open_sheet(path)
    assert caught.value.line == 3


def test_a_header_without_rows_is_an_empty_piece(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("\na,b\n\n", encoding="utf-8")
    (piece,) = open_sheet(path).pieces()
    assert (piece.num_rows, piece.column_names) == (0, ["a", "b"])


def test_pieces_are_written_one_after_the_other_and_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_pieces(path, ({"a": pa.array([str(at)]), "b": pa.array(["x, y"])} for at in range(3)))
    assert path.read_text(encoding="utf-8") == 'a,b\n0,"x, y"\n1,"x, y"\n2,"x, y"\n'

    def broken() -> Iterator[dict[str, pa.Array]]:
        yield {"a": pa.array(["9"])}
        raise ConfigError(file="in", line=1, key="", problem="p", mend="m")

    with pytest.raises(ConfigError):
        write_pieces(path, broken())
    assert path.read_text(encoding="utf-8").startswith("a,b\n0,")
    assert list(tmp_path.iterdir()) == [path]
