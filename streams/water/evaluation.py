"""The evaluations of water that kind files name: ``water_class``, ``trophic`` and ``flux``.

`streams.judging.plan` says how they are asked; the classes themselves are made in `streams.water.classing`.

References
----------
.. [1] Rulings, "Water"; `streams.water.trophic`, `streams.water.flux`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import numpy as np

from sensors.errors import UnknownName
from sensors.registry import Site
from sensors.windows import Span
from streams.judging.hashing import joined, placed
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import INCOMPLETE, INVALID, MISSING_ITEM, NO_ITEM, NOT_IN_PLAN, OK, SILENT
from streams.judging.registered import JudgingContext
from streams.water.classes import BODIES
from streams.water.classing import WaterClass, body_of
from streams.water.flux import Mass, kilograms, mass
from streams.water.standards import Body, Trophic, WaterStandards, load_water_standards
from streams.water.telling import pack_details, tell_gaps, tell_items
from streams.water.trophic import grades, trophic_index, unit_factor

TLI: Final = "TLI"
FLUX: Final = "flux"
"""Factors of masses end so: ``TN.flux``."""
_PERMILLE: Final = 1000


def water_class(context: JudgingContext) -> WaterClass:
    """Return the evaluation that classes slots and days of a kind."""
    digits = {symbol: factor.digits for symbol, factor in context.kind.factors.items()}
    window = context.kind.of_span(Span.SLOT)[0].name
    return WaterClass(load_water_standards(), digits, window)


def trophic(context: JudgingContext) -> TrophicLevel:
    """Return the evaluation that gives lakes their trophic index.

    Raises
    ------
    UnknownName
        When the kind lacks a factor of the index.
    """
    standards, factors = load_water_standards(), context.kind.factors
    for item in standards.trophic[-1].items:
        if item.factor not in factors:
            raise UnknownName(f"the factors of kind {context.kind.name}", item.factor)
    return TrophicLevel(standards, {symbol: (factor.unit, factor.digits) for symbol, factor in factors.items()})


def flux(context: JudgingContext) -> Flux:
    """Return the evaluation that integrates concentration and flow."""
    digits = {symbol: factor.digits for symbol, factor in context.kind.factors.items()}
    return Flux(load_water_standards(), digits)


class TrophicLevel:
    """The trophic index of lakes and reservoirs, of days."""

    name: Final = "trophic"
    slot_outputs: Final[tuple[Output, ...]] = ()
    reach: Final[tuple[int, ...]] = ()
    before: Final = 0
    day_before: Final = 0

    def __init__(self, standards: WaterStandards, units: Mapping[str, tuple[str, int]]) -> None:
        self._standards, self._units = standards, units
        self.editions = (*(rule.name for rule in standards.trophic), "")
        newest = standards.trophic[-1]
        self.day_outputs = (
            Output(
                factor=TLI,
                window="24h",
                digits=newest.digits,
                tell=tell_items(tuple(item.factor for item in newest.items)),
            ),
        )

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        """Return nothing: the index is one of days and longer."""
        del slots, begin, sites
        return []

    def day(self, slots: Slots, sites: tuple[Site, ...], means: Mapping[tuple[str, str], Block]) -> list[Block]:
        """Return the index of the day's means; of rivers nothing."""
        rule = self._standards.trophic_at(int(slots.day[-1]))
        names = [item.factor for item in rule.items]
        parts = [means[name, "24h"] for name in names]
        value, present = (np.stack([getattr(part, name) for part in parts], axis=1) for name in ("value", "present"))
        found = trophic_index(value, present, self.scales(rule), rule)
        lake = np.array([BODIES[body_of(site)] is Body.LAKE for site in sites])[:, None]
        came = np.logical_or.reduce([part.inputs != 0 for part in parts]) & lake
        there = found.present & lake
        unusable = (present & ~found.usable).any(axis=1)
        reason = np.where(there, OK, np.where(~lake, NOT_IN_PLAN, np.where(unusable, INVALID, MISSING_ITEM)))
        none = np.full((len(sites), 0, 1), -1, np.int64)
        return [
            Block.of(
                value=found.value,
                present=there,
                valid=found.usable.sum(axis=1),
                expected=len(names),
                reason=np.where(lake & ~present.any(axis=1), NO_ITEM, reason),
                detail=np.where(lake, pack_details(none, value, np.zeros(len(names), np.bool_), ~found.usable), 0),
                marks=np.bitwise_or.reduce([part.marks for part in parts]),
                level=np.where(there, grades(found, rule), -1),
                inputs=np.where(came, joined(*(part.inputs for part in parts)), np.uint64(0)),
                edition=self.editions.index(rule.name),
                due=came,
            )
        ]

    def scales(self, rule: Trophic) -> list[float]:
        """Return per item the units of the formula in one stored unit."""
        return [
            unit_factor(item.unit, self._units[item.factor][0]) / 10 ** self._units[item.factor][1]
            for item in rule.items
        ]


