"""The items of the air quality index in a sheet: which column each stands in, and what its cells say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jianhu.calc.cells import Cell, read_cells
from jianhu.sheet import wrong_sheet
from sensors.factors import Factor, load_factors
from sensors.layouts import split_unit

TIME: Final = "time"
SITE: Final = "site"
_UNUSABLE: Final = (Cell.NO_NUMBER, Cell.SENTINEL, Cell.BOUNDS)


class Period(StrEnum):
    """Over which time the values of a table were taken."""

    HOUR = "1h"
    """1 h means: the real-time index."""
    DAY = "24h"
    """24 h means, and O3 as MDA8 in the column ``O3_8h``: the daily index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemColumn:
    """The column of one item."""

    name: str
    factor: Factor
    scale: Fraction
    """Canonical units in one unit of the column."""


def item_columns(names: Sequence[str], period: Period, file: str, added: Sequence[str] = ()) -> list[ItemColumn]:
    """Return the column of each item, in the order of the factor table.

    Parameters
    ----------
    names
        The header.
    period
        Of days ozone stands in ``O3_8h``.
    file
        The sheet, for errors.
    added
        Columns that the result adds to those of the sheet, which may not have them.

    Raises
    ------
    ConfigError
        When a column is missing, there twice, or in a unit that is not known.
    """
    factors = load_factors("air")
    wanted = {symbol: f"{symbol}_8h" if symbol == "O3" and period is Period.DAY else symbol for symbol in factors}
    found: dict[str, str] = {}
    for name in names:
        stem = name if name in {TIME, SITE} else split_unit(name)[0]
        if stem in wanted.values() and stem in found:
            problem = f"the header has {found[stem]} and {name}"
            raise wrong_sheet(file, 1, stem, problem, "leave one of them, or rename it")
        found[stem] = name
    lacking = [name for name in (TIME, SITE, *wanted.values()) if name not in found]
    lacking += [name for name in (TIME, SITE) if name in found and name not in names]
    if lacking:
        mend = f"name it in the header; it has {', '.join(names)}"
        raise wrong_sheet(file, 1, ", ".join(lacking), "the column is missing", mend)
    taken = [name for name in added if name in names]
    if taken:
        raise wrong_sheet(
            file, 1, ", ".join(taken), "the result would have this column twice", "rename it in the input"
        )
    return [
        ItemColumn(name=found[name], factor=factors[symbol], scale=_scale(found[name], factors[symbol], file))
        for symbol, name in wanted.items()
    ]


def _scale(name: str, factor: Factor, file: str) -> Fraction:
    unit = split_unit(name)[1]
    if unit is None:
        return Fraction(1)
    unit = unit.replace("ug/", "µg/")
    if unit not in factor.units:
        raise wrong_sheet(file, 1, name, f"the unit {unit!r} is not known", f"use one of {', '.join(factor.units)}")
    return factor.units[unit]


def read_items(
    piece: Mapping[str, pa.Array] | pa.Table, columns: Sequence[ItemColumn]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return what the item columns of a sheet, or of a piece of it, say.

    Returns
    -------
    tuple
        ``[I, N]`` values in fixed point at the factors' digits, rounded to the standard's last digit, and
        ``[I, N]`` of `Cell`: where that is no `Cell.VALUE`, the value means nothing.
    """
    read = [read_cells(piece[column.name].combine_chunks(), column.factor, column.scale) for column in columns]
    return np.stack([values for values, _ in read]), np.stack([cells for _, cells in read])


def unusable(cells: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return of each item ``[I]`` how many of its cells ``[I, N]`` hold text that cannot be used."""
    counts: NDArray[np.int64] = np.isin(cells, _UNUSABLE).sum(axis=1)
    return counts


def bad_cells_text(counts: Mapping[str, int]) -> str:
    """Return which columns have how many cells that could not be used, for a report; empty where none has."""
    told = ", ".join(f"{count} in {name}" for name, count in counts.items() if count)
    return f"cells that could not be used: {told}" if told else ""
