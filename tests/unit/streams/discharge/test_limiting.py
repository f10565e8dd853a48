"""The evaluation ``limits``: rows of hours and days, each with its level, reason and detail."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from sensors.registry import Site
from streams.discharge.applied import Verdict, Why
from streams.discharge.evaluation import limits
from streams.discharge.judgement import JudgementSaid, Level, read_detail
from streams.discharge.limiting import LimitsEvaluation
from streams.discharge.marks import Flows, remarks
from streams.judging.plan import Block, Output
from streams.judging.reasons import INCOMPLETE, NO_TEMPERATURE, NOT_JUDGED, OK, SILENT, UNSET
from streams.judging.registered import JudgingContext, evaluations_of
from streams.results import Reason
from tests.discharge_cases import Column, book, context, means, site, slots

DYE = """
sites:
  - site: SYN-OUT-1
    applies: [{standard: GB 4287-2012, column: direct, from: 2020-01-01, source: permit}]
"""
PLANT = """
sites:
  - site: SYN-OUT-1
    applies:
      - {standard: GB 18918-2002, column: 1A, built: 2010-01-01, from: 2010-01-01, source: permit}
"""


class _Said:
    """What an evaluation said of one site, by factor and window."""

    def __init__(self, outputs: tuple[Output, ...], blocks: list[Block]) -> None:
        assert len(outputs) == len(blocks)
        self._by_name = {(one.factor, one.window): (one, block) for one, block in zip(outputs, blocks, strict=True)}

    def names(self) -> set[tuple[str, str]]:
        return set(self._by_name)

    def levels(self, factor: str, window: str) -> list[int]:
        level: list[int] = self._by_name[factor, window][1].level[0].tolist()
        return level

    def reason(self, factor: str, window: str, at: int = 0) -> int:
        return int(self._by_name[factor, window][1].reason[0, at])

    def value(self, factor: str, window: str, at: int = 0) -> int:
        block = self._by_name[factor, window][1]
        assert block.present[0, at]
        return int(block.value[0, at])

    def detail(self, factor: str, window: str, at: int = 0) -> JudgementSaid:
        output, block = self._by_name[factor, window]
        assert output.tell is not None
        return read_detail(output.tell(np.array([block.detail[0, at]]))[0].as_py())

    def due(self, factor: str, window: str) -> list[bool]:
        due: list[bool] = self._by_name[factor, window][1].due[0].tolist()
        return due


def _hours(text: str, date: str, columns: dict[str, Column], at: Site | None = None, **more: object) -> _Said:
    made = limits(context(text))
    return _Said(made.slot_outputs, made.slots(slots(date, columns, **more), 0, (at or site(),)))  # type: ignore[arg-type]


def _day(text: str, date: str, given: dict[tuple[str, str], float | str | None]) -> _Said:
    made = limits(context(text))
    return _Said(made.day_outputs, made.day(slots(date, {}), (site(),), means(given)))


def test_a_dye_house_passes_its_day_in_five_factors_while_single_hours_hint() -> None:
    # COD: 23 hours of 60 and one of 90 make 61.25; the limit is 80 for the day and a hint for the hour.
    cod: Column = [60.0] * 23 + [90.0]
    hours = _hours(DYE, "2026-06-01", {"COD": cod, "NH3-N": 8, "TN": 12, "TP": 0.3, "SS": 30})
    day = _day(
        DYE,
        "2026-06-01",
        {("COD", "24h"): "61.25", ("NH3-N", "24h"): 8, ("TN", "24h"): 12, ("TP", "24h"): 0.3, ("SS", "24h"): 30},
    )
    assert hours.levels("COD.limit", "1h") == [Level.WITHIN] * 23 + [Level.HINT]
    assert hours.detail("COD.limit", "1h", 23).multiple == "0.12"  # 90 / 80 - 1 = 0.125, half to even
    assert hours.detail("COD.limit", "1h", 23).limits[0].verdict is Verdict.HINT
    assert day.levels("COD.limit", "24h") == [Level.WITHIN]
    # 8 of 10 and 12 of 15 are 80 %, 0.3 of 0.5 and 30 of 50 are 60 %.
    assert [day.levels(f"{factor}.limit", "24h")[0] for factor in ("NH3-N", "TN", "TP", "SS")] == [1, 1, 0, 0]


def test_a_day_over_its_limit_is_a_finding_with_its_multiple() -> None:
    day = _day(DYE, "2026-06-01", {("COD", "24h"): 120})
    assert day.levels("COD.limit", "24h") == [Level.FINDING]
    assert (day.detail("COD.limit", "24h").multiple, day.detail("COD.limit", "24h").decides) == ("0.50", 0)
    assert day.value("COD.limit", "24h") == 120_000
    assert day.reason("COD.limit", "24h") == OK


def test_the_same_value_is_judged_by_the_table_of_its_day() -> None:
    before = _hours(PLANT, "2026-02-28", {"COD": 80.0})
    after = _hours(PLANT, "2026-03-01", {"COD": 80.0})
    assert set(before.levels("COD.limit", "1h")) == {Level.NOT_JUDGED}
    assert before.reason("COD.limit", "1h") == UNSET
    assert set(after.levels("COD.limit", "1h")) == {Level.HINT}


def test_one_call_over_midnight_of_a_switch_judges_each_hour_by_its_own_day() -> None:
    said = _hours(PLANT, "2026-02-28", {"COD": 80.0}, hours=4, first=22)
    assert said.levels("COD.limit", "1h") == [-1, -1, 3, 3]


@pytest.mark.parametrize(
    ("temperature", "level"), [("12.1", Level.FINDING), ("12", Level.WITHIN), ("11.9", Level.WITHIN)]
)
def test_ammonia_of_a_day_is_judged_by_the_days_water_temperature(temperature: str, level: Level) -> None:
    # 6 mg/L: over 5 in warm water, 75 % of 8 in cold water; 12 °C itself is cold.
    day = _day(PLANT, "2026-06-01", {("NH3-N", "24h"): 6, ("wtemp", "24h"): temperature})
    assert day.levels("NH3-N.limit", "24h") == [level]


def test_ammonia_without_a_water_temperature_is_shown_with_the_reason() -> None:
    day = _day(PLANT, "2026-06-01", {("NH3-N", "24h"): 30})
    assert day.levels("NH3-N.limit", "24h") == [Level.NOT_JUDGED]
    assert day.reason("NH3-N.limit", "24h") == NO_TEMPERATURE
    assert day.value("NH3-N.limit", "24h") == 300_000
    assert [one.high for one in day.detail("NH3-N.limit", "24h").limits] == ["5", "8"]


def test_each_hour_of_ammonia_goes_by_its_own_temperature() -> None:
    wtemp: Column = [12.5, 11.0, None] + [20.0] * 21
    said = _hours(PLANT, "2026-06-01", {"NH3-N": 12.0, "wtemp": wtemp})
    # 12 mg/L: over 10 in warm water, 80 % of 15 in cold water.
    assert said.levels("NH3-N.limit", "1h")[:4] == [Level.HINT, Level.WARNING_80, Level.NOT_JUDGED, Level.HINT]
    assert said.reason("NH3-N.limit", "1h", 2) == NO_TEMPERATURE


def test_ph_is_judged_on_its_lowest_and_its_highest_of_hour_and_day() -> None:
    hours = _hours(DYE, "2026-06-01", {"pH": 7.5}, low={"pH": 5.8}, high={"pH": 8.9})
    day = _day(DYE, "2026-06-01", {("pH", "24h_min"): 5.8, ("pH", "24h_max"): 8.9})
    assert set(hours.levels("pH.limit", "1h_min")) == {Level.HINT}
    assert set(hours.levels("pH.limit", "1h_max")) == {Level.WITHIN}
    assert day.levels("pH.limit", "24h_min") == [Level.FINDING]
    assert day.levels("pH.limit", "24h_max") == [Level.WITHIN]
    assert ("pH.limit", "24h") not in day.names()


def test_a_site_without_a_permit_is_unset_each_day_and_has_no_level() -> None:
    day = _day("", "2026-06-01", {("COD", "24h"): 500})
    assert day.levels("COD.limit", "24h") == [Level.NOT_JUDGED]
    assert day.reason("COD.limit", "24h") == UNSET
    assert day.value("COD.limit", "24h") == 500_000
    assert _hours("", "2026-06-01", {"COD": 500}).names() == set()


def test_a_missing_value_keeps_the_reason_of_its_mean_and_shows_its_limits() -> None:
    day = _day(DYE, "2026-06-01", {})
    assert (day.levels("COD.limit", "24h"), day.reason("COD.limit", "24h")) == ([Level.NOT_JUDGED], SILENT)
    assert [one.high for one in day.detail("COD.limit", "24h").limits] == ["80"]
    assert day.due("COD.limit", "24h") == [False]


def test_hours_under_a_mark_of_the_enterprise_are_shown_and_not_judged() -> None:
    text = DYE + (
        "    marks: [{state: stopped, from: 2026-06-01T02:00:00+08:00, to: 2026-06-01T04:00:00+08:00, author: 甲,\n"
        "      sent: 2026-06-01T01:00:00+08:00}]\n"
    )
    said = _hours(text, "2026-06-01", {"COD": 500.0})
    assert said.levels("COD.limit", "1h")[:6] == [3, 3, -1, -1, 3, 3]
    assert said.reason("COD.limit", "1h", 2) == NOT_JUDGED
    assert said.detail("COD.limit", "1h", 2).excluded == "stopped"


def _marked(hours: int, state: str = "calibration") -> str:
    return DYE + (
        f"    marks: [{{state: {state}, from: 2026-06-01T00:30:00+08:00, to: 2026-06-01T{hours:02}:00:00+08:00,\n"
        "      author: 甲, sent: 2026-06-01T00:30:00+08:00}]\n"
    )


def _marked_day(hours: int, cod: Column, mean: float) -> _Said:
    made = limits(context(_marked(hours)))
    seen = slots("2026-06-01", {"COD": cod, "flow": 10.0})
    blocks = made.day(seen, (site(),), means({("COD", "24h"): mean}))
    return _Said(made.day_outputs, blocks)


@pytest.mark.parametrize("hours", [7, 23])
def test_a_day_of_which_marks_cover_more_than_a_quarter_is_not_judged(hours: int) -> None:
    day = _marked_day(hours, 90.0, 90.0)
    assert (day.levels("COD.limit", "24h"), day.reason("COD.limit", "24h")) == ([Level.NOT_JUDGED], NOT_JUDGED)
    said = day.detail("COD.limit", "24h")
    assert (said.excluded, said.slots, said.decides) == ("calibration", hours, None)


def test_hours_under_marks_leave_the_judgement_of_a_day_that_has_enough_others() -> None:
    # 6 hours of 400 mg/L under the mark, 18 of 20: with them the mean is 115, without 20, against 80.
    day = _marked_day(6, [400.0] * 6 + [20.0] * 18, 115.0)
    assert (day.levels("COD.limit", "24h"), day.reason("COD.limit", "24h")) == ([Level.WITHIN], OK)
    assert day.value("COD.limit", "24h") == 20_000
    said = day.detail("COD.limit", "24h")
    assert (said.excluded, said.slots, said.decides) == ("calibration", 6, 0)


def test_a_mark_does_not_hide_what_the_other_hours_say() -> None:
    day = _marked_day(6, [0.0] * 6 + [100.0] * 18, 75.0)
    assert day.levels("COD.limit", "24h") == [Level.FINDING]
    said = day.detail("COD.limit", "24h")
    assert (said.excluded, said.slots, said.multiple) == ("calibration", 6, "0.25")


def test_an_hour_is_short_of_a_day_by_the_hours_that_are_missing_and_those_under_marks() -> None:
    # 6 under the mark and one missing leave 17 of 24.
    day = _marked_day(6, [90.0] * 23 + [None], 90.0)
    assert (day.levels("COD.limit", "24h"), day.reason("COD.limit", "24h")) == ([Level.NOT_JUDGED], INCOMPLETE)


def test_marks_and_judgements_count_the_same_hours() -> None:
    held = book(_marked(23))
    seen = slots("2026-06-01", {"COD": 80, "flow": 10})
    place = seen.at("flow")
    flows = Flows(
        start=seen.start, slot_ms=seen.slot_ms, value=seen.value[0, place], present=seen.present[0, place], least=1
    )
    (found,) = remarks(held.permits.site("SYN-OUT-1").marks, flows)
    assert found.excluded == _marked_day(23, 90.0, 90.0).detail("COD.limit", "24h").slots == 23


@pytest.mark.parametrize(
    ("zone", "by_day", "by_night"),
    [("0", 50, 40), ("1", 55, 45), ("2", 60, 50), ("3", 65, 55), ("4a", 70, 55), ("4b", 70, 60)],
)
def test_the_kind_of_noise_holds_its_hours_against_its_zone_by_day_and_night(
    zone: str, by_day: int, by_night: int
) -> None:
    """GB 3096-2008 table 1, dB(A); night from 22:00 to 06:00."""
    given = context(kind="noise")
    (made,) = evaluations_of(given.kind, given)
    point = site("SYN-N", kind="noise", zone=zone)
    at = [by_night] * 6 + [by_day] * 16 + [by_night] * 2
    for more, level in ((0, Level.WITHIN), (1, Level.HINT)):
        seen = slots("2026-06-01", {"Leq": [one + more for one in at]}, kind="noise")
        said = _Said(made.slot_outputs, made.slots(seen, 0, (point,)))
        assert said.levels("Leq.limit", "1h") == [level] * 24
    assert [one.why for one in said.detail("Leq.limit", "1h", 3).limits] == [Why.SHORTER]


def test_points_of_vocs_are_judged_by_hour_and_by_greatest_value_of_the_hour() -> None:
    text = """
