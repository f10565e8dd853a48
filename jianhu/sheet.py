"""A CSV sheet that a person made, as columns of text: read whole or refused with file and line.

Unlike a feed (`sensors.files`), where a bad line costs itself only, a sheet with a bad line is not
the sheet its author meant.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from sensors.errors import ConfigError, EdgeError

_WRITE_ROWS: Final = 500_000
_HEADER_WITHIN: Final = 1 << 16
_BLOCK_BYTES: Final = 1 << 22
_PIECE_BYTES: Final = 1 << 23
_BLANK: Final = b" \t\r\n\xef\xbb\xbf"
_LATER: Final = {"utf-8-sig": "utf-8"}
"""A byte order mark stands before the first piece only."""
_SPECIAL: Final = (b'"', b",", b"\r", b"\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A CSV file that was looked through once and can be read piece by piece."""

    path: Path
    names: tuple[str, ...]
    """Its columns."""
    header_line: int
    encoding: str

    def pieces(self, piece_bytes: int | None = None) -> Iterator[pa.Table]:
        """Yield its rows in order as tables of text columns, one at least; memory grows with the piece.

        Raises
        ------
        ConfigError
            When a row has another width than the header.
        EdgeError
            When it cannot be read.
        """
        none = pa.table({name: pa.array([], pa.utf8()) for name in self.names})
        line, any_rows = 1, False
        for data in _cut(self.path, piece_bytes or _PIECE_BYTES):
            text = data.decode(self.encoding if line == 1 else _LATER.get(self.encoding, self.encoding))
            skip = self.header_line if line == 1 else 0
            if text.split("\n", skip)[-1].strip():
                any_rows = True
                yield _table(text, self.names, skip, _Place(str(self.path), line))
            line += data.count(b"\n")
        if not any_rows:
            yield none


def open_sheet(path: Path) -> Sheet:
    """Look a CSV file through, in bounded memory, and return it for reading.

    Parameters
    ----------
    path
        UTF-8 with or without a byte order mark, or GBK; any line ends; the first line that is not
        blank is the header. Blank lines are left out.

    Raises
    ------
    ConfigError
        When it is empty, no text, or has a column name twice.
    EdgeError
        When it cannot be read.
    """
    file = str(path)
    encoding = _encoding_of(path)
    quotes, blank, head = 0, True, b""
    for block in _blocks(path):
        head += block[: max(0, _HEADER_WITHIN - len(head))]
        quotes += block.count(b'"')
        blank = blank and not block.strip(_BLANK)
    if blank:
        raise wrong_sheet(file, None, "", "the file is empty", "give a table with a header")
    if quotes % 2:
        line = _last_row(path.read_bytes().decode(encoding))
        raise wrong_sheet(
            file, line, "", "a quotation mark without its partner", "close the quotation, or take it away"
        )
    line, names = _header(head.decode(encoding, errors="ignore"), file)
    return Sheet(path=path, names=tuple(names), header_line=line, encoding=encoding)


def read_sheet(path: Path) -> pa.Table:
    """Return a CSV file as a table of text columns, in the file's order; all of it in memory.

    Raises
    ------
    ConfigError
        When it is empty, no text, has a column name twice or a row of another width.
    EdgeError
        When it cannot be read.
    """
    return pa.concat_tables(open_sheet(path).pieces())


def write_sheet(path: Path, columns: Mapping[str, pa.Array]) -> None:
    """Write text columns as a CSV file in UTF-8; an older file of the name stays until all is written.

    Raises
    ------
    EdgeError
        When it cannot be written.
    """
    write_pieces(path, [columns])


def write_pieces(path: Path, pieces: Iterable[Mapping[str, pa.Array]]) -> None:
    """Write pieces of one table, all with the same columns, one after the other; see `write_sheet`.

    Whatever the making of a piece raises leaves an older file as it was.

    Raises
    ------
    EdgeError
        When it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as sink:
            for at, columns in enumerate(pieces):
                if at == 0:
                    header = io.StringIO()
                    csv.writer(header, lineterminator="\n").writerow(columns)
                    sink.write(header.getvalue().encode())
                _write_rows(sink, [_quoted(column) for column in columns.values()])
        part.replace(path)
    except OSError as cause:
        raise EdgeError(f"{path}: {cause.strerror or cause}") from cause
    finally:
        part.unlink(missing_ok=True)


def _write_rows(sink: BinaryIO, quoted: Sequence[pa.Array]) -> None:
    for start in range(0, len(quoted[0]), _WRITE_ROWS):
        cells = [column.slice(start, _WRITE_ROWS) for column in quoted]
        lines = pc.binary_join_element_wise(*cells, ",")
        sink.write("\n".join([*lines.to_pylist(), ""]).encode())


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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a piece of text stands."""

    file: str
    line: int
    """Its first line, from 1."""


def _table(text: str, names: Sequence[str], skip: int, place: _Place) -> pa.Table:
    """Return the rows of a piece of text behind its first ``skip`` lines."""
    bad: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        bad.append(row.actual_columns)
        return "skip"

    try:
        table = pacsv.read_csv(
            io.BytesIO(text.encode()),
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=skip),
            parse_options=pacsv.ParseOptions(invalid_row_handler=note, newlines_in_values='"' in text),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.utf8())),
        )
    except pa.ArrowInvalid as cause:
        raise wrong_sheet(place.file, None, "", f"no table: {cause}", "save it as CSV with commas") from cause
    if bad:
        raise _ragged(text, len(names), place)
    return table


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as source:
            while block := source.read(_BLOCK_BYTES):
                yield block
    except OSError as cause:
        raise EdgeError(f"{path}: {cause.strerror or cause}") from cause


def _cut(path: Path, piece_bytes: int) -> Iterator[bytes]:
    """Yield a file in pieces that end with a line which is no part of a quoted cell.

    Neither a line end nor a quotation mark is ever part of another character in UTF-8 or GB 18030.
    """
    rest = b""
    for block in _blocks(path):
        rest += block
        if len(rest) >= piece_bytes:
            end = _line_end(rest)
            if end:
                yield rest[:end]
                rest = rest[end:]
    if rest:
        yield rest


def _line_end(data: bytes) -> int:
    """Return the place behind the last line end that has an even number of quotation marks before it; 0 for none."""
    end = data.rfind(b"\n") + 1
    while end and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end


def _encoding_of(path: Path) -> str:
    bad = []
    for encoding in ("utf-8-sig", "gb18030"):
        line = _bad_line(path, encoding)
        if line is None:
            return encoding
        bad.append(abs(line))
        if line < 0:
            break
    # What got furthest is most likely what the file was meant to be.
    problem, mend = "bytes that are neither UTF-8 nor GBK text", "save the file as UTF-8"
    raise wrong_sheet(str(path), max(bad), "", problem, mend)


def _bad_line(path: Path, encoding: str) -> int | None:
    """Return the line of the first bytes that are no text; negative for a zero byte; None when there are none."""
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    for block in chain(_blocks(path), [b""]):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as cause:
            return line + cause.object.count(b"\n", 0, cause.start)
        zero = text.find("\0")
        if zero >= 0:
            return -(line + text.count("\n", 0, zero))
        line += text.count("\n")
    return None


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


def _ragged(text: str, width: int, place: _Place) -> ConfigError:
    for line, cells in _rows(text):
        if cells not in {0, width}:
            problem = f"{cells} cells under a header of {width}"
            mend = "give every row one cell for each column"
            return wrong_sheet(place.file, place.line + line - 1, "", problem, mend)
    return wrong_sheet(place.file, None, "", f"rows that do not have {width} cells", "look at the quotation marks")


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
