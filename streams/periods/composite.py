"""The composite index of air in both forms: sum of w C / S over the six items, of many members at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.judging.means import Flags, Ints
from streams.periods.ratios import Ratios, product, quotients
from streams.periods.rules import Composite


class Composites(NamedTuple):
    """Composite indices, fixed point at the form's ``index_decimals``: arrays [members]."""

    value: Ints
    """0 where not `ok`."""
    ok: Flags
    """Every item has a value."""
    items: tuple[str, ...]
    parts: Ints
    """The weighted single index of each item, rounded like the sum, [items, members]."""
    largest: Flags
    """The items with the largest part, before rounding, [items, members]."""


def composite_indices(values: Mapping[str, Ratios], form: Composite) -> Composites:
    """Return the composite index of each member over one period; none where an item is missing.

    Parameters
    ----------
    values
        Means of PM2.5, PM10, SO2 and NO2, 95th percentile of CO days, 90th of MDA8; an item that is not named is
        missing. [µg/m³; CO mg/m³]
    form
        Weights, limits and the digits to which each value is rounded half to even before it is divided.

    References
    ----------
    .. [1] HJ 663-2013 and the city-ranking rule; HJ 663-2026 (single source).
    """
    items = tuple(form.weights)
    size = next((found.ok.size for found in values.values()), 0)
    ok = np.ones(size, np.bool_) & (set(items) <= set(values))
    common = math.lcm(*(10 ** form.decimals[item] * form.limits[item] for item in items))
    rows: list[NDArray[np.int64]] = []
    for item in items:
        found = values.get(item)
        if found is None:
            rows.append(np.zeros(size, np.int64))
            continue
        ok = ok & found.ok
        share = form.weights[item] * (common // (10 ** form.decimals[item] * form.limits[item]))
        rows.append(product(found.fixed(form.decimals[item]), share))
    parts = np.stack(rows)
    whole = np.full(parts.shape, common)
    scaled = product(parts, 10**form.index_decimals)
    return Composites(
        value=np.where(ok, quotients(scaled.sum(axis=0), whole[0]), 0),
        ok=ok,
        items=items,
        parts=quotients(scaled, whole),
        largest=np.asarray(parts == parts.max(axis=0), np.bool_),
    )
