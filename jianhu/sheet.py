"""A CSV sheet that a person made, as columns of text: read whole or refused with file and line.

Unlike a feed (`sensors.files`), where a bad line costs itself only, a sheet with a bad line is not
the sheet its author meant.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from sensors.errors import ConfigError, EdgeError

_WRITE_ROWS: Final = 500_000
_HEADER_WITHIN: Final = 1 << 16
_SPECIAL: Final = (b'"', b",", b"\r", b"\n")


def read_sheet(path: Path) -> pa.Table:
    """Return a CSV file as a table of text columns, in the file's order.

    Parameters
    ----------
    path
        UTF-8 with or without a byte order mark, or GBK; any line ends; the first line that is not
        blank is the header. Blank lines are left out.

    Raises
    ------
    ConfigError
        When it is empty, no text, has a column name twice or a row of another width.
    EdgeError
        When it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise EdgeError(f"{path}: {cause.strerror or cause}") from cause
    text = _decoded(data, str(path))
    if not text.strip():
        raise wrong_sheet(str(path), None, "", "the file is empty", "give a table with a header")
    if text.count('"') % 2:
        line = _last_row(text)
        raise wrong_sheet(
            str(path), line, "", "a quotation mark without its partner", "close the quotation, or take it away"
        )
    line, names = _header(text, str(path))
    bad: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        bad.append(row.actual_columns)
        return "skip"

    try:
        table = pacsv.read_csv(
            io.BytesIO(text.encode()),
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=line),
            parse_options=pacsv.ParseOptions(invalid_row_handler=note, newlines_in_values='"' in text),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.utf8())),
        )
    except pa.ArrowInvalid as cause:
        raise wrong_sheet(str(path), None, "", f"no table: {cause}", "save it as CSV with commas") from cause
    if bad:
        raise _ragged(text, len(names), str(path))
    return table


def write_sheet(path: Path, columns: Mapping[str, pa.Array]) -> None:
    """Write text columns as a CSV file in UTF-8; an older file of the name stays until all is written.

    Raises
    ------
    EdgeError
        When it cannot be written.
    """
    quoted = [_quoted(column) for column in columns.values()]
    count = len(quoted[0])
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(columns)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as sink:
            sink.write(header.getvalue().encode())
            for start in range(0, count, _WRITE_ROWS):
                cells = [column.slice(start, _WRITE_ROWS) for column in quoted]
                lines = pc.binary_join_element_wise(*cells, ",")
                sink.write("\n".join([*lines.to_pylist(), ""]).encode())
        part.replace(path)
    except OSError as cause:
        part.unlink(missing_ok=True)
        raise EdgeError(f"{path}: {cause.strerror or cause}") from cause


def _quoted(texts: pa.Array) -> pa.Array:
    """Return cells as CSV writes them: in quotation marks where a comma, a mark or a line end is inside."""
    data = texts.buffers()[2]
    if data is None or not any(mark in data.to_pybytes() for mark in _SPECIAL):
        return texts
    special = pc.match_substring_regex(texts, '[",\r\n]')
    marked = pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
    return pc.if_else(special, marked, texts)


def wrong_sheet(file: str, line: int | None, key: str, problem: str, mend: str) -> ConfigError:
    """Return the error that names what is wrong with a sheet."""
    return ConfigError(file=file, line=line, key=key, problem=problem, mend=mend)


def _decoded(data: bytes, file: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as cause:
            line = data.count(b"\n", 0, cause.start) + 1
        else:
            zero = text.find("\0")
            if zero < 0:
                return text
            line = text.count("\n", 0, zero) + 1
    raise wrong_sheet(file, line, "", "bytes that are neither UTF-8 nor GBK text", "save the file as UTF-8")


def _header(text: str, file: str) -> tuple[int, list[str]]:
    """Return the line of the header, from 1, and its names."""
    lines = enumerate(io.StringIO(text[:_HEADER_WITHIN], newline=None), start=1)
    line, header = next(((at, row) for at, row in lines if row.strip()), (1, ""))
    names = [name.strip() for name in next(csv.reader([header]), [])]
    if not names:
        raise wrong_sheet(file, 1, "", "no header in the first lines", "begin the file with its header")
    strange = next((name for name in names if not name.isprintable()), None)
    if strange is not None:
        raise wrong_sheet(file, line, "", f"the column name {strange!r} has control characters", "rename it")
    doubled = sorted(name for name, count in Counter(names).items() if count > 1)
    if doubled:
        raise wrong_sheet(file, line, doubled[0], "the header names this column twice", "rename one of them")
    return line, names


def _last_row(text: str) -> int:
    """Return the line on which the last row begins; an open quotation makes all behind it one row."""
    return [line for line, _ in _rows(text)][-1]


def _ragged(text: str, width: int, file: str) -> ConfigError:
    for line, cells in _rows(text):
        if cells not in {0, width}:
            problem = f"{cells} cells under a header of {width}"
            return wrong_sheet(file, line, "", problem, "give every row one cell for each column")
    return wrong_sheet(file, None, "", f"rows that do not have {width} cells", "look at the quotation marks")


def _rows(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first line and the number of cells of each row, blank ones too; a row that is too long has 1."""
    reader = csv.reader(io.StringIO(text, newline=""))
    line = 1
    while True:
        try:
            cells = len(next(reader))
        except StopIteration:
            return
        except csv.Error:
            yield line, 1
            return
        yield line, cells
        line = reader.line_num + 1
