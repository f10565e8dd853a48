"""The console: one factory that names every long-lived object once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from alerts.desk import Desk
from alerts.notify.receipts import PATH as RECEIPTS
from dashboards import (
    api,
    caseapi,
    caselist,
    casepages,
    deskapi,
    deskpages,
    gateapi,
    heavy,
    live,
    login,
    pages,
    receiptpages,
    responsepages,
    shiftpages,
    sitepages,
)
from dashboards.console import Console
from dashboards.guard import HEADERS, Guard
from dashboards.keeper import Keeper
from dashboards.office import Office
from dashboards.outline import load_outline
from dashboards.render import STATIC, environment
from dashboards.session import Guesses
from dashboards.settings import ConsoleSettings
from dashboards.watch import Watch
from sensors.factors import load_factors
from sensors.kinds import Kind, load_kind
from sensors.registry import Registry
from streams.standards import Standards
from streams.store.contract import ResultStore


def wall_ms() -> int:
    """Return the wall clock in milliseconds UTC."""
    return time.time_ns() // 1_000_000


def create_console(
    store: ResultStore,
    desk: Desk,
    registry: Registry,
    standards: Standards,
    settings: ConsoleSettings,
    *,
    wall: Callable[[], int] = wall_ms,
    kind_of: Callable[[str], Kind] = load_kind,
    office: Office | None = None,
) -> FastAPI:
    """Return the console as an ASGI application; the store and the desk are first read when it starts.

    Parameters
    ----------
    store, desk, registry, standards, settings
        What it shows, and how it behaves.
    wall
        The wall clock, milliseconds UTC.
    kind_of
        Gives the kinds of readings that the registry names; by default those delivered.
    office
        Cases, silences and handovers; without it there is no desk, and events alone are shown.

    Raises
    ------
    ConfigError
        When the region's outline cannot be read.
    """
    factors = load_factors("air")
    kinds = {name: kind_of(name) for name in registry.kinds}
    console = Console(
        store=store,
        desk=desk,
        registry=registry,
        standards=standards,
        factors=factors,
        kinds=kinds,
        settings=settings,
        wall=wall,
        watch=Watch(
            store=store,
            desk=desk,
            registry=registry,
            standards=standards,
            factors=factors,
            kinds=kinds,
            settings=settings,
            wall=wall,
            waiting=None if office is None else lambda: office.queue.counts(wall()).raised,
        ),
        keeper=Keeper(wall),
        templates=environment(),
        shapes=tuple(load_outline(settings.geojson)) if settings.geojson else (),
        guesses=Guesses(),
        office=office,
    )
    app = FastAPI(
        title="jianhu", version=settings.version, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json",
        lifespan=_lifespan,
    )  # fmt: skip
    app.state.console = console
    for part in (pages, sitepages, api, deskapi, live, login):
        app.include_router(part.router)
    if office is not None:
        for part in (deskpages, casepages, caselist, responsepages, caseapi, shiftpages, receiptpages, heavy, gateapi):
            app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(404, _lost)
    app.add_exception_handler(500, _failed)
    app.add_middleware(Guard, settings=settings, wall=wall)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    console: Console = app.state.console
    task = asyncio.create_task(console.watch.run())
    try:
        yield
    finally:
        await console.watch.stop()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        console.keeper.close()


def _lost(request: Request, error: Exception) -> Response:
    """Answer what is not there: data for programs, a page for people."""
    if request.url.path.startswith(("/api/", "/static/")):
        return JSONResponse({"detail": getattr(error, "detail", "not found")}, status_code=404)
    if request.url.path.startswith(RECEIPTS):  # open to everybody: no page of ours, which tells how things stand
        return request.app.state.console.page(request, "receipt.html", status=404, token="", what="unknown")  # type: ignore[no-any-return]
    return request.app.state.console.page(request, "lost.html", status=404, what="error.not_found")  # type: ignore[no-any-return]


def _failed(_request: Request, _error: Exception) -> Response:
    """Answer a fault of our own; the server logs it. This answer does not pass the guard, so it carries the headers."""
    text = "页面出错，已记录。/ The page failed; it has been noted.\n"
    return PlainTextResponse(text, status_code=500, headers=dict(HEADERS) | {"cache-control": "no-store"})
