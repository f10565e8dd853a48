"""Tables in files: bytes to blocks of text, each line with its number; a bad line costs itself only.

Lines may be UTF-8 (with or without a byte order mark) or GBK, mixed in one file, ended by LF, CRLF
or CR, plain or gzip. A file is read in blocks, so its size does not matter.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from sensors.deadletters import DeadLetter, Refusal
from sensors.errors import EdgeError
from sensors.intake import Delivery, TextBlock

BLOCK_ROWS: Final = 20_000
"""Rows and letters of one block."""
LONGEST_LINE: Final = 1_000_000
"""Bytes; a longer line is no line of a table."""
_CHUNK: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
_KEPT_RAW: Final = 10_000
_BLOCK_BYTES: Final = 1 << 24
"""Characters of one block, beyond which it is closed whatever its rows."""


class _Line(NamedTuple):  # one for each line of a file: a dataclass takes three times as long to make
    number: int
    text: str


@dataclass(slots=True, kw_only=True)
class _Reader:
    """What is being read, and the letters that wait for the next block."""

    file: str
    delivery: Delivery
    letters: list[DeadLetter] = field(default_factory=list)

    def refuse(self, line: int | None, detail: str, raw: bytes) -> None:
        where = self.file if line is None else f"{self.file}:{line}"
        self.letters.append(
            DeadLetter(
                reason=Refusal.BAD_FILE,
                source=self.delivery.source,
                where=where,
                detail=detail,
                raw=raw[:_KEPT_RAW],
                received_at=self.delivery.received_ms,
            )
        )

    def taken_letters(self) -> tuple[DeadLetter, ...]:
        letters, self.letters = tuple(self.letters), []
        return letters


def read_table(path: Path, delivery: Delivery, block_rows: int = BLOCK_ROWS) -> Iterator[TextBlock]:
    """Yield a file's rows as blocks of text columns; at least one block, which may be empty.

    Parameters
    ----------
    path
        CSV, plain or gzip; the first line that is not blank is the header.
    delivery
        Stands on the letters of lines that cannot be read.
    block_rows
        The most rows that one block holds.

    Raises
    ------
    EdgeError
        When the file cannot be opened or the disk fails. Broken content is no error but a letter.
    """
    reader = _Reader(file=path.name, delivery=delivery)
    try:
        with path.open("rb") as raw, closing(_unpacked(raw)) as stream:
            yield from _blocks(_texts(_lines(stream, reader), reader), reader, block_rows)
    except OSError as cause:
        raise EdgeError(f"{path}: {cause.strerror or cause}") from cause


def _unpacked(raw: io.BufferedReader) -> io.BufferedReader | gzip.GzipFile:
    head = raw.read(2)
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if head == _GZIP else raw


def _chunks(stream: io.BufferedReader | gzip.GzipFile, reader: _Reader) -> Iterator[bytes]:
    try:
        while chunk := stream.read1(_CHUNK):
            yield chunk
    except (gzip.BadGzipFile, EOFError, zlib.error) as cause:
        reader.refuse(None, f"the gzip data break off: {cause}; send the file again", b"")


def _lines(stream: io.BufferedReader | gzip.GzipFile, reader: _Reader) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line; one that is too long goes to a letter."""
    number, rest, skipping = 1, b"", False
    for chunk in _chunks(stream, reader):
        lines = (rest + chunk).splitlines(keepends=True)
        rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
        for line in lines:
            if not skipping:
                yield number, line.rstrip(b"\r\n")
            number, skipping = number + 1, False
        if len(rest) > LONGEST_LINE and not rest.endswith(b"\r"):
            if not skipping:
                reader.refuse(number, f"a line of more than {LONGEST_LINE} bytes", rest)
            rest, skipping = b"", True
    if rest and not skipping:
        yield number, rest.rstrip(b"\r\n")


