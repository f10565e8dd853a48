"""The class of a water body by its worst item, in exact integers.

Values are int64 at a scale per item (stored units in one unit of the standard). Items lie on the axis
before the last: ``[..., I, N]``. A class is 1 to 5, 6 is worse than V (劣Ⅴ), 0 is none.

References
----------
.. [1] GB 3838-2002, 5.1, tables 1 and 2: single factor against the class's limits.
.. [2] 环办〔2011〕22号: indicators, multiples over class III, main pollutants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streams.judging.means import divide_half_even
from streams.water.standards import CLASSES, Body, ClassLimits, Evaluation, Rule

Ints = NDArray[np.int64]
Classes = NDArray[np.int8]
NO_CLASS: Final = 0
BODIES: Final = tuple(Body)
"""The place of a kind of water in `ClassTable`."""
_LEAST: Final = int(np.iinfo(np.int64).min)
_GREATEST: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True, eq=False)
class ClassTable:
    """The limits of some items in the fixed point of their values."""

    items: tuple[str, ...]
    low: Ints
    """``[2, I, 5]`` by `BODIES`: least value of each class."""
    high: Ints
    """``[2, I, 5]``: greatest value of each class."""
    limited: NDArray[np.bool_]
    """``[2, I]``: the standard limits this item in this kind of water."""

    def part(self, items: Sequence[str]) -> ClassTable:
        """Return the table of some of its items, in the order asked for."""
        at = [self.items.index(item) for item in items]
        return ClassTable(tuple(items), self.low[:, at], self.high[:, at], self.limited[:, at])


class Judged(NamedTuple):
    """What the items of a section make together, ``[..., N]``."""

    worst: Classes
    """The section's class; 0 where no item has one."""
    deciding: NDArray[np.uint64]
    """Bit i: item i has the section's class; none at class I."""
    counted: NDArray[np.int16]
    """Items that have a class."""


