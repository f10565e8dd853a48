"""Lines: sites that send through one line; when they are silent together the line is, and tells for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from alerts import tables as t
from alerts.events import Fact
from alerts.journal import Turn
from alerts.notices.policy import Lines
from alerts.rules import Kind
from alerts.standing import clear_standing, raise_standing
from alerts.standings import Standing
from alerts.subjects import Subject
from sensors.registry import Registry


def line_of(labels: Mapping[str, str], lines: Lines | None) -> str:
    """Return the id of the line that an event's site sends through, or that the event is about; empty for none."""
    if lines is None:
        return ""
    is_line = labels.get("rule") == Standing.LINE_SILENT.value
    return labels.get(lines.area, "") if is_line or labels.get("network", "") in lines.kinds else ""


def members(lines: Lines, registry: Registry, line: str, now: int) -> tuple[str, ...]:
    """Return the sites in force of a line."""
    kinds = sorted(lines.kinds)
    return tuple(site.id for kind in kinds for site in registry.members(line, kind, now))


def look_at_lines(turn: Turn, lines: Lines, registry: Registry, subjects: Sequence[Subject], now: int) -> None:
    """Raise or end the events of the lines that some steps are about."""
    silent_now = [one for one in subjects if one.event.kind is Kind.NO_DATA]
    for line in sorted({line_of(one.labels, lines) for one in silent_now} - {""}):
        sites = members(lines, registry, line, now)
        silent = _silent(turn, sites)
        if len(sites) >= lines.least and silent * 100 >= lines.percent * len(sites):
            raise_standing(turn, Standing.LINE_SILENT, line, f"{silent}/{len(sites)}", now)
        else:
            clear_standing(turn, Standing.LINE_SILENT, line, now)


def _silent(turn: Turn, sites: Sequence[str]) -> int:
    """Return how many of some sites have an event of no data that goes on."""
    c = t.event.c
    query = sa.select(sa.func.count(sa.distinct(c.site))).where(
        c.site.in_(sites), c.kind == Kind.NO_DATA.value, c.fact == Fact.GOING_ON.value
    )
    return int(turn.connection.execute(query).scalar_one())
