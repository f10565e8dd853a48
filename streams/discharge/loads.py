"""Volumes and loads by HJ 212-2017 annex D, exact: volume = flow x time, load = volume x concentration.

Annex D sums readings of at most 5 s (a 10 min value needs 120 of them). What comes here are the device's own
means of minutes or ten minutes and our hours of them: flow as the plain mean, concentration weighted by flow,
so that flow x concentration x 3600 s is the same sum, for all minutes that have both. How many of them an hour
needs is the kind's (`sensors.kinds`). Mean = load / volume is then the flow-weighted mean of annex D.

A slot without flow lets nothing out: its load is 0 and known, whether or not a concentration came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.errors import UnknownName
from sensors.factors import Factor, Form
from sensors.flags import Mark
from sensors.registry import Site
from streams.discharge.effective import EffectiveRule, load_effective_rule
from streams.judging.hashing import joined, placed
from streams.judging.means import Unbounded, divide_exact
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import INCOMPLETE, NOT_IN_PLAN, OK, SILENT

LOAD: Final = ".load"
"""Follows the factor in the names of loads, in kg: ``COD.load``."""
VOLUME: Final = ".volume"
"""Follows the flow in the names of volumes, in m³: ``flow.volume``."""
DIGITS: Final = 3
"""Of loads (kg, so grams) and of volumes (m³, so litres)."""
_LITRES_PER_S: Final[Mapping[str, Fraction]] = {
    "L/s": Fraction(1),
    "m³/s": Fraction(1000),
    "m³/h": Fraction(5, 18),
    "m³/d": Fraction(5, 432),
}
_MG_PER_LITRE: Final[Mapping[str, Fraction]] = {
    "mg/L": Fraction(1),
    "µg/L": Fraction(1, 1000),
    "g/L": Fraction(1000),
    "mg/m³": Fraction(1, 1000),
    "µg/m³": Fraction(1, 1_000_000),
}
_PARTS: Final = ("lower bound", "effective mean")
"""What a day with slots missing is: the sum of those whose flow is known, or, where only concentrations are missing,
their mean times the whole volume (HJ 356)."""
_BOUND, _MEAN = range(len(_PARTS))
_KINDS: Final = len(_PARTS)
_COUNT: Final = 1 << 12
_Ints = NDArray[np.int64]


def of_day(slots: Slots) -> int:
    """Return the first place of the day that ends with the last slot."""
    return int(np.argmax(slots.day == slots.day[-1]))


def litres_of(flow: Factor) -> Fraction:
    """Return the litres that one stored unit of flow lets out in a second.

    Raises
    ------
    UnknownName
        When the factor's unit is no volume in a time.
    """
    if flow.unit not in _LITRES_PER_S:
        raise UnknownName(f"the units of flow ({', '.join(_LITRES_PER_S)})", flow.unit)
    return _LITRES_PER_S[flow.unit] * Fraction(1, 10**flow.digits)


def milligrams_of(concentration: Factor) -> Fraction:
    """Return the milligrams in a litre that one stored unit of concentration means.

    Raises
    ------
    UnknownName
        When the factor's unit is no mass in a volume.
    """
    if concentration.unit not in _MG_PER_LITRE:
        raise UnknownName(f"the units of concentration ({', '.join(_MG_PER_LITRE)})", concentration.unit)
    return _MG_PER_LITRE[concentration.unit] * Fraction(1, 10**concentration.digits)


def scaled(numbers: Unbounded, scale: Fraction) -> _Ints:
    """Return exact integers times a fraction, rounded half to even once."""
    return divide_exact(numbers * scale.numerator, np.full(numbers.shape, scale.denominator, object))


def exact(numbers: _Ints) -> Unbounded:
    """Return integers that cannot overflow: flow times concentration times a day may pass 63 bits."""
    return numbers.astype(object)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLoads:
    """Loads of whole days, [sites]."""

    litres: _Ints
    grams: _Ints
    valid: _Ints
    """Slots whose load is known."""
    flowing: _Ints
    """Slots in which something flowed and the concentration is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What stored units mean."""

    litres: Fraction
    """Litres in a second of one stored unit of flow."""
    milligrams: Fraction
    """Milligrams in a litre of one stored unit of concentration."""
    seconds: int
    """Of a slot."""


def day_loads(
    flow: _Ints, has_flow: NDArray[np.bool_], conc: _Ints, has_conc: NDArray[np.bool_], units: Units
) -> DayLoads:
    """Return volume and load of a day from its slots: effective mean x volume (HJ 356).

    Parameters
    ----------
    flow, conc
        Stored units, [sites, slots]: mean flow and flow-weighted concentration.
    has_flow, has_conc
        Where they are valid.
    units
        What stored units mean.

    Returns
    -------
    DayLoads
        The volume of every slot with a flow: a lower bound where the flow of some is not known. The load is that of
        the slots that have both, raised to the whole volume where something flowed without a concentration; with
        all there it is annex D's plain sum.
    """
    q = exact(np.where(has_flow, flow, 0))
    still = has_flow & (flow == 0)
    both = has_flow & has_conc & ~still
    weighed = exact(np.where(both, flow, 0))
    mass = (weighed * exact(np.where(both, conc, 0))).sum(axis=1)
    volume, covered = q.sum(axis=1), weighed.sum(axis=1)
    scale = units.litres * units.milligrams * units.seconds / 1000
    over = np.where(covered > 0, covered, 1)
    grams = divide_exact(mass * volume * scale.numerator, over * scale.denominator)
    return DayLoads(
        litres=scaled(volume, units.litres * units.seconds),
        grams=grams,
        valid=(both | still).sum(axis=1, dtype=np.int64),
        flowing=both.sum(axis=1, dtype=np.int64),
    )


class LoadsEvaluation:
    """Says volumes and loads of slots and days.

    Parameters
    ----------
    factors
        Of the kind; loads are said of those that are weighted by flow.
    slot_window, slot_ms
        Name and length of the kind's slot.
    """

    name = "loads"
    editions = ("",)
    before = 0
    day_before = 0

    def __init__(
        self, factors: Mapping[str, Factor], *, slot_window: str, slot_ms: int, rule: EffectiveRule | None = None
    ) -> None:
        weighted = [factor for factor in factors.values() if factor.form is Form.FLOW_WEIGHTED]
        self._flows = tuple(dict.fromkeys(factor.by for factor in weighted))
        self._weighted = tuple((factor.symbol, factor.by) for factor in weighted)
        seconds = slot_ms // 1000
        self._units = {
            factor.symbol: Units(
                litres=litres_of(factors[factor.by]), milligrams=milligrams_of(factor), seconds=seconds
            )
            for factor in weighted
        }
        self._litres = {name: litres_of(factors[name]) * seconds for name in self._flows}
        self._rule = rule or load_effective_rule()
        self.slot_outputs = self._outputs(slot_window)
        self.day_outputs = self._outputs("24h")
        self.reach = (0,) * len(self.slot_outputs)

    def _outputs(self, window: str) -> tuple[Output, ...]:
        names = [name + VOLUME for name in self._flows] + [name + LOAD for name, _ in self._weighted]
        return tuple(Output(factor=name, window=window, digits=DIGITS, tell=_told) for name in names)

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:  # noqa: ARG002  the plan's form
        """Return the volume and the loads of each slot."""
        part = slots.from_place(begin)
        volumes = [self._slot_volume(part, flow) for flow in self._flows]
        return volumes + [self._slot_load(part, factor, flow) for factor, flow in self._weighted]

    def day(
        self,
        slots: Slots,
        sites: tuple[Site, ...],  # noqa: ARG002  the plan's form
        means: Mapping[tuple[str, str], Block],  # noqa: ARG002
    ) -> list[Block]:
        """Return the volume and the loads of a day."""
        slots = slots.from_place(of_day(slots))
        volumes = [self._day_volume(slots, flow) for flow in self._flows]
        return volumes + [self._day_load(slots, factor, flow) for factor, flow in self._weighted]

    def _slot_volume(self, slots: Slots, flow: str) -> Block:
        place = slots.at(flow)
        present = slots.present[:, place]
        return Block.of(
            value=scaled(exact(slots.value[:, place]), self._litres[flow]),
            present=present,
            reason=slots.states()[:, place],
            valid=slots.valid[:, place],
            expected=slots.expected[:, place],
            marks=slots.marks[:, place] | int(Mark.COMPUTED),
            inputs=slots.inputs[:, place],
        )

    def _slot_load(self, slots: Slots, factor: str, flow: str) -> Block:
        c, q, units = slots.at(factor), slots.at(flow), self._units[factor]
        still = slots.present[:, q] & (slots.value[:, q] == 0)
        present = slots.present[:, q] & (slots.present[:, c] | still) & slots.planned[:, c]
        mass = exact(slots.value[:, q]) * exact(np.where(still, 0, slots.value[:, c]))
        states = slots.states()
        lacking = np.where(slots.present[:, q] | ~slots.planned[:, c], states[:, c], states[:, q])
        reason = np.where(present, OK, lacking)
        return Block.of(
            value=scaled(mass, units.litres * units.milligrams * units.seconds / 1000),
            present=present,
            reason=reason,
            valid=np.where(still, slots.valid[:, q], slots.valid[:, c]),
            expected=slots.expected[:, q],
            marks=slots.marks[:, q] | slots.marks[:, c] | int(Mark.COMPUTED),
            inputs=_both(slots, q, c),
        )

    def _day_volume(self, slots: Slots, flow: str) -> Block:
        place = slots.at(flow)
        present = slots.present[:, place]
        count = present.sum(axis=1, keepdims=True)
        enough = _enough(count, slots.number.size, self._rule)
        total = exact(np.where(present, slots.value[:, place], 0)).sum(axis=1, keepdims=True)
        inputs = _over(slots.inputs[:, place])
        return Block.of(
            value=scaled(total, self._litres[flow]),
            present=enough,
            reason=_day_reason(enough, inputs),
            valid=count,
            expected=slots.number.size,
            detail=np.where(enough, _part(count, slots.number.size, _BOUND), 0),
            marks=_union(slots.marks[:, place]),
            inputs=inputs,
        )

    def _day_load(self, slots: Slots, factor: str, flow: str) -> Block:
        c, q = slots.at(factor), slots.at(flow)
        made = day_loads(
            slots.value[:, q], slots.present[:, q], slots.value[:, c], slots.present[:, c], self._units[factor]
        )
        enough = _enough(made.valid, slots.number.size, self._rule)[:, None] & _planned(slots, q, c)
        inputs = _over(_both(slots, q, c))
        flows, due = slots.present[:, q].sum(axis=1, dtype=np.int64), slots.number.size
        part = np.where(flows < due, _part(flows, due, _BOUND), _part(made.valid, due, _MEAN))[:, None]
        return Block.of(
            value=made.grams[:, None],
            present=enough,
            reason=np.where(_planned(slots, q, c), _day_reason(enough, inputs), NOT_IN_PLAN),
            valid=made.valid[:, None],
            expected=slots.number.size,
            detail=np.where(enough, part, 0),
            marks=_union(slots.marks[:, q] | slots.marks[:, c]),
            inputs=inputs,
        )


def _part(known: _Ints, due: int, kind: int) -> _Ints:
    """Return the detail of days of which ``known`` of ``due`` slots went in; 0 where all did."""
    code = (known * _COUNT + due) * _KINDS + kind
    return np.where(known < due, code, 0).astype(np.int64)


def _told(codes: _Ints) -> pa.Array:
    """Return what stands beside the value of a day that is not known in all its slots."""
    return pa.array([_words(int(code)) for code in codes], pa.utf8())


def _words(code: int) -> str:
    if not code:
        return ""
    counts, kind = divmod(code, _KINDS)
    return f"{_PARTS[kind]}, {counts // _COUNT}/{counts % _COUNT}"


def _day_reason(enough: NDArray[np.bool_], inputs: NDArray[np.uint64]) -> NDArray[np.integer]:
    return np.where(enough, OK, np.where(inputs == 0, SILENT, INCOMPLETE))


def _enough(valid: NDArray[np.integer], due: int, rule: EffectiveRule) -> NDArray[np.bool_]:
    share = rule.day_share
    return np.asarray(valid * share.denominator >= due * share.numerator)


def _planned(slots: Slots, q: int, c: int) -> NDArray[np.bool_]:
    """Return which sites measure both in some slot, [sites, 1]."""
    return np.asarray((slots.planned[:, q] & slots.planned[:, c]).any(axis=1, keepdims=True))


def _both(slots: Slots, q: int, c: int) -> NDArray[np.uint64]:
    came = (slots.inputs[:, q] != 0) | (slots.inputs[:, c] != 0)
    return np.where(came, joined(slots.inputs[:, q], slots.inputs[:, c]) | np.uint64(1), np.uint64(0))


def _over(inputs: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return one hash of the slots of each site that came, [sites, 1]."""
    places = np.arange(inputs.shape[1], dtype=np.int64)
    mixed = np.where(inputs != 0, placed(inputs, places), np.uint64(0)).sum(axis=1, keepdims=True, dtype=np.uint64)
    return np.where((inputs != 0).any(axis=1, keepdims=True), mixed | np.uint64(1), np.uint64(0))


def _union(marks: NDArray[np.integer]) -> NDArray[np.integer]:
    joined_marks: NDArray[np.integer] = np.bitwise_or.reduce(marks, axis=1, keepdims=True) | int(Mark.COMPUTED)
    return joined_marks