class Flux:
    """The mass that passes a section on a day, where the registry gives it flow."""

    name: Final = "flux"
    slot_outputs: Final[tuple[Output, ...]] = ()
    reach: Final[tuple[int, ...]] = ()
    before: Final = 0
    day_before: Final = 0

    def __init__(self, standards: WaterStandards, digits: Mapping[str, int]) -> None:
        self._standards, self._digits = standards, digits
        rule = standards.evaluations[-1].flux
        self._factors = tuple(factor for factor in rule.factors if factor in digits and rule.flow in digits)
        self.editions = ("",)
        self.day_outputs = tuple(
            Output(factor=f"{factor}.{FLUX}", window="24h", digits=rule.digits, tell=tell_gaps)
            for factor in self._factors
        )

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        """Return nothing: a flux is a sum over a day and longer."""
        del slots, begin, sites
        return []

    def day(self, slots: Slots, sites: tuple[Site, ...], means: Mapping[tuple[str, str], Block]) -> list[Block]:
        """Return the masses of the day."""
        del means
        rule = self._standards.evaluation_at(int(slots.day[-1])).flux
        day = slots.from_place(int(np.flatnonzero(slots.day == slots.day[-1])[0]))
        flow = day.at(rule.flow)
        gated = np.array([bool(site.setting.get("gate", False)) for site in sites])[:, None]
        closed = np.zeros(day.value[:, flow].shape, np.bool_)
        used = [flow]
        if rule.gate in day.factors:
            gate = day.at(rule.gate)
            closed = day.present[:, gate] & (day.value[:, gate] == 0) & (day.high[:, gate] == 0) & gated
            used.append(gate)
        blocks = []
        for factor in self._factors:
            place = day.at(factor)
            found = mass(
                day.value[:, place], day.present[:, place], day.value[:, flow], day.present[:, flow], closed,
                scales=(10 ** self._digits[factor], 10 ** self._digits[rule.flow]), slot_s=day.slot_ms // 1000,
            )  # fmt: skip
            blocks.append(_flux_block(found, day, [place, *used], rule.at_least, rule.digits))
        return blocks


def _flux_block(found: Mass, day: Slots, used: list[int], at_least: Fraction, digits: int) -> Block:
    enough = found.covered * at_least.denominator >= at_least.numerator * found.slots
    # A section owes a flux where its flow is measured by plan and somebody sent one.
    flows = (day.inputs[:, used[1:]] != 0).any(axis=(1, 2))
    planned = day.planned[:, used[1]].any(axis=-1)
    inputs = joined(*(placed(day.inputs[:, place], day.number).sum(axis=-1, dtype=np.uint64) for place in used))
    short = np.where(flows, INCOMPLETE, np.where(planned, SILENT, NOT_IN_PLAN))
    present = enough & flows
    column = {
        "value": kilograms(found.grams, digits),
        "present": present,
        "valid": found.covered,
        "reason": np.where(present, OK, short),
        "detail": (found.slots - found.covered) * _PERMILLE // found.slots,
        "marks": np.bitwise_or.reduce(day.marks[:, used], axis=(1, 2)),
        "inputs": np.where(flows, inputs, np.uint64(0)),
        "due": flows,
    }
    return Block.of(expected=found.slots, **{name: array[:, None] for name, array in column.items()})
