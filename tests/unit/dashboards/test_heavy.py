"""G10 on the console: the observed run of an area, as a hint that people may act on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sensors.clock import DAY_MS
from streams.results import AQI
from tests.unit.dashboards.building import T0, House, area, hour_of, house, row, site


@pytest.fixture
def district(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, site("A"), areas=(area("shangyu"),)) as made:
        for back, aqi in ((3, 90), (2, 210), (1, 220)):
            start = T0 - back * DAY_MS
            made.say(row(AQI, aqi, site="shangyu", window="24h", start=start, primary="PM2.5"))
        made.say(*hour_of("A", 0))
        made.tick()
        yield made


def test_two_observed_days_over_200_would_meet_orange_and_announce_nothing(district: House) -> None:
    answer = district.client().get("/api/v1/areas/shangyu/heavy-pollution")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["hint"], told["announcement"]) == (True, False)
    assert (told["would_meet"]["level"], told["cause"]) == (2, "pm25")
    assert [one["aqi"] for one in told["observed"]] == [210, 220]


def test_an_unknown_area_is_not_found(district: House) -> None:
    assert district.client().get("/api/v1/areas/atlantis/heavy-pollution").status_code == 404


def test_a_store_that_is_away_is_said(district: House) -> None:
    district.store.away = True
    assert district.client().get("/api/v1/areas/shangyu/heavy-pollution").status_code == 503
