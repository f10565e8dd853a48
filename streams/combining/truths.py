"""What the conditions of a table are in each slot, as arrays over sites: yes, no or unknown.

A value that is not there is unknown, whatever the reason: silence, calibration, a fault, a place below completeness, a
threshold that nobody set. A value that an automatic test holds suspect stays a value (rulings, "Flags").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensors.factors import Factor
from sensors.registry import Site
from sensors.tables import Bounds, Condition, Truth, TruthTable
from streams.judging.plan import Slots

Truths = NDArray[np.int8]
"""`sensors.tables.Truth` of each site and slot."""
_LEAST: Final = -(2**62)
_MOST: Final = 2**62


class SiteBounds:
    """The bounds of a condition as stored integers, one pair a site, both inside.

    Parameters
    ----------
    bounds
        As the file says them.
    factor
        Gives the digits of stored values.
    sites
        Registry entries, one per row; a threshold that one of them does not set is unknown there.
    """

    def __init__(self, bounds: Bounds, factor: Factor, sites: Sequence[Site]) -> None:
        ends = [_ends(bounds, factor, site) for site in sites]
        self._low = np.array([low for low, _, _ in ends], np.int64)[:, None]
        self._high = np.array([high for _, high, _ in ends], np.int64)[:, None]
        self.known = np.array([known for _, _, known in ends], np.bool_)[:, None]
        """Whether the thresholds of a site are set, [sites, 1]."""

    def hold(self, values: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return where values [sites, slots] lie inside."""
        return np.asarray((self._low <= values) & (values <= self._high))


def _ends(bounds: Bounds, factor: Factor, site: Site) -> tuple[int, int, bool]:
    low, high = _threshold(bounds.low, site), _threshold(bounds.high, site)
    known = (bounds.low is None or low is not None) and (bounds.high is None or high is not None)
    scale = 10**factor.digits
    least = _LEAST if low is None else (ceil(low * scale) if bounds.low_inside else floor(low * scale) + 1)
    most = _MOST if high is None else (floor(high * scale) if bounds.high_inside else ceil(high * scale) - 1)
    return least, most, known


def _threshold(given: Fraction | str | None, site: Site) -> Fraction | None:
    if not isinstance(given, str):
        return given
    said = site.setting.get(given)
    return None if said is None else Fraction(str(said))


def condition_truths(
    condition: Condition, slots: Slots, sites: Sequence[Site], factors: Mapping[str, Factor]
) -> Truths:
    """Return what a condition is in each slot, [sites, slots].

    One that looks at several slots is unknown where those before are not given and would matter.
    """
    shape = (len(sites), slots.number.size)
    if not condition.factor:
        return np.broadcast_to(_of_setting(condition, sites)[:, None], shape)
    factor, place = factors[condition.factor], slots.at(condition.factor)
    values, present = slots.value[:, place], slots.present[:, place] & slots.planned[:, place]
    yes = SiteBounds(condition.yes, factor, sites)
    held, known = yes.hold(values), present & yes.known
    if condition.no is not None:
        no = SiteBounds(condition.no, factor, sites)
        known &= no.known & (held | no.hold(values))
    truths = np.where(known, np.where(held, np.int8(Truth.YES), np.int8(Truth.NO)), np.int8(Truth.UNKNOWN))
    if condition.within > 1:
        return _any_of(truths, condition.within, Truth.YES)
    return _any_of(truths, condition.throughout, Truth.NO) if condition.throughout > 1 else truths


def _of_setting(condition: Condition, sites: Sequence[Site]) -> Truths:
    def truth(site: Site) -> Truth:
        said = site.setting.get(condition.setting)
        if said is None:
            return Truth.UNKNOWN
        return Truth.YES if str(said) in condition.one_of else Truth.NO

    return np.array([truth(site) for site in sites], np.int8)


def _any_of(truths: Truths, span: int, wins: Truth) -> Truths:
    """Return Kleene's *any* (``wins`` YES) or *all* (``wins`` NO) over the last ``span`` slots."""
    before = np.full((truths.shape[0], span - 1), Truth.UNKNOWN, np.int8)
    seen = sliding_window_view(np.concatenate([before, truths], axis=1), span, axis=1)
    won, unknown = (seen == wins).any(axis=-1), (seen == Truth.UNKNOWN).any(axis=-1)
    other = Truth.NO if wins is Truth.YES else Truth.YES
    found = np.where(won, np.int8(wins), np.where(unknown, np.int8(Truth.UNKNOWN), np.int8(other)))
    return np.asarray(found, np.int8)


def cells(table: TruthTable, slots: Slots, sites: Sequence[Site], factors: Mapping[str, Factor]) -> NDArray[np.int64]:
    """Return the cell of the table that each slot lies in, [sites, slots]."""
    found = np.zeros((len(sites), slots.number.size), np.int64)
    for place, condition in enumerate(table.conditions):
        found += condition_truths(condition, slots, sites, factors).astype(np.int64) * 3**place
    return found
