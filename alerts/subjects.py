"""Subjects: what an event is about, as routing, silences and notices see it: its site, areas and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from alerts.events import Event, Fact
from alerts.modes import NO_MODES, Modes
from alerts.rules import Kind, Rule, Rules
from alerts.standings import SYSTEM
from alerts.states import State
from alerts.verdicts import Cause, Point, SeriesKey, Verdict
from sensors.areas import closure
from sensors.registry import AreaType, Registry, Site

URGENT: Final = 1
"""The priority that is never muted, delayed, grouped away or digested."""
LABELLED: Final = (
    AreaType.PROVINCE, AreaType.CITY, AreaType.COUNTY, AreaType.TOWNSHIP, AreaType.PARK, AreaType.CLUSTER,
    AreaType.FIRM, AreaType.BASIN, AreaType.RIVER,
)  # fmt: skip
"""Types of areas that give a label of their own: the id of the nearest area of the type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An event with all that says whom it concerns."""

    event: Event
    rule: Rule | None
    """The version that held at the event's start; None when the rules no longer know it."""
    site: Site | None
    """The registry's entry; None when the event is about an area, or the site is not registered (any more)."""
    network: str
    """The kind of readings; ``system`` for what is about the system itself, empty when nothing says it."""
    labels: Mapping[str, str] = field(hash=False)
    """What matchers see; a label that is not there counts as empty."""
    areas: tuple[str, ...]
    """All areas that it lies in, nearest first; an area's own id first when the event is about an area."""
    synthetic: bool
    drill: bool = False
    """Whether it was raised under a drill (演练), and no emergency."""

    @property
    def id(self) -> str:
        """The id of the event."""
        return self.event.id

    @property
    def priority(self) -> int:
        """1 urgent to 4 early warning."""
        return self.event.priority

    @property
    def urgent(self) -> bool:
        """Whether it goes at once and overtakes everything."""
        return self.event.priority <= URGENT


def subject_of(event: Event, rules: Rules, registry: Registry, at_ms: int, modes: Modes = NO_MODES) -> Subject:
    """Return what an event is about, by the registry as it stands at an instant.

    Parameters
    ----------
    event
        As it stands now.
    rules
        For the kind of readings, and for templates; a rule that is gone gives None.
    registry
        Its sites and areas. A site that is no longer in force is taken as it was last.
    at_ms
        Milliseconds UTC.
    modes
        Asked at the time of the data that raised it, whether a drill held.
    """
    name = event.key.site
    site = registry.get(name, at_ms) or registry.get(name)
    parents = {area.id: area.parent for area in registry.areas}
    areas = site.areas if site is not None else closure((name,), parents) if name in parents else ()
    rule = _rule(event, rules)
    network = _network(event, rule, site)
    made_up = registry.synthetic or (site is not None and site.synthetic)
    made_up = made_up or any(area.synthetic for area in registry.areas if area.id == name)
    labels = {
        "event": event.id,
        "rule": event.key.rule,
        "rule_kind": event.kind.value,
        "site": name,
        "factor": event.key.factor,
        "network": network,
        "class": "" if site is None else str(site.station_class),
        "priority": str(event.priority),
        "state": event.state.value,
        "window": event.window,
        **_area_labels(areas, registry),
    }
    if made_up:
        labels["synthetic"] = "true"
    drill = event.kind is not Kind.STANDING and modes.drill(areas, event.raised_by.start)
    if drill:
        labels["drill"] = "true"
    return Subject(
        event=event, rule=rule, site=site, network=network, labels={k: v for k, v in labels.items() if v},
        areas=areas, synthetic=made_up, drill=drill,
    )  # fmt: skip


def subject_of_site(site: str, network: str, priority: int, registry: Registry, at_ms: int) -> Subject:
    """Return the subject that some event at a site would have: for questions of who would be told.

    Parameters
    ----------
    site
        Id of a site or area.
    network
        The kind of readings; empty: the site's own.
    priority
        Of the event that is thought of.
    registry, at_ms
        As for `subject_of`.
    """
    point = Point(
        window="", start=at_ms, period=0, verdict=Verdict.OVER, cause=Cause.NONE, to_verify=False, revision=0, at=at_ms,
        value=None, digits=0, bound=None, level=None, edition="", valid=0, expected=0, reason="", detail="", flags=0,
        inputs="", pack="",
    )  # fmt: skip
    event = Event(
        id="", key=SeriesKey("", site, ""), kind=Kind.LIMIT, window="", start=at_ms, last=at_ms, end=None,
        raised_at=at_ms, raised_by=point, peak=point, to_verify=False, backfilled=False, fact=Fact.GOING_ON,
        fact_at=at_ms, joined_to="", state=State.RAISED, revision=0, priority=priority,
    )  # fmt: skip
    found = subject_of(event, Rules(rules=(), backfill_after_ms=0), registry, at_ms)
    if not network:
        return found
    return replace(found, network=network, labels={**found.labels, "network": network})


def _network(event: Event, rule: Rule | None, site: Site | None) -> str:
    if event.kind is Kind.STANDING:
        return SYSTEM
    if rule is not None:
        return rule.network
    return "" if site is None else site.kind


def _rule(event: Event, rules: Rules) -> Rule | None:
    versions = rules.versions(event.key.rule)
    held = [rule for rule in versions if rule.holds_at(event.start)]
    return held[-1] if held else versions[-1] if versions else None


def _area_labels(areas: tuple[str, ...], registry: Registry) -> dict[str, str]:
    """Return type → id of the nearest area of that type."""
    types = {area.id: area.type for area in registry.areas}
    found: dict[str, str] = {}
    for area in areas:
        kind = types.get(area)
        if kind in LABELLED:
            found.setdefault(kind.value, area)
    return found