def class_table(limits: ClassLimits, items: Sequence[str], scales: Sequence[int]) -> ClassTable:
    """Return the limits of some items as integers.

    Parameters
    ----------
    limits
        One edition of GB 3838.
    items
        Factors; those that the edition does not limit have no class.
    scales
        Stored units in one unit of the standard, one per item. A limit that is finer is brought to the
        integer that splits stored values as the limit itself would.
    """
    low = np.full((len(BODIES), len(items), CLASSES), _LEAST, dtype=np.int64)
    high = np.full_like(low, _GREATEST)
    limited = np.zeros(low.shape[:2], dtype=np.bool_)
    for place, (name, scale) in enumerate(zip(items, scales, strict=True)):
        item = limits.items.get(name) or limits.source_items.get(name)
        if item is None:
            continue
        for body_at, body in enumerate(BODIES):
            exact = [limit * scale for limit in item.of(body)]
            limited[body_at, place] = bool(exact)
            if exact and item.rule is not Rule.AT_MOST:
                low[body_at, place] = [-(-limit // 1) for limit in exact[: 1 if item.rule is Rule.RANGE else CLASSES]]
            if exact and item.rule is not Rule.AT_LEAST:
                high[body_at, place] = [limit // 1 for limit in exact[1 if item.rule is Rule.RANGE else 0 :]]
    return ClassTable(tuple(items), low, high, limited)


def item_classes(values: Ints, present: NDArray[np.bool_], table: ClassTable, body: ArrayLike) -> Classes:
    """Return the class of each item.

    Parameters
    ----------
    values
        ``[..., I, N]`` at the table's scales.
    present
        Which are valid; the others have no class.
    table
        From `class_table`.
    body
        Place in `BODIES`: one number, or one for each leading position ``[...]``.

    Returns
    -------
    Classes
        ``[..., I, N]``; 0 where there is no value or no limit.
    """
    at = np.asarray(body, dtype=np.intp)
    low, high = table.low[at], table.high[at]
    classes = np.ones(values.shape, dtype=np.int8)
    for k in range(CLASSES):
        classes += (values < low[..., k, None]) | (values > high[..., k, None])
    return np.where(present & table.limited[at][..., None], classes, np.int8(NO_CLASS))


def judge(classes: Classes) -> Judged:
    """Return the class of a section from those of its items ``[..., I, N]``, and which items decide it.

    References
    ----------
    .. [1] GB 3838-2002, 5.1: the worst item decides.
    """
    worst = classes.max(axis=-2, initial=NO_CLASS)
    deciding = (classes == worst[..., None, :]) & (worst > 1)[..., None, :]
    return Judged(worst, bits(deciding), (classes != NO_CLASS).sum(axis=-2).astype(np.int16))


def bits(flags: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return flags ``[..., I, N]`` as one number per position: bit i for item i."""
    weights = np.uint64(1) << np.arange(flags.shape[-2], dtype=np.uint64)
    packed: NDArray[np.uint64] = np.where(flags, weights[:, None], np.uint64(0)).sum(axis=-2, dtype=np.uint64)
    return packed


def rounded(values: Ints, scales: Sequence[int], decimals: Sequence[int]) -> Ints:
    """Return values rounded half to even to their evaluation decimals, in the same fixed point.

    A value that would become 0 keeps one significant figure (总站水字〔2018〕87号, one source).

    Parameters
    ----------
    values
        ``[..., I, N]``.
    scales
        Stored units in one unit of the standard, per item.
    decimals
        Digits after the point that stay, per item; where the scale has fewer the value stays as it is.
    """
    result = np.empty_like(values)
    for item, (scale, places) in enumerate(zip(scales, decimals, strict=True)):
        result[..., item, :] = _rounded_item(values[..., item, :], scale, places)
    return result


def _rounded_item(values: Ints, scale: int, places: int) -> Ints:
    step = scale // 10**places
    if step <= 1:
        return values
    whole: Ints = divide_half_even(values, step) * step
    while step > 1 and ((whole == 0) & (values != 0)).any():
        # The next finer digit for those that would vanish, until each shows its first figure.
        step = max(step // 10, 1)
        whole = np.where(whole == 0, divide_half_even(values, step) * step, whole)
    return whole


def multiples(
    values: Ints, classes: Classes, table: ClassTable, body: ArrayLike, *, over: ArrayLike, digits: int
) -> Ints:
    """Return by how much each item is over the limit of a class: (C - limit) / limit.

    Parameters
    ----------
    values, classes, table, body
        As for `item_classes`.
    over
        The class whose limit counts: one number, or one per leading position; 0 = none.
    digits
        Digits after the point of the result, rounded half to even; what would be 0 keeps one significant figure.

    Returns
    -------
    Ints
        ``[..., I, N]`` at two digits more than ``digits``, so that a small multiple has its figure; 0 where the
        item is not over, and for items with a least value or a range (dissolved oxygen, pH).
    """
    at, target = np.asarray(body, dtype=np.intp), np.asarray(over, dtype=np.intp)
    limits = np.take_along_axis(
        table.high[at], np.clip(target - 1, 0, CLASSES - 1)[..., None, None] * np.ones_like(table.high[at][..., :1]), -1
    )
    floor = (table.low[at][..., 0] != _LEAST)[..., None]
    counts = (classes > target[..., None, None]) & (target > 0)[..., None, None] & ~floor & (limits < _GREATEST)
    limits = np.where(counts & (limits > 0), limits, 1)
    whole, rest = np.divmod(np.where(counts, values - limits, 0), limits)
    fine = 10 ** (digits + 2)
    exact = whole * fine + divide_half_even(rest * fine, limits)
    return rounded(exact, [fine] * len(table.items), [digits] * len(table.items))


def main_items(classes: Classes, times: Ints, items: Sequence[str], rules: Evaluation, over: ArrayLike) -> Ints:
    """Return the items over a class in the order of main pollutants.

    Cyanide and heavy metals come first, then by class from the worst, then by multiple, then by the
    order of the items.

    Parameters
    ----------
    classes, times
        ``[..., I, N]``: classes and multiples of the items.
    items
        Their names.
    rules
        Names what comes first.
    over
        The class that an item must be worse than: one number, or one per leading position; 0 = none is over.

    Returns
    -------
    Ints
        ``[..., I, N]``: places of the items in this order; -1 behind the last that is over.

    References
    ----------
    .. [1] 环办〔2011〕22号 as generally used (not seen): main pollutants of a section, of which it names three.
    """
    target = np.asarray(over)[..., None, None]
    first = np.array([item in rules.main_first for item in items])[:, None]
    listed = (classes > target) & (target > 0)
    keys = (-times, -classes.astype(np.int64), np.broadcast_to(~first, classes.shape), ~listed)
    order = np.lexsort(keys, axis=-2)
    return np.where(np.take_along_axis(listed, order, -2), order, -1)
