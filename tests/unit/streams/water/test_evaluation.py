from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sensors.clock import day_of
from streams.judging.plan import Block, Output
from streams.judging.reasons import REASONS
from streams.judging.registered import JudgingContext, evaluations_of
from streams.results import Reason
from streams.standards import load_standards
from streams.water.classing import WaterClass
from streams.water.evaluation import Flux, TrophicLevel
from streams.water.standards import load_water_standards
from tests.water_cases import day_means, detail, kind, named, section, slots

CONTEXT = JudgingContext(kind=kind(), standards=load_standards())
CLASSED, TROPHIC, FLUX, _COMBINED = evaluations_of(kind(), CONTEXT)
GOOD = {"pH": "7.5", "DO": "8", "CODMn": "3", "NH3-N": "0.3", "TP": "0.06"}


def reasons(block: Block) -> list[list[Reason]]:
    return [[REASONS[code] for code in row] for row in block.reason]


def slot_rows(*sites: dict[str, str], count: int = 1, **setting: Any) -> dict[tuple[str, str], tuple[Output, Block]]:
    given = slots(*sites, count=count)
    found = CLASSED.slots(given, 0, tuple(section(**setting) for _ in sites))
    return {
        (output.factor, output.window): (output, block)
        for output, block in zip(CLASSED.slot_outputs, found, strict=True)
    }


def day_rows(*sites: dict[str, str], **setting: Any) -> dict[str, tuple[Output, Block]]:
    given = slots(*sites)
    rows: dict[str, tuple[Output, Block]] = {}
    for made in (CLASSED, TROPHIC, FLUX):
        blocks = made.day(given, tuple(section(**setting) for _ in sites), day_means(given))
        rows |= {output.factor: (output, block) for output, block in zip(made.day_outputs, blocks, strict=True)}
    return rows


def test_the_kind_file_asks_for_three_evaluations() -> None:
    assert isinstance(CLASSED, WaterClass)
    assert isinstance(TROPHIC, TrophicLevel)
    assert isinstance(FLUX, Flux)
    for made in (CLASSED, TROPHIC, FLUX):
        assert len(made.reach) == len(made.slot_outputs)
        assert made.editions[-1] == ""


def test_a_slot_has_the_live_class_of_its_worst_item() -> None:
    output, block = slot_rows(GOOD | {"TP": "0.06 0.25 0.45", "DO": "8 2.5 8"}, count=3)["class", "4h"]
    assert block.value.tolist() == [[2, 5, 6]]
    assert block.level.tolist() == [[2, 5, 6]]
    assert [named(output, int(bits)) for bits in block.primary[0]] == [["CODMn", "NH3-N", "TP"], ["DO"], ["TP"]]
    assert detail(output, block) == [["", "DO; TP 0.25", "TP 1.25"]]
    assert (block.valid.tolist(), block.expected.tolist()) == ([[5, 5, 5]], [[21, 21, 21]])
    assert CLASSED.editions[block.edition[0, 0]] == "GB3838-2002-platform"
    assert block.due.all()


def test_live_values_are_judged_unrounded() -> None:
    assert slot_rows(GOOD | {"CODMn": "6.001"})["class", "4h"][1].value.tolist() == [[4]]
    assert day_rows(GOOD | {"CODMn": "6.001"})["class"][1].value.tolist() == [[3]]


def test_a_missing_item_is_left_out_and_named() -> None:
    output, block = slot_rows({"pH": "7", "DO": "8", "CODMn": "9"})["class", "4h"]
    assert block.value.tolist() == [[4]]
    assert reasons(block) == [[Reason.MISSING_ITEM]]
    assert detail(output, block) == [["CODMn 0.50; missing: NH3-N, TP"]]
    assert block.valid.tolist() == [[3]]


def test_a_silent_section_has_no_class_and_is_not_due() -> None:
    output, block = slot_rows({"wtemp": "20"})["class", "4h"]
    assert (block.value.tolist(), block.present.tolist()) == ([[0]], [[False]])
    assert reasons(block) == [[Reason.SILENT]]
    assert not block.due.any()
    assert block.level.tolist() == [[-1]]
    assert detail(output, block) == [["missing: pH, DO, CODMn, NH3-N, TP"]]


