"""Cells of a sheet as exact numbers, for judgements on unrounded values.

A column becomes int64 at `SCALE`: nine decimals, doubled, and one more where anything stands behind the
ninth. Such a number lies on the same side of every limit of nine decimals as the text itself.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jianhu.calc.cells import Cell
from sensors.decimals import SENTINELS
from sensors.factors import Factor
from sensors.layouts import CSV

KEPT: Final = 9
SCALE: Final = 2 * 10**KEPT
"""Integer units in one unit of the factor."""
MISSING: Final = CSV.missing | {"", "*", "/", "//", "－", "N/A", "NaN", "nan", "None", "none", "Null", "na", "无"}
_WHOLE: Final = 9
_PLAIN: Final = rf"^[0-9]{{1,{_WHOLE}}}(\.[0-9]{{0,30}})?$"
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_BELOW: Final = re.compile(r"(?:[<＜]\s*(?P<less>[0-9.]{1,30})|(?P<lab>[0-9.]{1,30})\s*[Ll])", re.ASCII)


def read_exact(texts: pa.Array, factor: Factor, scale: Fraction) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return a column's values at `SCALE` and what each cell was.

    Parameters
    ----------
    texts
        The cells; blanks around do not count, null is empty. ``<0.01`` and ``0.01L`` are below detection.
    factor
        Gives the physical bounds.
    scale
        Canonical units in one unit of the column.

    Returns
    -------
    tuple
        Values in the factor's unit, 0 where there is none; and a `Cell` for each.
    """
    encoded = pc.dictionary_encode(pc.fill_null(pc.utf8_trim_whitespace(texts), ""))
    distinct = encoded.dictionary
    if scale == 1:
        plain = pc.match_substring_regex(distinct, _PLAIN).to_numpy(zero_copy_only=False)
    else:
        plain = np.zeros(len(distinct), dtype=np.bool_)
    values, cells = _read_plain(pc.if_else(pa.array(plain), distinct, "0"), factor)
    odd = np.flatnonzero(~plain)
    for place, text in zip(odd.tolist(), distinct.take(pa.array(odd)).to_pylist(), strict=True):
        values[place], cells[place] = _read_odd(text, factor, scale)
    rows = encoded.indices.to_numpy(zero_copy_only=False)
    return values[rows], cells[rows]


def _read_plain(texts: pa.Array, factor: Factor) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    kept = pc.replace_substring_regex(texts, rf"(\.[0-9]{{{KEPT}}})[0-9]+$", r"\1")
    tail = pc.match_substring_regex(texts, rf"\.[0-9]{{{KEPT}}}[0-9]*[1-9]").to_numpy(zero_copy_only=False)
    decimals = pc.cast(kept, pa.decimal128(_WHOLE + KEPT, KEPT))
    if not len(decimals):
        return np.zeros(0, np.int64), np.zeros(0, np.uint8)
    words = np.frombuffer(decimals.buffers()[1], dtype="<i8")[2 * decimals.offset :: 2][: len(decimals)]
    values = 2 * words + tail
    fits = (values >= factor.low * SCALE // 1) & (values <= min(factor.high * SCALE // 1, 2**63 - 1))
    return np.where(fits, values, 0), np.where(fits, Cell.VALUE, Cell.BOUNDS).astype(np.uint8)


def _read_odd(text: str, factor: Factor, scale: Fraction) -> tuple[int, Cell]:
    if text in MISSING:
        return 0, Cell.EMPTY
    below = _BELOW.fullmatch(text)
    number = (below["less"] or below["lab"]) if below else text
    if _NUMBER.fullmatch(number) is None:
        return 0, Cell.NO_NUMBER
    value = Fraction(number)
    if value in SENTINELS:
        return 0, Cell.SENTINEL
    value *= scale / 2 if below else scale
    if not factor.low <= value <= factor.high or value * SCALE >= 2**63:
        return 0, Cell.BOUNDS
    whole, rest = divmod(value * 10**KEPT, 1)
    return 2 * int(whole) + (rest > 0), Cell.BELOW if below else Cell.VALUE
