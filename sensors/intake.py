"""Text columns to frame rows: what can be used, and a dead letter with its reason for what cannot.

One bad cell costs its own value, a bad time or site its own row, and nothing else. A refused value
leaves null with the flag ``X``, so that its window says "invalid" and not "silent".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sensors.clock import BEIJING_OFFSET_MS, MINUTE_MS, beijing
from sensors.deadletters import DeadLetter, Refusal
from sensors.decimals import Reading, read_decimals
from sensors.factors import Factor
from sensors.flags import UNFLAGGED, in_mean_table
from sensors.frames import flag_column, frame_schema
from sensors.labels import UNREADABLE, read_iso, read_parts
from sensors.layouts import Copies, Label, Layout, plain_unit, split_unit
from sensors.registry import Registry, Site

AHEAD_MS: Final = 10 * MINUTE_MS
"""How far a reading may end after it was received, for clocks that run a little fast."""
REFUSED: Final = ord("X")
"""Flag of a value that came and could not be used."""
COPIED: Final = ord("K")
_NO_UNIT: Final = Fraction(0)
_IN_MEAN: Final = in_mean_table()
_CELL: Final = {
    Reading.NOT_A_NUMBER: (Refusal.NOT_A_NUMBER, "is no number; correct it at the source and send it again"),
    Reading.SENTINEL: (Refusal.IMPOSSIBLE_VALUE, "is a logger's code for no value; nothing is to be done"),
    Reading.IMPOSSIBLE: (Refusal.IMPOSSIBLE_VALUE, "is physically impossible; check its unit and the instrument"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """Some lines of a table, as text."""

    file: str
    columns: pa.Table
    """utf8 columns as the header names them."""
    lines: NDArray[np.int64]
    """Line of each row in the file, from 1."""
    number: int = 0
    """Place of this block in its file, from 0; what concerns a whole column is told in block 0."""
    letters: tuple[DeadLetter, ...] = ()
    """Lines that could not be read at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Whence a block came and when."""

    source: str
    """Name of the feed or gateway."""
    received_ms: int
    """Milliseconds UTC, on the clock that the feed declares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a block gave."""

    rows: pa.RecordBatch
    """`sensors.frames.frame_schema` of the kind's factors, in the block's order; repeats are kept."""
    letters: tuple[DeadLetter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: str
    factor: Factor
    scale: Fraction
    """Canonical units in one unit of the column; 0 when its unit is unknown."""
    unit: str


class _Letters:
    """Dead letters of one block; rows are kept as JSON objects that can be driven again."""

    def __init__(self, block: TextBlock, delivery: Delivery) -> None:
        self.block, self._delivery = block, delivery
        self.written: list[DeadLetter] = list(block.letters)

    def column(self, reason: Refusal, name: str, detail: str) -> None:
        if self.block.number == 0:
            self._write(reason, self.block.file, detail, name.encode(), site="", factor=name)

    def rows(self, reason: Refusal, rows: NDArray[np.int64], details: Sequence[str], sites: Sequence[str]) -> None:
        for row, raw, detail, site in zip(rows, self._raw(rows), details, sites, strict=True):
            self._write(reason, self._place(row), detail, raw, site=site, factor="")

    def cells(self, reason: Refusal, factor: str, rows: NDArray[np.int64], details: Sequence[str], site: str) -> None:
        names = self.block.columns.column(site).take(pa.array(rows)).to_pylist()
        for row, raw, detail, name in zip(rows, self._raw(rows), details, names, strict=True):
            self._write(reason, self._place(row), detail, raw, site=name, factor=factor)

    def _place(self, row: int) -> str:
        return f"{self.block.file}:{self.block.lines[row]}"

    def _raw(self, rows: NDArray[np.int64]) -> list[bytes]:
        return [msgspec.json.encode(row) for row in self.block.columns.take(pa.array(rows)).to_pylist()]

    def _write(self, reason: Refusal, where: str, detail: str, raw: bytes, *, site: str, factor: str) -> None:
        self.written.append(
            DeadLetter(
                reason=reason,
                source=self._delivery.source,
                where=where,
                detail=detail,
                raw=raw,
                site=site,
                factor=factor,
                received_at=self._delivery.received_ms,
            )
        )


def take(
    block: TextBlock, layout: Layout, *, registry: Registry, factors: Mapping[str, Factor], delivery: Delivery
) -> Taken:
    """Return a block's rows as frame rows, and what was refused as dead letters.

    Parameters
    ----------
    block
        Text as it stood in the file; empty cells and ``layout.missing`` are no value.
    layout
        What the columns mean.
    registry
        The sites that may send, with their dates.
    factors
        The kind's factors; the columns of the frame, in this order.
    delivery
        A reading that ends more than 10 min after ``received_ms`` is impossible.
    """
    names = block.columns.column_names
    block = replace(block, columns=_trimmed(block.columns))
    letters = _Letters(block, delivery)
    lacking = [name for name in (layout.site, *layout.time) if name not in names]
    if lacking:
        detail = f"the header lacks {', '.join(lacking)}; name the columns in a layout, or correct the header"
        every = np.arange(len(block.lines))
        letters.rows(Refusal.BAD_FILE, every, [detail] * len(every), [""] * len(every))
        return Taken(rows=pa.RecordBatch.from_pylist([], schema=frame_schema(factors)), letters=tuple(letters.written))
    columns, unknown = _sort_columns(names, layout, factors, letters)
    starts = _starts(block.columns, layout)
    kept = _check_rows(layout, registry, starts, letters, delivery.received_ms)
    data = _factor_columns(layout, columns, factors, kept, letters)
    sites = pc.dictionary_encode(block.columns.column(layout.site).combine_chunks().filter(pa.array(kept)))
    stamp = np.full(int(kept.sum()), delivery.received_ms, dtype="datetime64[ms]")
    arrays = [
        sites.cast(pa.dictionary(pa.int32(), pa.utf8())),
        pa.array(starts[kept].astype("datetime64[ms]")).cast(pa.timestamp("ms", "UTC")),
        pa.array(stamp).cast(pa.timestamp("ms", "UTC")),
        _corrections(layout, kept, letters),
        _other(block.columns, unknown, kept),
        *data,
    ]
    return Taken(rows=pa.RecordBatch.from_arrays(arrays, schema=frame_schema(factors)), letters=tuple(letters.written))


def _trimmed(table: pa.Table) -> pa.Table:
    columns = [pc.fill_null(pc.utf8_trim_whitespace(column.combine_chunks()), "") for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _sort_columns(
    names: Sequence[str], layout: Layout, factors: Mapping[str, Factor], letters: _Letters
) -> tuple[dict[str, _Column], list[str]]:
    """Return factor → its column, and the columns that go to the map of others."""
    symbols = words_of(factors)
    known = {layout.site, *layout.time, layout.correction, *layout.ignored}
    columns: dict[str, _Column] = {}
    unknown: list[str] = []
    for name in names:
        plain, unit = split_unit(name)
        symbol = layout.names.get(name, symbols.get(plain))
        if name in known or _is_flag(name, names, symbols):
            continue
        if symbol is None or symbol in columns:
            problem = "is no factor of this kind" if symbol is None else f"is a second column of {symbol}"
            letters.column(Refusal.UNKNOWN_COLUMN, name, f"{name!r} {problem}; its values are kept beside the rows")
            unknown.append(name)
            continue
        factor = factors[symbol]
        unit = unit or plain_unit(layout.units.get(name, factor.unit))
        scale = factor.units.get(unit, _NO_UNIT)
        if not scale:
            known_units = ", ".join(factor.units)
            detail = f"{name!r} is in {unit!r}; {symbol} is taken in {known_units}: its values are kept beside the rows"
            letters.column(Refusal.UNKNOWN_UNIT, name, detail)
            unknown.append(name)
        columns[symbol] = _Column(name=name, factor=factor, scale=scale, unit=unit)
    return columns, unknown


def words_of(factors: Mapping[str, Factor]) -> dict[str, str]:
    """Return the words by which a header may name a factor → its symbol: code, other words, Chinese name, symbol."""
    words: dict[str, str] = {}
    for symbol, factor in factors.items():
        words |= dict.fromkeys((factor.name_zh, *factor.also, factor.code), symbol)
    words |= {symbol: symbol for symbol in factors}
    words.pop("", None)
    return words


def _is_flag(name: str, names: Sequence[str], symbols: Mapping[str, str]) -> bool:
    base = name.removesuffix(flag_column(""))
    return base != name and (base in names or base in symbols)


def _starts(table: pa.Table, layout: Layout) -> NDArray[np.int64]:
    """Return each row's interval start; UNREADABLE where the time is none or not on a whole interval."""
    parts = [table.column(name).combine_chunks() for name in layout.time]
    times = read_iso(parts[0]) if len(parts) == 1 else read_parts(*parts)
    readable = (times != UNREADABLE) & ((times + BEIJING_OFFSET_MS) % layout.period_ms == 0)
    return np.where(readable, times - (layout.period_ms if layout.label is Label.END else 0), UNREADABLE)


