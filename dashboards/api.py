"""The JSON side: the same numbers as the pages, for programs; times are Beijing labels and milliseconds UTC."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from dashboards.console import Console, catalogue_of, console_of, state_of
from dashboards.gauges import gauges
from dashboards.keeper import Kept
from dashboards.limits import edition_of, limit_of
from dashboards.measures import Measure
from dashboards.media import Medium, Spot
from dashboards.overview import Overview, StationNow
from dashboards.render import ending_label, limit_text, slot_label
from dashboards.rows import Row, marks_of, rows_of, written
from dashboards.site import read_periods, slot_window, views_of
from dashboards.sitepages import judged_key, newest_end, read_site, site_data
from dashboards.station import Panel, Point, Span, StationView, View, build_station, read_span
from dashboards.texts import Catalogue
from dashboards.watch import AIR
from sensors.clock import BEIJING_OFFSET_MS, HOUR_MS, hour_ending
from sensors.kinds import Kind
from sensors.registry import Site
from streams.discharge.judgement import Level

router = APIRouter()


@router.get("/api/v1/overview")
def overview(request: Request) -> Any:
    """Answer with this hour of every air station, and the newest slot of every other kind."""
    console = console_of(request)
    snapshot = console.snapshot()
    return head(request) | {
        "hour": None if snapshot.overview is None else overview_data(console, snapshot.overview),
        "media": [medium_data(console, medium) for medium in snapshot.media],
    }


def head(request: Request) -> dict[str, Any]:
    """Return what stands at the head of every answer: the region, and how old the picture is."""
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


def medium_data(console: Console, medium: Medium) -> dict[str, Any]:
    """Return one kind of readings in its newest slot as plain data."""
    return {
        "kind": medium.kind.name,
        "name": {"zh": medium.kind.name_zh, "en": medium.kind.name_en},
        "start": medium.start,
        "end": medium.end,
        "label": slot_label(medium.start, medium.kind.slot_ms),
        "owed": medium.owed,
        "came": medium.owed - len(medium.missing),
        "missing": [spot.site.id for spot in medium.missing],
        "over": [spot.site.id for spot in medium.judged(Level.FINDING)],
        "hints": [spot.site.id for spot in medium.judged(Level.HINT)],
        "over_target": [spot.site.id for spot in medium.over_target],
        "below_minimum": [spot.site.id for spot in medium.short],
        "sites": [_spot_data(console, medium.kind, spot) for spot in medium.spots],
    }


def _spot_data(console: Console, kind: Kind, spot: Spot) -> dict[str, Any]:
    return {
        "site": spot.site.id,
        "state": spot.state,
        "class": spot.level,
        "judged": None if spot.judged < 0 else judged_key(spot.judged),
        "over_target": list(spot.over_target),
        "suspect": spot.suspect,
        "factors": {
            name: _cell_data(console.measure(kind, name, row.digits), row, spot.limit(name))
            for name, row in spot.slot.items()
            if name in kind.factors
        },
    }


def _cell_data(measure: Measure, row: Row, limit: Row | None) -> dict[str, Any]:
    level = None if limit is None or limit.level is None else limit.level
    return {
        "value": written(row.value, row.digits, measure.decimals) or None,
        "unit": measure.unit,
        "reason": row.reason,
        "suspect": row.suspect,
        "judged": None if level is None else judged_key(level),
        "limit": (limit_text(limit) or None) if limit is not None and level is not None else None,
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
    """Answer with the registry's sites of every kind of readings, or of those that are asked for."""
    console = console_of(request)
    wanted = set(request.query_params.getlist("kind"))
    return head(request) | {
        "stations": [
            {
                "id": site.id,
                "kind": site.kind,
                "name": {"zh": site.name_zh, "en": site.name_en},
                "class": site.station_class,
                "lon": site.lon,
                "lat": site.lat,
                "county": site.county,
                "township": site.township,
                "zone": site.zone,
                "synthetic": site.synthetic,
                "assessment": site.assessment,
                "areas": list(site.areas),
                "source": site.source,
                "from": site.start,
                "to": site.end,
            }
            for site in console.registry.sites
            if not wanted or site.kind in wanted
        ]
    }


@router.get("/api/v1/series")
async def series(request: Request, site: str, window: str = "") -> Any:
    """Answer with one site of any kind over a time; ``from`` and ``to`` are Beijing times as on the pages."""
    console = console_of(request)
    found = console.site(site)
    if found is None or (found.kind != AIR and found.kind not in console.kinds):
        raise HTTPException(404, "the registry has no such site")
    windows = tuple(View) if found.kind == AIR else views_of(console.kinds[found.kind])
    if window and window not in windows:
        raise HTTPException(422, f"a site of {found.kind} has the windows {', '.join(windows)}")
    spans = request.query_params.get("from", ""), request.query_params.get("to", "")
    try:
        kept, data = await (_air if found.kind == AIR else _other)(request, found, window, spans)
    except (ValueError, OverflowError) as cause:
        raise HTTPException(422, "from and to are Beijing times, 2026-11-20 or 2026-11-20T08:00") from cause
    if data is None:
        raise HTTPException(503, "the result store does not answer")
    return head(request) | {"kind": found.kind, "fresh": kept.fresh, "read": kept.read_ms} | data


async def _air(request: Request, site: Site, window: str, spans: tuple[str, str]) -> tuple[Kept[Any], Any]:
    console, view = console_of(request), View(window or View.HOUR)
    snapshot = console.snapshot()
    newest = snapshot.overview.hour if snapshot.overview else console.wall() // HOUR_MS * HOUR_MS - HOUR_MS
    kept = await read_station(console, site, view, read_span(view, *spans, newest))
    return kept, None if kept.value is None else station_data(kept.value, catalogue_of(request))


async def _other(request: Request, site: Site, window: str, spans: tuple[str, str]) -> tuple[Kept[Any], Any]:
    console = console_of(request)
    kind = console.kinds[site.kind]
    view = window or slot_window(kind)
    kept = await read_site(console, site, view, read_periods(view, kind, *spans, newest_end(console, kind)))
    return kept, None if kept.value is None else site_data(kept.value, catalogue_of(request))


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
        "symbol": panel.factor.symbol,
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
