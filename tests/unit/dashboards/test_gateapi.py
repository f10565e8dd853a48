"""D7 on the console: every decision of the interlock can be read with its inputs and its reason."""

from __future__ import annotations

from alerts.gates.keeper import WINDOW_MS, GateKeeper
from alerts.gates.rulefile import load_gate_rule
from tests.unit.alerts.building import T0, columns
from tests.unit.alerts.gates.test_keeper import WET, registry, said
from tests.unit.dashboards.building import House


def test_decisions_are_told_newest_first_with_what_they_rest_on(home: House) -> None:
    keeper = GateKeeper(registry(), load_gate_rule())
    with home.journal.writing() as turn:
        for number in range(5):
            keeper.take(columns(*said(number, WET), network="outfall"), turn)
            keeper.advance(T0 + (number + 1) * WINDOW_MS, 0, 1, turn)
        keeper.save(turn)
    told = home.client().get("/api/v1/gates?site=G&limit=1").json()["decisions"]
    assert [(one["ruling"], one["why"]) for one in told] == [("allow", "passed")]
    assert {one["factor"]: one["value"] for one in told[0]["evidence"]["factors"]} == {
        "COD": "30", "NH3-N": "1", "TP": "1/5",
    }  # fmt: skip
    assert home.client().get("/api/v1/gates?site=none").json()["decisions"] == []
    assert home.client().get("/api/v1/gates?limit=0").status_code == 422
