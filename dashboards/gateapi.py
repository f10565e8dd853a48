"""The journal of rain gates, for programs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.requests import Request

from alerts.gates.desk import MOST_AT_ONCE, Decided, decisions
from dashboards.console import console_of

router = APIRouter(prefix="/api/v1")


@router.get("/gates")
async def gates(
    request: Request,
    site: str | None = None,
    before: int | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 100,
) -> Any:
    """Answer with decisions about rain gates, the newest first: permissions with their reasons, never commands."""
    console = console_of(request)
    office = console.office
    if office is None:
        raise HTTPException(404, "this console keeps no gates")
    kept = await console.keeper.read(
        ("gates", site, before, limit), lambda: decisions(office.journal, site=site, before=before, limit=limit)
    )
    if kept.value is None:
        raise HTTPException(503, "the journal does not answer")
    return {"fresh": kept.fresh, "read": kept.read_ms, "decisions": [_data(one) for one in kept.value]}


def _data(one: Decided) -> dict[str, Any]:
    return {
        "number": one.number, "site": one.site, "at": one.at, "noticed_at": one.noticed_at,
        "ruling": one.ruling.value, "why": one.why.value, "evidence": one.evidence,
    }  # fmt: skip
