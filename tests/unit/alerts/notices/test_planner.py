"""The planner: who is owed which message, and when; each step told, waiting or accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import tables as t
from alerts.desk import Desk
from alerts.events import NOTIFIED, Change, Fact
from alerts.notices.planner import NoticePlanner
from alerts.notices.silencedesk import SilenceDesk, Wish
from alerts.notices.tables import source
from alerts.people import NOBODY
from alerts.rules import Kind
from tests.unit.alerts.notices.building import event, region
from tests.unit.alerts.notices.planning import START, H, M, Office, S, accounted, make_blank, payload, policy, subjects
from tests.unit.alerts.people_cases import changed, people

Make = Callable[..., Office]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Office] = []
    make_blank(tmp_path.parent)

    def one(**other: Any) -> Office:
        made.append(Office(tmp_path, **other))
        return made[-1]

    yield one
    for office in made:
        office.journal.close()


@pytest.fixture
def office(make: Make) -> Office:
    return make()


def owed(office: Office) -> set[int]:
    """Return the numbers of all steps of which people are to be told."""
    kinds = [change.value for change in NOTIFIED]
    with office.journal.reading() as connection:
        return set(connection.execute(sa.select(t.event_step.c.number).where(t.event_step.c.kind.in_(kinds))).scalars())


def test_an_event_is_told_to_its_grid_worker_and_the_officer_on_duty_after_the_wait(office: Office) -> None:
    made = office.raised()
    office.run(20 * S)
    assert office.deliveries == []
    office.run(10 * S)
    assert office.told("grid-a") == office.told("duty-1") == [("raised", "waiting")]
    assert len(office.deliveries) == 2
    assert {subjects(row)["events"][0] for row in office.deliveries} == {made.id}
    assert len({row.notice for row in office.deliveries}) == 1


def test_a_message_says_value_limit_and_why_this_person(office: Office) -> None:
    office.raised()
    office.run(30 * S)
    row = next(row for row in office.deliveries if row.recipient == "duty-1")
    said = payload(row)
    (part,) = said["events"]
    assert (part["site"], part["factor"], part["value_zh"], part["rule_en"]) == (
        "A", "PM2.5", "80 µg/m³", "hourly threshold of PM2.5",
    )  # fmt: skip
    assert part["link"] == f"/alerts/{part['id']}"
    assert said["why"] == [{"role": "duty", "hit": "all", "rota": "duty", "ground": "turn"}]
    assert not row.synthetic


def test_the_delay_of_each_alert_is_recorded(office: Office) -> None:
    """G1: tick, noticed, planned; delivery adds when it was sent."""
    office.clock.now += 5 * S
    office.raised(raised_at=START, fact_at=START)
    office.run(30 * S)
    row = office.deliveries[0]
    assert (row.raised_at, row.noticed_at, row.created_at) == (START, START + 5 * S, START + 35 * S)


def test_what_inhibits_is_said_again_where_the_turn_that_said_it_was_undone(office: Office) -> None:
    office.run()
    office.raised()
    office.run()
    other = policy("inhibit: [{id: all, source: ['site=\"A\"'], target: ['site=\"B\"'], equal: []}]")
    office.start(policy=other)

    def undone() -> None:
        with office.journal.writing() as turn:
            office.planner.due(turn, office.clock.now)
            assert [row.inhibition for row in turn.connection.execute(sa.select(source))] == ["all"]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    with office.journal.reading() as connection:
        assert connection.execute(sa.select(source)).all() == []
    with office.journal.writing() as turn:
        office.planner.due(turn, office.clock.now)
    with office.journal.writing() as turn:
        turn.connection.execute(sa.delete(source))
        office.planner.due(turn, office.clock.now)
        assert turn.connection.execute(sa.select(source)).all() == []  # it is said once
        NoticePlanner(office.setup).due(turn, office.clock.now)
        office.planner.due(turn, office.clock.now)
        assert [row.inhibition for row in turn.connection.execute(sa.select(source))] == ["all"]


def test_what_is_urgent_is_told_at_once_on_all_addresses(make: Make) -> None:
    office = make(rules_of=replace(policy(), reach={1: "all"}))  # type: ignore[dict-item]
    text = changed("areas: [t-a], persons: [grid-a]", "areas: [t-a], persons: [officer]")
    office.start(people=people(text), policy=office.setup.policy)
    office.raised(priority=1)
    office.run()
    told = [(row.recipient, row.channel, row.due_at) for row in office.deliveries]
    assert ("duty-1", "file", START) in told
    assert len([one for one in told if one[0] == "officer"]) >= 1


def test_what_is_urgent_is_never_muted_delayed_or_gathered(make: Make) -> None:
    everything = policy(
        'quiet: [{id: always, from: "00:00", to: "24:00"}]\n'
        'digests: [{id: all, at: ["17:00"]}]\n'
        "inhibit: [{id: all, source: ['site=\"A\"'], target: ['site=~\".*\"']}]\n"
    )
    office = make(rules_of=everything)
    SilenceDesk(office.journal).add(
        Wish(matchers=('site="A"',), author="x", reason="y", starts_at=0, ends_at=START + H), START
    )
    office.raised(factor="NO2")
    office.raised(priority=1)
    office.run()
    assert office.told("grid-a") == [("raised", "waiting")]


def test_a_biotoxicity_alarm_overtakes_ten_thousand_ordinary_alerts(office: Office) -> None:
    """C11, short form: many alerts at once, and the urgent one is the first to go."""
    many = [event(start=START - H - count, factor=f"x{count}", raised_at=START) for count in range(150)]
    office.raise_many(many)
    office.raised(rule="source-biotox", at="W", factor="biotox", priority=1)
    office.steward.once()  # one turn of 100 steps of 150, and the alarm is on its way
    assert {row.priority for row in office.deliveries} == {1}
    office.run(60 * S)
    waiting = sorted(office.deliveries, key=lambda row: (row.priority, row.due_at, row.order_key))
    assert waiting[0].priority == 1
    assert subjects(waiting[0])["events"] == [next(iter(office.events))]
    assert waiting[0].due_at == START
    assert accounted(office) == owed(office)


def test_two_incidents_and_many_repeats_are_two_groups_both_served(office: Office) -> None:
    """G14, short form."""
    for site in ("A", "B"):
        office.raise_many(
            [event(at=site, start=START - H - count, factor=f"x{count}", raised_at=START) for count in range(120)]
        )
    office.run(30 * S)
    duty = [row for row in office.deliveries if row.recipient == "duty-1"]
    assert {payload(row)["group"]["site"]: len(subjects(row)["events"]) for row in duty} == {"A": 120, "B": 120}
    assert len(duty) == 2
    assert all(len(payload(row)["events"]) == 20 and payload(row)["more"] == 100 for row in duty)
    assert accounted(office) == owed(office)


def test_both_sides_of_a_handover_section_are_told_once_each(office: Office) -> None:
    """C7: one alert reaches two tenants, once each."""
    office.raised(at="W")
    office.run(60 * S)
    told = [row.recipient for row in office.deliveries]
    assert told.count("neighbour") == told.count("grid-b") == 1
    assert {row.department for row in office.deliveries} >= {"next-door", "town"}


def test_the_end_of_an_event_is_told_at_the_next_look(office: Office) -> None:
    made = office.raised()
    office.run(60 * S)
    office.cleared(made)
    office.run(5 * M)
    assert office.told() == [("raised", "waiting"), ("cleared", "waiting")]


def test_an_event_that_came_and_went_within_the_wait_is_told_in_one_message(office: Office) -> None:
    office.cleared(office.raised())
    office.run(60 * S)
    assert [kind for kind, _ in office.told()] == ["raised"]
    assert len(subjects(office.deliveries[0])["steps"]) == 2


def test_a_withdrawn_event_is_told(office: Office) -> None:
    made = office.raised()
    office.run(60 * S)
    office.becomes(made, Change.WITHDRAWN, fact=Fact.WITHDRAWN)
    office.run(5 * M)
    assert [kind for kind, _ in office.told()] == ["raised", "withdrawn"]


def test_a_confirmed_event_is_told_again(office: Office) -> None:
    made = office.raised(unconfirmed=True)
    office.run(60 * S)
    office.becomes(made, Change.CONFIRMED, unconfirmed=False)
    office.run(5 * M)
    assert [kind for kind, _ in office.told()] == ["raised", "confirmed"]


def test_an_event_that_worsens_is_told_again(office: Office) -> None:
    made = office.raised()
    office.run(60 * S)
    office.becomes(made, Change.WORSENED, priority=2)
    office.run(5 * M)
    assert [(row.kind, row.priority) for row in office.told_rows()] == [("raised", 3), ("worsened", 2)]


def test_an_event_that_becomes_urgent_leaves_its_group_and_is_told_at_once(office: Office) -> None:
    made = office.raised()
    office.run()
    office.becomes(made, Change.WORSENED, priority=1)
    office.run()
    assert [(row.kind, row.priority, row.due_at) for row in office.told_rows()] == [("worsened", 1, START)]
    assert {row.reason for row in office.muted} == {"nothing_new"}
    office.run(10 * M)
    assert [row.kind for row in office.told_rows()] == ["worsened"]
    assert {row.recipient for row in office.deliveries if row.kind == "escalation"} == {"officer", "duty-1"}
    assert accounted(office) == owed(office)


def test_the_same_is_repeated_until_somebody_acknowledges(office: Office) -> None:
    made = office.raised()
    office.run(30 * S)
    office.jump(4 * H + 5 * M)
    assert [kind for kind, _ in office.told()] == ["raised", "repeat"]
    Desk(office.journal).acknowledge(made.id, "李", office.clock.now)
    office.jump(4 * H + 5 * M)
    assert [kind for kind, _ in office.told()] == ["raised", "repeat"]


def test_a_repeat_goes_to_whoever_is_on_duty_by_then(office: Office) -> None:
    office.raised(priority=2)
    office.run(30 * S)
    office.jump(9 * H)  # the night shift has begun
    assert "repeat" in {row.kind for row in office.told_rows("duty-2")}


def test_a_silenced_step_is_accounted_for_and_told_when_the_silence_ends(office: Office) -> None:
    desk = SilenceDesk(office.journal)
    made = desk.add(Wish(matchers=('site="A"',), author="x", reason="y", starts_at=0, ends_at=START + H), START)
    office.raised()
    office.run(60 * S)
    assert office.deliveries == []
    assert {(row.reason, row.by, row.released_at) for row in office.muted} == {("silenced", made.id, None)}
    desk.expire(made.id, "x", "z", office.clock.now)
    office.run(5 * M)
    assert office.told() == [("raised", "waiting")]
    assert all(row.released_at is not None for row in office.muted)


def test_a_broken_line_inhibits_its_points_and_tells_once(office: Office) -> None:
    """c29 in small: one notice, and a record for each point."""
    for point in ("P1", "P2"):
        office.raised(rule="no-data-voc", at=point, factor="*", kind=Kind.NO_DATA)
    office.run(10 * M)
    told = [payload(row)["events"][0]["rule"] for row in office.told_rows("firm-man")]
    assert told == ["line-silent"]
    assert {(row.reason, row.by.partition(":")[0]) for row in office.muted} == {("inhibited", "line")}
    assert accounted(office) == owed(office)


def test_when_one_point_of_the_line_speaks_again_the_others_are_told(office: Office) -> None:
    events = [office.raised(rule="no-data-voc", at=point, factor="*", kind=Kind.NO_DATA) for point in ("P1", "P2")]
    office.run(10 * M)
    office.cleared(events[0])
    office.run(10 * M)
    told = [row for row in office.deliveries if row.recipient == "firm-man"]
    rules = [one["rule"] for row in told for one in payload(row)["events"]]
    assert sorted(set(rules)) == ["line-silent", "no-data-voc"]
    assert accounted(office) == owed(office)


def test_one_silent_point_is_no_broken_line(office: Office) -> None:
    office.raised(rule="no-data-voc", at="P1", factor="*", kind=Kind.NO_DATA)
    office.run(10 * M)
    assert {one["rule"] for row in office.deliveries for one in payload(row)["events"]} == {"no-data-voc"}


def test_quiet_hours_hold_a_message_until_their_end(office: Office) -> None:
    office.clock.now += 11 * H  # 23:00 in Beijing
    office.raised()
    office.run(60 * S)
    assert {(row.state, row.held_by, row.due_at) for row in office.deliveries} == {("held", "night", START + 19 * H)}
    office.clock.now = START + 19 * H
    office.run()
    assert {row.state for row in office.deliveries} == {"waiting"}


def test_early_warnings_go_with_the_digest(office: Office) -> None:
    for factor in ("PM10", "O3"):
        office.raised(priority=4, factor=factor)
    office.run(60 * S)
    office.raised(priority=4, at="B")
    office.run(60 * S)
    assert office.deliveries == []
    assert {row.due_at for row in office.gathered} == {START + 5 * H}
    assert accounted(office) == owed(office)
    office.clock.now = START + 5 * H
    office.run()
    (digest,) = [row for row in office.deliveries if row.recipient == "duty-1"]
    assert (digest.kind, digest.state, len(payload(digest)["messages"])) == ("digest", "waiting", 2)
    assert len(subjects(digest)["steps"]) == 3
    assert office.gathered == []


def test_an_event_that_nobody_acknowledges_climbs(office: Office) -> None:
    """G2, escalation by clock."""
    office.raised(priority=1)
    office.run()
    office.run(5 * M)
    climbed = [row for row in office.deliveries if row.kind == "escalation"]
    assert {row.recipient for row in climbed} == {"officer", "duty-1"}
    assert {(payload(row)["tier"], payload(row)["unacknowledged_min"]) for row in climbed} == {("district", 5)}
    office.run(10 * M)
    assert [row.recipient for row in office.deliveries if row.kind == "escalation"][-1] == "mayor"


def test_acknowledging_stops_the_climb(office: Office) -> None:
    made = office.raised(priority=1)
    office.run(M)
    Desk(office.journal).acknowledge(made.id, "李", office.clock.now)
    office.jump(9 * H)
    assert [row for row in office.deliveries if row.kind == "escalation"] == []


def test_a_climb_that_was_due_while_nobody_ran_goes_on_after_the_start(office: Office) -> None:
    office.raised(priority=1)
    office.run()
    office.start()
    office.jump(15 * M)
    assert [row.recipient for row in office.deliveries if row.kind == "escalation"] == ["mayor"]


def test_a_severe_event_that_is_over_climbs_no_further(office: Office) -> None:
    made = office.raised(priority=2)
    office.run(M)
    office.cleared(made)
    office.jump(2 * H)
    assert [row for row in office.deliveries if row.kind == "escalation"] == []


def test_a_silenced_event_does_not_climb_before_the_silence_ends(office: Office) -> None:
    office.raised(priority=2)
    office.run(M)
    SilenceDesk(office.journal).add(
        Wish(matchers=('site="A"',), author="x", reason="y", starts_at=0, ends_at=START + H), office.clock.now
    )
    office.jump(40 * M)
    assert [row for row in office.deliveries if row.kind == "escalation"] == []
    office.jump(30 * M)
    assert [row.recipient for row in office.deliveries if row.kind == "escalation"] == ["officer", "duty-1"]


def test_a_site_that_nobody_owns_raises_an_event_that_the_fallback_is_told_of(make: Make) -> None:
    text = changed("  - {role: bureau, areas: [sy], persons: [officer]}\n", "")
    text = text.replace("  - {role: grid_worker, areas: [t-b], persons: [grid-b]}\n", "")
    text = text.replace("  - {role: bureau, areas: [sx], persons: [mayor]}\n", "")
    office = make(who=people(text))
    office.run(M)
    open_events = Desk(office.journal).open_events()
    assert [(one.event.key.rule, one.event.key.site) for one in open_events] == [("no-owner", "B")]
    assert "officer" in {row.recipient for row in office.deliveries}
    office.start(people=people())
    office.run(M)
    assert Desk(office.journal).open_events()[0].event.fact is Fact.CLEARED


def test_without_people_every_step_says_that_nobody_was_told(make: Make) -> None:
    office = make(who=NOBODY)
    office.raised()
    office.raised(priority=1, at="B")
    office.run(60 * S)
    assert office.deliveries == []
    assert [(row.recipient, row.reason) for row in office.muted] == [("", "nobody"), ("", "nobody")]
    assert Desk(office.journal).count_open()


def test_a_person_without_an_address_on_a_channel_that_is_there_is_accounted_for(make: Make) -> None:
    office = make(channels=("mail",))
    office.raised()
    office.raised(priority=1, at="B")
    office.run(60 * S)
    assert {row.reason for row in office.muted} == {"no_address"}
    assert accounted(office) == owed(office)


@pytest.mark.parametrize(("last", "told"), [(START, False), (START - 5 * H, True)])
def test_an_event_that_a_graver_one_covers_is_not_told_beside_it(office: Office, last: int, *, told: bool) -> None:
    graver = event(rule="pm25-grave", start=START - 9 * H, last=last, covers=("pm25-1h",), backfilled=True)
    office.raise_many([replace(graver, fact=Fact.CLEARED, end=last)])
    made = office.raised(last=START)
    office.run(M)
    assert bool(office.told()) is told
    assert [(row.event, row.by) for row in office.muted if row.recipient == "grid-a"] == (
        [] if told else [(made.id, "covers")]
    )


def test_a_backfilled_event_is_told_to_nobody(office: Office) -> None:
    office.raised(backfilled=True, priority=1)
    office.run(M)
    assert office.deliveries == []
    assert office.muted == []


def test_a_joined_event_is_accounted_for_and_tells_nothing_more(office: Office) -> None:
    made = office.raised()
    office.run()
    office.becomes(made, Change.JOINED, fact=Fact.JOINED, joined_to="other")
    office.run(10 * M)
    assert office.deliveries == []
    assert {(row.reason, row.by) for row in office.muted} == {("joined", "other")}


def test_an_event_closed_before_its_first_notice_is_accounted_for(office: Office) -> None:
    made = office.raised()
    office.run()
    desk = Desk(office.journal)
    desk.acknowledge(made.id, "李", office.clock.now)
    desk.close(made.id, "李", "好", office.clock.now)
    office.run(10 * M)
    assert {row.reason for row in office.muted} == {"closed"}


def test_a_notice_is_owed_once_however_often_the_planner_starts(office: Office) -> None:
    office.raised()
    for _ in range(6):
        office.start()
        office.run(10 * S)
    assert office.told() == [("raised", "waiting")]


def test_a_new_policy_says_anew_what_inhibits(office: Office) -> None:
    for factor in ("PM2.5", "O3"):
        office.raised(factor=factor)
    office.run()
    covering = policy("inhibit: [{id: pm, source: ['factor=\"PM2.5\"'], target: ['factor=\"O3\"'], equal: [site]}]")
    office.start(policy=covering)
    office.run(60 * S)
    assert [one["factor"] for row in office.told_rows() for one in payload(row)["events"]] == ["PM2.5"]
    assert {row.reason for row in office.muted} == {"inhibited"}


def test_a_synthetic_region_marks_every_message(make: Make) -> None:
    office = make(where=region(synthetic=True))
    office.raised()
    office.run(60 * S)
    assert all(row.synthetic and payload(row)["synthetic"] for row in office.deliveries)
