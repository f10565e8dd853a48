"""Which rows a rule is meant for: where it judges, and when."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from alerts.against import Entries
from alerts.columns import Columns
from alerts.modes import Modes
from alerts.rules import Rule
from sensors.registry import Site


def meant_for(rule: Rule, columns: Columns, entries: Entries) -> NDArray[np.bool_]:
    """Return which rows are of the sites, areas, classes and settings that a rule is meant for, ``(n,)``."""
    meant = np.ones(len(columns.start), dtype=np.bool_)
    if rule.sites:
        meant &= np.isin(columns.sites, list(rule.sites))[columns.site]
    for name, values in rule.where.items():
        meant &= entries.where(_has(name, values))
    if rule.classes:
        meant &= entries.where(lambda site: site is not None and site.station_class in rule.classes)
    if rule.areas:
        meant &= entries.where(lambda site: site is not None and not rule.areas.isdisjoint(site.areas))
    if rule.function_classes:
        meant &= entries.where(lambda site: site is not None and site.zone in rule.function_classes)
    return meant


def in_time(rule: Rule, columns: Columns, entries: Entries, modes: Modes) -> NDArray[np.bool_]:
    """Return which rows lie in a rule's dates, its season and its mode, ``(n,)``; all by the time of the data."""
    holds = columns.start >= rule.start
    if rule.end is not None:
        holds &= columns.start < rule.end
    if rule.season is not None:
        days, which = np.unique(columns.day, return_inverse=True)
        holds &= np.array([rule.season.holds(day) for day in days.tolist()], dtype=np.bool_)[which]
    if rule.mode:
        within = np.zeros(len(columns.start), dtype=np.bool_)
        for mode in modes.named(rule.mode):
            time = (columns.start >= mode.start) & (columns.start < mode.end)
            if mode.areas:
                time &= entries.where(_lies_in(mode.areas))
            within |= time
        holds &= within
    return np.asarray(holds, dtype=np.bool_)


def _has(name: str, values: frozenset[str]) -> Callable[[Site | None], bool]:
    return lambda site: site is not None and not values.isdisjoint(_said(site.setting.get(name)))


def _said(value: object) -> tuple[str, ...]:
    """Return what an entry of a setting says, as a rules file writes it; of a list each, of nothing nothing."""
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("true",) if value else ("false",)
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)


def _lies_in(areas: frozenset[str]) -> Callable[[Site | None], bool]:
    return lambda site: site is not None and not areas.isdisjoint(site.areas)