def _time_text(table: pa.Table, layout: Layout, rows: NDArray[np.int64]) -> list[str]:
    found = table.select(list(layout.time)).take(pa.array(rows)).to_pylist()
    return [" ".join(row.values()) for row in found]


def _check_rows(
    layout: Layout, registry: Registry, starts: NDArray[np.int64], letters: _Letters, received_ms: int
) -> NDArray[np.bool_]:
    """Return which rows have a site and a time that can be, and write letters for the others."""
    table = letters.block.columns
    encoded = pc.dictionary_encode(table.column(layout.site).combine_chunks())
    index: NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
    names: list[str] = encoded.dictionary.to_pylist()
    kept = np.ones(len(starts), dtype=np.bool_)

    def refuse(rows: NDArray[np.bool_], reason: Refusal, problem: str) -> None:
        where = np.flatnonzero(rows & kept)
        if where.size:
            sites = [names[position] for position in index[where]]
            times = _time_text(table, layout, where)
            details = [f"{site!r} at {time!r}: {problem}" for site, time in zip(sites, times, strict=True)]
            letters.rows(reason, where, details, sites)
            kept[where] = False

    problem = "no time on a whole interval; write it as 2016-12-20 08:00"
    refuse(starts == UNREADABLE, Refusal.IMPOSSIBLE_TIME, problem)
    problem = "the reading ends after it was received; set the clock of the source"
    refuse(starts + layout.period_ms > received_ms + AHEAD_MS, Refusal.IMPOSSIBLE_TIME, problem)
    entries = [registry.entries(name) for name in names]
    unknown = "the registry has no such site at that time; register it, then drive this letter again"
    refuse(np.array([not found for found in entries], dtype=np.bool_)[index], Refusal.UNKNOWN_SITE, unknown)
    for position, found in enumerate(entries):
        if found:
            mine = index == position
            problem = f"the site began on {beijing(found[0].start):%Y-%m-%d}; set the clock of the source"
            refuse(mine & (starts < found[0].start), Refusal.IMPOSSIBLE_TIME, problem)
            refuse(mine & ~_registered(found, starts), Refusal.UNKNOWN_SITE, unknown)
    return kept


