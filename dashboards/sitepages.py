"""Pages of a site of any kind and of an area; air stations keep the page of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.texts import Language
from dashboards.area import WINDOWS, Said, Stretch, build_area, stretches_of
from dashboards.console import Console, catalogue_of, console_of
from dashboards.keeper import Kept
from dashboards.limits import edition_of
from dashboards.render import island, slot_label
from dashboards.rows import Row, marks_of, rows_of, written
from dashboards.site import (
    Chart,
    Line,
    Periods,
    Point,
    SiteView,
    build_site,
    read_periods,
    slot_window,
    views_of,
    windows_of,
)
from dashboards.texts import Catalogue
from dashboards.watch import AIR
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS, beijing
from sensors.kinds import Kind
from sensors.registry import Site
from streams.discharge.judgement import Level
from streams.results import AQI

router = APIRouter(include_in_schema=False)
_YEAR_MS: Final = 366 * DAY_MS
_JUDGED: Final = ("within", "near_80", "near_90", "hint", "finding")
_TARGETS: Final = ("met", "missed", "unset", "judged_by_a_person", "no_value", "regression")
_BAD_TARGETS: Final = frozenset({"missed", "regression"})


@router.get("/sites/{site_id}")
async def site(request: Request, site_id: str) -> Response:
    """Answer with one site of any kind over a time."""
    return await _site(request, site_id, "site.html")


@router.get("/parts/sites/{site_id}")
async def site_part(request: Request, site_id: str) -> Response:
    """Answer with the changing part of a site's page."""
    return await _site(request, site_id, "_site.html")


async def _site(request: Request, site_id: str, template: str) -> Response:
    console = console_of(request)
    found = console.site(site_id)
    if found is None or found.kind not in console.kinds:
        return console.page(request, "lost.html", status=404, what="station.not_found")
    if found.kind == AIR:
        return RedirectResponse(f"/stations/{found.id}", status_code=303)
    kind, query = console.kinds[found.kind], request.query_params
    views = views_of(kind)
    view = query["w"] if query.get("w") in views else slot_window(kind)
    now, bad = newest_end(console, kind), False
    try:
        periods = read_periods(view, kind, query.get("from", ""), query.get("to", ""), now)
    except (ValueError, OverflowError):
        periods, bad = read_periods(view, kind, "", "", now), True
    kept = await read_site(console, found, view, periods)
    return console.page(
        request,
        template,
        site=found,
        kind=kind,
        seen=kept.value,
        kept=kept,
        island=None if kept.value is None else island(site_data(kept.value, catalogue_of(request))),
        spot=_spot(console, found),
        view=view,
        views=views,
        periods=periods,
        period_label=period_label,
        strip_hour=strip_hour,
        day_starts=day_starts,
        judged_key=judged_key,
        bad=bad,
        query=request.url.query,
        from_value=beijing(periods.start).strftime("%Y-%m-%dT%H:%M"),
        to_value=beijing(periods.end).strftime("%Y-%m-%dT%H:%M"),
    )


def newest_end(console: Console, kind: Kind) -> int:
    """Return the end of the newest slot of a kind that there can be."""
    snapshot = console.snapshot()
    at = snapshot.clocks.get(kind.name, console.wall())
    return next((medium.end for medium in snapshot.media if medium.kind.name == kind.name), at)


def _spot(console: Console, site: Site) -> Any:
    media = console.snapshot().media
    return next((spot for medium in media for spot in medium.spots if spot.site.id == site.id), None)


async def read_site(console: Console, site: Site, view: str, periods: Periods) -> Kept[SiteView]:
    """Return a site over some periods, or how it looked when the store last answered."""
    kind = console.kinds[site.kind]
    clock = console.snapshot().clocks.get(kind.name, 0)

    def ask() -> SiteView:
        table = console.store.site_rows(site.id, periods.start, periods.end, windows_of(kind, view))
        return build_site(
            site=site,
            kind=kind,
            view=view,
            periods=periods,
            rows=rows_of(table, lambda _: None),
            measure_of=console.measure,
            final_until=clock - console.settings.late_ms,
        )

    return await console.keeper.read(("any-site", site.id, view, periods.start, periods.end), ask)


def site_data(seen: SiteView, catalogue: Catalogue) -> dict[str, Any]:
    """Return a site over a span as plain data: what `station_data` gives of an air station, for the same charts."""
    return {
        "site": seen.site.id,
        "view": seen.window,
        "step": seen.periods.step,
        "start": seen.periods.start,
        "end": seen.periods.end,
        "panels": [_panel(chart, seen.periods, catalogue) for chart in seen.charts if chart.is_drawn],
    }


def _panel(chart: Chart, periods: Periods, catalogue: Catalogue) -> dict[str, Any]:
    measure = chart.measure
    return {
        "symbol": measure.symbol,
        "factor": measure.name(catalogue.language),
        "window": chart.window,
        "unit": measure.unit,
        "decimals": measure.decimals,
        "points": [_point(point, periods, measure.decimals) for point in chart.points],
        "limits": [_limit(line, periods, catalogue) for line in chart.lines],
    }


def _limit(line: Line, periods: Periods, catalogue: Catalogue) -> dict[str, Any]:
    hint = f"{catalogue.text('judged.hint')} " if line.hint else ""
    titled = catalogue.or_plain(f"line.{line.title}", line.title)
    return {
        "from": _label_ms(line.start),
        "to": _label_ms(line.end - periods.step),
        "value": line.value,
        "standard": line.standard,
        "window": "",
        "title": f"{hint}{titled}",
        "bare": line.title in {"target", "minimum"},
    }


