from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from alerts.desk import Desk, Filters, NotSigned, Part
from alerts.events import Change, Fact
from alerts.journal import MACHINE, Journal, open_journal
from alerts.keeper import Keeper
from alerts.states import Deed, State, StepReason, WrongTransition
from alerts.verdicts import Verdict
from sensors.clock import HOUR_MS
from sensors.errors import UnknownName
from tests.unit.alerts.building import T0, columns, judge, only, registry, row, site

WALL = 1_700_000_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path / 'alerts.db'}", lambda: WALL)
    rules = only("pm25-1h", "limit-1h", "no-data")
    keeper = Keeper(judge(rules, registry(site("A"), site("B"))), rules)
    rows = [
        row(hour=0, value=80), row(hour=1, value=95, inputs=171), row(hour=2, value=10),
        row("O3", hour=0, value=300, site="B"),
        row("AQI", hour=0, value=None, reason="silent", site="B"),
        row(hour=0, value=80, site="B", at=T0 + 99 * HOUR_MS),
    ]  # fmt: skip
    for one in rows:
        with opened.writing() as turn:
            keeper.take(columns(one), turn)
            keeper.save(turn)
    yield opened
    opened.close()


@pytest.fixture
def desk(journal: Journal) -> Desk:
    return Desk(journal)


def only_id(desk: Desk, rule: str, site_id: str) -> str:
    (alert,) = desk.events(Filters(rules=(rule,), sites=(site_id,))).alerts
    return alert.id


def test_what_is_backfilled_has_a_list_of_its_own(desk: Desk) -> None:
    now, old = (desk.open_events(part) for part in Part)
    assert {(alert.event.key.rule, alert.event.key.site) for alert in now} == {
        ("pm25-1h", "A"), ("limit-1h", "B"), ("no-data", "B"),
    }  # fmt: skip
    assert [(alert.event.key.rule, alert.event.key.site) for alert in old] == [("pm25-1h", "B")]
    assert desk.count_open() == {State.RAISED: 3, State.ACKNOWLEDGED: 0}


def test_unacknowledged_events_come_first_then_the_newest(desk: Desk) -> None:
    newest = desk.open_events()[0]
    desk.acknowledge(newest.id, "张三", WALL)
    listed = desk.open_events()
    assert listed[-1].id == newest.id
    assert [alert.number for alert in listed[:-1]] == sorted((a.number for a in listed[:-1]), reverse=True)


def test_why_answers_with_value_inputs_rule_clause_and_edition(desk: Desk) -> None:
    why = desk.why(only_id(desk, "limit-1h", "B"))
    bound = why.raised_by.bound
    assert bound is not None
    assert (bound.standard, bound.edition, bound.value, bool(bound.table)) == (
        "GB 3095-2026",
        "GB3095-2026-1",
        20000,
        True,
    )
    assert (why.raised_by.value, why.raised_by.valid, why.raised_by.expected) == (30000, 60, 60)
    assert (why.alert.event.key.rule, why.alert.multiple) == ("limit-1h", Fraction(1, 2))


def test_why_holds_all_rows_and_the_history_of_an_event(desk: Desk) -> None:
    event_id = only_id(desk, "pm25-1h", "A")
    desk.acknowledge(event_id, "张三", WALL + 1)
    why = desk.why(event_id)
    assert [(point.start, point.verdict) for point in why.points] == [
        (T0, Verdict.OVER), (T0 + HOUR_MS, Verdict.OVER),
    ]  # fmt: skip
    assert (why.peak.inputs, why.peak.value) == ("00000000000000ab", 9500)
    assert why.peak.bound is not None
    assert why.peak.bound.author == "默认配置"
    assert [(step.kind, step.author) for step in why.steps] == [
        (Change.RAISED, MACHINE), (Change.REVISED, MACHINE), (Change.CLEARED, MACHINE), (Deed.ACKNOWLEDGED, "张三"),
    ]  # fmt: skip
    assert why.steps[1].evidence["before"]["peak"]["value"] == 8000


