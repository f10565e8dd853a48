"""The console: one factory that names every long-lived object once."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import FastAPI

from dashboards.ports import ResultReader
from dashboards.settings import ConsoleSettings
from sensors.registry import Registry


def wall_ms() -> int:
    """Return the wall clock in milliseconds UTC."""
    return time.time_ns() // 1_000_000


def create_console(
    store: ResultReader,
    desk: object,
    registry: Registry,
    standards: object,
    settings: ConsoleSettings,
    *,
    wall: Callable[[], int] = wall_ms,
) -> FastAPI:
    """Return the console as an ASGI application; nothing is read before it starts."""
    app = FastAPI(title="jianhu", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts = (store, desk, registry, standards, settings, wall)
    return app