def test_an_item_out_of_plan_is_not_missing() -> None:
    given = slots({"pH": "7", "DO": "8", "CODMn": "3", "NH3-N": "0.3"}, {}, count=1)
    place = given.at("TP")
    given.planned[0, place] = False
    given.planned[1] = False
    output, block = CLASSED.slot_outputs[0], CLASSED.slots(given, 0, (section(), section()))[0]
    assert reasons(block) == [[Reason.OK], [Reason.NOT_IN_PLAN]]
    assert detail(output, block) == [[""], [""]]
    assert block.valid.tolist() == [[4], [0]]


def test_a_kind_with_few_of_the_items_is_judged_by_those() -> None:
    few = WaterClass(load_water_standards(), {"TP": 5, "Pb": 6}, "1h")
    assert [output.factor for output in few.slot_outputs] == ["class", "over_target"]
    assert few.slot_outputs[0].primaries == ("TP",)
    assert few.day_outputs[0].primaries == ("TP", "Pb")
    given = slots({"TP": "0.25", "Pb": "0.2"})
    blocks = few.day(given, (section(),), day_means(given))
    assert (blocks[0].value.tolist(), named(few.day_outputs[0], int(blocks[0].primary[0, 0]))) == ([[6]], ["Pb"])
    assert reasons(blocks[0]) == [[Reason.OK]]
    assert few.slots(slots({"TP": "0.25"}, count=1), 0, (section(),))[0].value.tolist() == [[4]]


def test_lakes_are_judged_by_their_own_phosphorus() -> None:
    given = slots(GOOD, GOOD, count=1)
    blocks = CLASSED.slots(given, 0, (section(), section(water="lake")))
    assert blocks[0].value.tolist() == [[2], [4]]


def test_nitrogen_and_coliforms_stand_apart() -> None:
    readings = GOOD | {"TN": "1.8", "faecal_coliform": "30000"}
    river, lake = day_rows(readings), day_rows(readings, water="lake")
    assert river["class"][1].value.tolist() == [[2]]
    assert river["class.TN"][1].present.tolist() == [[False]]
    assert lake["class.TN"][1].value.tolist() == [[5]]
    assert river["class.faecal_coliform"][1].value.tolist() == [[5]]
    assert [output.factor for output in CLASSED.slot_outputs] == ["class", "over_target"]


def test_a_value_over_the_sections_own_target_asks_to_measure_again() -> None:
    output, block = slot_rows(GOOD | {"CODMn": "3 4.5", "TP": "0.06 0.15"}, count=2, target="II")["over_target", "4h"]
    assert block.value.tolist() == [[0, 2]]
    assert block.level.tolist() == [[2, 3]]
    assert named(output, int(block.primary[0, 1])) == ["CODMn", "TP"]
    assert detail(output, block) == [["", "TP 0.50; CODMn 0.12"]]


def test_over_the_target_is_not_over_class_iii() -> None:
    rows = slot_rows(GOOD | {"CODMn": "5"}, target="II")
    assert detail(*rows["class", "4h"]) == [[""]]
    assert detail(*rows["over_target", "4h"]) == [["CODMn 0.25"]]


def test_without_a_target_nothing_is_met_or_missed() -> None:
    _, block = slot_rows(GOOD, target=None)["over_target", "4h"]
    assert not block.present.any()
    assert reasons(block) == [[Reason.UNSET]]


def test_a_day_is_classed_by_its_rounded_means_and_all_items_that_came() -> None:
    output, block = day_rows(GOOD | {"NH3-N": "1.004", "Pb": "0.2"})["class"]
    assert block.value.tolist() == [[6]]
    assert named(output, int(block.primary[0, 0])) == ["Pb"]
    assert detail(output, block) == [["Pb 3.00"]]
    assert (block.valid.tolist(), block.expected.tolist()) == ([[6]], [[21]])
    assert CLASSED.editions[block.edition[0, 0]] == "GB3838-2002-evaluation"
    assert day_rows(GOOD | {"NH3-N": "1.004"})["class"][1].value.tolist() == [[3]]


def test_before_the_standard_there_is_no_class() -> None:
    given = slots(GOOD, day=day_of(0), count=1)
    block = CLASSED.slots(given, 0, (section(),))[0]
    assert not block.present.any()
    assert CLASSED.editions[block.edition[0, 0]] == ""


