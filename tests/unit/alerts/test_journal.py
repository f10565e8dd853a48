from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import tables as t
from alerts.desk import Desk, Part
from alerts.events import Change, Fact
from alerts.journal import MACHINE, Journal, open_journal
from alerts.keeper import Keeper
from alerts.rules import Rules
from alerts.states import State
from alerts.verdicts import SeriesKey
from sensors.clock import HOUR_MS
from sensors.errors import StoreError
from tests.unit.alerts.building import T0, columns, judge, only, registry, row, site

WALL = 1_700_000_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path / 'alerts.db'}", lambda: WALL)
    yield opened
    opened.close()


def take(journal: Journal, *rows: dict[str, Any], rules: Rules | None = None, keeper: Keeper | None = None) -> int:
    """Judge one message in a transaction of its own, by default with a keeper that knows nothing."""
    chosen = rules or only("pm25-1h")
    keeper = keeper or Keeper(judge(chosen, registry(site("A"), site("B"))), chosen)
    with journal.writing() as turn:
        keeper.take(columns(*rows), turn)
        return keeper.save(turn)


def rows_of(journal: Journal, table: sa.Table) -> list[Any]:
    with journal.reading() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))


def test_an_event_is_dated_by_the_tick_and_noticed_by_the_wall_clock(journal: Journal) -> None:
    take(journal, row(value=80, at=T0 + 2 * HOUR_MS))
    (event,), (step,) = (rows_of(journal, table) for table in (t.event, t.event_step))
    assert (event.raised_at, event.noticed_at) == (T0 + 2 * HOUR_MS, WALL)
    assert (step.kind, step.author, step.at, step.noticed_at) == ("raised", MACHINE, T0 + 2 * HOUR_MS, WALL)


def test_the_same_message_again_changes_nothing(journal: Journal) -> None:
    rows = [row(hour=hour, value=value) for hour, value in enumerate([80, 90, 10, 80])]
    assert take(journal, *rows) > 0
    before = [rows_of(journal, table) for table in t.metadata.sorted_tables]
    assert take(journal, *rows) == 0
    assert [rows_of(journal, table) for table in t.metadata.sorted_tables] == before


def test_a_lower_revision_is_ignored(journal: Journal) -> None:
    take(journal, row(value=80, revision=2))
    assert take(journal, row(value=10, revision=1)) == 0
    take(journal, row(value=10, revision=3))
    assert take(journal, row(value=80, revision=2)) == 0
    (event,) = rows_of(journal, t.event)
    assert event.fact == Fact.WITHDRAWN


def test_fine_rows_are_not_kept_but_known_to_be_fine(journal: Journal) -> None:
    take(journal, *[row(hour=hour, value=10) for hour in range(50)])
    assert rows_of(journal, t.verdict) == []
    (series,) = rows_of(journal, t.series)
    assert series.through == T0 // HOUR_MS + 49


def test_messages_saved_together_or_alone_leave_the_same_history(journal: Journal, tmp_path: Path) -> None:
    messages = [[row(hour=0, value=80)], [row(hour=1, value=10)], [row(hour=0, value=10, revision=2, at=T0 + 9)],
                [row(hour=0, value=99, revision=3, at=T0 + 10)]]  # fmt: skip
    for message in messages:
        take(journal, *message)
    other = open_journal(f"sqlite:///{tmp_path / 'together.db'}", lambda: WALL)
    rules = only("pm25-1h")
    keeper = Keeper(judge(rules), rules)
    with other.writing() as turn:
        for message in messages:
            keeper.take(columns(*message), turn)
        keeper.save(turn)
    kinds = [step.kind for step in rows_of(journal, t.event_step)]
    assert kinds == ["raised", "cleared", "withdrawn", "raised_again"]
    for table in (t.event, t.event_step, t.verdict, t.series):
        assert rows_of(other, table) == rows_of(journal, table), table.name
    other.close()


