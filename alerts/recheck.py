"""The re-check list (回头看): cleared water bodies that are severe again, with since when they were cleared.

A body is cleared (销号) from the day on which an entry of the registry begins that says so, and for as long as its
entries say so without a break. Each relapse is an event of a rule for cleared bodies; its body goes back to the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from alerts.events import Event, Fact
from alerts.rules import Rules
from sensors.clock import DAY_MS
from sensors.registry import Registry

CLEARED: Final = "cleared"
"""The entry of a water body's setting that says from what it was written off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """One body that is to be looked at again."""

    site: str
    cleared: str
    """From what it was written off, for example ``inferior_v``."""
    cleared_at: int
    """Since when it counts as cleared, ms UTC."""
    relapses: tuple[Event, ...]
    """Its relapses since then, the oldest first."""

    @property
    def relapsed_at(self) -> int:
        """Start of the data that made the first relapse, ms UTC."""
        return self.relapses[0].start

    @property
    def days_cleared(self) -> int:
        """Whole days from the clearing to the first relapse."""
        return (self.relapsed_at - self.cleared_at) // DAY_MS

    @property
    def open(self) -> bool:
        """Whether a relapse is going on."""
        return any(event.fact is Fact.GOING_ON for event in self.relapses)


def relapse_rules(rules: Rules) -> frozenset[str]:
    """Return the ids of rules that are meant for cleared bodies alone."""
    return frozenset(rule.id for rule in rules.rules if CLEARED in rule.where)


def cleared_since(registry: Registry, site: str, at_ms: int) -> tuple[str, int] | None:
    """Return from what and since when a body is cleared at an instant; None when it is not.

    Entries that follow one another without a break are one clearing; the first of them dates it.
    """
    found: tuple[str, int] | None = None
    before: int | None = None
    for entry in registry.entries(site):
        said = entry.setting.get(CLEARED)
        if said is None or entry.start > at_ms:
            found, before = (None, None) if entry.start <= at_ms else (found, before)
            continue
        joined = found is not None and before == entry.start
        found = found if joined else (str(said), entry.start)
        before = entry.end
        if entry.holds_at(at_ms):
            return found
    return None


def recheck_list(events: Iterable[Event], rules: Rules, registry: Registry) -> tuple[Recheck, ...]:
    """Return the bodies that are to be checked again, the newest relapse first.

    Parameters
    ----------
    events
        Any events; those of other rules, withdrawn and joined ones are passed over.
    rules
        Say which rules are meant for cleared bodies.
    registry
        Says since when each body is cleared.
    """
    found: dict[tuple[str, str, int], list[Event]] = {}
    for event, key in _relapses(events, relapse_rules(rules), registry):
        found.setdefault(key, []).append(event)
    entries = [
        Recheck(site=site, cleared=what, cleared_at=since, relapses=tuple(sorted(some, key=lambda e: (e.start, e.id))))
        for (site, what, since), some in found.items()
    ]
    return tuple(sorted(entries, key=lambda one: (-one.relapses[-1].start, one.site)))


def _relapses(
    events: Iterable[Event], ids: frozenset[str], registry: Registry
) -> Iterator[tuple[Event, tuple[str, str, int]]]:
    for event in events:
        if event.key.rule not in ids or event.fact in {Fact.WITHDRAWN, Fact.JOINED}:
            continue
        known = cleared_since(registry, event.key.site, event.start)
        if known is not None:
            yield event, (event.key.site, *known)
