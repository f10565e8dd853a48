"""The evaluation ``dry_weather``: no flow in dry weather, no sewage in rain (晴天无排水、雨天无排污).

===========  ===========  ==========================  ===========================================
weather      flow         quality                     said
===========  ===========  ==========================  ===========================================
dry          none         any                         within
dry          flows        any                         finding: flow in dry weather
rain         none         any                         within
rain         flows        some factor over its limit  finding: polluted flow in rain
rain         flows        only hints at being over    hint: perhaps polluted flow in rain
rain         flows        all within                  within
rain         flows        none known, or no limit     no finding; the reason says what is missing
unknown      flows        any                         no finding: the rain is missing
any          unknown      any                         no finding: the flow is missing
===========  ===========  ==========================  ===========================================

Rain-water outlets only (``use: rain``). An hour is *rain* when enough fell in it or in the hours before it, *dry*
when all of those hours are known and nothing did. Without flow the weather does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import ceil
from typing import Any, Final

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from sensors.errors import UnknownName
from sensors.factors import Factor
from sensors.registry import Site
from sensors.windows import Confidence
from streams.discharge.applied import LimitBook, Warmth
from streams.discharge.held import NIGHTS, HeldLimits
from streams.discharge.judgement import Level, levels
from streams.discharge.loads import of_day
from streams.judging.hashing import windowed
from streams.judging.means import window_sums
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import INCOMPLETE, MISSING_ITEM, NOT_IN_PLAN, OK, SILENT, UNSET

FACTOR: Final = "dry_weather"
"""The factor of the rows: its value is the flow; of a day the number of hours in which something was found."""
FLOW: Final = "flow"
RAIN: Final = "rain"
USE: Final = "use"
"""The entry of a site's setting that says what the outlet is for."""
RAIN_WATER: Final = "rain"


class Outcome(IntEnum):
    """What was found of an hour; told in the detail of its row."""

    NOT_IN_PLAN = 0
    """No rain-water outlet."""
    WITHIN = 1
    DRY_FLOW = 2
    """Flow in dry weather."""
    POLLUTED = 3
    """Polluted flow in rain."""
    NO_RAIN_KNOWN = 4
    NO_FLOW_KNOWN = 5
    NO_QUALITY_KNOWN = 6
    NO_LIMIT = 7
    """Something flowed in rain, and no limit says what is polluted."""
    POLLUTED_HINT = 8
    """Polluted flow in rain by an hour that only hints at its limit (a limit of the day)."""


FOUND: Final = (Outcome.DRY_FLOW, Outcome.POLLUTED, Outcome.POLLUTED_HINT)
_REASON: Final = {
    Outcome.NOT_IN_PLAN: NOT_IN_PLAN,
    Outcome.WITHIN: OK,
    Outcome.DRY_FLOW: OK,
    Outcome.POLLUTED: OK,
    Outcome.NO_RAIN_KNOWN: MISSING_ITEM,
    Outcome.NO_FLOW_KNOWN: SILENT,
    Outcome.NO_QUALITY_KNOWN: MISSING_ITEM,
    Outcome.NO_LIMIT: UNSET,
    Outcome.POLLUTED_HINT: OK,
}
_REASONS: Final = np.array([_REASON[outcome] for outcome in Outcome], np.uint8)
_WORDS: Final = tuple(
    "" if outcome is Outcome.WITHIN else outcome.name.lower().removesuffix("_hint") for outcome in Outcome
)
"""By outcome; whether it is a hint stands in the level."""
_LEVELS: Final = np.full(len(Outcome), Level.NOT_JUDGED, np.int64)
_LEVELS[[Outcome.WITHIN, Outcome.POLLUTED_HINT, Outcome.POLLUTED, Outcome.DRY_FLOW]] = (
    Level.WITHIN,
    Level.HINT,
    Level.FINDING,
    Level.FINDING,
)
_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class DryWeatherRule:
    """When an hour is dry, and when something flows."""

    rule: str
    dry_hours: int
    rain_mm: Fraction
    flow: Fraction
    flow_unit: str
    source: str
    confidence: Confidence


