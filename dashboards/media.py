"""Every kind of readings at a glance: what its newest slot says of every site, which are missing, what is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from dashboards.measures import LIMIT
from dashboards.overview import State
from dashboards.rows import Row
from sensors.areas import Area
from sensors.clock import BEIJING_OFFSET_MS, HOUR_MS
from sensors.kinds import Kind
from sensors.registry import Site
from streams.discharge.judgement import Level
from streams.results import Reason

CLASS: Final = "class"
OVER_TARGET: Final = "over_target"
_FIFTH: Final = 5
_MOST_COLUMNS: Final = 8
"""Columns of measured values in a table of the overview; the page of a site shows all."""
LAYERS: Final = ("workshop", "warehouse", "boundary", "plant_open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One site in the newest slot of its kind."""

    site: Site
    state: State
    slot: Mapping[str, Row]
    """Rows of the slot by factor."""
    day: Mapping[str, Row]
    """Rows of the newest day that is over."""
    year: Mapping[str, Row]
    """Rows of the year so far."""

    @property
    def level(self) -> int | None:
        """The class of water in the slot, 1 to 6."""
        found = self.slot.get(CLASS)
        return found.level if found else None

    @property
    def over_target(self) -> tuple[str, ...]:
        """The items over the section's own target."""
        found = self.slot.get(OVER_TARGET)
        return tuple(filter(None, found.primary.split(";"))) if found and found.value else ()

    @property
    def judged(self) -> int:
        """The gravest judgement of the slot's values and of the day before, see `streams.discharge.judgement.Level`."""
        rows = [row for rows in (self.slot, self.day) for name, row in rows.items() if name.endswith(LIMIT)]
        return max((Level.NOT_JUDGED if row.level is None else row.level for row in rows), default=Level.NOT_JUDGED)

    @property
    def short(self) -> bool:
        """Whether the flow is below the minimum that the site's setting holds."""
        minimum, flow = self.site.setting.get("minimum"), self.slot.get("flow")
        if minimum is None or flow is None or flow.value is None:
            return False
        return Fraction(flow.value, 10**flow.digits) < Fraction(str(minimum))

    @property
    def suspect(self) -> bool:
        """Whether a value of the slot is doubtful."""
        return any(row.suspect for row in self.slot.values())

    def limit(self, factor: str) -> Row | None:
        """Return the judgement of a factor in the slot, or of the day before where the slot has none."""
        name = factor + LIMIT
        found = self.slot.get(name)
        if found is None or found.level is None:
            return self.day.get(name, found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One kind of readings in its newest slot."""

    kind: Kind
    start: int
    """Start of the slot, milliseconds UTC."""
    spots: tuple[Spot, ...]
    """Those with something wrong first, then by class and id."""
    columns: tuple[str, ...]
    """Factors that some site measures in the slot, at most a few, in the kind's order."""

    @property
    def end(self) -> int:
        """End of the slot."""
        return self.start + self.kind.slot_ms

    @property
    def owed(self) -> int:
        """How many sites owe the slot."""
        return len(self.spots)

    @property
    def missing(self) -> tuple[Spot, ...]:
        """The sites of which nothing came."""
        return tuple(spot for spot in self.spots if spot.state is State.OFFLINE)

    @property
    def over_target(self) -> tuple[Spot, ...]:
        """The sections worse than their own target."""
        return tuple(spot for spot in self.spots if spot.over_target)

    @property
    def fifth(self) -> tuple[Spot, ...]:
        """The sections of class V or worse."""
        return tuple(spot for spot in self.spots if (spot.level or 0) >= _FIFTH)

    @property
    def short(self) -> tuple[Spot, ...]:
        """The cross-sections with less than their minimum."""
        return tuple(spot for spot in self.spots if spot.short)

    def judged(self, level: int) -> tuple[Spot, ...]:
        """Return the sites whose gravest judgement is of a level."""
        return tuple(spot for spot in self.spots if spot.judged == level)

    @property
    def near(self) -> tuple[Spot, ...]:
        """The sites at 80 or 90 % of a limit and not over one."""
        return tuple(spot for spot in self.spots if Level.WARNING_80 <= spot.judged < Level.HINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The worst point of one layer of a firm."""

    spot: Spot
    row: Row
    points: int
    """Points of the layer that said something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """The points of one firm by layer."""

    area: Area | None
    """None for points that lie in no firm or park."""
    points: int
    missing: int
    judged: int
    layers: Mapping[str, Worst]


def shown_slot(clock_ms: int, slot_ms: int, owed_after_ms: int) -> int:
    """Return the start of the newest slot that every site of a kind owes by its own clock."""
    offset = BEIJING_OFFSET_MS % slot_ms
    return (clock_ms - owed_after_ms + offset) // slot_ms * slot_ms - offset - slot_ms


def build_medium(
    kind: Kind,
    start: int,
    sites: Iterable[Site],
    *,
    slot: Sequence[Row],
    day: Sequence[Row] = (),
    year: Sequence[Row] = (),
) -> Medium:
    """Return one kind of readings in one slot.

    Parameters
    ----------
    sites
        The entries of the kind that hold in the slot; one without rows is missing, also if it was never seen.
    slot, day, year
        Rows of the slot, of the newest day that is over and of the year so far.
    """
    parts = [_by_site(rows) for rows in (slot, day, year)]
    spots = tuple(
        _spot(kind, site, *(part.get(site.id, {}) for part in parts))
        for site in sorted(sites, key=lambda site: (kind.classes.index(site.station_class), site.id))
    )
    spots = tuple(sorted(spots, key=lambda spot: (-spot.judged, not spot.over_target, not spot.short)))
    used = {name for spot in spots for name in kind.factors if (row := spot.slot.get(name)) and row.value is not None}
    columns = tuple(name for name in kind.factors if name in used)[:_MOST_COLUMNS]
    return Medium(kind=kind, start=start, spots=spots, columns=columns)


def _by_site(rows: Iterable[Row]) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(row.site, {})[row.factor] = row
    return found


def _spot(kind: Kind, site: Site, slot: Mapping[str, Row], day: Mapping[str, Row], year: Mapping[str, Row]) -> Spot:
    measured = [slot[name] for name in kind.factors if name in slot]
    if any(row.value is not None for row in measured):
        state = State.VALUE
    elif any(row.came or row.reason not in (Reason.SILENT, Reason.NOT_IN_PLAN) for row in measured):
        state = State.NA
    else:
        state = State.OFFLINE
    return Spot(site=site, state=state, slot=slot, day=day, year=year)


def firms_of(medium: Medium, areas: Mapping[str, Area]) -> tuple[Firm, ...]:
    """Return the points of a medium by firm and layer, firms with the gravest judgement first.

    A point belongs to its firm, else to its park. The worst of a layer is the point with the gravest
    judgement, then that with the greatest value of the first factor that the kind lists.
    """
    by_firm: dict[str, list[Spot]] = {}
    for spot in medium.spots:
        by_firm.setdefault(_firm(spot.site, areas), []).append(spot)
    firms = [_firm_of(medium, areas.get(name), spots) for name, spots in by_firm.items()]
    return tuple(sorted(firms, key=lambda firm: (-firm.judged, "" if firm.area is None else firm.area.id)))


def _firm(site: Site, areas: Mapping[str, Area]) -> str:
    types = {str(areas[area].type): area for area in reversed(site.areas) if area in areas}
    return str(types.get("firm") or types.get("park") or "")


def _firm_of(medium: Medium, area: Area | None, spots: Sequence[Spot]) -> Firm:
    layers: dict[str, Worst] = {}
    for layer in LAYERS:
        there = [spot for spot in spots if spot.site.setting.get("layer") == layer]
        known = [(spot, row) for spot in there if (row := _first(medium, spot)) is not None]
        if known:
            spot, row = max(known, key=_badness)
            layers[layer] = Worst(spot=spot, row=row, points=len(known))
    return Firm(
        area=area,
        points=len(spots),
        missing=sum(spot.state is State.OFFLINE for spot in spots),
        judged=max((spot.judged for spot in spots), default=Level.NOT_JUDGED),
        layers=layers,
    )


def _badness(said: tuple[Spot, Row]) -> tuple[int, Fraction]:
    spot, row = said
    return spot.judged, Fraction(row.value or 0, 10**row.digits)


def _first(medium: Medium, spot: Spot) -> Row | None:
    rows = (spot.slot.get(name) for name in medium.kind.factors)
    return next((row for row in rows if row is not None and row.value is not None), None)


def hours_of(medium: Medium) -> int:
    """Return the length of a slot in hours."""
    return medium.kind.slot_ms // HOUR_MS
