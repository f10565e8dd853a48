"""The keeper of gates: every decision stands in the journal with inputs and reason, once, over restarts and repeats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from alerts.gates import tables as t
from alerts.gates.desk import decisions
from alerts.gates.keeper import WINDOW_MS, GateKeeper
from alerts.gates.rulefile import load_gate_rule, parse_gate_rule
from alerts.journal import Journal, open_journal
from sensors.clock import MINUTE_MS
from sensors.errors import ConfigError
from sensors.flags import Mark
from sensors.kinds import load_kind
from sensors.partition import partition_of
from sensors.registry import Registry, Site
from sensors.yamlfile import parse_yaml
from tests.unit.alerts.building import T0, columns, row, site

FACTORS = load_kind("outfall").factors
DELIVERED = Path(__file__).parents[4] / "alerts/data/gates.yaml"


def outlet(name: str = "G", **more: Any) -> Site:
    setting = {"use": "rain", "gate": True} | more.pop("setting", {})
    return site(name, kind="outfall", station_class="rain_water", zone=0, setting=setting, **more)


def registry(*sites: Site) -> Registry:
    return Registry(region_zh="r", region_en="r", synthetic=True, sites=sites or (outlet(),))


def said(number: int, values: Mapping[str, float | None], name: str = "G", revision: int = 1) -> list[dict[str, Any]]:
    """Return the rows of the n-th window of ten minutes."""
    start = T0 + number * WINDOW_MS
    return [
        row(factor, "10min")
        | {
            "site": name, "start": start, "at": start + WINDOW_MS, "edition": "", "digits": FACTORS[factor].digits,
            "value": None if value is None else round(value * 10 ** FACTORS[factor].digits),
            "reason": "silent" if value is None else "", "revision": revision,
        }
        for factor, value in values.items()
    ]  # fmt: skip


WET: dict[str, float | None] = {"rain": 1.0, "COD": 30.0, "NH3-N": 1.0, "TP": 0.2}


class Log:
    """A keeper on a database, driven by windows and ticks."""

    def __init__(self, *sites: Site, journal: Journal | None = None) -> None:
        self.journal = journal or open_journal("sqlite://", lambda: 7)
        self.keeper = GateKeeper(registry(*sites), load_gate_rule())

    def window(self, number: int, *rows: dict[str, Any], tick: int | None = None) -> int:
        """Take rows and then the tick at the end of a window; return how many decisions are new."""
        with self.journal.writing() as turn:
            if rows:
                self.keeper.take(columns(*rows, network="outfall"), turn)
            at = T0 + (number + 1) * WINDOW_MS if tick is None else tick
            new = self.keeper.advance(at, 0, 1, turn)
            self.keeper.save(turn)
        return new

    def told(self) -> list[tuple[int, str, str]]:
        """Return minute, ruling and reason of all decisions."""
        with self.journal.reading() as connection:
            rows = connection.execute(sa.select(t.gate_decision).order_by(t.gate_decision.c.number)).all()
        return [((one.at - T0) // MINUTE_MS, one.ruling, one.why) for one in rows]

    def evidence(self) -> list[dict[str, Any]]:
        with self.journal.reading() as connection:
            rows = connection.execute(sa.select(t.gate_decision).order_by(t.gate_decision.c.number)).all()
        return [msgspec.json.decode(one.evidence) for one in rows]


def test_a_rain_is_decided_from_dryness_to_opening_and_every_decision_is_journalled() -> None:
    log = Log()
    log.window(0, *said(0, {"rain": 0.0}))
    log.window(1, *said(1, {"rain": 0.0}))
    for number in range(2, 6):
        log.window(number, *said(number, WET))
    log.window(6, *said(6, WET | {"COD": 55.0}))
    assert log.told() == [
        (10, "refuse", "dry"),
        (30, "refuse", "first_rain"),
        (40, "refuse", "first_rain"),
        (50, "allow", "passed"),
        (60, "allow", "passed"),
        (70, "refuse", "failed"),
    ]
    last = log.evidence()[-1]
    assert last["rain_since"] == T0 + 30 * MINUTE_MS
    assert last["factors"][0] == {
        "factor": "COD", "why": "failed", "limit": "40", "value": "55", "start": T0 + 60 * MINUTE_MS, "revision": 1,
    }  # fmt: skip
    assert [one["why"] for one in last["factors"]] == ["failed", "passed", "passed"]


def opened() -> Log:
    log = Log()
    for number in range(5):
        log.window(number, *said(number, WET))
    assert log.told()[-1][1:] == ("allow", "passed")
    return log


def test_a_gate_that_may_open_is_refused_when_values_grow_old_without_any_message() -> None:
    log = opened()
    assert log.window(0, tick=T0 + 5 * WINDOW_MS + 20 * MINUTE_MS) == 0
    assert log.window(0, tick=T0 + 5 * WINDOW_MS + 20 * MINUTE_MS + 1) == 1
    assert log.told()[-1][1:] == ("refuse", "no_rain_data")


@pytest.mark.parametrize(
    ("changed", "flags", "why"),
    [
        ({"TP": None}, 0, "missing"),
        ({"NH3-N": 2.5}, 0, "failed"),
        ({}, int(Mark.SUSPECT), "doubtful"),
        ({}, int(Mark.UNFLAGGED), "doubtful"),
        ({}, int(Mark.OVER_RANGE), "doubtful"),
    ],
)
def test_what_does_not_surely_pass_refuses(changed: dict[str, float | None], flags: int, why: str) -> None:
    log = opened()
    rows = [one | {"flags": flags} for one in said(5, WET | changed)]
    log.window(5, *rows)
    assert log.told()[-1][1:] == ("refuse", why)


def test_late_and_corrected_values_make_another_decision_and_leave_the_earlier_one() -> None:
    log = opened()
    before = log.told()
    log.window(4, *said(4, WET | {"TP": 0.9}, revision=2), tick=T0 + 51 * MINUTE_MS)
    assert log.told() == [*before, (51, "refuse", "failed")]
    assert log.evidence()[-1]["factors"][2]["revision"] == 2


def test_a_keeper_that_starts_again_goes_on_and_says_nothing_twice() -> None:
    log = opened()
    other = Log(journal=log.journal)
    count = len(other.told())
    for number in range(5):  # the log once more, from its beginning
        assert other.window(number, *said(number, WET)) == 0
    assert len(other.told()) == count
    other.window(5, *said(5, WET | {"COD": 41.0}))
    assert other.told()[-1] == (60, "refuse", "failed")
    assert other.evidence()[-1]["rain_since"] == T0 + WINDOW_MS


def test_what_an_undone_transaction_decided_is_decided_again() -> None:
    log = opened()
    count = len(log.told())

    def undone() -> None:
        with log.journal.writing() as turn:
            log.keeper.take(columns(*said(5, WET | {"COD": 41.0}), network="outfall"), turn)
            log.keeper.advance(T0 + 6 * WINDOW_MS, 0, 1, turn)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    log.keeper.forget()
    assert len(log.told()) == count
    log.window(5, *said(5, WET | {"COD": 41.0}))
    assert log.told()[-1][1:] == ("refuse", "failed")


def test_outlets_without_a_gate_other_networks_and_other_windows_are_passed_over() -> None:
    log = Log(outlet("N", setting={"gate": False}), outlet("M", setting={"gate": None}))
    assert log.window(0, *said(0, WET, "N"), *said(0, WET, "M")) == 0
    with_gate = Log()
    with with_gate.journal.writing() as turn:
        with_gate.keeper.take(columns(*said(0, WET), network="water"), turn)
        with_gate.keeper.take(columns(*[one | {"window": "1h"} for one in said(0, WET)], network="outfall"), turn)
    with_gate.window(0)
    assert with_gate.told() == [(10, "refuse", "no_rain_data")]


def test_an_outlet_is_decided_at_the_ticks_of_its_own_partition_only_and_while_it_is_registered() -> None:
    log, mine = Log(), partition_of("G", 5)
    with log.journal.writing() as turn:
        found = [log.keeper.advance(T0, partition, 5, turn) for partition in range(5)]
    assert found == [int(partition == mine) for partition in range(5)]
    ended = Log(outlet(end=T0))
    assert ended.window(0) == 0


def test_the_delivered_rule_retains_15_minutes_and_asks_for_cod_ammonia_and_phosphorus() -> None:
    rule = load_gate_rule()
    assert rule.retain_ms == 15 * MINUTE_MS
    assert list(rule.limits) == ["COD", "NH3-N", "TP"]


@pytest.mark.parametrize(
    ("good", "bad", "key"),
    [
        ("retain_minutes: 15", "retain_minutes: 10", "retain_minutes"),
        ("TP:    {value: 0.4", "PT:    {value: 0.4", "factors.PT"),
        ("TP:    {value: 0.4", "rain:    {value: 0.4", "factors.rain"),
        ("value: 40, unit: mg/L", "value: 40, unit: mm", "factors.COD.unit"),
        ("value: 40, unit: mg/L", "value: 0, unit: mg/L", "factors.COD.value"),
        ("value: 40, unit: mg/L", "value: a few, unit: mg/L", "factors.COD.value"),
        ("rain: {value: 0.1, unit: mm}", "rain: {value: 0.1, unit: L/s}", "rain.unit"),
        ("fresh_minutes: 20", "fresh_minutes: 0", "fresh_minutes"),
        ("dry_minutes: 360 ", "dry_hours: 6 ", "dry_hours"),
    ],
)
def test_a_wrong_rule_of_gates_is_refused_with_file_line_and_key(good: str, bad: str, key: str) -> None:
    text = DELIVERED.read_text(encoding="utf-8")
    assert good in text
    with pytest.raises(ConfigError, match=r"gates.yaml:\d+: ") as caught:
        parse_gate_rule(parse_yaml(text.replace(good, bad), "gates.yaml"))
    assert caught.value.key == key


def test_the_journal_is_read_newest_first_by_site_and_page() -> None:
    log = opened()
    log.window(5, *said(5, WET | {"COD": 55.0}))
    found = decisions(log.journal, limit=2)
    assert [(one.ruling.value, one.why.value) for one in found] == [("refuse", "failed"), ("allow", "passed")]
    assert found[0].evidence["factors"][0]["value"] == "55"
    assert (found[0].site, found[0].noticed_at, found[0].at) == ("G", 7, T0 + 6 * WINDOW_MS)
    older = decisions(log.journal, before=found[-1].number)
    assert [one.number for one in older] == sorted((one.number for one in older), reverse=True)
    assert len(older) + 2 == len(log.told())
    assert decisions(log.journal, site="other") == ()