def test_what_is_not_committed_is_not_there(journal: Journal) -> None:
    rules = only("pm25-1h")
    keeper = Keeper(judge(rules), rules)

    def fail() -> None:
        with journal.writing() as turn:
            keeper.take(columns(row(value=80)), turn)
            keeper.save(turn)
            turn.move_offsets("log", "results.air", {0: 1})
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    for table in (t.event, t.event_step, t.source_offset, t.verdict):
        assert rows_of(journal, table) == []
    keeper.forget()
    assert take(journal, row(value=80), keeper=keeper) == 1


def test_offsets_are_kept_by_log_and_topic(journal: Journal) -> None:
    with journal.writing() as turn:
        turn.move_offsets("one", "results.air", {0: 5, 1: 7})
        turn.move_offsets("one", "results.air", {0: 6})
    with journal.writing() as turn:
        assert turn.offsets("one", "results.air") == {0: 6, 1: 7}
        assert turn.offsets("two", "results.air") == turn.offsets("one", "other") == {}


def test_backfilled_events_are_marked_and_have_a_step(journal: Journal) -> None:
    take(journal, row(value=80, at=T0 + 100 * HOUR_MS))
    (event,) = rows_of(journal, t.event)
    assert event.backfilled
    assert len(rows_of(journal, t.event_step)) == 1


def test_a_revision_is_a_step_of_its_own(journal: Journal) -> None:
    take(journal, row(value=80))
    take(journal, row(hour=1, value=90))
    assert [step.kind for step in rows_of(journal, t.event_step)] == ["raised", "revised"]


def test_going_on_moves_the_event_and_adds_no_step(journal: Journal) -> None:
    take(journal, row(value=80))
    take(journal, row(hour=1, value=80))
    (event,) = rows_of(journal, t.event)
    assert (event.last, event.revision) == (T0 + 2 * HOUR_MS, 1)
    assert len(rows_of(journal, t.event_step)) == 1


