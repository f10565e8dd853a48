"""Decimal text to fixed-point integers, exactly: no float ever touches a measured value.

Each *distinct* text of a column is read once; measured values repeat, so the work grows with the
number of different texts and not with the rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sensors.factors import Factor

SENTINELS: Final = frozenset({Fraction(-999), Fraction(-9999), Fraction(-99999)})
"""Numbers by which loggers say "no value": -999, -9999, -99999."""
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")


class Reading(IntEnum):
    """What a text was."""

    VALUE = 0
    """A number inside the factor's physical bounds."""
    MISSING = 1
    """One of the texts that say that there is no value."""
    NOT_A_NUMBER = 2
    """Text, NaN, an infinity, or an exponent beyond any measurement."""
    SENTINEL = 3
    """A logger's code for "no value"."""
    IMPOSSIBLE = 4
    """A number outside the factor's physical bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """A column of texts, read."""

    values: NDArray[np.int32]
    """Fixed point at the factor's digits; 0 where ``state`` is not VALUE."""
    state: NDArray[np.uint8]
    """A `Reading` per text."""


def fixed_point(text: str, factor: Factor, scale: Fraction) -> tuple[int, Reading]:
    """Return one number as an integer at the factor's digits, rounded half to even when finer.

    A number that only rounding would bring to the middle between two reported values keeps to its side of it, or
    rounding it again to the standard's digit would go wrong: 1.4994 is kept as 1.49 and reported as 1, not as 2.

    Parameters
    ----------
    text
        Decimal text without blanks, in the unit that ``scale`` brings to the canonical one.
    factor
        Gives digits and physical bounds.
    scale
        Canonical units in one unit of the text.
    """
    if _NUMBER.fullmatch(text) is None:
        return 0, Reading.NOT_A_NUMBER
    number = Fraction(text)
    if number in SENTINELS:
        return 0, Reading.SENTINEL
    value = number * scale
    if not factor.low <= value <= factor.high:
        return 0, Reading.IMPOSSIBLE
    return _beside_ties(value * 10**factor.digits, factor.step), Reading.VALUE


def _beside_ties(exact: Fraction, step: int) -> int:
    """Return a number rounded half to even, but never to the middle of a step when it is not there itself."""
    kept = round(exact)
    if 2 * (kept % step) != step or exact == kept:
        return kept
    return kept + 1 if exact > kept else kept - 1


def read_decimals(texts: pa.Array, factor: Factor, scale: Fraction, missing: frozenset[str]) -> Readings:
    """Return a column of texts as fixed-point integers; null and ``missing`` texts are MISSING.

    Parameters
    ----------
    texts
        utf8 without blanks around, any length.
    factor, scale
        As for `fixed_point`.
    missing
        Texts that say that there is no value.
    """
    encoded = pc.dictionary_encode(pc.fill_null(texts, ""))
    read = [
        (0, Reading.MISSING) if text == "" or text in missing else fixed_point(text, factor, scale)
        for text in encoded.dictionary.to_pylist()
    ]
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    values = np.array([value for value, _ in read], dtype=np.int32)
    state = np.array([state for _, state in read], dtype=np.uint8)
    return Readings(values=values[indices], state=state[indices])
