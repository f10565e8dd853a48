"""Slots: where readings are folded. One int64 a slot, and the greatest wins.

A key packs, from the top: origin (3 bits), the source's correction number (8), minutes from the
slot's start to its receipt (13), value (32, offset by 2**31; 0 = no value) and flag (5). Folding is the maximum of
keys, so it is associative, commutative and idempotent: order, cuts and repeats cannot matter.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import MINUTE_MS
from sensors.flags import FLAG_USES, UNFLAGGED, in_mean_table, mark_table
from sensors.frames import CORRECTION, RECEIVED, START, Frame, flag_column

Keys = NDArray[np.int64]

_FLAG_BITS, _VALUE_BITS, _DELAY_BITS, _CORRECTION_BITS = 5, 32, 13, 8
_VALUE_SHIFT = _FLAG_BITS
_DELAY_SHIFT = _VALUE_SHIFT + _VALUE_BITS
_CORRECTION_SHIFT = _DELAY_SHIFT + _DELAY_BITS
_ORIGIN_SHIFT = _CORRECTION_SHIFT + _CORRECTION_BITS
_VALUE_OFFSET = 1 << 31
_FLAG_MASK = (1 << _FLAG_BITS) - 1
_VALUE_MASK = (1 << _VALUE_BITS) - 1
_DELAY_MAX = (1 << _DELAY_BITS) - 1
_CORRECTION_MAX = (1 << _CORRECTION_BITS) - 1
NO_FLAG = 0
"""Flag code of an unflagged value; the letters of `FLAG_USES` follow from 1."""


def _tables() -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.uint16]]:
    codes = np.full(256, NO_FLAG, dtype=np.int64)
    in_mean = np.zeros(1 << _FLAG_BITS, dtype=np.bool_)
    marks = np.zeros(1 << _FLAG_BITS, dtype=np.uint16)
    letters = [UNFLAGGED, *(ord(use.letter) for use in FLAG_USES)]
    codes[letters] = np.arange(len(letters))
    in_mean[: len(letters)] = in_mean_table()[letters]
    marks[: len(letters)] = mark_table()[letters]
    return codes, in_mean, marks


_CODE_OF_LETTER, IN_MEAN, MARKS = _tables()
_IN_MEAN_BITS = np.int64(sum(1 << code for code, enters in enumerate(IN_MEAN) if enters))


def keys_of(frame: Frame, factors: Mapping[str, object]) -> Keys:
    """Return the keys of a frame's readings, shape [rows, factors]; 0 where a row says nothing.

    A factor that the frame lacks gives zeros. A negative correction number counts as 0, one over
    255 as 255, and a delay over 136 h as 136 h.
    """
    rows = frame.rows
    start = times_of(rows, START)
    delay = np.minimum(np.maximum((times_of(rows, RECEIVED) - start) // MINUTE_MS, 0), _DELAY_MAX)
    correction = np.minimum(np.maximum(_plain(rows.column(CORRECTION)), 0), _CORRECTION_MAX).astype(np.int64)
    top = (np.int64(frame.head.origin) << _ORIGIN_SHIFT) | (correction << _CORRECTION_SHIFT) | (delay << _DELAY_SHIFT)
    places = {name: place for place, name in enumerate(rows.schema.names)}
    shape = (len(factors), rows.num_rows)  # a factor's column lies in one piece until all are read
    values, letters, said = np.zeros(shape, np.int64), np.full(shape, UNFLAGGED, np.uint8), np.zeros(shape, np.bool_)
    for position, factor in enumerate(factors):
        if factor in places:
            number, flag = rows.column(places[factor]), rows.column(places[flag_column(factor)])
            values[position], letters[position] = _plain(number), _plain(flag)
            values[position] += _VALUE_OFFSET
            said[position] = _silenced(number, flag, values[position], letters[position])
    values <<= _VALUE_SHIFT
    values |= _CODE_OF_LETTER[letters]
    values |= top
    values *= said
    return np.ascontiguousarray(values.T)


def _silenced(number: pa.Array, flag: pa.Array, value: Keys, letter: NDArray[np.uint8]) -> NDArray[np.bool_] | bool:
    """Put nothing where a factor's columns are null, and return where either says something."""
    valued, flagged = _valid(number), _valid(flag)
    if valued is not None:
        value[~valued] = 0
    if flagged is not None:
        letter[~flagged] = UNFLAGGED
    return True if valued is None or flagged is None else valued | flagged


