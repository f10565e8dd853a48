"""The pages and their parts: each part is the same markup that its page holds, so that it can be swapped."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.desk import Alert, Why
from alerts.events import Event
from alerts.periods import Cadence
from alerts.rulefile import AIR
from dashboards.api import read_station, station_data
from dashboards.console import Console, catalogue_of, console_of
from dashboards.deskapi import acknowledge_event, close_event, is_event_id
from dashboards.events import Tab, listed
from dashboards.keeper import Kept
from dashboards.media import firms_of
from dashboards.overview import Overview, State, StationNow
from dashboards.render import island
from dashboards.station import View, read_span, strip_labels
from dashboards.visitor import clean_author, remember_author, visitor_of
from sensors.clock import DAY_MS, HOUR_MS, beijing
from sensors.errors import UnknownName
from sensors.registry import Site
from streams.results import Window

router = APIRouter(include_in_schema=False)
EVENTS_SHOWN = 200
_NAMED = 6
"""Missing stations named in the first line; the others stand behind a fold."""


@router.get("/")
def overview(request: Request) -> HTMLResponse:
    """Answer with the region at a glance."""
    return _overview(request, "overview.html")


@router.get("/parts/overview")
def overview_part(request: Request) -> HTMLResponse:
    """Answer with the changing part of the overview."""
    return _overview(request, "_overview.html")


def _overview(request: Request, template: str) -> HTMLResponse:
    console = console_of(request)
    seen = console.snapshot().overview
    values: dict[str, Any] = {
        "overview": seen,
        "named_first": _NAMED,
        "media": console.snapshot().media,
        "firms": lambda medium: firms_of(medium, console.areas),
    }
    if seen is not None:
        values |= {"picture": console.picture(seen), "stations": ranked(seen), "spread": spread(seen)}
    return console.page(request, template, **values)


def ranked(seen: Overview) -> list[StationNow]:
    """Return the sites with the worst first, then those without an AQI, then the silent ones."""
    order = {State.VALUE: 0, State.NA: 1, State.OFFLINE: 2}
    return sorted(seen.stations, key=lambda one: (order[one.state], -(one.aqi or 0), one.site.id))


def spread(seen: Overview) -> list[tuple[str, int]]:
    """Return how many sites are at each level, NA and offline, for the legend."""
    counts = [(str(level), sum(one.level == level for one in seen.stations)) for level in range(1, 7)]
    return [*counts, ("na", len(seen.undecided)), ("offline", len(seen.missing))]


@router.get("/stations/{site_id}")
async def station(request: Request, site_id: str) -> Response:
    """Answer with one site over a time."""
    return await _station(request, site_id, "station.html")


@router.get("/parts/stations/{site_id}")
async def station_part(request: Request, site_id: str) -> Response:
    """Answer with the changing part of a site's page."""
    return await _station(request, site_id, "_station.html")


async def _station(request: Request, site_id: str, template: str) -> Response:
    console = console_of(request)
    site = console.site(site_id)
    if site is None:
        return console.page(request, "lost.html", status=404, what="station.not_found")
    if site.kind != AIR:
        return RedirectResponse(f"/sites/{site.id}", status_code=303)
    query = request.query_params
    view = View(query["w"]) if query.get("w") in tuple(View) else View.HOUR
    newest, bad = newest_hour(console), False
    try:
        span = read_span(view, query.get("from", ""), query.get("to", ""), newest)
    except (ValueError, OverflowError):
        span, bad = read_span(view, "", "", newest), True
    kept = await read_station(console, site, view, span)
    data = None if kept.value is None else station_data(kept.value, catalogue_of(request))
    seen = console.snapshot().overview
    now = next((one for one in seen.stations if one.site.id == site.id), None) if seen else None
    return console.page(
        request,
        template,
        site=site,
        station=kept.value,
        kept=kept,
        island=None if data is None else island(data),
        now_at=now,
        overview=seen,
        view=view,
        views=tuple(View),
        span=span,
        under=() if kept.value is None else strip_labels(kept.value.index, span.step),
        bad=bad,
        presets=presets(request, site, view),
        query=request.url.query,
        from_value=_input_value(span.start),
        to_value=_input_value(span.end),
    )


def newest_hour(console: Console) -> int:
    """Return the start of the newest hour that there can be."""
    snapshot = console.snapshot()
    if snapshot.overview is not None:
        return snapshot.overview.hour
    now = snapshot.now(console.wall(), console.settings.speed)
    return (console.wall() if now is None else now) // HOUR_MS * HOUR_MS - HOUR_MS


def _input_value(ms: int) -> str:
    return beijing(ms).strftime("%Y-%m-%dT%H:%M")


def presets(request: Request, site: Site, view: View) -> list[tuple[str, str, bool]]:
    """Return the usual spans as (text key, address, chosen); the last 48 hours are the plain address."""
    console = console_of(request)
    end = newest_hour(console) + HOUR_MS
    stem = f"/stations/{site.id}?w={view}"
    days = (
        (("last_30d", 30), ("last_year", 366))
        if view is View.DAY
        else (("last_48", 2), ("last_7d", 7), ("last_30d", 30))
    )
    asked = request.query_params.get("from", "")
    found = []
    for place, (key, count) in enumerate(days):
        start = _input_value(end - count * DAY_MS)
        chosen = not asked if place == 0 else asked == start
        found.append((key, stem if place == 0 else f"{stem}&from={start}", chosen))
    return found