def test_only_the_slots_asked_for_are_said() -> None:
    given = slots(GOOD | {"TP": "0.06 0.25 0.45"}, count=3)
    whole, part = (CLASSED.slots(given, begin, (section(),))[0] for begin in (0, 2))
    assert part.value.tolist() == [whole.value[0, 2:].tolist()]
    assert part.inputs.tolist() == [whole.inputs[0, 2:].tolist()]


def test_many_sites_are_judged_as_each_alone() -> None:
    sites = [GOOD, {"pH": "5"}, GOOD | {"TP": "0.3"}, {}]
    together = slot_rows(*sites)["class", "4h"][1]
    alone = [slot_rows(site)["class", "4h"][1] for site in sites]
    for name in ("value", "present", "reason", "detail", "primary", "inputs"):
        assert getattr(together, name).tolist() == [getattr(block, name)[0].tolist() for block in alone]


LAKE = {"Chla": "10", "TP": "0.05", "TN": "1", "SD": "1", "CODMn": "4"}


def test_a_lakes_day_has_its_trophic_index_and_grade() -> None:
    _, block = day_rows(LAKE, water="lake")["TLI"]
    assert (block.value.tolist(), block.level.tolist()) == ([[4802]], [[2]])
    assert (block.valid.tolist(), block.expected.tolist()) == ([[5]], [[5]])


def test_a_river_has_no_trophic_index_and_a_lake_without_an_item_says_which() -> None:
    _, river = day_rows(LAKE)["TLI"]
    assert reasons(river) == [[Reason.NOT_IN_PLAN]]
    assert not river.due.any()
    output, lake = day_rows({name: text for name, text in LAKE.items() if name != "SD"}, water="lake")["TLI"]
    assert reasons(lake) == [[Reason.MISSING_ITEM]]
    assert detail(output, lake) == [["missing: SD"]]
    _, zero = day_rows(LAKE | {"TP": "0"}, water="lake")["TLI"]
    assert reasons(zero) == [[Reason.INVALID]]
    _, none = day_rows({}, water="lake")["TLI"]
    assert reasons(none) == [[Reason.NO_ITEM]]


def test_a_day_of_two_milligrams_and_a_hundred_cubic_metres_is_17_28_tonnes() -> None:
    output, block = day_rows({"TN": "2", "flow": "100"})["TN.flux"]
    assert block.value.tolist() == [[17_280_000]]
    assert output.digits == 3
    assert (block.valid.tolist(), block.expected.tolist(), detail(output, block)) == ([[6]], [[6]], [[""]])


def test_gaps_of_a_day_are_shown_and_too_many_leave_no_mass() -> None:
    output, block = day_rows({"TN": "2 2 - 2 2 2", "flow": "100"})["TN.flux"]
    assert block.value.tolist() == [[14_400_000]]
    assert detail(output, block) == [["gaps 16.6 %"]]
    output, short = day_rows({"TN": "2 2 - - 2 2", "flow": "100"})["TN.flux"]
    assert (short.value.tolist(), short.present.tolist()) == ([[0]], [[False]])
    assert reasons(short) == [[Reason.INCOMPLETE]]
    assert detail(output, short) == [["gaps 33.3 %"]]


def test_a_closed_gate_is_zero_and_no_gap_but_only_where_the_registry_has_a_gate() -> None:
    readings = {"TN": "2 - - - - -", "flow": "100 - - - - -", "gate": "50 0 0 0 0 0"}
    _, gated = day_rows(readings, gate=True)["TN.flux"]
    assert (gated.value.tolist(), gated.valid.tolist()) == ([[2 * 100 * 14400]], [[6]])
    _, open_water = day_rows(readings)["TN.flux"]
    assert reasons(open_water) == [[Reason.INCOMPLETE]]


@pytest.mark.parametrize("readings", [{}, {"TN": "2"}])
def test_a_section_whose_flow_never_came_is_not_due(readings: dict[str, str]) -> None:
    _, block = day_rows(readings)["TN.flux"]
    assert not block.due.any()
    assert reasons(block) == [[Reason.SILENT]]


def test_the_hash_of_a_flux_knows_the_order_of_its_slots() -> None:
    one, other = (day_rows({"TN": text, "flow": "100"})["TN.flux"][1] for text in ("1 2 2 2 2 2", "2 1 2 2 2 2"))
    assert one.value.tolist() == other.value.tolist()
    assert one.inputs.tolist() != other.inputs.tolist()
    assert np.all(one.inputs != 0)
