"""What the observed air of an area would meet of a plan for heavy pollution, for programs: a hint."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.requests import Request

from alerts.cases.responses import ResponseKind, ResponsePolicy
from alerts.heavy import LOOK_DAYS, HeavyHint, hint_data, hint_of, observed_days
from dashboards.console import Console, console_of
from sensors.clock import DAY_MS, HOUR_MS, day_of, first_hour_of_day
from streams.results import AQI, Window

router = APIRouter(prefix="/api/v1")


@router.get("/areas/{area_id}/heavy-pollution")
async def heavy_pollution(request: Request, area_id: str) -> Any:
    """Answer with the start that the last observed days would meet; announced by people, never by this."""
    console = console_of(request)
    if console.area(area_id) is None:
        raise HTTPException(404, "there is no such area")
    policy = None if console.office is None else console.office.policy.responses.get(ResponseKind.HEAVY_POLLUTION)
    if policy is None:
        raise HTTPException(404, "there is no plan for heavy pollution")
    newest = console.snapshot().now(console.wall(), console.settings.speed)
    yesterday = day_of(console.wall() if newest is None else newest) - 1
    kept = await console.keeper.read(("heavy", area_id, yesterday), lambda: _hint(console, area_id, yesterday, policy))
    if kept.value is None:
        raise HTTPException(503, "the store does not answer")
    return {"fresh": kept.fresh, "read": kept.read_ms} | hint_data(kept.value, policy)


def _hint(console: Console, area: str, through_day: int, policy: ResponsePolicy) -> HeavyHint:
    start = first_hour_of_day(through_day - LOOK_DAYS) * HOUR_MS
    rows = console.store.series(area, AQI, Window.DAY, start, first_hour_of_day(through_day) * HOUR_MS + DAY_MS)
    return hint_of(area, observed_days(rows, console.standards, through_day), policy)
