"""Cells of a sheet of concentrations, to fixed-point integers at the standard's last digit.

A number is rounded half to even once, from its exact decimal text (GB/T 8170); plain decimals are
read as columns, so that a sheet of unrounded numbers is as quick as one of whole numbers.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sensors.decimals import Reading, read_decimals
from sensors.factors import EXTRA_DIGITS, Factor
from sensors.layouts import CSV
from streams.judging.means import divide_half_even

PLAN: Final = "/"
"""Stands for an item that is not measured by plan."""
_MISSING: Final = CSV.missing | {"NaN", "nan", "N/A", "None", "none", "Null", "na"}
_PLAIN: Final = r"^[0-9]{1,6}(\.[0-9]{0,30})?$"
_KEPT: Final = 12
"""Decimals that a column of plain numbers keeps; of those behind only matters whether they are all 0."""
_INT64: Final = int(np.iinfo(np.int64).max)


class Cell(IntEnum):
    """What a cell was; `CELL_WORDS` says it."""

    VALUE = 0
    PLAN = 1
    EMPTY = 2
    NO_NUMBER = 3
    SENTINEL = 4
    BOUNDS = 5
    OVER_TABLE = 6
    INCOMPLETE = 7
    """Of a time that was made of cells: too few of them are values."""
    BELOW = 8
    """Below the limit of detection, which the cell names: half of it is the value."""


CELL_WORDS: Final = (
    "", "", "missing", "not a number", "a code for no value", "outside physical bounds", "over the table",
    "too few valid values", "below detection, half of the limit taken",
)  # fmt: skip
_OF_READING: Final = {
    Reading.VALUE: Cell.VALUE,
    Reading.MISSING: Cell.EMPTY,
    Reading.NOT_A_NUMBER: Cell.NO_NUMBER,
    Reading.SENTINEL: Cell.SENTINEL,
    Reading.IMPOSSIBLE: Cell.BOUNDS,
}
_CELL_OF_READING: Final = np.array([_OF_READING[reading] for reading in Reading], dtype=np.uint8)


def read_cells(texts: pa.Array, factor: Factor, scale: Fraction) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return a column's values and what each cell was.

    Parameters
    ----------
    texts
        The cells; blanks around do not count, null is empty.
    factor
        Gives digits, last digit and physical bounds.
    scale
        Canonical units in one unit of the column: a power of ten.

    Returns
    -------
    tuple
        Values in fixed point at the factor's digits, rounded to the standard's last digit, 0 where
        there is none; and a `Cell` for each.
    """
    encoded = pc.dictionary_encode(pc.fill_null(pc.utf8_trim_whitespace(texts), ""))
    distinct = encoded.dictionary
    plain = pc.match_substring_regex(distinct, _PLAIN)
    values, cells = _read_plain(pc.if_else(plain, distinct, "0"), factor, scale)
    odd = np.flatnonzero(~plain.to_numpy(zero_copy_only=False))
    if len(odd):
        texts_odd = distinct.take(pa.array(odd))
        # The same reader as for feeds, told to stop at the standard's digit: rounded once, not twice.
        coarse = replace(factor, extra=0)
        read = read_decimals(texts_odd, coarse, scale, _MISSING)
        values[odd] = read.values
        planned = pc.equal(texts_odd, PLAN).to_numpy(zero_copy_only=False)
        cells[odd] = np.where(planned, Cell.PLAN, _CELL_OF_READING[read.state])
    rows = encoded.indices.to_numpy(zero_copy_only=False)
    return (values * factor.step)[rows], cells[rows]


def _read_plain(texts: pa.Array, factor: Factor, scale: Fraction) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return plain decimals at the standard's digit, and whether they are inside the bounds."""
    kept = pc.replace_substring_regex(texts, rf"(\.[0-9]{{{_KEPT}}})[0-9]+$", r"\1")
    sticky = pc.match_substring_regex(texts, rf"\.[0-9]{{{_KEPT}}}[0-9]*[1-9]").to_numpy(zero_copy_only=False)
    decimals = pc.cast(kept, pa.decimal128(6 + _KEPT, _KEPT))
    words = np.frombuffer(decimals.buffers()[1], dtype="<i8")[2 * decimals.offset :: 2][: len(decimals)]
    # Doubled, so that a cut tail stands between two numbers and makes no tie.
    doubled = 2 * words + sticky
    unit = Fraction(2 * 10**_KEPT) / scale
    fits = (doubled >= _bound(factor.low * unit)) & (doubled <= _bound(factor.high * unit))
    ratio = Fraction(10 ** (factor.digits - EXTRA_DIGITS)) / unit
    values = divide_half_even(doubled * ratio.numerator, ratio.denominator)
    return np.where(fits, values, 0), np.where(fits, Cell.VALUE, Cell.BOUNDS).astype(np.uint8)


def _bound(value: Fraction) -> int:
    return min(int(value), _INT64)
