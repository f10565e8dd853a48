"""A journal with a steward and the planner, a clock moved by hand, and events written as the watch writes them."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from alerts.cases.deadlines import Calendar
from alerts.events import Change, Changed, Event, Fact
from alerts.journal import Journal, open_journal
from alerts.keeper import Step
from alerts.notices.planner import NoticePlanner, NoticeSetup
from alerts.notices.policy import Policy
from alerts.notices.policyfile import parse_notice_policy
from alerts.notices.tables import delivery, gathered, muted
from alerts.people import People
from alerts.steward import Steward, StewardSettings
from sensors.registry import Registry
from sensors.yamlfile import parse_yaml
from tests.unit.alerts.notices.building import event, region, rules
from tests.unit.alerts.people_cases import people

S, M, H = 1000, 60_000, 3_600_000
START = 1_797_134_400_000
"""2026-12-13 12:00 in Beijing."""
POLICY = textwrap.dedent("""\
    grouping:
      - {match: ['network="system"'], group_by: [rule], group_wait: 30s, group_interval: 5m, repeat_interval: 4h}
      - {match: ['rule_kind="no_data"'], group_by: [county], group_wait: 2m, group_interval: 5m, repeat_interval: 4h}
      - {match: [], group_by: [site], group_wait: 30s, group_interval: 5m, repeat_interval: 4h}
    inhibit: [{id: line, source: ['rule="line-silent"'], target: ['rule_kind="no_data"'], equal: [line]}]
    quiet: [{id: night, from: "22:00", to: "07:00", priorities: [3, 4]}]
    digests: [{id: evening, at: ["17:00"], priorities: [4]}]
    escalation:
      - {priorities: [1], stages: [{after: 5m, tier: district}, {after: 15m, tier: city}], repeat: 30m, times: 2,
         after_end: true}
      - {priorities: [2], stages: [{after: 30m, tier: district}]}
    lines: {area: firm, kinds: [voc], least: 2, percent: 100}
    listed: 20
    """)  # fmt: skip


BLANK = "blank.sqlite"
"""A journal without a row beside the folders of tests: to copy it is quicker than to make its tables."""


def make_blank(folder: Path) -> None:
    """Make a journal without a row in a folder, if there is none."""
    if not (folder / BLANK).exists():
        open_journal(f"sqlite:///{folder / BLANK}", Clock()).close()


def policy(text: str = POLICY) -> Policy:
    document = parse_yaml(text, "notices.yaml")
    return parse_notice_policy(document, document if text == POLICY else parse_yaml(POLICY, "base.yaml"))


@dataclass
class Clock:
    """A wall clock that moves by hand."""

    now: int = START

    def __call__(self) -> int:
        return self.now


class Office:
    """Everything between the journal and the deliveries."""

    def __init__(
        self,
        folder: Path,
        *,
        rules_of: Policy | None = None,
        who: People | None = None,
        where: Registry | None = None,
        url: str = "",
        channels: tuple[str, ...] | None = None,
        at_once: int = 100,
    ) -> None:
        self.at_once = at_once
        self.clock = Clock()
        if (blank := folder.parent / BLANK).exists() and not url:
            shutil.copy(blank, folder / "alerts.sqlite")
        self.journal: Journal = open_journal(url or f"sqlite:///{folder / 'alerts.sqlite'}", self.clock)
        self.setup = NoticeSetup(
            policy=rules_of or policy(), people=who or people(), rules=rules(), registry=where or region(),
            calendar=Calendar(holidays=frozenset(), working=frozenset()), channels=channels,
        )  # fmt: skip
        self.events: dict[str, Event] = {}
        self.start()

    def start(self, **other: Any) -> None:
        """Start the steward anew, as after a kill."""
        self.setup = replace(self.setup, **other)
        self.planner = NoticePlanner(self.setup)
        self.steward = Steward(
            self.journal, [self.planner], self.clock, StewardSettings(ask_again_s=3600, steps_at_once=self.at_once)
        )

    def run(self, ms: int = 0) -> None:
        """Move the clock in small steps, and let the steward work at each."""
        end = self.clock.now + ms
        while True:
            while self.steward.once():
                pass
            if self.clock.now >= end:
                return
            self.clock.now = min(end, self.clock.now + 30 * S)

    def jump(self, ms: int) -> None:
        """Move the clock at once, as when nobody ran."""
        self.clock.now += ms
        self.run()

    def raised(self, **about: Any) -> Event:
        """Write an event that the rules raised now."""
        made = event(**{"start": self.clock.now - H, "raised_at": self.clock.now} | about)
        self.write(made, Change.RAISED, None)
        return made

    def raise_many(self, events: list[Event]) -> None:
        with self.journal.writing() as turn:
            turn.save(
                (),
                [
                    Step(changed=Changed(event=one, change=Change.RAISED, before=None), at=one.raised_at)
                    for one in events
                ],
            )

    def becomes(self, before: Event, change: Change, **other: Any) -> Event:
        """Write what became of an event."""
        held = self.events[before.id]
        after = replace(held, revision=held.revision + 1, **other)
        self.write(after, change, held)
        return after

    def cleared(self, before: Event) -> Event:
        return self.becomes(before, Change.CLEARED, fact=Fact.CLEARED, end=self.clock.now, fact_at=self.clock.now)

    def write(self, after: Event, change: Change, before: Event | None) -> None:
        with self.journal.writing() as turn:
            turn.save((), [Step(changed=Changed(event=after, change=change, before=before), at=after.fact_at)])
        self.events[after.id] = after

    def rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        with self.journal.reading() as connection:
            order = table.c.order_key if "order_key" in table.c else table.c.at
            return list(connection.execute(sa.select(table).order_by(order)))

    @property
    def deliveries(self) -> list[sa.Row[Any]]:
        return self.rows(delivery)

    @property
    def muted(self) -> list[sa.Row[Any]]:
        return self.rows(muted)

    @property
    def gathered(self) -> list[sa.Row[Any]]:
        return self.rows(gathered)

    def told_rows(self, recipient: str = "grid-a") -> list[sa.Row[Any]]:
        """Return what somebody is owed, in order."""
        return [row for row in self.deliveries if row.recipient == recipient]

    def told(self, recipient: str = "grid-a") -> list[tuple[str, str]]:
        """Return kind and state of what somebody is owed, in order."""
        return [(row.kind, row.state) for row in self.told_rows(recipient)]


def subjects(row: sa.Row[Any]) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(row.subjects)
    return found


def payload(row: sa.Row[Any]) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(row.payload)
    return found


def accounted(office: Office) -> set[int]:
    """Return the numbers of the steps that were told, wait for a digest, or were muted."""
    found = {step for row in (*office.deliveries, *office.gathered) for step in subjects(row)["steps"]}
    return found | {row.step for row in office.muted}
