"""Indices of VOCs by name and version: odour index and ozone-forming potential, both exact weighted sums.

A version is data (``streams/data/voc_indices.yaml``) and names its formula. A formula that is not in `FORMULAS`
gives no value but says so: nothing is guessed. The *odour index* is a number of this project; it is
never held against the odour limit of GB 14554, which is by people's noses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import lcm
from typing import Any, Final

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from sensors.clock import day_number
from sensors.factors import Factor
from sensors.flags import Mark
from sensors.registry import Site
from sensors.windows import Confidence
from streams.discharge.loads import exact, scaled
from streams.judging.hashing import placed
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import MISSING_ITEM, NO_ITEM, NOT_IN_PLAN, OK, SILENT, UNSET

FORMULAS: Final = frozenset({"weighted_sum"})
"""``weighted_sum``: sum over the factors of concentration x weight."""
NOT_GIVEN: Final = "formula not given"
"""The detail of a version whose formula nobody gave."""
_NOT_GIVEN_CODE: Final = 1 << 62
PARTIAL: Final = "at least "
"""Goes before the sum of what is known, last in the detail of an index with a factor missing."""
_MISSING_BITS: Final = 16
"""Low bits of a detail: the factors that are missing; above them stands the sum of the others."""
_MOST_PARTIAL: Final = (1 << 45) - 1
_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What one factor adds to an index."""

    factor: str
    per_unit: Fraction
    """For one mg/m³."""
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexVersion:
    """One version of an index."""

    index: str
    version: str
    title_zh: str
    title_en: str
    formula: str
    """A name of `FORMULAS`; any other has no value."""
    unit: str
    digits: int
    start_day: int
    end_day: int | None
    weights: tuple[Weight, ...]
    source: str
    confidence: Confidence

    def holds_on(self, day: int) -> bool:
        """Return whether it is the one of a Beijing day."""
        return self.start_day <= day and (self.end_day is None or day <= self.end_day)


@cache
def load_indices() -> tuple[IndexVersion, ...]:
    """Read the packaged versions."""
    text = files("streams").joinpath("data/voc_indices.yaml").read_text(encoding="utf-8")
    return parse_indices(yaml.safe_load(text))


def parse_indices(mapping: Mapping[str, Any]) -> tuple[IndexVersion, ...]:
    """Return the versions that a mapping says."""
    return tuple(_version(row) for row in mapping["indices"])


def _version(row: Mapping[str, Any]) -> IndexVersion:
    return IndexVersion(
        index=row["index"],
        version=row["version"],
        title_zh=row["title"]["zh"],
        title_en=row["title"]["en"],
        formula=row["formula"],
        unit=row["unit"],
        digits=int(row["digits"]),
        start_day=_day(row["from"]),
        end_day=None if row["to"] is None else _day(row["to"]),
        weights=tuple(_weight(row, item) for item in row["weights"]),
        source=row["source"],
        confidence=Confidence(row["confidence"]),
    )


def _day(day: dt.date) -> int:
    return day_number(day)


def _weight(row: Mapping[str, Any], item: Mapping[str, Any]) -> Weight:
    if "weight" in item:
        per_unit = _number(item["weight"]) * _number(row.get("scale", 1))
    else:  # mg/m³ of the threshold = ppm x molar mass / molar volume
        per_unit = _number(row["molar_volume"]) / (_number(item["threshold_ppm"]) * _number(item["molar_mass"]))
    return Weight(factor=item["factor"], per_unit=per_unit, confidence=Confidence(item["confidence"]))


def _number(value: float | str) -> Fraction:
    return Fraction(str(value))


def contributions(values: Mapping[str, Fraction], version: IndexVersion) -> dict[str, Fraction]:
    """Return what each factor adds to an index; of factors without a value nothing.

    Parameters
    ----------
    values
        Factor → concentration. [mg/m³]
    version
        Gives the weights.
    """
    if version.formula not in FORMULAS:
        return {}
    return {one.factor: values[one.factor] * one.per_unit for one in version.weights if one.factor in values}


def rank(totals: Mapping[str, Fraction]) -> tuple[tuple[int, str, Fraction], ...]:
    """Return (place, name, total), the greatest first; equal totals share a place, in the order of names."""
    order = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return tuple((1 + sum(total > own for _, total in order), name, own) for name, own in order)