def _texts(lines: Iterator[tuple[int, bytes]], reader: _Reader) -> Iterator[_Line | None]:
    """Yield the lines that are text and not blank; None for one that went to a letter."""
    for number, line in lines:
        text = _decoded(line.removeprefix(b"\xef\xbb\xbf"))  # in the middle, too, where files were joined
        if text is None:
            reader.refuse(number, "bytes that are neither UTF-8 nor GBK; save the file as UTF-8", line)
            yield None
        elif '"' in text and text.count('"') % 2:
            reader.refuse(number, "a quotation mark without its partner; close the quotation on its own line", line)
            yield None
        elif text.strip():
            yield _Line(number, text)


def _decoded(line: bytes) -> str | None:
    for encoding in ("utf-8", "gbk"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _blocks(lines: Iterator[_Line | None], reader: _Reader, block_rows: int) -> Iterator[TextBlock]:
    header = next((line for line in lines if line is not None), None)
    names = [] if header is None else _names(header.text)
    if not names:
        reader.refuse(1, "no line that can be read as a header; is the file whole?", b"")
        yield _block([], [], reader, 0)
        return
    number, size, held = 0, 0, list[_Line]()
    for line in lines:
        if line is not None:
            held.append(line)
            size += len(line.text)
        if len(held) + len(reader.letters) >= block_rows or size > _BLOCK_BYTES:
            yield _block(names, held, reader, number)
            number, size, held = number + 1, 0, []
    if held or reader.letters or number == 0:
        yield _block(names, held, reader, number)


def _names(header: str) -> list[str]:
    """Return the header's names; a repeated one gets ``#2``, so that no column hides another.

    A line that is no header (a cell of more than 128 kB) gives none.
    """
    try:
        cells = next(csv.reader([header]))
    except csv.Error:
        return []
    names: list[str] = []
    for name in (cell.strip() for cell in cells):
        count = sum(1 for known in names if known == name or known.startswith(f"{name}#"))
        names.append(f"{name}#{count + 1}" if count else name)
    return names


def _block(names: list[str], lines: list[_Line], reader: _Reader, number: int) -> TextBlock:
    table, numbers = _parsed(names, lines, reader)
    letters = reader.taken_letters()
    return TextBlock(file=reader.file, columns=table, lines=numbers, number=number, letters=letters)


def _parsed(names: list[str], lines: list[_Line], reader: _Reader) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return the cells of lines and the number of each line; lines that do not fit go to letters."""
    refused: dict[int, str] = {}

    def skip(row: pacsv.InvalidRow) -> str:
        refused[row.number - 1] = f"{row.actual_columns} cells under a header of {row.expected_columns}"
        return "skip"

    empty = pa.table({name: pa.array([], pa.utf8()) for name in names})
    if not lines:
        return empty, np.empty(0, dtype=np.int64)
    try:
        table = pacsv.read_csv(
            io.BytesIO("\n".join(line.text for line in lines).encode()),
            read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=4 * _BLOCK_BYTES),
            parse_options=pacsv.ParseOptions(invalid_row_handler=skip, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.utf8())),
        )
    except pa.ArrowInvalid as cause:
        return _halved(names, lines, reader, cause)
    for place, detail in refused.items():
        reader.refuse(lines[place].number, detail, lines[place].text.encode())
    kept = [line.number for place, line in enumerate(lines) if place not in refused]
    return table, np.array(kept, dtype=np.int64)


def _halved(
    names: list[str], lines: list[_Line], reader: _Reader, cause: pa.ArrowInvalid
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Find the line that the parser cannot bear: it goes to a letter, the others are read."""
    if len(lines) == 1:
        reader.refuse(lines[0].number, f"no line of a table: {cause}", lines[0].text.encode())
        return _parsed(names, [], reader)
    middle = len(lines) // 2
    (first, above), (second, below) = (_parsed(names, half, reader) for half in (lines[:middle], lines[middle:]))
    return pa.concat_tables([first, second]), np.concatenate([above, below])
