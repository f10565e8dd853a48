"""One area: what is said of it over days, months and years, of how many of its sites, and what lies in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.measures import Measure
from dashboards.media import Medium, Spot
from dashboards.overview import StationNow
from dashboards.rows import Row
from dashboards.site import MeasureOf
from sensors.areas import Area
from sensors.flags import Mark
from sensors.kinds import Kind
from streams.results import Reason

WINDOWS = ("24h", "MDA8", "month", "quarter", "year", "running_year")
"""Windows of which an area's page shows the newest that there is, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One row of an area."""

    measure: Measure
    row: Row
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What is said of an area over one period, of one kind of readings."""

    kind: Kind
    window: str
    start: int
    said: tuple[Said, ...]
    """What has a value, and what evaluations say without one."""
    lacking: tuple[Said, ...]
    """Measured factors without a value."""

    @property
    def provisional(self) -> bool:
        """Whether the period is not over."""
        return any(said.provisional for said in (*self.said, *self.lacking))


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaView:
    """An area as its page shows it."""

    area: Area
    parents: tuple[Area, ...]
    children: tuple[Area, ...]
    stretches: tuple[Stretch, ...]
    stations: tuple[StationNow, ...]
    """Its air stations in the newest hour."""
    spots: Mapping[str, tuple[Spot, ...]]
    """Its sites of other kinds in their newest slot."""


def stretches_of(
    rows: Mapping[str, Sequence[Row]], kinds: Mapping[str, Kind], measure_of: MeasureOf
) -> tuple[Stretch, ...]:
    """Return the newest period of each window that has rows with anything to say, by kind and then by length.

    Parameters
    ----------
    rows
        Rows of the area by kind of readings, of any windows and periods.
    """
    found = []
    for name, rows_of_kind in rows.items():
        kind = kinds[name]
        for window in WINDOWS:
            mine = [row for row in rows_of_kind if row.window.split("_p")[0] == window and row.reason != "not_in_plan"]
            if not mine:
                continue
            start = max(row.start for row in mine)
            newest = [
                Said(
                    measure=measure_of(kind, row.factor, row.digits),
                    row=row,
                    provisional=bool(row.flags & Mark.OPEN),
                )
                for row in mine
                if row.start == start
            ]
            lacking = tuple(said for said in newest if said.row.value is None and not _told(said.row))
            said_here = tuple(
                sorted((said for said in newest if said not in lacking), key=lambda one: _place(kind, one))
            )
            found.append(Stretch(kind=kind, window=window, start=start, said=said_here, lacking=lacking))
    return tuple(found)


def _told(row: Row) -> bool:
    """Return whether a row without a value says something all the same: a target, or that none was set."""
    return row.factor.endswith(".target") or row.reason == Reason.UNSET


def _place(kind: Kind, said: Said) -> tuple[int, int, str]:
    """Return where a measure stands: what sums an area up, then its factors, then what is made of each of them."""
    name, order = said.row.factor, list(kind.factors)
    base = name.rpartition(".")[0]
    if name in order:
        return 1, order.index(name), name
    if base in order and not name.endswith(".target"):
        return 2, order.index(base), name
    return 0, 0, name


def build_area(
    area: Area,
    areas: Mapping[str, Area],
    *,
    stretches: tuple[Stretch, ...],
    stations: Sequence[StationNow],
    media: Sequence[Medium],
) -> AreaView:
    """Return an area with what lies above, below and in it."""
    parents = []
    above = area.parent
    while above is not None and above in areas:
        parents.append(areas[above])
        above = areas[above].parent
    return AreaView(
        area=area,
        parents=tuple(reversed(parents)),
        children=tuple(one for one in areas.values() if one.parent == area.id),
        stretches=stretches,
        stations=tuple(one for one in stations if area.id in one.site.areas),
        spots={
            medium.kind.name: inside
            for medium in media
            if (inside := tuple(spot for spot in medium.spots if area.id in spot.site.areas))
        },
    )
