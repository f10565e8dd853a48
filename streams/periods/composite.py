"""The composite index of air in both forms: sum of w C / S over the six items."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from streams.periods.comparing import half_even
from streams.periods.rules import Composite


class CompositeIndex(NamedTuple):
    """A composite index, fixed point at the form's ``index_decimals``."""

    value: int
    parts: Mapping[str, int]
    """Item → its weighted single index, rounded like the sum."""
    largest: tuple[str, ...]
    """The items with the largest part, before rounding."""


def composite_index(values: Mapping[str, Fraction | None], form: Composite) -> CompositeIndex | None:
    """Return the composite index of one period; None where an item is missing.

    Parameters
    ----------
    values
        Means of PM2.5, PM10, SO2 and NO2, 95th percentile of CO days, 90th of MDA8. [µg/m³; CO mg/m³]
    form
        Weights, limits and the digits to which each value is rounded half to even before it is divided.

    References
    ----------
    .. [1] HJ 663-2013 and the city-ranking rule; HJ 663-2026 (single source).
    """
    parts: dict[str, Fraction] = {}
    for item, weight in form.weights.items():
        value = values.get(item)
        if value is None:
            return None
        digits = form.decimals[item]
        parts[item] = weight * Fraction(half_even(value, digits), 10**digits) / form.limits[item]
    top = max(parts.values())
    return CompositeIndex(
        value=half_even(sum(parts.values(), Fraction(0)), form.index_decimals),
        parts={item: half_even(part, form.index_decimals) for item, part in parts.items()},
        largest=tuple(item for item, part in parts.items() if part == top),
    )
