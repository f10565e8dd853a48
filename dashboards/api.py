"""The JSON side: the same numbers as the pages, for programs; times are Beijing labels and milliseconds UTC."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, HTTPException
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from alerts.desk import NOTE_LENGTH, Alert
from dashboards.console import Console, catalogue_of, console_of, state_of
from dashboards.events import Tab, acknowledged, alert_data, closed, listed
from dashboards.gauges import gauges
from dashboards.keeper import Kept
from dashboards.limits import edition_of, limit_of
from dashboards.overview import Overview, StationNow
from dashboards.render import ending_label
from dashboards.rows import Row, marks_of, rows_of, written
from dashboards.station import Panel, Point, Span, StationView, View, build_station, read_span
from dashboards.texts import Catalogue
from dashboards.visitor import clean_author, remember_author, visitor_of
from sensors.clock import BEIJING_OFFSET_MS, HOUR_MS, hour_ending
from sensors.registry import Site

router = APIRouter()
_EVENT_ID = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_MOST_EVENTS = 1000


def is_event_id(text: str) -> bool:
    """Return whether a text of an address can be the id of an event."""
    return _EVENT_ID.fullmatch(text) is not None


@router.get("/api/v1/overview")
def overview(request: Request) -> Any:
    """Answer with this hour of every site."""
    console = console_of(request)
    seen = console.snapshot().overview
    return _head(request) | {"hour": None if seen is None else overview_data(console, seen)}


def _head(request: Request) -> dict[str, Any]:
    console = console_of(request)
    return {
        "region": {"zh": console.registry.region_zh, "en": console.registry.region_en},
        "synthetic": console.registry.synthetic,
        "state": state_of(console, console.snapshot(), console.wall()),
    }


def overview_data(console: Console, seen: Overview) -> dict[str, Any]:
    """Return an overview as plain data."""
    return {
        "start": seen.hour,
        "hour_ending": hour_ending(seen.hour),
        "owed": seen.owed,
        "came": seen.owed - len(seen.missing),
        "missing": [station.site.id for station in seen.missing],
        "over": [station.site.id for station in seen.over],
        "stations": [_station_now(console, station) for station in seen.stations],
    }


def _station_now(console: Console, station: StationNow) -> dict[str, Any]:
    return {
        "site": station.site.id,
        "state": station.state,
        "aqi": station.aqi,
        "level": station.level,
        "primary": list(station.primary),
        "suspect": station.suspect,
        "over": [{"factor": factor, "window": window} for factor, window in station.over],
        "seen": station.seen,
        "trend": list(station.trend),
        "factors": {
            cell.factor: {
                "value": written(cell.value, cell.digits, console.factors[cell.factor].decimals) or None,
                "unit": console.factors[cell.factor].unit,
                "reason": cell.reason,
                "suspect": cell.suspect,
                "over": cell.over,
                "iaqi": cell.iaqi,
            }
            for cell in station.cells
        },
    }


@router.get("/api/v1/stations")
def stations(request: Request) -> Any:
    """Answer with the registry's sites."""
    console = console_of(request)
    return _head(request) | {
        "stations": [
            {
                "id": site.id,
                "name": {"zh": site.name_zh, "en": site.name_en},
                "class": site.station_class,
                "lon": site.lon,
                "lat": site.lat,
                "county": site.county,
                "township": site.township,
                "zone": site.zone,
                "synthetic": site.synthetic,
                "assessment": site.assessment,
                "source": site.source,
                "from": site.start,
                "to": site.end,
            }
            for site in console.registry.of_kind("air")
        ]
    }


@router.get("/api/v1/series")
async def series(request: Request, site: str, window: View = View.HOUR) -> Any:
    """Answer with one site over a time; ``from`` and ``to`` are Beijing times as on the pages."""
    console = console_of(request)
    found = console.site(site)
    if found is None:
        raise HTTPException(404, "the registry has no such site")
    snapshot = console.snapshot()
    newest = snapshot.overview.hour if snapshot.overview else console.wall() // HOUR_MS * HOUR_MS - HOUR_MS
    try:
        span = read_span(window, request.query_params.get("from", ""), request.query_params.get("to", ""), newest)
    except (ValueError, OverflowError) as cause:
        raise HTTPException(422, "from and to are Beijing times, 2026-11-20 or 2026-11-20T08:00") from cause
    kept = await read_station(console, found, window, span)
    if kept.value is None:
        raise HTTPException(503, "the result store does not answer")
    return (
        _head(request) | {"fresh": kept.fresh, "read": kept.read_ms} | station_data(kept.value, catalogue_of(request))
    )


async def read_station(console: Console, site: Site, view: View, span: Span) -> Kept[StationView]:
    """Return a site over a span, or how it looked when the store last answered."""

    def ask() -> StationView:
        rows = rows_of(console.store.site_rows(site.id, span.start, span.end), edition_of(console.standards))
        return build_station(
            site=site, view=view, span=span, rows=rows, factors=console.factors, limit_of=limit_of(console.standards)
        )

    return await console.keeper.read(("site", site.id, view, span.start, span.end), ask)


def station_data(station: StationView, catalogue: Catalogue) -> dict[str, Any]:
    """Return a site over a span as plain data.

    ``t`` is the label that charts stand on: the interval's end in Beijing time for hours, its start
    for days, as milliseconds that are to be read as if they were UTC.
    """
    step = station.span.step
    return {
        "site": station.site.id,
        "view": station.view,
        "step": step,
        "start": station.span.start,
        "end": station.span.end,
        "panels": [_panel(panel, step, catalogue) for panel in station.panels],
        "index": [_index(point, step) for point in station.index],
    }


def _label_ms(start: int, step: int) -> int:
    return start + BEIJING_OFFSET_MS + (step if step == HOUR_MS else 0)