def _plain(column: pa.Array) -> NDArray[np.integer]:
    """Return the numbers of a column as they lie in memory; where it is null, anything."""
    stop, buffer = column.offset + len(column), column.buffers()[1]
    numbers: NDArray[np.integer] = np.frombuffer(buffer, column.type.to_pandas_dtype(), stop)[column.offset :]
    return numbers


def _valid(column: pa.Array) -> NDArray[np.bool_] | None:
    """Return where a column is not null; None when it is nowhere."""
    if not column.null_count:
        return None
    bits = np.frombuffer(column.buffers()[0], np.uint8)
    return np.unpackbits(bits, count=column.offset + len(column), bitorder="little")[column.offset :].view(np.bool_)


def times_of(rows: pa.RecordBatch, name: str) -> Keys:
    """Return a column of times without nulls, ms since 1970-01-01 UTC, as it lies in memory."""
    column = rows.column(name)
    times: Keys = np.frombuffer(column.buffers()[1], np.int64, column.offset + len(column))[column.offset :]
    return times


def values_of(keys: Keys) -> Keys:
    """Return the fixed-point values of keys; meaningless where `has_value` is false."""
    return ((keys >> _VALUE_SHIFT) & _VALUE_MASK) - _VALUE_OFFSET


def has_value(keys: Keys) -> NDArray[np.bool_]:
    """Tell which keys carry a number."""
    there: NDArray[np.bool_] = (keys & (_VALUE_MASK << _VALUE_SHIFT)) != 0
    return there


def counts(keys: Keys) -> NDArray[np.bool_]:
    """Tell which keys carry a number that may enter a mean."""
    enters = keys & _FLAG_MASK
    np.right_shift(_IN_MEAN_BITS, enters, out=enters)
    enters &= 1
    entering: NDArray[np.bool_] = has_value(keys)
    entering &= enters.astype(np.bool_)
    return entering


def marks_of(keys: Keys) -> NDArray[np.uint16]:
    """Return the marks that each key leaves on its window; 0 for an empty slot."""
    marks: NDArray[np.uint16] = MARKS[keys & _FLAG_MASK]
    marks[keys == 0] = 0
    return marks


def marks_over(keys: Keys) -> NDArray[np.uint16]:
    """Return the union of the marks of keys over the first axis."""
    flags = keys & _FLAG_MASK
    np.left_shift(1, flags, out=flags)
    flags *= keys != 0
    found = np.bitwise_or.reduce(flags, axis=0)
    marks = np.zeros(found.shape, np.uint16)
    for flag, mark in enumerate(MARKS):
        if mark:
            marks |= mark * ((found >> flag) & 1).astype(np.uint16)
    return marks


def delays_of(keys: Keys) -> Keys:
    """Return the minutes from the start of each key's slot to its receipt, at most 136 h."""
    return (keys >> _DELAY_SHIFT) & _DELAY_MAX


def content_of(keys: Keys) -> NDArray[np.uint64]:
    """Return what of a key is content: everything but when it was received (rulings, "Equal")."""
    return (keys & ~np.int64(_DELAY_MAX << _DELAY_SHIFT)).view(np.uint64)


def fold_unique(target: Keys, index: NDArray[np.intp], keys: Keys) -> NDArray[np.bool_]:
    """Fold rows of keys into rows of ``target`` in place, and tell which rows changed something.

    Parameters
    ----------
    target
        Slots, shape [slots, factors]; changed in place.
    index
        Row of ``target`` for each row of ``keys``; may repeat.
    keys
        Shape [rows, factors].

    Returns
    -------
    Boolean per row of ``keys``: some factor's key was greater than what was held before this call.
    """
    held = target[index]
    changed: NDArray[np.bool_] = np.asarray((keys > held).any(axis=1))
    if _strictly_rising(index):
        np.maximum(held, keys, out=held)
        target[index] = held
    else:
        np.maximum.at(target, index, keys)
    return changed


def _strictly_rising(index: NDArray[np.intp]) -> bool:
    return bool((np.diff(index) > 0).all()) or np.unique(index).size == index.size
