"""Heavy pollution as observed: which start of a plan the last days of an area would meet. A hint, never a warning.

A warning is announced by government, after consultation and on forecasts; nothing here starts, adjusts or lifts one.
What people do is a response (`alerts.cases.responses`), whose policy holds the levels, their thresholds, which an
office may lower, and the versions of its lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import pyarrow as pa

from alerts.cases.responses import PlantList, Proposal, ResponsePolicy, proposal_of
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from sensors.flags import Mark
from streams.standards import Standards

LOOK_DAYS: Final = 30
"""A run longer than this is taken as this long: every level has been met by then."""
_PM25: Final = "PM2.5"


class Cause(StrEnum):
    """What the days of a run are of: emission cuts by colour are for PM2.5 alone (环大气〔2024〕6号)."""

    PM25 = "pm25"
    OTHER = "other"
    """Ozone, dust and the like: a health notice."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedDay:
    """The air of an area on one day."""

    day: int
    """Beijing day number."""
    aqi: int | None
    """None: not valid, or not there."""
    primary: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeavyHint:
    """What the observed run would meet."""

    area: str
    run: tuple[ObservedDay, ...]
    """The days in a row, up to the newest, above the lowest threshold of any level; empty when there is none."""
    proposal: Proposal
    """Of the run; its level is None where no start is met."""
    cause: Cause
    unknown_before: bool
    """Whether the day before the run is not known: the run may be longer."""
    newest: ObservedDay | None
    """The newest day that is over, known or not."""
    lists: tuple[PlantList, ...]
    """The lists of the plan in their versions, for those who decide."""


def observed_days(rows: pa.Table, standards: Standards, through_day: int, count: int = LOOK_DAYS) -> list[ObservedDay]:
    """Return the last days of an area, the oldest first; a day without a row is not known.

    Parameters
    ----------
    rows
        Daily AQI of the area, as a store gives them; rows of editions not in force on their day, and of days that are
        not over, are passed over.
    standards
        Say which edition is in force.
    through_day
        The newest day.
    count
        How many days.
    """
    found: dict[int, ObservedDay] = {}
    starts = rows.column("start").cast(pa.int64()).to_pylist()
    days = range(through_day - count + 1, through_day + 1)
    editions = {day: _edition(standards, day) for day in days}
    for start, row in zip(starts, rows.to_pylist(), strict=True):
        day = (start + BEIJING_OFFSET_MS) // DAY_MS
        if row["edition"] == editions.get(day) and not row["flags"] & Mark.OPEN:
            primary = tuple(name for name in row["primary"].split(";") if name)
            found[day] = ObservedDay(day=day, aqi=row["value"], primary=primary)
    return [found.get(day, ObservedDay(day=day, aqi=None)) for day in days]


def _edition(standards: Standards, day: int) -> str | None:
    held = (
        one.name
        for one in standards.index_editions
        if one.start_day <= day and (one.end_day is None or day <= one.end_day)
    )
    return next(held, None)


def hint_of(area: str, days: Sequence[ObservedDay], policy: ResponsePolicy) -> HeavyHint:
    """Return what the run of days that reaches the newest one would meet; a day that is not known ends it.

    Parameters
    ----------
    area
        Id of the area.
    days
        Days in a row, the oldest first.
    policy
        Levels with their thresholds, and lists.
    """
    lowest = min((one.above for level in policy.levels.values() for row in level.starts for one in row), default=None)
    run: list[ObservedDay] = []
    for one in reversed(days):
        if lowest is None or one.aqi is None or one.aqi <= lowest:
            break
        run.insert(0, one)
    before = days[-len(run) - 1] if run and len(days) > len(run) else None
    return HeavyHint(
        area=area,
        run=tuple(run),
        proposal=proposal_of([one.aqi for one in run], policy),
        cause=_cause(run),
        unknown_before=before is not None and before.aqi is None,
        newest=days[-1] if days else None,
        lists=policy.lists,
    )


def _cause(run: Sequence[ObservedDay]) -> Cause:
    if not run or not all(one.primary for one in run):
        return Cause.UNKNOWN
    return Cause.PM25 if all(_PM25 in one.primary for one in run) else Cause.OTHER


def hint_data(hint: HeavyHint, policy: ResponsePolicy) -> dict[str, Any]:
    """Return a hint as plain data, marked as what it is."""
    level = hint.proposal.level
    named = None if level is None else policy.levels[level]
    return {
        "area": hint.area,
        "hint": True,
        "announcement": False,
        "observed": [{"day": one.day, "aqi": one.aqi, "primary": list(one.primary)} for one in hint.run],
        "newest": None if hint.newest is None else {"day": hint.newest.day, "aqi": hint.newest.aqi},
        "would_meet": None
        if named is None
        else {
            "level": named.level, "zh": named.name_zh, "en": named.name_en,
            "condition": [{"above": one.above, "days": one.days} for one in hint.proposal.condition],
        },
        "cause": hint.cause.value,
        "run_may_be_longer": hint.unknown_before,
        "lists": [{"id": one.id, "version": one.version} for one in hint.lists],
    }  # fmt: skip
