"""The registry's entries of one partition as arrays: what each site owes, measures and sends, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensors.factors import Factor
from sensors.registry import Site

Rows = NDArray[np.intp]
"""Rows of the state, one a site."""
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """All entries of some sites; built by `entries_of`. Entry arrays are [entries of a site, sites]."""

    ids: tuple[str, ...]
    """In order; the place of an id is its row."""
    of_row: tuple[tuple[Site, ...], ...]
    """Entries in order of time."""
    newest: tuple[Site, ...]
    """The last entry of each row."""
    starts: NDArray[np.int64]
    """Where a site has fewer entries, never."""
    ends: NDArray[np.int64]
    periods: NDArray[np.int64]
    absences: tuple[tuple[int, int, int, int], ...]
    """Row, factor, start and end of each time without a factor by plan."""
    expected: NDArray[np.bool_]
    """[factors, sites]: silence of the factor is a finding, because the site measures it."""

    def owed(self, rows: Rows, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which sites the registry has at which times, [times, sites]."""
        at = times[:, None]
        held = np.zeros((times.size, rows.size), np.bool_)
        for starts, ends in zip(self.starts, self.ends, strict=True):
            held |= (starts[rows] <= at) & (at < ends[rows])
        return held

    def planned(self, rows: Rows, times: NDArray[np.int64], factors: int) -> NDArray[np.bool_]:
        """Return whether each site measures each factor by plan, [times, factors, sites]."""
        shape = (times.size, factors, rows.size)
        if not self.absences:
            return np.broadcast_to(np.True_, shape)
        planned = np.ones(shape, np.bool_)
        place = np.full(len(self.ids), -1)
        place[rows] = np.arange(rows.size)
        for row, factor, start, end in self.absences:
            if place[row] >= 0:
                planned[(times >= start) & (times < end), factor, place[row]] = False
        return planned

    def period_at(self, rows: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the period of the entry that began last before each time; before the first, the first's."""
        if len(self.periods) == 1:
            only: NDArray[np.int64] = self.periods[0][rows]
            return only
        begun = np.sum(self.starts[:, rows] <= times, axis=0)
        found: NDArray[np.int64] = self.periods[np.maximum(begun - 1, 0), rows]
        return found

    def changes(self, first_ms: int, stop_ms: int) -> list[int]:
        """Return when, after ``first_ms`` and before ``stop_ms``, an entry of a site with several begins or ends."""
        several = [e for entries in self.of_row if len(entries) > 1 for e in entries]
        times = {t for e in several for t in (e.start, e.end) if t is not None}
        return sorted(t for t in times if first_ms < t < stop_ms)

    def in_force(self, rows: Rows, at: int) -> tuple[Site, ...]:
        """Return the entry of each row that holds at an instant; where none does, its last."""
        if len(self.periods) == 1 and rows.size == len(self.ids):
            return self.newest
        return tuple(next((e for e in self.of_row[r] if e.holds_at(at)), self.of_row[r][-1]) for r in rows)


def entries_of(sites: Sequence[Site], table: Mapping[str, Factor]) -> Entries:
    """Return the entries of sites, several of one id in one row, with the factors of their kind."""
    factors = tuple(table)
    ids = tuple(sorted({site.id for site in sites}))
    mine: dict[str, list[Site]] = {name: [] for name in ids}
    for site in sorted(sites, key=lambda entry: entry.start):
        mine[site.id].append(site)
    most = max((len(entries) for entries in mine.values()), default=1)
    shape = (most, len(ids))
    starts, ends = np.full(shape, _NEVER), np.full(shape, _NEVER)
    periods = np.zeros(shape, np.int64)
    for row, name in enumerate(ids):
        for place, entry in enumerate(mine[name]):
            starts[place, row], periods[place, row] = entry.start, entry.period_ms
            ends[place, row] = _NEVER if entry.end is None else entry.end
    return Entries(
        ids=ids,
        of_row=tuple(tuple(mine[name]) for name in ids),
        newest=tuple(mine[name][-1] for name in ids),
        starts=starts,
        ends=ends,
        periods=periods,
        expected=np.array(
            [[_measured(factor, mine[site][-1]) for site in ids] for factor in table.values()],
            np.bool_,
        ).reshape(len(table), len(ids)),
        absences=tuple(
            found for row, name in enumerate(ids) for e in mine[name] for found in _absences(row, e, factors)
        ),
    )


def _measured(factor: Factor, entry: Site) -> bool:
    """Return whether a site has an instrument for a factor: it says so, or says nothing and the factor is usual."""
    return factor.symbol in entry.measures if entry.measures else not factor.optional


def _absences(row: int, entry: Site, factors: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return an entry's absences, each no longer than the entry."""
    return [
        (
            row,
            factors.index(absence.factor),
            max(entry.start, absence.start),
            min(_NEVER if entry.end is None else entry.end, _NEVER if absence.end is None else absence.end),
        )
        for absence in entry.not_in_plan
        if absence.factor in factors
    ]