def _registered(entries: Sequence[Site], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    held = np.zeros(len(starts), dtype=np.bool_)
    for entry in entries:
        held |= (entry.start <= starts) & ((entry.end is None) | (starts < (entry.end or 0)))
    return held


def _factor_columns(
    layout: Layout,
    columns: Mapping[str, _Column],
    factors: Mapping[str, Factor],
    kept: NDArray[np.bool_],
    letters: _Letters,
) -> Iterator[pa.Array]:
    """Return value and flag columns of the kept rows, in the order of the factors."""
    read = {symbol: _read(layout, column, kept, letters) for symbol, column in columns.items() if column.scale}
    if layout.copies is Copies.COPIED and "PM2.5" in read and "PM10" in read:
        fine, coarse = read["PM2.5"], read["PM10"]
        same = fine.has_value & coarse.has_value & (fine.values == coarse.values) & (coarse.flags == UNFLAGGED)
        read["PM10"] = replace(coarse, flags=np.where(same, COPIED, coarse.flags).astype(np.uint8))
    rows = int(kept.sum())
    for symbol in factors:
        if symbol in read:
            yield from read[symbol].arrays()
        else:
            yield from (pa.nulls(rows, pa.int32()), pa.nulls(rows, pa.uint8()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    values: NDArray[np.int32]
    has_value: NDArray[np.bool_]
    flags: NDArray[np.uint8]

    def arrays(self) -> tuple[pa.Array, pa.Array]:
        silent = ~self.has_value & (self.flags == UNFLAGGED)
        return pa.array(self.values, mask=~self.has_value), pa.array(self.flags, mask=silent)


def _read(layout: Layout, column: _Column, kept: NDArray[np.bool_], letters: _Letters) -> _Read:
    table = letters.block.columns
    texts = table.column(column.name).combine_chunks()
    readings = read_decimals(texts, column.factor, column.scale, layout.missing)
    for refusal, (reason, problem) in _CELL.items():
        where = np.flatnonzero((readings.state == refusal) & kept)
        if where.size:
            found = texts.take(pa.array(where)).to_pylist()
            details = [f"{column.factor.symbol} {text!r} in {column.unit} {problem}" for text in found]
            letters.cells(reason, column.factor.symbol, where, details, layout.site)
    state = readings.state[kept]
    flags = _flags(table, column)[kept]
    refused = (state > Reading.MISSING) & _IN_MEAN[flags]
    return _Read(
        values=readings.values[kept],
        has_value=np.equal(state, Reading.VALUE),
        flags=np.where(refused, REFUSED, flags).astype(np.uint8),
    )


def _flags(table: pa.Table, column: _Column) -> NDArray[np.uint8]:
    """Return the flag bytes of a column; none, and what is not one ASCII letter, is unflagged."""
    for name in (flag_column(column.name), flag_column(column.factor.symbol)):
        if name in table.column_names:
            encoded = pc.dictionary_encode(table.column(name).combine_chunks())
            letters = [
                ord(text) if len(text) == 1 and text.isascii() else UNFLAGGED for text in encoded.dictionary.to_pylist()
            ]
            index: NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
            return np.array(letters, dtype=np.uint8)[index]
    return np.full(len(table), UNFLAGGED, dtype=np.uint8)


def _corrections(layout: Layout, kept: NDArray[np.bool_], letters: _Letters) -> pa.Array:
    """Return the source's correction numbers of the kept rows; none, or one that is no number, is 0."""
    table = letters.block.columns
    if layout.correction not in table.column_names:
        return pa.array(np.zeros(int(kept.sum()), dtype=np.int16))
    texts = table.column(layout.correction).combine_chunks()
    good = pc.match_substring_regex(texts, r"^[0-9]{1,4}$").to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(~good & pc.not_equal(texts, "").to_numpy(zero_copy_only=False) & kept)
    if wrong.size:
        problem = "the correction is no whole number from 0 to 9999; the row was taken with correction 0"
        letters.cells(Refusal.NOT_A_NUMBER, layout.correction, wrong, [problem] * wrong.size, layout.site)
    numbers = pc.if_else(pa.array(good), texts, "0").cast(pa.int16())
    return numbers.filter(pa.array(kept))


def _other(table: pa.Table, unknown: Sequence[str], kept: NDArray[np.bool_]) -> pa.Array:
    """Return, per kept row, column → text of the columns that are no factor; null when there are none."""
    kind = pa.map_(pa.utf8(), pa.utf8())
    rows = int(kept.sum())
    if not unknown:
        return pa.nulls(rows, kind)
    texts = [table.column(name).combine_chunks().filter(pa.array(kept)) for name in unknown]
    given = np.stack([pc.not_equal(column, "").to_numpy(zero_copy_only=False) for column in texts], axis=1)
    row, place = np.nonzero(given)
    items = pa.concat_arrays(texts).take(pa.array(place * rows + row))
    keys = pa.array(unknown, pa.utf8()).take(pa.array(place))
    offsets = np.concatenate(([0], np.cumsum(given.sum(axis=1)))).astype(np.int32)
    return pa.MapArray.from_arrays(pa.array(offsets), keys, items)
