"""D10: working state and power: every cell of the tables, no suspicion by failed sensors, the region's stories."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.frames import Frame, FrameHead, Origin
from sensors.kinds import load_kind
from sensors.tables import Truth, TruthTable
from streams.combining.evaluation import CombinationEvaluation
from streams.discharge.judgement import Level
from streams.results import Reason
from tests.kind_cases import kind_judge
from tests.region_cases import NOVEMBER, region, shangyu

KIND = load_kind("operation")
WORDS = {"n": Truth.NO, "y": Truth.YES, "u": Truth.UNKNOWN}
CELLS = ("nn", "ny", "nu", "yn", "yy", "yu", "un", "uy", "uu")
"""First and second condition of a table."""
EXPECTED = {
    # production, treatment
    "treatment_off": ("fine", "fine", "fine", "suspicion", "fine", "unknown", "unknown", "fine", "unknown"),
    # treatment, flow
    "power_without_flow": ("fine", "fine", "fine", "suspicion", "fine", "unknown", "unknown", "fine", "unknown"),
    # flow, treatment
    "flow_without_power": ("fine", "fine", "fine", "suspicion", "fine", "unknown", "unknown", "fine", "unknown"),
    # vent, production: only both together are suspect
    "bypass_open": ("fine", "fine", "fine", "fine", "suspicion", "unknown", "fine", "unknown", "unknown"),
    # discharge, flow
    "bypass_discharge": ("fine", "fine", "fine", "suspicion", "fine", "unknown", "unknown", "fine", "unknown"),
    # signal, treatment
    "signal_without_power": ("fine", "fine", "fine", "suspicion", "fine", "unknown", "unknown", "fine", "unknown"),
}


def table(name: str) -> TruthTable:
    return next(one for one in KIND.tables if one.id == name)


def test_every_delivered_table_has_a_truth_table_test() -> None:
    assert {one.id for one in KIND.tables} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("place", range(len(CELLS)), ids=CELLS)
def test_every_cell_of_a_delivered_table_means_what_it_should(name: str, place: int) -> None:
    found = table(name)
    truths = dict(zip([one.name for one in found.conditions], (WORDS[x] for x in CELLS[place]), strict=True))
    assert found.decide(truths)[0].value == EXPECTED[name][place]


@pytest.mark.parametrize("name", EXPECTED)
def test_no_table_of_working_state_ever_says_an_exceedance(name: str) -> None:
    assert {one.value for one in table(name).outcomes} == {"fine", "suspicion", "unknown"}


def test_each_suspicion_says_in_both_languages_what_was_seen() -> None:
    for one in KIND.tables:
        for row in one.rows:
            if row.outcome.value == "suspicion":
                assert row.text_zh
                assert row.text_en


START, END = NOVEMBER - 7 * DAY_MS, NOVEMBER


@cache
def judged() -> list[dict[str, object]]:
    """Return the rows of tables by hour that a week of the simulated region gives."""
    sites = shangyu().of_kind("operation")
    judge = kind_judge(KIND, sites, (CombinationEvaluation(KIND),))
    head = FrameHead(kind="operation", period_ms=10 * MINUTE_MS, source="test", sequence=0, origin=Origin.DEVICE)
    said: list[pa.RecordBatch | None] = [judge.tick(START)]
    for begin in range(START, END, DAY_MS // 2):
        judge.fold(Frame(head=head, rows=region().packets("operation", begin, begin + DAY_MS // 2)))
        said.append(judge.tick(begin + DAY_MS // 2))
    said.append(judge.tick(END + HOUR_MS))
    rows = pa.Table.from_batches([one for one in said if one is not None]).to_pylist()
    return [row for row in rows if row["factor"] in EXPECTED and row["window"] == "1h"]


def found(name: str) -> dict[str, list[int]]:
    """Return site → starts of the hours in which a table found something."""
    hours: dict[str, list[int]] = {}
    for row in judged():
        if row["factor"] == name and row["level"] == Level.HINT:
            hours.setdefault(str(row["site"]), []).append(round(row["start"].timestamp() * 1000))  # type: ignore[attr-defined]
    return hours


STORIES = {
    "treatment_stands": ("SYN-OM01", {"treatment_off"}),
    "treatment_idles": ("SYN-OM02", {"power_without_flow"}),
    "flow_no_power": ("SYN-OM03", {"treatment_off", "flow_without_power", "signal_without_power"}),
    "bypass_opened": ("SYN-OM04", {"bypass_open"}),
    "bypass_used": ("SYN-OM05", {"power_without_flow", "bypass_discharge"}),
}
"""Story → where, and the tables that must find it in each of its whole hours, and in no other hour."""


@pytest.mark.parametrize("name", STORIES)
def test_what_the_region_does_to_a_plant_is_found_in_its_hours_and_in_no_other(name: str) -> None:
    site, tables = STORIES[name]
    played = [one for one in region().stories(START, END) if one.id == name]
    assert played
    whole = {hour for one in played for hour in range(max(one.start, START), min(one.end, END), HOUR_MS)}
    for each in EXPECTED:
        hours = set(found(each).get(site, []))
        assert hours == (whole if each in tables else set()), each


def test_a_power_meter_that_failed_is_no_suspicion() -> None:
    fault = next(one for one in region().stories(START, END) if one.id == "meter_fault")
    rows = [row for row in judged() if row["site"] == "SYN-OM06" and row["factor"] == "treatment_off"]
    during = [row for row in rows if fault.start <= row["start"].timestamp() * 1000 < fault.end]  # type: ignore[attr-defined]
    assert len(during) == 5
    assert {(row["value"], row["level"], row["reason"]) for row in during} == {(None, None, Reason.MISSING_ITEM)}
    assert all("SYN-OM06" not in found(name) for name in EXPECTED)


def test_no_unit_is_suspect_but_those_of_a_story() -> None:
    sites = {site for name in EXPECTED for site in found(name)}
    assert sites == {site for site, _ in STORIES.values()}
    assert np.all([site.synthetic for site in shangyu().of_kind("operation")])
