from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.flags import Mark
from tests.unit.dashboards.building import T0, House, house, plain, row, section, site


def data(home: House, path: str) -> Any:
    answer = home.client().get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def limit_alert(home: House) -> str:
    return next(str(alert.id) for alert in home.desk.open_events() if alert.event.kind == "limit")


def test_the_overview_says_the_same_numbers_as_the_page(home: House) -> None:
    said = data(home, "/api/v1/overview")
    hour = said["hour"]
    assert said["synthetic"] is True
    assert (hour["came"], hour["owed"], hour["missing"], hour["over"]) == (1, 2, ["B"], ["A"])
    assert (hour["start"], hour["hour_ending"]) == (T0 + HOUR_MS, "2026-11-21 02:00")
    a = hour["stations"][0]
    assert a["factors"]["NO2"] == {
        "value": "230", "unit": "µg/m³", "reason": "", "suspect": False, "over": True, "iaqi": None,
    }  # fmt: skip
    assert a["factors"]["CO"]["value"] == "1.0"
    assert a["over"] == [{"factor": "NO2", "window": "1h"}]
    page = home.client().get("/").text
    assert "1/2" in page
    assert ">230<" in page


def test_an_empty_store_has_no_hour(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        assert data(made, "/api/v1/overview")["hour"] is None


def test_every_site_of_the_registry_is_listed(home: House) -> None:
    (a, b) = data(home, "/api/v1/stations")["stations"]
    assert (a["id"], b["id"], a["class"], a["zone"], a["synthetic"]) == ("A", "B", "urban", 2, True)


def test_a_series_has_a_point_for_every_interval_and_a_reason_for_every_gap(home: House) -> None:
    home.say(row("SO2", None, 1, reason="calibrating", flags=int(Mark.CALIBRATION), revision=2))
    said = data(home, "/api/v1/series?site=A")
    (so2,) = (panel for panel in said["panels"] if panel["factor"] == "SO2")
    assert len(so2["points"]) == 48
    assert so2["points"][0]["reason"] == "silent"
    newest = so2["points"][-1]
    assert (newest["value"], newest["reason"], newest["marks"], newest["revision"]) == (
        None,
        "calibrating",
        ["CALIBRATION"],
        2,
    )
    assert (newest["label"], newest["start"]) == ("2026-11-21 02:00", T0 + HOUR_MS)
    assert newest["t"] == T0 + 10 * HOUR_MS
    assert so2["limits"][0]["value"] == "500"


def test_a_series_of_a_range_and_a_window(home: House) -> None:
    home.say(row("O3", 165, 9, window="8h"))
    said = data(home, "/api/v1/series?site=A&window=8h&from=2026-11-21&to=2026-11-21")
    (o3,) = said["panels"]
    assert len(o3["points"]) == 24
    assert o3["points"][9]["over"] is True
    assert (o3["limits"][0]["window"], o3["limits"][0]["title"]) == ("MDA8", "日最大 8 小时均值")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("site=Z", 404),
        ("site=%3Cb%3E", 404),
        ("", 422),
        ("site=A&window=2h", 422),
        ("site=A&from=x", 422),
        ("site=A&to=0001-01-01", 422),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(home: House, query: str, status: int) -> None:
    answer = home.client().get(f"/api/v1/series?{query}")
    assert answer.status_code == status
    assert "detail" in answer.json()


def test_when_the_store_is_away_the_last_series_is_given_as_old(home: House) -> None:
    client = home.client()
    assert client.get("/api/v1/series?site=A").json()["fresh"] is True
    home.store.away = True
    assert client.get("/api/v1/series?site=A").json()["fresh"] is False
    assert client.get("/api/v1/series?site=B").status_code == 503


def test_health_readiness_and_version(home: House) -> None:
    client = home.client()
    assert client.get("/healthz").text == "ok\n"
    assert (client.get("/readyz").status_code, client.get("/readyz").text) == (200, "ready\n")
    assert client.get("/version").json() == {
        "name": "jianhu",
        "version": "0",
        "pack": client.get("/version").json()["pack"],
    }
    home.store.away = home.desk.away = True
    home.look()
    told = client.get("/readyz")
    assert (told.status_code, told.text) == (503, "store: StoreError\ndesk: StoreError\n")
    assert client.get("/healthz").status_code == 200


def test_the_figures_can_be_read_by_prometheus(home: House) -> None:
    home.wall += MINUTE_MS
    answer = home.client().get("/metrics")
    found = {one.name: one.samples[0].value for one in text_string_to_metric_families(answer.text)}
    assert found["jianhu_console_store_up"] == 1
    assert found["jianhu_console_tick_age_seconds"] == 60
    assert (found["jianhu_console_sites_owed"], found["jianhu_console_sites_missing"]) == (2, 1)
    assert found["jianhu_console_open_events"] == len(home.desk.open_events())
    assert found["jianhu_console_data_age_seconds"] == 3960


def test_the_figures_of_an_empty_console_leave_out_what_is_not_known(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        assert "tick_age" not in made.client().get("/metrics").text


def test_the_interface_is_described(home: House) -> None:
    paths = data(home, "/api/v1/openapi.json")["paths"]
    assert set(paths) >= {"/api/v1/overview", "/api/v1/stations", "/api/v1/series", "/api/v1/alerts"}
    assert json.dumps(paths)


def test_an_address_of_the_interface_that_is_not_there_answers_in_json(home: House) -> None:
    answer = home.client().get("/api/v1/nothing")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_the_overview_says_the_newest_slot_of_every_other_kind(tmp_path: Path) -> None:
    start = T0 - 4 * HOUR_MS
    with house(tmp_path, section("W"), section("X")) as home:
        over = plain("W", "over_target", 1, "4h", start, digits=0, primary="NH3-N")
        home.say(
            plain("W", "NH3-N", 230, "4h", start), plain("W", "class", 6, "4h", start, level=6, digits=0), over,
            kind="water",
        )  # fmt: skip
        home.tick(T0 + HOUR_MS, kind="water")
        (water,) = data(home, "/api/v1/overview")["media"]
        assert (water["kind"], water["name"]["zh"], water["start"], water["end"]) == ("water", "地表水", start, T0)
        assert (water["owed"], water["came"], water["missing"], water["over_target"]) == (2, 1, ["X"], ["W"])
        spot = next(one for one in water["sites"] if one["site"] == "W")
        assert (spot["class"], spot["state"], spot["over_target"]) == (6, "value", ["NH3-N"])
        assert spot["factors"]["NH3-N"] == {
            "value": "2.300", "unit": "mg/L", "reason": "", "suspect": False, "judged": None, "limit": None,
        }  # fmt: skip


def test_sites_of_every_kind_are_listed_and_can_be_asked_for_by_kind(tmp_path: Path) -> None:
    with house(tmp_path, site("A"), section("W")) as home:
        every = data(home, "/api/v1/stations")["stations"]
        assert [(one["id"], one["kind"]) for one in every] == [("A", "air"), ("W", "water")]
        assert [one["id"] for one in data(home, "/api/v1/stations?kind=water")["stations"]] == ["W"]


def test_a_series_of_another_kind_has_its_own_windows(tmp_path: Path) -> None:
    with house(tmp_path, site("A"), section("W")) as home:
        home.say(plain("W", "NH3-N", 230, "4h", T0), kind="water")
        home.tick(T0 + 4 * HOUR_MS, kind="water")
        home.look()
        said = data(home, "/api/v1/series?site=W&from=2026-11-21&to=2026-11-21")
        (ammonia,) = [panel for panel in said["panels"] if any(point["value"] for point in panel["points"])]
        assert (said["kind"], said["step"], ammonia["unit"], ammonia["points"][0]["value"]) == (
            "water", 4 * HOUR_MS, "mg/L", "2.300",
        )  # fmt: skip
        assert home.client().get("/api/v1/series?site=W&window=MDA8").status_code == 422
        assert home.client().get("/api/v1/series?site=A&window=4h").status_code == 422
        assert data(home, "/api/v1/series?site=W&window=24h")["step"] == 24 * HOUR_MS
