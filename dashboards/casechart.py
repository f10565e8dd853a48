"""The picture on a case's page: the readings around its newest event, with the limit and the span of each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from alerts.desk import Why
from alerts.events import Event
from alerts.periods import Cadence
from alerts.rulefile import AIR
from dashboards.api import read_station, station_data
from dashboards.console import Console
from dashboards.site import Periods, slot_window, views_of
from dashboards.sitepages import read_site, site_data
from dashboards.station import Span, View
from dashboards.texts import Catalogue
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS
from sensors.registry import Site
from streams.results import AQI, Window

VIEW_OF: Final[dict[str, View]] = {
    Window.HOUR: View.HOUR, Window.O3_8H: View.EIGHT, Window.RUNNING_24H: View.RUNNING,
}  # fmt: skip
"""The view of an air station on which a rule's window is seen; any other is seen by the day."""
_MOST_STEPS: Final = 240
"""Points of a picture at most: of a long incident the newest."""
_BEFORE: Final = 12
"""Steps shown before the first event and after the last."""


async def case_chart(
    console: Console, lead: Why | None, events: Sequence[Why], catalogue: Catalogue
) -> dict[str, Any] | None:
    """Return the picture's data, one panel; None where there is nothing that could be drawn.

    Drawn is what the leading event is about, around the newest event of the same.
    """
    drawn = [why.alert.event for why in events if _factor(why.alert.event)]
    if not drawn:
        return None
    leading = drawn if lead is None or not _factor(lead.alert.event) else _same(drawn, lead.alert.event)
    newest = max(leading, key=lambda event: (event.last, event.start))
    same = _same(drawn, newest)
    site = console.site(newest.key.site)
    if site is None:
        return None
    found = await (_of_air if site.kind == AIR else _of_kind)(console, site, same, catalogue)
    if found is None:
        return None
    data, shift = found
    ours = [panel for panel in data["panels"] if panel["symbol"] == _factor(newest)]
    if not ours:
        return None
    spans = [{"from": event.start + shift, "to": max(event.last - data["step"], event.start) + shift} for event in same]
    return data | {"panels": [ours[0] | {"spans": spans}]}


def _same(events: Sequence[Event], one: Event) -> list[Event]:
    return [event for event in events if _about(event) == _about(one)]


def _about(event: Event) -> tuple[str, str, str]:
    return event.key.site, _factor(event), event.window


def _factor(event: Event) -> str:
    """Return whose readings tell an event: its factor's, or of an index those of the first that decides it."""
    factor = event.key.factor.removesuffix(".limit")
    if factor in {"class", "over_target", AQI}:
        return next(iter(filter(None, event.peak.primary.split(";"))), "")
    return factor


async def _of_air(
    console: Console, site: Site, events: Sequence[Event], catalogue: Catalogue
) -> tuple[dict[str, Any], int] | None:
    view = VIEW_OF.get(events[0].window, View.DAY)
    step = DAY_MS if view is View.DAY else HOUR_MS
    offset = BEIJING_OFFSET_MS if step == DAY_MS else 0
    start, end = _around(events, step, offset)
    kept = await read_station(console, site, view, Span(start=start, end=end, step=step))
    if kept.value is None:
        return None
    data = station_data(kept.value, catalogue)
    return data, BEIJING_OFFSET_MS + (step if step == HOUR_MS else 0)


async def _of_kind(
    console: Console, site: Site, events: Sequence[Event], catalogue: Catalogue
) -> tuple[dict[str, Any], int] | None:
    kind = console.kinds.get(site.kind)
    if kind is None:
        return None
    window = events[0].window.removesuffix("_min").removesuffix("_max")
    view = window if window in views_of(kind) else slot_window(kind)
    cadence = Cadence.of(view)
    if cadence.months:
        return None
    first = cadence.number(min(event.start for event in events)) - _BEFORE
    last = cadence.number(max(event.last for event in events) - 1) + _BEFORE
    numbers = range(max(first, last + 1 - _MOST_STEPS), last + 1)
    starts = tuple(cadence.start_ms(number) for number in numbers)
    kept = await read_site(console, site, view, Periods(starts=starts, end=cadence.start_ms(last + 1), cadence=cadence))
    if kept.value is None:
        return None
    return site_data(kept.value, catalogue), BEIJING_OFFSET_MS


def _around(events: Sequence[Event], step: int, offset: int) -> tuple[int, int]:
    """Return the span around some events in whole steps, of a long time the newest part."""
    last = max(max(event.last for event in events) + _BEFORE * step, events[0].start + step)
    first = min(event.start for event in events) - _BEFORE * step
    end = -(-(last + offset) // step) * step - offset
    start = (first + offset) // step * step - offset
    return max(start, end - _MOST_STEPS * step), end