areas:
  - area: FIRM-1
    applies:
      - {standard: GB 37822-2019, column: special, built: 2021-01-01, from: 2021-01-01, source: choice of the bureau}
"""
    made = limits(context(text, kind="voc"))
    point = site(
        "SYN-VOC-1", kind="voc", areas=("FIRM-1",), layer="plant_open", method={"NMHC": "GC-FID"}, basis="carbon"
    )
    indoors = site("SYN-VOC-2", kind="voc", areas=("FIRM-1",), layer="workshop")
    one = slots("2026-06-01", {"NMHC": 5.5, "TVOC": 7.0}, kind="voc", high={"NMHC": 20.5, "TVOC": 8.0})
    wide: dict[str, Any] = {
        f.name: np.concatenate([part, part])
        for f in fields(one)
        if (part := getattr(one, f.name)) is not None and isinstance(part, np.ndarray) and part.ndim == 3
    }
    both = replace(one, **wide)
    blocks = made.slots(both, 0, (point, indoors))
    found = {
        (output.factor, output.window): block.level[:, 0].tolist()
        for output, block in zip(made.slot_outputs, blocks, strict=True)
    }
    assert found == {
        ("NMHC.limit", "1h"): [Level.WARNING_90, Level.NOT_JUDGED],
        ("NMHC.limit", "1h_max"): [Level.FINDING, Level.NOT_JUDGED],
        ("TVOC.limit", "1h"): [Level.HINT, Level.NOT_JUDGED],
        ("TVOC.limit", "1h_max"): [Level.WITHIN, Level.NOT_JUDGED],
    }


def test_slots_before_the_asked_ones_are_left_out() -> None:
    made = limits(context(DYE))
    blocks = made.slots(slots("2026-06-01", {"COD": 60.0}), 20, (site(),))
    assert {block.value.shape for block in blocks} == {(1, 4)}


def test_the_same_limits_have_the_same_code_in_another_process() -> None:
    one, other = limits(context(DYE)), limits(context(DYE))
    first = one.slots(slots("2026-06-01", {"COD": 60.0}), 0, (site(),))
    _ = other.day(slots("2026-06-01", {}), (site(),), means({}))  # another order of asking
    second = other.slots(slots("2026-06-01", {"COD": 60.0}), 0, (site(),))
    assert [block.detail.tolist() for block in first] == [block.detail.tolist() for block in second]


def test_the_kind_asks_for_it_by_name() -> None:
    made: JudgingContext = context(DYE)
    found = evaluations_of(made.kind, made)
    assert isinstance(found[0], LimitsEvaluation)
    assert [one.name for one in found] == ["limits", "loads", "dry_weather", "marks"]
    assert Reason.NOT_JUDGED.value == "not_judged"


@pytest.mark.parametrize(
    ("setting", "value", "level", "reason"),
    [
        ({"permit": "91330604"}, 1, Level.WITHIN, OK),
        ({"permit": None}, 0, Level.FINDING, OK),
        ({}, None, Level.NOT_JUDGED, UNSET),
    ],
)
def test_an_outlet_without_a_permit_is_a_finding_every_day_and_one_of_which_nothing_is_known_is_unset(
    setting: dict[str, Any], value: int | None, level: Level, reason: int
) -> None:
    made = limits(context(DYE))
    blocks = made.day(slots("2026-06-01", {"COD": 1}), (site(**setting),), means({}))
    assert made.day_outputs[-1].factor == "permit"
    last = blocks[-1]
    assert (int(last.value[0, 0]) if last.present[0, 0] else None) == value
    assert (int(last.level[0, 0]), int(last.reason[0, 0]), bool(last.due[0, 0])) == (level, reason, True)