def _panel(panel: Panel, step: int, catalogue: Catalogue) -> dict[str, Any]:
    decimals = panel.factor.decimals
    return {
        "factor": panel.factor.symbol,
        "window": panel.window,
        "title": catalogue.text(f"window.{panel.window}"),
        "unit": panel.factor.unit,
        "decimals": decimals,
        "points": [_point(point, step, decimals) for point in panel.points],
        "limits": [
            {
                "from": _label_ms(line.start, step),
                "to": _label_ms(line.end - step, step),
                "value": written(line.limit.value, line.limit.digits, decimals),
                "standard": line.limit.standard,
                "edition": line.limit.edition,
                "table": line.limit.table,
                "window": line.limit.window,
                "title": "" if line.limit.window == panel.window else catalogue.text(f"window.{line.limit.window}"),
            }
            for line in panel.limits
        ],
    }


def _point(point: Point, step: int, decimals: int) -> dict[str, Any]:
    row = point.row
    label = {"start": point.start, "t": _label_ms(point.start, step), "label": ending_label(point.start, step)}
    if row is None:
        return label | {"value": None, "reason": "silent"}
    return label | _told(row) | {"value": written(row.value, row.digits, decimals) or None, "over": point.over}


def _told(row: Row) -> dict[str, Any]:
    return {
        "reason": row.reason,
        "detail": row.detail,
        "marks": marks_of(row.flags),
        "valid": row.valid,
        "expected": row.expected,
        "iaqi": row.iaqi,
        "edition": row.edition,
        "revision": row.revision,
        "at": row.at,
    }


def _index(point: Point, step: int) -> dict[str, Any]:
    row = point.row
    label = {"start": point.start, "t": _label_ms(point.start, step), "label": ending_label(point.start, step)}
    if row is None:
        return label | {"value": None, "reason": "silent"}
    return label | _told(row) | {"value": row.whole, "level": row.level, "primary": row.primary}


@router.get("/api/v1/events")
async def events(request: Request, tab: Tab = Tab.OPEN, limit: int = 200) -> Any:
    """Answer with the newest events of a list."""
    console = console_of(request)
    count = max(1, min(limit, _MOST_EVENTS))
    kept = await console.keeper.read(("events", tab, count), lambda: listed(console.desk, tab, count))
    if kept.value is None:
        raise HTTPException(503, "the alert desk does not answer")
    found = [alert_data(alert, console.decimals) for alert in kept.value]
    return _head(request) | {"fresh": kept.fresh, "read": kept.read_ms, "events": found}


@router.post("/api/v1/events/{event_id}/acknowledge")
async def acknowledge(request: Request, event_id: str, author: Annotated[str, Body(embed=True)] = "") -> Response:
    """Acknowledge an event; the name is that of the body, or the one this browser gave before."""
    name = clean_author(author) or visitor_of(request).author
    return _answer(request, await acknowledge_event(console_of(request), event_id, name), name)


@router.post("/api/v1/events/{event_id}/close")
async def close(
    request: Request,
    event_id: str,
    note: Annotated[str, Body()],
    author: Annotated[str, Body()] = "",
) -> Response:
    """Close an acknowledged event with a note."""
    name = clean_author(author) or visitor_of(request).author
    return _answer(request, await close_event(console_of(request), event_id, name, note), name)


def _answer(request: Request, done: Kept[Alert | None], name: str) -> Response:
    if not name:
        raise HTTPException(422, "an act is signed: give author, at most 40 letters")
    if not done.fresh:
        raise HTTPException(503, "the alert desk does not answer")
    if done.value is None:
        raise HTTPException(404, "there is no such event")
    response = JSONResponse(alert_data(done.value, console_of(request).decimals))
    remember_author(response, name)
    return response


_NO_EVENT: Final[Kept[Alert | None]] = Kept(value=None, read_ms=0, fresh=True)


async def acknowledge_event(console: Console, event_id: str, author: str) -> Kept[Alert | None]:
    """Acknowledge an event and look at once at what that changed; without a name nothing is done."""
    if not is_event_id(event_id) or not author:
        return _NO_EVENT
    done = await console.keeper.ask(lambda: acknowledged(console.desk, event_id, author, console.wall()))
    await console.watch.look_soon()
    return done


async def close_event(console: Console, event_id: str, author: str, note: str) -> Kept[Alert | None]:
    """Close an event and look at once at what that changed; without a name or a note nothing is done."""
    if not is_event_id(event_id) or not author or not note.strip() or len(note) > NOTE_LENGTH:
        return _NO_EVENT
    done = await console.keeper.ask(lambda: closed(console.desk, event_id, author, note, console.wall()))
    await console.watch.look_soon()
    return done


@router.get("/healthz")
def healthz() -> Response:
    """Answer that the process lives."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Answer whether store and desk answer, and which does not."""
    console = console_of(request)
    snapshot = console.snapshot()
    bad = [] if snapshot.store_ok(console.wall()) else [f"store: {snapshot.store.why or 'not read yet'}"]
    bad += [] if snapshot.desk.ok else [f"desk: {snapshot.desk.why or 'not read yet'}"]
    return PlainTextResponse("\n".join(bad or ["ready"]) + "\n", status_code=503 if bad else 200)


@router.get("/version")
def version(request: Request) -> Any:
    """Answer with the version of the program and of the standards pack."""
    console = console_of(request)
    return {"name": "jianhu", "version": console.settings.version, "pack": console.standards.pack}


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Answer with the console's own figures for Prometheus."""
    console = console_of(request)
    held = gauges(console.snapshot(), console.wall(), console.settings.speed, console.watch.listeners)
    return Response(generate_latest(held), media_type=CONTENT_TYPE_LATEST)
