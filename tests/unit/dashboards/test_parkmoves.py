"""D5 in evidence: an event of a park's point shows which of its points moved first, by the rows of the store."""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.events import Event
from dashboards.parkmoves import moves_data, moves_of, park_of
from sensors.clock import HOUR_MS
from sensors.kinds import load_kind
from sensors.registry import Registry
from streams.results import ResultHead
from streams.store.memory import MemoryStore
from tests.region_cases import shangyu
from tests.unit.alerts.building import T0, batch, row
from tests.unit.dashboards.building import House

DIGITS = {"outfall": load_kind("outfall").factors["NH3-N"].digits, "water": load_kind("water").factors["NH3-N"].digits}
EVENT_AT = T0 + 6 * HOUR_MS


class Key:
    def __init__(self, site: str, factor: str) -> None:
        self.site, self.factor = site, factor


def event(site: str = "SYN-OR01", factor: str = "NH3-N.limit") -> Any:
    made = Event.__new__(Event)
    object.__setattr__(made, "key", Key(site, factor))
    object.__setattr__(made, "start", EVENT_AT)
    return made


def store(**spikes: int) -> MemoryStore:
    """Return a store in which each named site jumps that many hours after `T0`."""
    held = MemoryStore()
    for name, spike in spikes.items():
        site = name.replace("_", "-")
        kind = shangyu().site(site).kind
        step = 4 if kind == "water" else 1
        rows = []
        for hour in range(-84, 24, step):
            value = 1.0 + 0.01 * np.cos(hour) + (9.0 if hour + step > spike else 0.0)
            rows.append(
                row("NH3-N", f"{step}h", hour)
                | {"site": site, "edition": "", "digits": DIGITS[kind], "value": round(value * 10 ** DIGITS[kind])}
            )
        held.write(batch(*rows), ResultHead(kind=kind, pack="p"))
    return held


def registry() -> Registry:
    return shangyu()


def test_a_spike_that_went_from_the_sewage_outlet_to_the_river_is_shown_in_that_order() -> None:
    held = store(SYN_OS01=0, SYN_OR01=4, SYN_OR02=99, SYN_WP01=8)
    found = moves_of(held, registry(), load_kind, event())
    assert found is not None
    told = moves_data(found)
    assert (told["park"], told["factor"], told["first"], told["sure"]) == ("park-hzw", "NH3-N", ["SYN-OS01"], True)
    assert [(one["site"], one["moved"]) for one in told["moves"]] == [
        ("SYN-OS01", "moved"), ("SYN-OR01", "moved"), ("SYN-WP01", "moved"), ("SYN-OR02", "still"),
    ]  # fmt: skip
    assert told["lags"][0] == {"from": "SYN-OS01", "to": "SYN-OR01", "least_ms": 3 * HOUR_MS, "most_ms": 5 * HOUR_MS}


def test_what_the_store_does_not_hold_is_unknown_and_nothing_is_sure() -> None:
    found = moves_of(store(SYN_OS01=0), registry(), load_kind, event(factor="dry_weather"))
    assert found is not None
    told = moves_data(found)
    assert (told["factor"], told["first"], told["sure"]) == ("NH3-N", ["SYN-OS01"], False)
    assert {one["moved"] for one in told["moves"][1:]} == {"unknown"}


def test_a_site_outside_the_parks_has_no_such_evidence() -> None:
    assert moves_of(store(), registry(), load_kind, event("SYN-U01")) is None
    assert park_of(registry(), "SYN-WP01", T0) == "park-hzw"


def test_the_evidence_is_asked_for_by_the_id_of_an_event(home: House) -> None:
    (alert, *_) = home.desk.open_events()
    answer = home.client().get(f"/api/v1/alerts/{alert.id}/moves")
    assert (answer.status_code, answer.json()["moves"]) == (200, None)
    assert home.client().get("/api/v1/alerts/none/moves").status_code == 404
