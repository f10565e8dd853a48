from __future__ import annotations

import pytest

from alerts.states import State
from alerts.texts import Language
from dashboards.events import Tab, acknowledged, alert_data, bound_text, closed, listed, peak_text, summary_of
from sensors.clock import HOUR_MS
from tests.unit.dashboards.building import T0, House, hour_of, over_limit, row

DECIMALS = {"NO2": 0, "CO": 1, "PM2.5": 0}


def limit_alert(home: House) -> str:
    found: str = next(alert.id for alert in home.desk.open_events() if alert.event.kind == "limit")
    return found


def test_a_new_alert_is_open_and_counted(home: House) -> None:
    said = summary_of(home.desk)  # type: ignore[arg-type]
    assert said.counts["open"] == len(said.open) > 0
    assert all(alert.event.state is State.RAISED for alert in said.open)
    assert {alert.id for alert in listed(home.desk, Tab.OPEN, 100)} == {alert.id for alert in said.open}  # type: ignore[arg-type]


def test_an_alert_goes_from_list_to_list(home: House) -> None:
    event = limit_alert(home)

    def where() -> list[Tab]:
        return [tab for tab in Tab if event in {alert.id for alert in listed(home.desk, tab, 100)}]  # type: ignore[arg-type]

    assert where() == [Tab.OPEN]
    acknowledged(home.desk, event, "张三", T0)  # type: ignore[arg-type]
    assert where() == [Tab.ACKNOWLEDGED]
    closed(home.desk, event, "张三", "仪器已校准", T0)  # type: ignore[arg-type]
    assert where() == [Tab.CLOSED]


def test_the_first_signature_counts(home: House) -> None:
    event = limit_alert(home)
    acknowledged(home.desk, event, "张三", T0)  # type: ignore[arg-type]
    again = acknowledged(home.desk, event, "李四", T0 + 1)  # type: ignore[arg-type]
    assert again is not None
    assert again.acknowledged is not None
    assert again.acknowledged.author == "张三"


def test_what_is_not_acknowledged_cannot_be_closed_and_stays_as_it_is(home: House) -> None:
    alert = closed(home.desk, limit_alert(home), "张三", "x", T0)  # type: ignore[arg-type]
    assert alert is not None
    assert alert.event.state is State.RAISED


@pytest.mark.parametrize("event", ["", "none", "x" * 200, "'; drop table alert_event; --"])
def test_an_event_that_is_not_there_is_nothing(home: House, event: str) -> None:
    assert acknowledged(home.desk, event, "张三", T0) is None  # type: ignore[arg-type]
    assert closed(home.desk, event, "张三", "x", T0) is None  # type: ignore[arg-type]
    assert home.desk.open_events()


def test_a_list_is_cut_at_its_length(home: House) -> None:
    home.say(*over_limit("B", 1))
    assert len(listed(home.desk, Tab.OPEN, 1)) == 1  # type: ignore[arg-type]


def test_an_alert_is_plain_data_with_the_digits_of_the_standard(home: House) -> None:
    alert = home.desk.event(limit_alert(home))
    data = alert_data(alert, DECIMALS)
    assert (data["peak"], data["bound"], data["standard"], data["edition"]) == (
        "230",
        "200",
        "GB 3095-2026",
        "GB3095-2026-1",
    )
    assert (data["site"], data["factor"], data["kind"], data["window"]) == ("A", "NO2", "limit", "1h")
    assert data["title"][Language.ZH.value].startswith("NO2")
    assert data["start"] == T0 + HOUR_MS
    assert data["acknowledged"] is None


def test_no_data_has_no_peak_to_show(home: House) -> None:
    home.say(*(row(factor, None, 2, site="B", reason="silent") for factor in ("O3", "NO2")))
    home.say(row("AQI", None, 2, site="B", reason="silent"))
    found = [alert for alert in home.desk.open_events() if alert.event.kind == "no_data"]
    assert found
    assert peak_text(found[0], DECIMALS) == ""
    assert bound_text(found[0], DECIMALS) == ""


def test_an_aqi_is_a_whole_number(home: House) -> None:
    home.say(*hour_of("B", 1, aqi=214))
    (alert, *_) = [
        alert for alert in home.desk.open_events() if alert.event.kind == "level" and alert.event.key.site == "B"
    ]
    assert peak_text(alert, DECIMALS) == "214"
