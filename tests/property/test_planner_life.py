"""The planner over a day of events, people's acts, silences and kills: no step is lost, none is told twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import tables as t
from alerts.desk import Desk
from alerts.events import NOTIFIED, Change, Fact
from alerts.notices.silencedesk import SilenceDesk, Wish
from alerts.rules import Kind
from alerts.states import State
from tests.unit.alerts.notices.planning import H, M, Office, accounted, make_blank, subjects

PLACES = ("A", "B", "P1", "P2", "W")
ACT = st.tuples(
    st.sampled_from(
        ["raise", "raise", "clear", "withdraw", "acknowledge", "close", "silence", "kill", "wait", "silent"]
    ),
    st.sampled_from(PLACES),
    st.integers(1, 4),
    st.sampled_from([0, 1, 7, 40, 300]),
)


class _Day:
    def __init__(self, office: Office) -> None:
        self.office, self.count = office, 0

    def act(self, what: str, site: str, priority: int, minutes: int) -> None:
        office = self.office
        held = [one for one in office.events.values() if one.key.site == site and one.fact is Fact.GOING_ON]
        match what:
            case "raise":
                self.count += 1
                office.raised(at=site, factor=f"x{self.count}", priority=priority)
            case "silent":
                self.count += 1
                office.raised(at=site, rule="no-data-voc", factor=f"x{self.count}", kind=Kind.NO_DATA, priority=3)
            case "clear" if held:
                office.cleared(held[0])
            case "withdraw" if held:
                office.becomes(held[0], Change.WITHDRAWN, fact=Fact.WITHDRAWN)
            case "acknowledge" | "close" if held:
                self._sign(held[0].id, what)
            case "silence":
                now = office.clock.now
                wish = Wish(matchers=(f'site="{site}"',), author="x", reason="y", starts_at=now, ends_at=now + 2 * H)
                SilenceDesk(office.journal).add(wish, now)
            case "kill":
                office.start()
            case _:
                pass
        office.jump(minutes * M)

    def _sign(self, event: str, what: str) -> None:
        desk, now = Desk(self.office.journal), self.office.clock.now
        state = desk.event(event).event.state
        if state is State.RAISED:
            desk.acknowledge(event, "李", now)
        elif state is State.ACKNOWLEDGED and what == "close":
            desk.close(event, "李", "好", now)


@settings(max_examples=12, deadline=None)
@given(st.lists(ACT, max_size=14))
def test_every_step_is_told_or_waits_or_is_accounted_for_and_told_once(acts: list[tuple[str, str, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        make_blank(Path(folder))
        place = Path(folder) / "day"
        place.mkdir()
        office = Office(place)
        try:
            day = _Day(office)
            for act in acts:
                day.act(*act)
                office.clock.now += 1
            office.jump(10 * M)
            _check(office)
        finally:
            office.journal.close()


def _check(office: Office) -> None:
    s, e = t.event_step.c, t.event.c
    with office.journal.reading() as connection:
        query = sa.select(s.number, e.priority).join(t.event, s.event == e.id)
        query = query.where(s.kind.in_([one.value for one in NOTIFIED]), e.backfilled.is_(False))
        owed = {int(number): int(priority) for number, priority in connection.execute(query)}
    assert accounted(office) == set(owed)
    told: Counter[tuple[str, str, int]] = Counter()
    for row in office.deliveries:
        assert row.priority > 1 or (row.state == "waiting" and row.due_at == row.created_at)
        told.update((row.recipient, row.channel, step) for step in subjects(row)["steps"])
    assert set(told.values()) <= {1}
    urgent = {number for number, priority in owed.items() if priority == 1}
    assert urgent <= {step for _, _, step in told}
    assert not urgent & {row.step for row in office.muted}
