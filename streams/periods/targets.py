"""Targets: what a plan promises of an area, with direction, base, year and place in its document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """All targets of a configuration."""

    rows: tuple[object, ...] = ()


NO_TARGETS: Final = Targets()
"""None given."""
