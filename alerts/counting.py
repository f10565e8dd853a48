"""Counting: how many periods over raise, how many fine ones clear, and when crossings are a flap; plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.periods import Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One raise and clear of a series that flaps."""

    start: int
    """Milliseconds UTC; likewise below."""
    last: int
    cleared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """When crossings are no events of their own any more: more than ``more_than`` begin ``within`` so many periods."""

    more_than: int
    within: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How a rule counts periods."""

    cadence: Cadence
    raise_after: int
    """Periods over that raise."""
    clear_after: int
    """Fine periods in a row that clear."""
    confirm_after: int = 1
    raise_of: int = 0
    """Known periods among which those over must lie; 0 when they must be in a row."""
    hold_for: int = 0
    """Periods after the last one over for which an episode is kept open."""
    flap: Flap | None = None

    @property
    def known_for_raise(self) -> int:
        """Known periods that a raise looks at."""
        return max(self.raise_after, self.raise_of)

    @property
    def reach(self) -> int:
        """Fine periods in a row after which nothing that lies before them matters."""
        wide = self.raise_of if self.raise_of > self.raise_after else 0
        return max(self.clear_after, self.hold_for, wide, 0 if self.flap is None else self.flap.within)