class IndexEvaluation:
    """Says an index of every slot and day, in the version of the day.

    An index of which a factor of the site's plan is missing has no value: the sum of the others is no index, only a
    lower bound of one, and stands in the detail.

    Parameters
    ----------
    versions
        Of one index, not overlapping.
    factors
        Of the kind, in mg/m³; weights of others are left out.
    slot_window
        Name of the kind's slot.
    daily
        Factors that have a day mean; days are said where all of the index do.
    """

    before = 0
    day_before = 0

    def __init__(
        self,
        versions: Sequence[IndexVersion],
        factors: Mapping[str, Factor],
        *,
        slot_window: str,
        daily: Collection[str] = (),
    ) -> None:
        self._versions = tuple(versions)
        self._index = self._versions[0].index
        self.name = self._index.lower()
        self.editions = (*(version.version for version in self._versions), "")
        self._factors = {
            name: factors[name]
            for name in dict.fromkeys(one.factor for version in self._versions for one in version.weights)
            if name in factors and factors[name].unit == "mg/m³"
        }
        self._digits = max(version.digits for version in self._versions)
        self.slot_outputs = (self._output(slot_window),)
        self.day_outputs = (self._output("24h"),) if set(self._factors) <= set(daily) else ()
        self.reach = (0,)

    def _output(self, window: str) -> Output:
        names = tuple(self._factors)
        return Output(
            factor=self._index,
            window=window,
            digits=self._digits,
            tell=lambda codes: _told(codes, names, self._digits),
            primaries=names,
        )

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:  # noqa: ARG002  the plan's form
        """Return the index of each slot."""
        part = slots.from_place(begin)
        places = np.array([part.at(name) for name in self._factors])
        states = part.states()[:, places]
        return [
            self._block(
                _Items(
                    value=part.value[:, places],
                    present=part.present[:, places],
                    planned=states != NOT_IN_PLAN,
                    inputs=part.inputs[:, places],
                    marks=np.bitwise_or.reduce(part.marks[:, places], axis=1),
                ),
                part.day,
            )
        ]

    def day(
        self,
        slots: Slots,
        sites: tuple[Site, ...],  # noqa: ARG002  the plan's form
        means: Mapping[tuple[str, str], Block],
    ) -> list[Block]:
        """Return the index of the day's means."""
        if not self.day_outputs:
            return []
        found = [means[name, "24h"] for name in self._factors]
        return [
            self._block(
                _Items(
                    value=np.stack([block.value for block in found], axis=1),
                    present=np.stack([block.present for block in found], axis=1),
                    planned=np.stack([block.reason != NOT_IN_PLAN for block in found], axis=1),
                    inputs=np.stack([block.inputs for block in found], axis=1),
                    marks=np.bitwise_or.reduce([block.marks for block in found]),
                ),
                slots.day[-1:],
            )
        ]

    def _block(self, items: _Items, days: _Ints) -> Block:
        value, greatest, edition, given = self._by_version(items, days)
        some, lacking = items.present.any(axis=1), items.planned & ~items.present
        present = given & some & ~lacking.any(axis=1)
        came = (items.inputs != 0).any(axis=1)
        none = np.where(came, np.where(items.planned.any(axis=1), NO_ITEM, NOT_IN_PLAN), SILENT)
        reason = np.where(some, np.where(lacking.any(axis=1), MISSING_ITEM, OK), none)
        places = np.arange(len(self._factors), dtype=np.int64)[:, None]
        missing = np.where(lacking, np.int64(1) << places, 0).sum(axis=1)
        partial = np.where(some & (missing > 0), np.clip(value, 0, _MOST_PARTIAL) + 1, 0) << _MISSING_BITS
        first = np.where(present & (greatest >= 0), np.uint64(1) << np.maximum(greatest, 0).astype(np.uint64), 0)
        mixed = np.where(items.inputs != 0, placed(items.inputs, places), np.uint64(0)).sum(axis=1, dtype=np.uint64)
        return Block.of(
            value=value,
            present=present,
            reason=np.where(given, reason, UNSET),
            valid=items.present.sum(axis=1),
            expected=items.planned.sum(axis=1),
            detail=np.where(given, missing | partial, _NOT_GIVEN_CODE),
            marks=items.marks | int(Mark.COMPUTED),
            primary=first,
            inputs=np.where(came, mixed | np.uint64(1), np.uint64(0)),
            edition=edition,
        )

    def _by_version(self, items: _Items, days: _Ints) -> tuple[_Ints, _Ints, _Ints, _Flags]:
        """Return the index by each day's version, the factor that adds most, the version, and if it has a formula."""
        value = np.zeros(items.value[:, 0].shape, np.int64)
        greatest, edition = np.full(value.shape, -1, np.int64), np.full(value.shape, -1, np.int64)
        given = np.zeros(value.shape, np.bool_)
        for place, version in enumerate(self._versions):
            mine = np.broadcast_to(np.array([version.holds_on(int(day)) for day in days]), value.shape)
            edition[mine] = place
            if version.formula in FORMULAS:
                total, largest = self._sum(items, version)
                value, greatest = np.where(mine, total, value), np.where(mine, largest, greatest)
                given |= mine
        return value, greatest, edition, given

    def _sum(self, items: _Items, version: IndexVersion) -> tuple[_Ints, _Ints]:
        """Return the index of one version, and the place of the factor that adds most to it (-1: none)."""
        weights = {one.factor: one.per_unit for one in version.weights}
        per = [weights.get(name, Fraction(0)) / 10**factor.digits for name, factor in self._factors.items()]
        common = lcm(*(weight.denominator for weight in per))
        whole = np.array([int(weight * common) for weight in per], object)[:, None]
        parts = exact(np.where(items.present, items.value, 0)) * whole
        total = scaled(parts.sum(axis=1), Fraction(10**self._digits, common))
        largest = parts.argmax(axis=1)
        return total, np.where(parts.max(axis=1) > 0, largest, -1).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Items:
    """What an index is made of, [sites, factors, times]; marks [sites, times]."""

    value: _Ints
    present: _Flags
    planned: _Flags
    inputs: NDArray[np.uint64]
    marks: NDArray[np.integer]


def _told(codes: _Ints, names: tuple[str, ...], digits: int) -> pa.Array:
    """Return the factors that are missing and what the others add up to, or that no formula was given."""
    return pa.array([_words(int(code), names, digits) for code in codes], pa.utf8())


def _words(code: int, names: tuple[str, ...], digits: int) -> str:
    if code == _NOT_GIVEN_CODE:
        return NOT_GIVEN
    words = [name for bit, name in enumerate(names) if code >> bit & 1]
    partial = (code >> _MISSING_BITS) - 1
    if partial >= 0:
        whole, rest = divmod(partial, 10**digits)
        words.append(f"{PARTIAL}{whole}.{rest:0{digits}d}" if digits else f"{PARTIAL}{whole}")
    return ";".join(words)
