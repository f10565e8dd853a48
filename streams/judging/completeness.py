"""Completeness: how many values make a window valid on a day, from the kind's windows and the dated counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.kinds import Kind
from sensors.windows import WindowSpec
from streams.standards import Standards

_PARTICLES: Final[Mapping[str, str]] = {"hour_minutes": "particle_hour_minutes"}
"""Counts of the rule pack that particles have for themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """What windows of a kind need."""

    kind: Kind
    standards: Standards
    """Holds the counts that a need names by ``rule``."""

    def needed(self, spec: WindowSpec, factor: str, day: int, expected: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the least number of valid values, at least 1.

        Parameters
        ----------
        spec, factor
            Which window of which factor.
        day
            Beijing day of the window.
        expected
            How many values are due, of any shape; the result has it too.
        """
        needs = spec.needs_on(day)
        if needs is None:
            return np.ones_like(expected)
        if needs.share is not None:
            share = needs.share
            return np.maximum(-(-expected * share.numerator // share.denominator), 1)
        count = needs.at_least if needs.at_least is not None else self._by_rule(needs.rule, factor, day)
        return np.full_like(expected, max(count, 1))

    def _by_rule(self, rule: str, factor: str, day: int) -> int:
        counts = self.standards.completeness(day)
        name = _PARTICLES.get(rule, rule) if factor.startswith("PM") else rule
        count: int = getattr(counts, name)
        return count