@router.get("/alerts")
async def alerts(request: Request) -> HTMLResponse:
    """Answer with one of the lists of alerts."""
    return await _alerts(request, "alerts.html")


@router.get("/parts/alerts")
async def alerts_part(request: Request) -> HTMLResponse:
    """Answer with the changing part of the alert page."""
    return await _alerts(request, "_alerts.html")


async def _alerts(request: Request, template: str) -> HTMLResponse:
    console = console_of(request)
    asked = request.query_params.get("tab")
    tab = Tab(asked) if asked in tuple(Tab) else Tab.OPEN
    kept = await console.keeper.read(("events", tab), lambda: listed(console.desk, tab, EVENTS_SHOWN))
    return console.page(
        request, template, tab=tab, tabs=tuple(Tab), kept=kept, events=kept.value or (), shown=EVENTS_SHOWN
    )


@router.get("/parts/ribbon")
def ribbon_part(request: Request) -> HTMLResponse:
    """Answer with the lines that stand above every page."""
    return console_of(request).page(request, "_ribbon.html")


@router.get("/alerts/{event_id}")
async def event(request: Request, event_id: str) -> HTMLResponse:
    """Answer with why an event was raised."""
    return await _event(request, event_id, "event.html")


@router.get("/parts/alerts/{event_id}")
async def event_part(request: Request, event_id: str) -> HTMLResponse:
    """Answer with the changing part of an event's page."""
    return await _event(request, event_id, "_event.html")


async def _event(request: Request, event_id: str, template: str) -> HTMLResponse:
    console = console_of(request)
    if not is_event_id(event_id):
        return console.page(request, "lost.html", status=404, what="alerts.not_found")
    kept = await console.keeper.read(("event", event_id), lambda: _why(console, event_id))
    if kept.fresh and kept.value is None:
        return console.page(request, "lost.html", status=404, what="alerts.not_found")
    link = "" if kept.value is None else _around(kept.value.alert)
    office = console.office
    case = None
    if office is not None:
        case = (await console.keeper.read(("case-of", event_id), lambda: office.cases.of_event(event_id))).value
    return console.page(request, template, kept=kept, why=kept.value, event_id=event_id, station_link=link, case=case)


_VIEW_OF: dict[str, View] = {Window.HOUR: View.HOUR, Window.O3_8H: View.EIGHT, Window.RUNNING_24H: View.RUNNING}


def _around(alert: Alert) -> str:
    """Return the address of the station's page around an event, on the window that was judged."""
    event = alert.event
    if event.peak.network != AIR:
        return _around_of_kind(event)
    view = _VIEW_OF.get(event.window, View.DAY)
    margin = DAY_MS * (7 if view is View.DAY else 1)
    start, end = _input_value(event.start - margin), _input_value(event.last + margin)
    return f"/stations/{quote(event.key.site, safe='')}?{urlencode({'w': view, 'from': start, 'to': end})}"


def _around_of_kind(event: Event) -> str:
    cadence = Cadence.of(event.window)
    margin = 12 * (cadence.length_ms or 30 * DAY_MS)
    window = event.window.removesuffix("_min").removesuffix("_max")
    asked = {"w": window, "from": _input_value(event.start - margin), "to": _input_value(event.last + margin)}
    return f"/sites/{quote(event.key.site, safe='')}?{urlencode(asked if not cadence.months else {'w': window})}"


def _why(console: Console, event_id: str) -> Why | None:
    try:
        return console.desk.why(event_id)
    except UnknownName:
        return None


@router.post("/alerts/{event_id}/acknowledge")
async def acknowledge(request: Request, event_id: str, author: Annotated[str, Form()] = "") -> Response:
    """Acknowledge from a form, for browsers without scripts; then show the event."""
    console = console_of(request)
    name = clean_author(author) or visitor_of(request).author
    if not name:
        return console.page(request, "lost.html", status=422, what="alerts.name_bad")
    return _done(request, await acknowledge_event(console, event_id, name), name)


@router.post("/alerts/{event_id}/close")
async def close(
    request: Request, event_id: str, author: Annotated[str, Form()] = "", note: Annotated[str, Form()] = ""
) -> Response:
    """Close an acknowledged event with a note, from the form of its page."""
    console = console_of(request)
    name = clean_author(author) or visitor_of(request).author
    if not name or not note.strip():
        return console.page(request, "lost.html", status=422, what="alerts.close_bad")
    return _done(request, await close_event(console, event_id, name, note), name)


def _done(request: Request, done: Kept[Alert | None], name: str) -> Response:
    console = console_of(request)
    if not done.fresh:
        return console.page(request, "lost.html", status=503, what="banner.desk_silent")
    if done.value is None:
        return console.page(request, "lost.html", status=404, what="alerts.not_found")
    response = RedirectResponse(f"/alerts/{done.value.id}", status_code=303)
    remember_author(response, name)
    return response
