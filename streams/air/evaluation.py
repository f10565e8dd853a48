"""The air index as an evaluation: the hour and day windows of the six items, and both indices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sensors.errors import UnknownName
from sensors.factors import Factor
from sensors.registry import Site
from streams.air.index import AVERAGED, FACTORS, tell_states
from streams.air.windows import BEFORE, day_blocks, hour_blocks, running_blocks
from streams.judging.plan import Block, Output, Slots
from streams.judging.registered import JudgingContext
from streams.results import AQI, Window
from streams.standards import Standards

_O3_REACH: Final = 7
_UNREACHABLE: Final = np.iinfo(np.int64).max


class AirIndex:
    """HJ 633 and the windows it is made of.

    Parameters
    ----------
    factors
        The kind's factors, in its order; those that are no item of the index are left alone.
    standards
        Editions, limits and counts.
    """

    name = "air_index"
    before = BEFORE
    day_before = 0

    def __init__(self, factors: Mapping[str, Factor], standards: Standards) -> None:
        self._standards = standards
        self._digits = {symbol: factors[symbol].digits for symbol in FACTORS}
        order = tuple(factors)
        self._places = tuple(order.index(symbol) for symbol in FACTORS)
        self.editions = (*(e.name for e in standards.index_editions), "")
        self.slot_outputs = (
            *(self._of(factor, Window.HOUR) for factor in FACTORS),
            _index(Window.HOUR),
            self._of("O3", Window.O3_8H),
            self._of("O3", Window.O3_8H_PLATFORM),
            *(self._of(factor, Window.RUNNING_24H) for factor in AVERAGED),
        )
        self.reach = (*[0] * (len(FACTORS) + 1), _O3_REACH, _O3_REACH, *[BEFORE] * len(AVERAGED))
        windows = [(f, Window.MDA8 if f == "O3" else Window.DAY) for f in FACTORS]
        self.day_outputs = (*(self._of(f, w) for f, w in windows), _index(Window.DAY))

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:  # noqa: ARG002 - all alike
        """Return the six 1 h means, the real-time index, and the running windows of ozone and the others."""
        items = self._items(slots)
        return [
            *hour_blocks(items, self._standards, begin),
            *running_blocks(items, self._standards, begin),
        ]

    def day(
        self,
        slots: Slots,
        sites: tuple[Site, ...],
        means: Mapping[tuple[str, str], Block],  # noqa: ARG002
    ) -> list[Block]:
        """Return the five 24 h means, MDA8 and the daily index; before the first edition no index."""
        return day_blocks(self._items(slots), self._standards, self._mda8_limits(sites, int(slots.day[-1])))

    def _items(self, slots: Slots) -> Slots:
        """Return the six items in the order of the index."""
        if slots.factors == FACTORS:
            return slots
        names = ("value", "present", "valid", "expected", "reason", "marks", "inputs", "planned", "low", "high")
        columns: dict[str, Any] = {name: getattr(slots, name)[:, self._places] for name in names}
        return replace(slots, **columns, factors=FACTORS, steps=tuple(slots.steps[place] for place in self._places))

    def _mda8_limits(self, sites: tuple[Site, ...], day: int) -> NDArray[np.int64]:
        """Return the MDA8 limit of each site's zone on a day; none in force is out of reach."""
        limits = [self._standards.limit("O3", Window.MDA8, site.zone, day) for site in sites]
        return np.array([_UNREACHABLE if limit is None else limit.value for limit in limits], np.int64)

    def _of(self, factor: str, window: Window) -> Output:
        return Output(factor=factor, window=window, digits=self._digits[factor])


def air_index(context: JudgingContext) -> AirIndex:
    """Return the evaluation for a kind that has the six items.

    Raises
    ------
    UnknownName
        When the kind lacks one of them.
    """
    lacking = [factor for factor in FACTORS if factor not in context.kind.factors]
    if lacking:
        raise UnknownName(f"the factors of kind {context.kind.name}", ", ".join(lacking))
    return AirIndex(context.kind.factors, context.standards)


def _index(window: Window) -> Output:
    return Output(factor=AQI, window=window, digits=0, tell=tell_states, primaries=FACTORS)
