"""The trophic level index of lakes and reservoirs.

Logarithms have no exact form: they are taken as floats, item by item in the order of the table, and
the index is rounded to its stated digits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensors.errors import UnknownName
from streams.water.standards import Trophic

_UNITS: Final = {
    "mg/m³": {"mg/m³": 1.0, "µg/L": 1.0, "mg/L": 1000.0},
    "mg/L": {"mg/L": 1.0, "µg/L": 0.001},
    "m": {"m": 1.0, "cm": 0.01},
}


class TrophicIndex(NamedTuple):
    """The index, ``[..., N]``."""

    value: NDArray[np.int64]
    """At the edition's digits; 0 where not `present`."""
    present: NDArray[np.bool_]
    """All items are there and above 0."""
    singles: NDArray[np.int64]
    """``[..., I, N]``: the index of each item at the same digits; 0 where it has none."""
    usable: NDArray[np.bool_]
    """``[..., I, N]``: the item is there and above 0; a logarithm needs that."""


def unit_factor(wanted: str, given: str) -> float:
    """Return what brings a unit to the one the formula wants.

    Raises
    ------
    UnknownName
        When there is no such unit here.
    """
    try:
        return _UNITS[wanted][given]
    except KeyError as cause:
        raise UnknownName(f"the units that become {wanted}", given) from cause


def trophic_index(
    values: NDArray[np.int64], present: NDArray[np.bool_], units: list[float], rule: Trophic
) -> TrophicIndex:
    """Return the trophic index of lakes.

    Parameters
    ----------
    values
        ``[..., I, N]`` fixed point, items in the order of the rule.
    present
        Which are valid.
    units
        Per item, units of the formula in one stored unit (`unit_factor` / 10**digits).
    rule
        Coefficients and weights.

    Returns
    -------
    TrophicIndex
        No index where an item is missing or not above 0.

    References
    ----------
    .. [1] 湖泊（水库）富营养化评价方法及分级技术规定: TLI = Σ W · 10 (a + b ln c).
    """
    usable = present & (values > 0)
    scale = 10**rule.digits
    singles = np.zeros(values.shape, dtype=np.float64)
    total = np.zeros(values.shape[:-2] + values.shape[-1:], dtype=np.float64)
    for place, (item, unit) in enumerate(zip(rule.items, units, strict=True)):
        concentration = np.where(usable[..., place, :], values[..., place, :], 1) * unit
        singles[..., place, :] = 10 * (item.a + item.b * np.log(concentration))
        total += item.weight * singles[..., place, :]
    there: NDArray[np.bool_] = np.asarray(usable.all(axis=-2))
    return TrophicIndex(
        np.where(there, _fixed(total, scale), 0), there, np.where(usable, _fixed(singles, scale), 0), usable
    )


def _fixed(values: NDArray[np.float64], scale: int) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = np.rint(values * scale).astype(np.int64)
    return whole


def grades(index: TrophicIndex, rule: Trophic) -> NDArray[np.int8]:
    """Return the grade of each index, 1 (oligotrophic) to 5; 0 where there is none.

    References
    ----------
    .. [1] As `trophic_index`: below 30, 30 to 50, above 50 to 60, above 60 to 70, above 70.
    """
    scale = 10**rule.digits
    found = np.zeros(index.value.shape, dtype=np.int8)
    for grade in reversed(rule.grades):
        inside = np.ones(found.shape, dtype=np.bool_)
        if grade.below is not None:
            inside = index.value < grade.below * scale
        elif grade.up_to is not None:
            inside = index.value <= grade.up_to * scale
        found[inside] = grade.grade
    return np.where(index.present, found, np.int8(0))
