"""What tests of cases are made of: a journal with a steward, and events that are raised, cleared, withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerts.cases.desk import CaseDesk
from alerts.cases.evidence import Evidence, EvidenceKind
from alerts.cases.keeper import CaseKeeper
from alerts.cases.life import Ask
from alerts.cases.policy import CasePolicy
from alerts.cases.policyfile import load_case_policy
from alerts.cases.record import Role
from alerts.cases.states import CaseAct, Verdict
from alerts.desk import Desk
from alerts.events import Change, Changed, Event, Fact, event_id
from alerts.journal import Journal, open_journal
from alerts.keeper import Step
from alerts.rules import Rules, load_rules
from alerts.states import State
from alerts.steward import Steward
from alerts.subjects import Subject, subject_of
from alerts.verdicts import SeriesKey
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.registry import Area, AreaType, Registry, Site
from tests.unit.alerts.building import point, site

NOW = 1_700_000_000_000
"""A Wednesday, 2023-11-15 06:13 in Beijing."""
RULES = load_rules()
POLICY = load_case_policy()


def area(name: str, kind: AreaType, parent: str | None = None) -> Area:
    return Area(id=name, type=kind, name_zh=name, name_en=name, parent=parent, synthetic=True, source="test")


def sites() -> Registry:
    """Return air stations A and B, a source S, a handover section H, VOCs points V1 and V2 of a firm, its outfall O."""
    county = area("county-1", AreaType.COUNTY)
    firm = area("firm-1", AreaType.FIRM, "county-1")

    def water(name: str, kind: str, **other: Any) -> Site:
        return site(name, kind="water", station_class=kind, areas=("county-1",), setting=other)

    found = (
        site("A", areas=("county-1",)), site("B", areas=("county-1",)),
        water("S", "drinking_source", control=["source"]),
        water("H", "river_section", control=["city", "handover"]),
        site("V1", kind="voc", station_class="boundary", areas=("firm-1", "county-1")),
        site("V2", kind="voc", station_class="boundary", areas=("firm-1", "county-1")),
        site("O", kind="outfall", station_class="sewage", areas=("firm-1", "county-1")),
    )  # fmt: skip
    return Registry(region_zh="r", region_en="r", synthetic=True, sites=found, areas=(county, firm))


class Town:
    """A journal with its steward and desks, on a clock that moves by hand."""

    def __init__(self, url: str = "sqlite://", policy: CasePolicy = POLICY, rules: Rules = RULES) -> None:
        self.now = NOW
        self.url, self.policy, self.rules = url, policy, rules
        self.registry = sites()
        self.sides: tuple[str, ...] = ()
        self.departments: tuple[str, ...] = ()
        self.journal: Journal = open_journal(url, lambda: self.now)
        self.start()

    def start(self) -> None:
        """Make everything anew over the same database."""
        self.keeper = CaseKeeper(self.policy, self.subject, self.sharing)
        self.steward = Steward(self.journal, [self.keeper], lambda: self.now)
        self.desk = CaseDesk(self.journal, self.policy, self.subject, self.sharing)
        self.events = Desk(self.journal)

    def sharing(self, about: Subject, _at: int) -> tuple[tuple[str, Role], ...]:
        sides = self.sides if about.event.key.site == "H" else ()
        return (
            *((f"area:{side}", Role.SIDE) for side in sides),
            *((f"department:{name}", Role.JOINT) for name in self.departments),
        )

    def subject(self, event: Event) -> Subject:
        return subject_of(event, self.rules, self.registry, event.start)

    def change(self, *changed: Changed) -> None:
        """Write what the rules found."""
        with self.journal.writing() as turn:
            turn.save((), [Step(changed=one, at=one.event.raised_at) for one in changed])

    def raise_event(self, site_id: str = "A", rule: str = "pm25-1h", hour: int = 0, **other: Any) -> Event:
        """Raise an event, and let the steward see it."""
        made = event(site_id, rule, hour, **other)
        self.change(Changed(event=made, change=Change.RAISED, before=None))
        self.settle()
        return made

    def become(self, before: Event, change: Change, fact: Fact) -> Event:
        """Let something become of an event, and let the steward see it."""
        after = replace(before, fact=fact, revision=before.revision + 1)
        self.change(Changed(event=after, change=change, before=before))
        self.settle()
        return after

    def settle(self) -> None:
        """Let the steward take everything, also what it writes itself."""
        while self.steward.once():
            pass

    def later(self, ms: int) -> None:
        """Move the clock, and let the steward look."""
        self.now += ms
        self.steward.once()

    def act(self, case: str, act: CaseAct, **other: Any) -> Any:
        """Let somebody do something with a case, with all that is owed."""
        made = self.desk.act(case, ask(act, self.now, **other))
        self.settle()
        return made

    def close(self) -> None:
        self.journal.close()


def event(site_id: str = "A", rule: str = "pm25-1h", hour: int = 0, factor: str = "PM2.5", **other: Any) -> Event:
    found = RULES.versions(rule)[-1]
    key = SeriesKey(rule, site_id, factor)
    start = point(hour).start
    made: dict[str, Any] = {
        "id": event_id(key, start), "key": key, "kind": found.kind, "window": found.window, "start": start,
        "last": start + HOUR_MS, "end": None, "raised_at": start + HOUR_MS, "raised_by": point(hour),
        "peak": point(hour), "to_verify": False, "backfilled": False, "fact": Fact.GOING_ON, "fact_at": start,
        "joined_to": "", "state": State.RAISED, "revision": 1, "priority": found.priority,
    }  # fmt: skip
    return Event(**(made | other))


def ask(act: CaseAct, at: int = NOW, **other: Any) -> Ask:
    """Return an act with everything that it owes."""
    made: dict[str, Any] = {"act": act, "author": "王芳", "at": at}
    if act is not CaseAct.ACKNOWLEDGE:
        made["note"] = "现场核实"
    if act is CaseAct.RECTIFY:
        made["evidence"] = (Evidence(kind=EvidenceKind.FILE, value="photo.jpg", sha256="a" * 64),)
    if act is CaseAct.VERIFY:
        made["verdict"] = Verdict.TRUE
    if act is CaseAct.HAND_OVER:
        made["to"] = "department:park"
    return Ask(**(made | other))


__all__ = ["DAY_MS", "HOUR_MS", "MINUTE_MS", "NOW", "POLICY", "RULES", "Town", "ask", "event", "sites"]
