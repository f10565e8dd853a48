"""Exact rational numbers of many members at once: columns of numerators and denominators.

What a year compares (means, shares, changes) is rounded once, at its end; so sums and counts are carried until then.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.judging.means import Flags, Ints, divide_exact, divide_half_even

_EXACT: Final = 2**62
_PERCENT: Final = 100


class Ratios(NamedTuple):
    """One rational number per member, and whether there is one: arrays [members]."""

    num: NDArray[Any]
    """int64; Python integers where these would not do."""
    den: NDArray[Any]
    """Positive."""
    ok: Flags

    def fixed(self, digits: int) -> Ints:
        """Return the numbers as fixed point, rounded half to even; 0 where there is none."""
        return quotients(product(np.where(self.ok, self.num, 0), 10**digits), self.den)

    def fraction(self, place: int) -> Fraction | None:
        """Return one of the numbers."""
        return Fraction(int(self.num[place]), int(self.den[place])) if self.ok[place] else None

    def fractions(self) -> list[Fraction | None]:
        """Return all of them."""
        return [self.fraction(place) for place in range(self.ok.size)]

    def minus(self, other: Ratios) -> Ratios:
        """Return the differences; none where one of the two is missing."""
        ours, theirs = product(self.num, other.den), product(other.num, self.den)
        return Ratios(ours - theirs, product(self.den, other.den), self.ok & other.ok)

    def change(self, before: Ratios) -> Ratios:
        """Return the change in percent of the earlier number; none where one is missing or the earlier is zero."""
        both = self.ok & before.ok & (before.num != 0)
        ours, theirs = product(self.num, before.den), product(before.num, self.den)
        sign = np.where(theirs < 0, -1, 1)
        return Ratios(product((ours - theirs) * sign, _PERCENT), np.where(both, theirs * sign, 1), both)


def whole(numbers: Ints, ok: Flags) -> Ratios:
    """Return whole numbers as ratios."""
    return Ratios(numbers, np.ones_like(numbers), ok)


def same(number: Fraction, count: int) -> Ratios:
    """Return one number for all members."""
    ok = np.ones(count, np.bool_)
    return Ratios(np.full(count, number.numerator), np.full(count, number.denominator), ok)


def product(numbers: NDArray[Any], by: NDArray[Any] | int) -> NDArray[Any]:
    """Return products: int64 while these can hold them, else Python integers."""
    other = np.asarray(by)
    if not _unbounded(numbers, other) and _top(numbers) * _top(other) < _EXACT:
        return np.asarray(numbers * other)
    return np.asarray(numbers.astype(object) * other.astype(object))


def quotients(num: NDArray[Any], den: NDArray[Any]) -> Ints:
    """Return quotients rounded half to even; denominators are positive."""
    if _unbounded(num, den):
        return divide_exact(num.astype(object), den.astype(object))
    return divide_half_even(num, den)


def _unbounded(*columns: NDArray[Any]) -> bool:
    """Return whether any of these holds Python integers."""
    return any(column.dtype.hasobject for column in columns)


def _top(numbers: NDArray[Any]) -> int:
    return max(abs(int(numbers.max(initial=0))), abs(int(numbers.min(initial=0))))
