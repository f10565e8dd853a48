"""What stands now, gathered for a handover: from the desk and the registry, and from whoever else has something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from alerts.desk import Alert, Desk, Filters
from alerts.events import Fact
from alerts.handover.content import (
    Content,
    OnDuty,
    OpenCase,
    OpenEvent,
    RunningMark,
    RunningSilence,
    SilentSite,
)
from alerts.rules import Kind
from alerts.states import State
from alerts.texts import Language, title
from sensors.registry import Registry
from streams.discharge.permits import Holder

EVENTS_SHOWN: Final = 200
_SILENT_SHOWN: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What others know: who is on duty, cases, silences, marks."""

    on_duty: tuple[OnDuty, ...] = ()
    next_duty: tuple[OnDuty, ...] = ()
    cases: tuple[OpenCase, ...] = ()
    cases_total: int = 0
    silences: tuple[RunningSilence, ...] = ()
    marks: tuple[RunningMark, ...] = ()


def draw_up(desk: Desk, registry: Registry, at_ms: int, notes: str = "", beside: Beside | None = None) -> Content:
    """Return what would be handed over at an instant.

    Parameters
    ----------
    desk, registry
        Open events come from the desk, the most pressing first; names from the registry.
    at_ms
        Now, milliseconds UTC.
    notes
        What the next shift must know beside.
    beside
        What others know; nothing by default.

    Raises
    ------
    StoreError
        When the desk's database does not answer.
    """
    others = beside or Beside()
    counts = desk.count_open()
    silent = desk.events(Filters(kinds=(Kind.NO_DATA,), facts=(Fact.GOING_ON,)), _SILENT_SHOWN).alerts
    return Content(
        at=at_ms,
        region_zh=registry.region_zh,
        region_en=registry.region_en,
        synthetic=registry.synthetic,
        on_duty=others.on_duty,
        next_duty=others.next_duty,
        waiting=counts[State.RAISED],
        in_hand=counts[State.ACKNOWLEDGED],
        events=tuple(_open(alert, registry) for alert in desk.open_events(limit=EVENTS_SHOWN)),
        cases=others.cases,
        cases_total=others.cases_total or len(others.cases),
        silent=_silent(silent, registry),
        silences=others.silences,
        marks=others.marks,
        notes=notes.strip(),
    )


def running_marks(holders: Mapping[str, Holder], registry: Registry, at_ms: int) -> tuple[RunningMark, ...]:
    """Return what enterprises say of their plants and devices at an instant, by site."""
    return tuple(
        RunningMark(
            site=name,
            place_zh=_names(registry, name)[0],
            place_en=_names(registry, name)[1],
            state=mark.state.value,
            author=mark.author,
            start=mark.start,
            end=mark.end,
            evidence=mark.evidence,
        )
        for name, holder in sorted(holders.items())
        for mark in holder.marks
        if mark.start <= at_ms < mark.end
    )


def _open(alert: Alert, registry: Registry) -> OpenEvent:
    event = alert.event
    zh, en = _names(registry, event.key.site)
    return OpenEvent(
        id=event.id,
        place_zh=zh,
        place_en=en,
        title_zh=title(event, Language.ZH),
        title_en=title(event, Language.EN),
        priority=event.priority,
        state=event.state.value,
        start=event.start,
        acknowledged_by=alert.acknowledged.author if alert.acknowledged else "",
    )


def _silent(alerts: Iterable[Alert], registry: Registry) -> tuple[SilentSite, ...]:
    """Return the silent sites, those silent longest first; closing an event does not make a site speak."""
    since: dict[str, int] = {}
    for alert in alerts:
        site = alert.event.key.site
        since[site] = min(alert.event.start, since.get(site, alert.event.start))
    return tuple(
        SilentSite(site=site, place_zh=_names(registry, site)[0], place_en=_names(registry, site)[1], since=start)
        for site, start in sorted(since.items(), key=lambda item: (item[1], item[0]))
    )


def _names(registry: Registry, place: str) -> tuple[str, str]:
    """Return a site's or an area's names in both languages; its id when the registry has it no more."""
    found = registry.get(place) or next((area for area in registry.areas if area.id == place), None)
    if found is None:
        return place, place
    return found.name_zh or found.name_en, found.name_en or found.name_zh
