"""The region at a glance: what this hour says of every site, and which are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboards.limits import LimitOf, over
from dashboards.rows import Row, by_factor
from sensors.clock import HOUR_MS, beijing
from sensors.factors import Factor
from sensors.registry import Site
from streams.results import AQI, Reason, Window

TREND_HOURS = 24
"""Length of the small trend beside each site."""
_FIRST_8H_END, _LAST_8H_END = 8, 24
_LIGHTLY_POLLUTED = 3


class State(StrEnum):
    """What a site has to say of the hour."""

    VALUE = "value"
    """An AQI."""
    NA = "na"
    """Data came and no AQI follows from them; the reasons stand beside it."""
    OFFLINE = "offline"
    """Nothing came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One factor of a site in the hour."""

    factor: str
    value: int | None
    digits: int
    reason: str
    suspect: bool
    over: bool
    """Over the 1 h limit of its standard."""
    iaqi: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationNow:
    """One site in the hour."""

    site: Site
    state: State
    aqi: int | None
    level: int | None
    primary: tuple[str, ...]
    cells: tuple[Cell, ...]
    over: tuple[tuple[str, str], ...]
    """(factor, window) that are over a limit."""
    suspect: bool
    trend: tuple[int | None, ...]
    """AQI of the last `TREND_HOURS` hours, oldest first."""
    seen: int | None
    """Start of the newest of these hours in which anything came, milliseconds UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The region in one hour."""

    hour: int
    """Start of the hour, milliseconds UTC."""
    stations: tuple[StationNow, ...]
    """By id."""

    @property
    def owed(self) -> int:
        """How many sites owe this hour."""
        return len(self.stations)

    @property
    def missing(self) -> tuple[StationNow, ...]:
        """The sites of which nothing came."""
        return tuple(station for station in self.stations if station.state is State.OFFLINE)

    @property
    def over(self) -> tuple[StationNow, ...]:
        """The sites with a value over a limit."""
        return tuple(station for station in self.stations if station.over)

    @property
    def polluted(self) -> tuple[StationNow, ...]:
        """The sites at level 3 or worse."""
        return tuple(station for station in self.stations if (station.level or 0) >= _LIGHTLY_POLLUTED)

    @property
    def undecided(self) -> tuple[StationNow, ...]:
        """The sites whose AQI is NA."""
        return tuple(station for station in self.stations if station.state is State.NA)


def shown_hour(latest: int | None, at: int | None, owed_after_ms: int) -> int | None:
    """Return the start of the hour that the overview shows; None while there is nothing to show.

    It is the newest that has rows, or the newest that every site owes by the stream's own clock.
    The clock is not run on: a pipeline that stands still keeps its last picture.
    """
    if at is None:
        return latest
    owed = (at - owed_after_ms) // HOUR_MS * HOUR_MS - HOUR_MS
    return owed if latest is None else max(latest, owed)


def build_overview(
    *,
    hour: int,
    sites: Sequence[Site],
    factors: Mapping[str, Factor],
    hours: Mapping[int, Sequence[Row]],
    eights: Sequence[Row],
    limit_of: LimitOf,
) -> Overview:
    """Return the overview of an hour.

    Parameters
    ----------
    hour
        Start of the hour, milliseconds UTC.
    sites
        The entries that hold in that hour; one without rows is missing, also if it was never seen.
    hours
        Rows of the 1 h window by start; those of a missing hour are a gap.
    eights
        Rows of the 8 h window that ends with the hour.
    """
    starts = [hour - HOUR_MS * back for back in range(TREND_HOURS - 1, -1, -1)]
    slices = [by_factor(hours.get(start, ())) for start in starts]
    running = by_factor(eights)
    return Overview(
        hour=hour,
        stations=tuple(
            _station(
                site,
                [(start, found.get(site.id, {})) for start, found in zip(starts, slices, strict=True)],
                running.get(site.id, {}),
                factors,
                limit_of,
            )
            for site in sorted(sites, key=lambda site: site.id)
        ),
    )


def _station(
    site: Site,
    past: Sequence[tuple[int, Mapping[str, Row]]],
    running: Mapping[str, Row],
    factors: Mapping[str, Factor],
    limit_of: LimitOf,
) -> StationNow:
    hour, now = past[-1]
    cells = tuple(_cell(site, hour, factor, now.get(factor.symbol), limit_of) for factor in factors.values())
    index = now.get(AQI)
    aqi = index.whole if index else None
    came = aqi is not None or any(now[name].came for name in factors if name in now)
    return StationNow(
        site=site,
        state=State.VALUE if aqi is not None else State.NA if came else State.OFFLINE,
        aqi=aqi,
        level=index.level if index else None,
        primary=tuple(filter(None, index.primary.split(";"))) if index else (),
        cells=cells,
        over=tuple((cell.factor, str(Window.HOUR)) for cell in cells if cell.over)
        + tuple((name, str(Window.O3_8H)) for name, row in running.items() if _eight_over(site, hour, row, limit_of)),
        suspect=any(cell.suspect for cell in cells),
        trend=tuple(found[AQI].whole if AQI in found else None for _, found in past),
        seen=max(
            (start for start, found in past if any(found[name].came for name in factors if name in found)), default=None
        ),
    )


def _cell(site: Site, hour: int, factor: Factor, row: Row | None, limit_of: LimitOf) -> Cell:
    if row is None:
        gone = any(
            a.factor == factor.symbol and a.start <= hour and (a.end is None or hour < a.end) for a in site.not_in_plan
        )
        reason = Reason.NOT_IN_PLAN if gone else Reason.SILENT
        return Cell(
            factor=factor.symbol, value=None, digits=factor.digits, reason=reason, suspect=False, over=False, iaqi=None
        )
    return Cell(
        factor=factor.symbol,
        value=row.value,
        digits=row.digits,
        reason=row.reason,
        suspect=row.suspect,
        over=over(row.value, row.digits, limit_of(hour, factor.symbol, Window.HOUR, site.zone)),
        iaqi=row.iaqi,
    )


def _eight_over(site: Site, hour: int, row: Row, limit_of: LimitOf) -> bool:
    """Say whether a day is over already: a valid 8 h mean ending 08 to 24 (rulings, "Limits belong to windows")."""
    ending = beijing(hour).hour + 1
    if not _FIRST_8H_END <= ending <= _LAST_8H_END:
        return False
    return over(row.value, row.digits, limit_of(hour, row.factor, Window.O3_8H, site.zone))