def test_acknowledging_and_closing_leave_who_when_and_why(desk: Desk) -> None:
    event_id = only_id(desk, "limit-1h", "B")
    acknowledged = desk.acknowledge(event_id, " 张三 ", WALL + 1)
    assert acknowledged.acknowledged is not None
    assert (acknowledged.acknowledged.author, acknowledged.acknowledged.at) == ("张三", WALL + 1)
    closed = desk.close(event_id, "李四", "现场核实，已处置", WALL + 2)
    assert closed.closed is not None
    assert (closed.event.state, closed.closed.author, closed.note) == (State.CLOSED, "李四", "现场核实，已处置")
    assert event_id not in {alert.id for alert in desk.open_events()}
    assert [step.reason for step in desk.why(event_id).steps][-2:] == [StepReason.TAKEN_NOTICE, "现场核实，已处置"]


def test_wrong_transitions_are_refused_with_the_reason(desk: Desk) -> None:
    event_id = only_id(desk, "limit-1h", "B")
    with pytest.raises(WrongTransition) as early:
        desk.close(event_id, "张三", "x", WALL)
    assert (early.value.reason, early.value.state) == (StepReason.NOT_ACKNOWLEDGED, State.RAISED)
    desk.acknowledge(event_id, "张三", WALL)
    with pytest.raises(WrongTransition):
        desk.acknowledge(event_id, "李四", WALL)
    desk.close(event_id, "张三", "x", WALL)
    with pytest.raises(WrongTransition):
        desk.close(event_id, "张三", "x", WALL)
    assert len(desk.why(event_id).steps) == 3


@pytest.mark.parametrize("author", ["", "  ", "x" * 201])
def test_an_act_needs_a_name(desk: Desk, author: str) -> None:
    event_id = only_id(desk, "limit-1h", "B")
    with pytest.raises(NotSigned):
        desk.acknowledge(event_id, author, WALL)
    desk.acknowledge(event_id, "张三", WALL)
    with pytest.raises(NotSigned):
        desk.close(event_id, author, "x", WALL)
    with pytest.raises(NotSigned):
        desk.close(event_id, "张三", " ", WALL)


def test_an_event_that_does_not_exist_is_unknown(desk: Desk) -> None:
    for ask in (desk.event, desk.why, lambda one: desk.acknowledge(one, "张三", WALL)):
        with pytest.raises(UnknownName):
            ask("' OR 1=1 --")


def test_pages_follow_each_other_to_the_end(desk: Desk) -> None:
    first = desk.events(limit=3)
    second = desk.events(limit=3, cursor=first.cursor)
    seen = [alert.number for alert in (*first.alerts, *second.alerts)]
    assert (len(seen), second.cursor) == (4, None)
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (Filters(), 4),
        (Filters(sites=("A",)), 1),
        (Filters(kinds=("limit", "no_data")), 2),
        (Filters(factors=("PM2.5",), backfilled=True), 1),
        (Filters(facts=(Fact.CLEARED,)), 1),
        (Filters(states=(State.CLOSED,)), 0),
        (Filters(start_ms=T0 + HOUR_MS), 1),
        (Filters(end_ms=T0), 0),
        (Filters(sites=("x' OR 1=1",)), 0),
    ],
)
def test_lists_are_filtered(desk: Desk, filters: Filters, count: int) -> None:
    assert len(desk.events(filters).alerts) == count


def test_changes_since_a_cursor_are_told_once_and_in_order(desk: Desk) -> None:
    everything = desk.changes_since(0)
    assert [step.number for step in everything.steps] == list(range(1, len(everything.steps) + 1))
    assert everything.cursor == desk.newest_change()
    assert desk.changes_since(everything.cursor).steps == ()
    event_id = only_id(desk, "limit-1h", "B")
    desk.acknowledge(event_id, "张三", WALL)
    told = desk.changes_since(everything.cursor)
    assert [(step.kind, step.event) for step in told.steps] == [(Deed.ACKNOWLEDGED, event_id)]
    assert [alert.event.state for alert in told.alerts] == [State.ACKNOWLEDGED]
    assert desk.changes_since(told.cursor).cursor == told.cursor


def test_changes_come_in_parts_when_there_are_many(desk: Desk) -> None:
    part = desk.changes_since(0, limit=2)
    assert (len(part.steps), part.cursor) == (2, 2)