def test_a_series_far_behind_what_is_held_is_loaded_again(journal: Journal) -> None:
    rules = only("pm25-1h")
    keeper = Keeper(judge(rules), rules, first_reach=2)
    take(journal, row(hour=0, value=80), keeper=keeper)
    take(journal, row(hour=500, value=80), keeper=keeper)
    take(journal, row(hour=1, value=90, at=T0 + 501 * HOUR_MS), keeper=keeper)
    events = rows_of(journal, t.event)
    assert [(event.start - T0) // HOUR_MS for event in events if event.fact != Fact.GOING_ON] == [0]
    assert len(events) == 2


def test_a_rule_of_no_data_raises_for_a_site_never_seen_and_clears_when_it_speaks(journal: Journal) -> None:
    silent: dict[str, Any] = {"value": None, "reason": "silent"}
    rules = only("no-data", "aqi-light")
    take(journal, row("AQI", site="B", **silent), rules=rules)
    (event,) = rows_of(journal, t.event)
    assert (event.site, event.rule, event.fact) == ("B", "no-data", Fact.GOING_ON)
    take(journal, row("AQI", site="B", hour=1, value=40, level=1), rules=rules)
    (event,) = rows_of(journal, t.event)
    assert (event.fact, event.end) == (Fact.CLEARED, T0 + HOUR_MS)


def test_an_open_event_stays_open_while_its_site_is_silent(journal: Journal) -> None:
    rules = only("limit-1h")
    take(journal, row("O3", value=300), rules=rules)
    take(journal, *[row("O3", hour=h, value=None, reason="silent") for h in range(1, 30)], rules=rules)
    (event,) = rows_of(journal, t.event)
    assert (event.fact, event.last) == (Fact.GOING_ON, T0 + HOUR_MS)
    take(journal, row("O3", hour=30, value=20), rules=rules)
    assert rows_of(journal, t.event)[0].fact == Fact.CLEARED


def test_an_ozone_day_is_over_with_its_first_8h_mean_and_settled_by_its_maximum(journal: Journal) -> None:
    rules = only("limit-o3-day")
    take(journal, row("O3", "8h", hour=12, value=170), rules=rules)
    (event,) = rows_of(journal, t.event)
    assert (event.start, event.window, event.fact) == (T0, "MDA8", Fact.GOING_ON)
    take(journal, row("O3", "8h", hour=13, value=120), rules=rules)
    assert len(rows_of(journal, t.event)) == 1
    take(journal, row("O3", "MDA8", value=170, at=T0 + 25 * HOUR_MS), rules=rules)
    take(journal, row("O3", "8h", hour=36, value=100, revision=2), rules=rules)
    assert rows_of(journal, t.event)[0].fact == Fact.GOING_ON
    take(journal, row("O3", "MDA8", hour=24, value=100), rules=rules)
    (event,) = rows_of(journal, t.event)
    assert (event.fact, event.end) == (Fact.CLEARED, T0 + 24 * HOUR_MS)


@pytest.mark.parametrize("state", State)
def test_a_restart_in_every_state_goes_on_with_the_same_event(journal: Journal, state: State) -> None:
    take(journal, row(value=80))
    desk = Desk(journal)
    (alert,) = desk.open_events(Part.NOW)
    if state is not State.RAISED:
        desk.acknowledge(alert.id, "张三", WALL)
    if state is State.CLOSED:
        desk.close(alert.id, "张三", "已核实", WALL)
    take(journal, row(hour=1, value=90))
    after = desk.event(alert.id)
    assert (after.event.state, after.event.revision, after.value) == (state, 2, 9000)
    assert len(rows_of(journal, t.event)) == 1


def test_an_event_raised_again_is_unsigned_again(journal: Journal) -> None:
    take(journal, row(value=80))
    desk = Desk(journal)
    (alert,) = desk.open_events()
    desk.acknowledge(alert.id, "张三", WALL)
    take(journal, row(value=10, revision=2))
    take(journal, row(value=80, revision=3))
    after = desk.event(alert.id)
    assert (after.event.state, after.acknowledged) == (State.RAISED, None)
    assert [step.kind for step in desk.why(alert.id).steps][-1] is Change.RAISED_AGAIN


def test_steps_are_numbered_without_gaps_in_their_order(journal: Journal) -> None:
    for hour in range(5):
        take(journal, row(hour=hour, value=80 + hour), row(hour=hour, value=80 + hour, site="B"))
    numbers = [step.number for step in rows_of(journal, t.event_step)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_database_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_journal(f"sqlite:///{tmp_path / 'no' / 'folder' / 'alerts.db'}", lambda: 0)


def test_many_may_open_a_new_journal_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'alerts.db'}"
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: open_journal(url, lambda: 0), range(8)))
    assert [Desk(one).newest_change() for one in opened] == [0] * 8
    for one in opened:
        one.close()


def test_a_series_that_was_never_kept_is_empty(journal: Journal) -> None:
    key = SeriesKey("r", "s", "f")
    with journal.writing() as turn:
        (series,) = turn.load({key: 0}, 0)
        assert not turn.with_before([key], 10**15)
    assert (series.points, series.events, series.through) == ({}, {}, None)


def test_a_journal_of_an_earlier_version_gains_the_columns_it_lacks_and_keeps_its_events(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'alerts.db'}"
    first = open_journal(url, lambda: WALL)
    take(first, row(value=80))
    first.close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for name in ("hint", "unconfirmed", "priority"):
            connection.execute(sa.text(f"ALTER TABLE alert_event DROP COLUMN {name}"))
    engine.dispose()
    again = open_journal(url, lambda: WALL)
    (alert,) = Desk(again).open_events()
    assert (alert.event.hint, alert.event.unconfirmed, alert.event.priority) == (False, False, 3)
    take(again, row(value=90, hour=5))
    assert len(Desk(again).open_events()) == 2
    again.close()
