"""What a handover is drawn up from."""

from __future__ import annotations

from pathlib import Path

from alerts.handover.content import OnDuty, OpenCase, RunningMark, RunningSilence
from alerts.handover.draft import Beside, draw_up, running_marks
from streams.discharge.permitfile import State as PlantState
from streams.discharge.permits import EnterpriseMark, Holder
from tests.unit.dashboards.building import T0, area, hour_of, house, over_limit, registry, row


def silence(site: str, hour: int) -> list[dict[str, object]]:
    return [row("AQI", None, hour, site=site, reason="silent")]


def test_the_most_pressing_events_come_first_with_who_has_them(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.say(*over_limit("A", 1), *over_limit("B", 1))
        first = home.desk.inner.open_events()[0]
        home.desk.inner.acknowledge(first.id, "张三", T0)
        content = draw_up(home.desk.inner, home.registry, T0, " 盯住 B 站 ")
        assert (content.waiting, content.in_hand) == (len(content.events) - 1, 1)
        assert content.events[-1].acknowledged_by == "张三"
        assert {event.state for event in content.events[:-1]} == {"raised"}
        assert {(event.place_zh, event.title_zh) for event in content.events} >= {("B站", "NO2 1小时超标")}
        assert (content.at, content.notes, content.region_zh, content.synthetic) == (T0, "盯住 B 站", "试区", True)


def test_a_silent_site_is_handed_over_also_when_its_event_was_closed(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.say(*hour_of("A", 0), *silence("B", 0), *silence("B", 1))
        (alert,) = home.desk.inner.open_events()
        home.desk.inner.acknowledge(alert.id, "张三", T0)
        home.desk.inner.close(alert.id, "张三", "已报修", T0)
        content = draw_up(home.desk.inner, home.registry, T0)
        assert content.events == ()
        assert [(one.site, one.place_zh, one.since) for one in content.silent] == [("B", "B站", alert.event.start)]


def test_what_others_know_stands_beside(tmp_path: Path) -> None:
    beside = Beside(
        on_duty=(OnDuty(person="p", name="张三", department="监测", duty="值班"),),
        cases=(OpenCase(id="c", title_zh="t", title_en="t", priority=1, state="raised", opened_at=1, overdue=True),),
        silences=(RunningSilence(id="s", matchers='site="A"', author="a", reason="r", start=1, end=2),),
    )
    with house(tmp_path) as home:
        content = draw_up(home.desk.inner, home.registry, T0, beside=beside)
    assert (content.on_duty, content.cases, content.silences) == (beside.on_duty, beside.cases, beside.silences)
    assert content.cases_total == 1


def test_marks_of_enterprises_are_those_that_run_now() -> None:
    def mark(start: int, end: int) -> EnterpriseMark:
        return EnterpriseMark(
            state=PlantState.MAINTENANCE, start=start, end=end, author="厂", sent=start, evidence="工单 7"
        )

    holders = {"A": Holder(id="A", marks=(mark(0, 10), mark(10, 20))), "X": Holder(id="X", marks=(mark(5, 15),))}
    held = registry(areas=(area("X", "firm"),))
    found = running_marks(holders, held, 10)
    assert found == (
        RunningMark(
            site="A", place_zh="A站", place_en="A station", state="maintenance", author="厂", start=10, end=20,
            evidence="工单 7",
        ),
        RunningMark(
            site="X", place_zh="X区", place_en="X area", state="maintenance", author="厂", start=5, end=15,
            evidence="工单 7",
        ),
    )  # fmt: skip