@cache
def load_dry_weather_rule() -> DryWeatherRule:
    """Read the packaged settings."""
    text = files("streams").joinpath("data/dry_weather.yaml").read_text(encoding="utf-8")
    row: Mapping[str, Any] = yaml.safe_load(text)
    return DryWeatherRule(
        rule=row["rule"],
        dry_hours=int(row["dry_hours"]),
        rain_mm=Fraction(str(row["rain_mm"])),
        flow=Fraction(str(row["flow"]["value"])),
        flow_unit=row["flow"]["unit"],
        source=row["source"],
        confidence=Confidence(row["confidence"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What is known of hours of outlets, [sites, hours]."""

    outlet: _Flags
    """Whether it is a rain-water outlet."""
    wet: _Flags
    dry: _Flags
    """Neither: the rain is not known."""
    flow_known: _Flags
    flows: _Flags
    limited: _Flags
    """Some factor has a limit."""
    measured: _Flags
    """Some factor with a limit has a value."""
    polluted: _Flags
    """Some factor is over its limit, as a finding."""
    hinted: _Flags
    """Some factor is over its limit, at least as a hint."""


def outcomes(hours: Hours) -> NDArray[np.uint8]:
    """Return the `Outcome` of each hour, by the table above."""
    choices = (
        (~hours.outlet, Outcome.NOT_IN_PLAN),
        (~hours.flow_known, Outcome.NO_FLOW_KNOWN),
        (~hours.flows, Outcome.WITHIN),
        (hours.dry, Outcome.DRY_FLOW),
        (~hours.wet, Outcome.NO_RAIN_KNOWN),
        (hours.polluted, Outcome.POLLUTED),
        (hours.hinted, Outcome.POLLUTED_HINT),
        (~hours.limited, Outcome.NO_LIMIT),
        (~hours.measured, Outcome.NO_QUALITY_KNOWN),
    )
    found = np.select([mask for mask, _ in choices], [outcome for _, outcome in choices], Outcome.WITHIN)
    return found.astype(np.uint8)


def weather(rain: _Ints, known: _Flags, hours: int, least: int) -> tuple[_Flags, _Flags]:
    """Return which hours are wet and which are dry; neither where the rain is not known.

    Parameters
    ----------
    rain
        Stored units, [sites, hours], with at least ``hours - 1`` hours of context in front.
    known
        Where there is a value.
    hours
        How many hours, the newest with them, must be without rain.
    least
        Stored units from which an hour has rain.
    """
    spans = np.full(rain.shape[-1], hours)
    fallen, _ = window_sums((known & (rain >= least)).astype(np.int64), known, spans)
    _, count = window_sums(rain, known, spans)
    full = np.arange(1, rain.shape[-1] + 1) >= hours
    return fallen > 0, (fallen == 0) & (count == hours) & full


class DryWeatherEvaluation:
    """Says of each hour of a rain-water outlet whether something flowed that should not.

    Parameters
    ----------
    book
        Limits by which a flow in rain is polluted: those of the site for one slot.
    slot_window
        Name of the kind's slot.

    Raises
    ------
    UnknownName
        When the kind has no flow or no rain.
    """

    name = "dry_weather"
    editions = ("",)
    day_before = 0

    def __init__(self, book: LimitBook, *, slot_window: str, rule: DryWeatherRule | None = None) -> None:
        for factor in (FLOW, RAIN):
            if factor not in book.factors:
                raise UnknownName(f"the factors of kind {book.kind}", factor)
        self._rule = rule or load_dry_weather_rule()
        self._quality = tuple(factor for factor in book.factors if factor not in {FLOW, RAIN})
        self._held = HeldLimits(book, tuple((factor, slot_window) for factor in self._quality))
        self._least = _least(self._rule.rain_mm * 10 ** book.factors[RAIN].digits)
        self._least_flow = least_flow(self._rule, book.factors[FLOW])
        self.before = self._rule.dry_hours - 1
        self.day_before = self.before
        digits = book.factors[FLOW].digits
        self.slot_outputs = (Output(factor=FACTOR, window=slot_window, digits=digits, tell=_told),)
        self.day_outputs = (Output(factor=FACTOR, window="24h", digits=0),)
        self.reach = (self.before,)

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        """Return what was found of each slot."""
        found = self._outcomes(slots, begin, sites)
        part, place = slots.from_place(begin), slots.at(FLOW)
        judged = np.isin(found, (Outcome.WITHIN, *FOUND))
        return [
            Block.of(
                value=part.value[:, place],
                present=judged,
                reason=_REASONS[found],
                valid=judged,
                expected=found != Outcome.NOT_IN_PLAN,
                detail=found,
                marks=np.bitwise_or.reduce(part.marks, axis=1),
                level=_levels(found),
                inputs=self._inputs(slots)[:, begin:],
            )
        ]

    def day(
        self,
        slots: Slots,
        sites: tuple[Site, ...],
        means: Mapping[tuple[str, str], Block],  # noqa: ARG002  the plan's form
    ) -> list[Block]:
        """Return in how many hours of the day something was found."""
        begin = of_day(slots)
        found = self._outcomes(slots, begin, sites)
        known = np.isin(found, (Outcome.WITHIN, *FOUND)).sum(axis=1, keepdims=True)
        count = np.isin(found, FOUND).sum(axis=1, keepdims=True)
        outlet = (found != Outcome.NOT_IN_PLAN).any(axis=1, keepdims=True)
        inputs = np.bitwise_xor.reduce(self._inputs(slots), axis=1, keepdims=True)
        present = outlet & (known > 0)
        short = np.where(inputs == 0, SILENT, INCOMPLETE)
        return [
            Block.of(
                value=count,
                present=present,
                reason=np.where(outlet, np.where(present, OK, short), NOT_IN_PLAN),
                valid=known,
                expected=np.where(outlet, found.shape[1], 0),
                level=_levels(found).max(axis=1, keepdims=True),
                inputs=inputs,
            )
        ]

    def _outcomes(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> NDArray[np.uint8]:
        rain, flow = slots.at(RAIN), slots.at(FLOW)
        wet, dry = weather(slots.value[:, rain], slots.present[:, rain], self._rule.dry_hours, self._least)
        part = slots.from_place(begin)
        limited, measured, worst = self._qualities(part, sites)
        outlet = np.array([site.setting.get(USE) == RAIN_WATER for site in sites])[:, None]
        return outcomes(
            Hours(
                outlet=np.broadcast_to(outlet, limited.shape),
                wet=wet[:, begin:],
                dry=dry[:, begin:],
                flow_known=part.present[:, flow],
                flows=part.value[:, flow] >= self._least_flow,
                limited=limited,
                measured=measured,
                polluted=worst == Level.FINDING,
                hinted=worst == Level.HINT,
            )
        )

    def _qualities(self, slots: Slots, sites: tuple[Site, ...]) -> tuple[_Flags, _Flags, NDArray[np.int8]]:
        """Return where some factor has a limit, where one of those was measured, and the gravest level of them."""
        cells = self._held.cells(sites, slots.day)
        case = np.full_like(cells, Warmth.UNKNOWN * NIGHTS)
        shape = (len(self._quality), *cells.shape)
        limited, measured = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        worst = np.full(cells.shape, Level.NOT_JUDGED, np.int8)
        for output, factor in enumerate(self._quality):
            place = slots.at(factor)
            level = levels(slots.value[:, place], self._held.rows(output, cells, case))
            limited[output] = level != Level.NOT_JUDGED
            measured[output] = limited[output] & slots.present[:, place]
            worst = np.maximum(worst, np.where(measured[output], level, np.int8(Level.NOT_JUDGED)))
        return np.asarray(limited.any(axis=0)), np.asarray(measured.any(axis=0)), worst

    def _inputs(self, slots: Slots) -> NDArray[np.uint64]:
        """Return what went into each slot and the hours of rain before it."""
        came = (slots.inputs != 0).any(axis=1)
        mixed = windowed(slots.inputs.sum(axis=1, dtype=np.uint64), np.full(slots.number.size, self._rule.dry_hours))
        return np.where(came, mixed | np.uint64(1), np.uint64(0))


def _levels(found: NDArray[np.uint8]) -> NDArray[np.int64]:
    return _LEVELS[found]


def _told(codes: _Ints) -> pa.Array:
    return pa.array([_WORDS[int(code)] for code in codes], pa.utf8())


def _least(amount: Fraction) -> int:
    return max(1, ceil(amount))


def least_flow(rule: DryWeatherRule, flow: Factor) -> int:
    """Return the stored units from which something flows."""
    if rule.flow_unit not in flow.units:
        raise UnknownName(f"the units of {flow.symbol}", rule.flow_unit)
    return _least(rule.flow * flow.units[rule.flow_unit] * 10**flow.digits)
