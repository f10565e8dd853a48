"""Means that only air has: ozone over 8 hours as the national platform says it, and the day's largest.

Numbers as in `streams.judging.means`; hours are already whole steps of the standard's last digit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from streams.judging.means import Flags, Ints, Means, rounded_means, window_sums

O3_SPAN = 8
"""Hours of a running ozone mean."""
DAY_SPAN = 24
"""Hours of a day."""
FIRST_MDA8_END = 8
"""The first running mean of a day's MDA8 ends at 08:00, the last at 24:00 (HJ 663)."""
MDA8_WINDOWS = 17
"""Running means that lie wholly inside one day."""


def o3_8h_platform(values: Ints, present: Flags, hour_of_day: Ints, *, at_least: int, step: int) -> Means:
    """Return the ozone means that the national platform publishes: hours since midnight, at most 8.

    For comparison only; never judged.

    Parameters
    ----------
    values, present
        As in `running_mean`, ``[..., H]``.
    hour_of_day
        ``[H]``: 0 for the hour from 00:00 to 01:00 Beijing time, 23 for the last.
    at_least
        Valid hours that a window needs, at most as many as it has hours.
    step
        As in `running_mean`.
    """
    spans = np.minimum(np.asarray(hour_of_day) + 1, O3_SPAN)
    sums, counts = window_sums(values, present, spans)
    return rounded_means(sums, counts, np.minimum(spans, at_least), step)


def mda8(o3_8h: Ints, present: Flags, *, at_least: int, limit: ArrayLike | None = None) -> Means:
    """Return the largest of a day's running ozone means.

    Parameters
    ----------
    o3_8h
        ``[..., 17]``: the running means that end 08:00 to 24:00 of the day.
    present
        Which are valid.
    at_least
        Valid windows that the day needs (HJ 663-2013: 14).
    limit
        Limit of the site's zone, same fixed point, broadcast over the leading axes. A largest mean
        above it is valid with fewer windows. None: no such exception.

    Returns
    -------
    Means
        ``value`` is the largest valid running mean, ``valid`` the number of valid windows.
    """
    counts = np.count_nonzero(present, axis=-1).astype(np.int64)
    largest = np.where(present, o3_8h, np.int64(-1)).max(axis=-1)
    ok = counts >= max(at_least, 1)
    if limit is not None:
        ok |= (counts > 0) & (largest > np.asarray(limit, dtype=np.int64))
    return Means(np.where(ok, largest, 0), ok, counts)