def _label_ms(start: int) -> int:
    return start + BEIJING_OFFSET_MS


def _point(point: Point, periods: Periods, decimals: int) -> dict[str, Any]:
    row = point.row
    label = period_label(periods, point.start)
    said = {"start": point.start, "t": _label_ms(point.start), "label": label, "final": point.final}
    if row is None:
        return said | {"value": None, "reason": "silent"}
    return said | {
        "value": written(row.value, row.digits, decimals) or None,
        "reason": row.reason,
        "detail": "" if row.detail.startswith(("[", "{")) else row.detail,
        "marks": marks_of(row.flags),
        "valid": row.valid,
        "expected": row.expected,
        "edition": row.edition,
        "revision": row.revision,
        "over": point.judged >= Level.HINT,
    }


def period_label(periods: Periods, start: int) -> str:
    """Return the label of a period: year, month or date; `slot_label` of hours; the start of what is finer."""
    if periods.cadence.months:
        return beijing(start).strftime("%Y" if periods.cadence.months >= 12 else "%Y-%m")  # noqa: PLR2004 - months of a year
    if periods.cadence.length_ms >= DAY_MS:
        return beijing(start).strftime("%Y-%m-%d")
    if periods.cadence.length_ms < HOUR_MS:
        return beijing(start).strftime("%Y-%m-%d %H:%M")
    return slot_label(start, periods.cadence.length_ms)


def strip_hour(periods: Periods, start: int) -> str:
    """Return what stands under a cell of a strip: the hour, the day or the month of its start."""
    form = "%m" if periods.cadence.months else "%d" if periods.cadence.length_ms >= DAY_MS else "%H"
    return beijing(start).strftime(form)


def day_starts(periods: Periods) -> frozenset[int]:
    """Return the starts that carry a date over a strip: the first of each day, of days the first of a month."""
    form = "%Y" if periods.cadence.months else "%Y-%m" if periods.cadence.length_ms >= DAY_MS else "%Y-%m-%d"
    firsts: dict[str, int] = {}
    for start in periods.starts:
        firsts.setdefault(beijing(start).strftime(form), start)
    return frozenset(firsts.values())


def judged_key(level: int) -> str:
    """Return the catalogue's word for a judgement: the last part of its key."""
    return _JUDGED[level] if level >= 0 else "none"


def said_name(said: Said, language: Language) -> str:
    """Return the name of what is said, with the name of its window where that is a statistic."""
    rank = said.row.window.partition("_p")[2]
    return said.measure.name(language) + (f" P{rank}" if rank else "")


def stretch_label(stretch: Stretch) -> str:
    """Return the date, month or year of a stretch."""
    form = {"year": "%Y", "month": "%Y-%m", "quarter": "%Y-%m"}.get(stretch.window, "%Y-%m-%d")
    return beijing(stretch.start).strftime(form)


def target_state(row: Row, t: Callable[..., str]) -> Markup:
    """Return how a value stands to a target, in words: met, not met, unset, regression."""
    words = [word for word in row.detail.split(";") if word in _TARGETS]
    told = [(t(f"target.{word}"), "is-over" if word in _BAD_TARGETS else "") for word in words]
    return Markup(" · ").join(Markup("<span class='{}'>{}</span>").format(style, text) for text, style in told)


@router.get("/areas/{area_id}")
async def area(request: Request, area_id: str) -> HTMLResponse:
    """Answer with what is said of one area."""
    return await _area(request, area_id, "area.html")


@router.get("/parts/areas/{area_id}")
async def area_part(request: Request, area_id: str) -> HTMLResponse:
    """Answer with the changing part of an area's page."""
    return await _area(request, area_id, "_area.html")


async def _area(request: Request, area_id: str, template: str) -> HTMLResponse:
    console = console_of(request)
    found = console.area(area_id)
    if found is None:
        return console.page(request, "lost.html", status=404, what="area.not_found")
    snapshot = console.snapshot()
    kept: Kept[tuple[Stretch, ...]] = await console.keeper.read(("area", area_id), lambda: _read_area(console, area_id))
    stations = snapshot.overview.stations if snapshot.overview is not None else ()
    view = build_area(found, console.areas, stretches=kept.value or (), stations=stations, media=snapshot.media)
    return console.page(
        request,
        template,
        view=view,
        kept=kept,
        area=found,
        kinds=console.kinds,
        stretch_label=stretch_label,
        said_name=said_name,
        target_state=target_state,
    )


def _read_area(console: Console, area_id: str) -> tuple[Stretch, ...]:
    """Read the rows of an area over the last year, of every kind."""
    clocks = console.snapshot().clocks
    at = max(clocks.values(), default=console.wall())
    wanted = [*WINDOWS, *(f"{window}_p{rank}" for window in ("month", "year") for rank in (90, 95, 98))]
    rows: dict[str, list[Row]] = {}
    for name in console.kinds:
        table = console.store.site_rows(area_id, at - _YEAR_MS, at + DAY_MS, wanted, name)
        rows[name] = rows_of(table, lambda _: None)
    in_force = edition_of(console.standards)
    for name, found in rows.items():  # of two editions of the index the one in force
        rows[name] = [row for row in found if row.factor != AQI or row.edition == in_force(row.start)]
    return stretches_of({name: found for name, found in rows.items() if found}, console.kinds, console.measure)
