"""Odour index and ozone-forming potential by hand, and versions that are exchanged."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sensors.kinds import load_kind
from sensors.windows import Confidence
from streams.discharge.evaluation import odour_index, ofp
from streams.discharge.indices import (
    FORMULAS,
    NOT_GIVEN,
    IndexEvaluation,
    IndexVersion,
    Weight,
    contributions,
    load_indices,
    rank,
)
from streams.judging.plan import Block
from streams.judging.reasons import MISSING_ITEM, NO_ITEM, OK, SILENT, UNSET
from tests.discharge_cases import Column, context, day, means, site, slots

ALL = {"benzene": 0.1, "toluene": 0.2, "xylene": 0.05, "styrene": 0.1}
POINT = site("SYN-VOC-1", kind="voc")


def _version(
    version: str, start: str, end: str | None, formula: str = "weighted_sum", weight: str = "2"
) -> IndexVersion:
    return IndexVersion(
        index="OFP",
        version=version,
        title_zh="指数",
        title_en="index",
        formula=formula,
        unit="1",
        digits=1,
        start_day=day(start),
        end_day=None if end is None else day(end),
        weights=(Weight(factor="benzene", per_unit=Fraction(weight), confidence=Confidence.NOT_SEEN),),
        source="made for a test",
        confidence=Confidence.NOT_SEEN,
    )


def _ofp(columns: dict[str, Column]) -> tuple[IndexEvaluation, Block]:
    made = ofp(context(kind="voc"))
    (block,) = made.slots(slots("2026-06-01", columns, kind="voc"), 0, (POINT,))
    return made, block


def test_ozone_forming_potential_is_the_sum_of_concentration_by_mir() -> None:
    # 0.1 x 0.72 + 0.2 x 4.00 + 0.05 x 7.80 + 0.1 x 1.73 = 1.435 mg/m³ = 1435 µg/m³ of ozone.
    made, block = _ofp(dict(ALL))
    assert (int(block.value[0, 0]), made.slot_outputs[0].digits) == (14_350, 1)
    assert int(block.reason[0, 0]) == OK
    names = made.slot_outputs[0].primaries
    assert names[int(block.primary[0, 0]).bit_length() - 1] == "toluene"
    assert made.editions[int(block.edition[0, 0])] == "MIR-2010"


def test_with_a_factor_missing_there_is_no_index_but_its_name_and_the_sum_of_the_rest() -> None:
    made, block = _ofp({"benzene": 0.1, "toluene": 0.2})
    assert (bool(block.present[0, 0]), int(block.reason[0, 0])) == (False, MISSING_ITEM)
    assert int(block.primary[0, 0]) == 0
    tell = made.slot_outputs[0].tell
    assert tell is not None
    assert tell(block.detail[0, :1])[0].as_py() == "xylene;styrene;at least 872.0"


def test_a_day_with_a_factor_missing_has_no_index_and_so_no_place_among_firms() -> None:
    made = ofp(context(kind="voc"))
    given: dict[tuple[str, str], float | str | None] = {("benzene", "24h"): 0.1, ("toluene", "24h"): 0.2}
    (block,) = made.day(slots("2026-06-01", {}, kind="voc"), (POINT,), means(given, kind="voc"))
    assert not block.present[0, 0]
    tell = next(output for output in made.day_outputs).tell
    assert tell is not None
    assert tell(block.detail[0, :1])[0].as_py() == "xylene;styrene;at least 872.0"


def test_a_factor_that_is_not_in_plan_is_not_missing() -> None:
    seen = slots("2026-06-01", {"benzene": 0.1, "toluene": 0.2}, kind="voc")
    planned = seen.planned.copy()
    planned[:, [seen.at("xylene"), seen.at("styrene")]] = False
    (block,) = ofp(context(kind="voc")).slots(replace(seen, planned=planned), 0, (POINT,))
    assert (bool(block.present[0, 0]), int(block.value[0, 0]), int(block.reason[0, 0])) == (True, 8_720, OK)


def test_without_any_item_there_is_no_index() -> None:
    _, block = _ofp({})
    assert (bool(block.present[0, 0]), int(block.reason[0, 0]), bool(block.due[0, 0])) == (False, SILENT, False)
    seen = slots("2026-06-01", {}, kind="voc")
    came = np.full_like(seen.inputs, 3)
    made = ofp(context(kind="voc"))
    told = replace(seen, inputs=came)
    (block,) = made.slots(told, 0, (POINT,))
    assert (bool(block.present[0, 0]), int(block.reason[0, 0])) == (False, NO_ITEM)


def test_an_index_at_its_thresholds_adds_one_for_each_factor() -> None:
    (version,) = [one for one in load_indices() if one.index == "odour_index"]
    at = {one.factor: 1 / one.per_unit for one in version.weights}
    assert sum(contributions(at, version).values()) == len(version.weights)
    # Hydrogen sulfide: 0.00041 ppm x 34.081 / 24.465 = 0.000571 mg/m³.
    assert float(at["H2S"]) == pytest.approx(0.000571, abs=1e-6)


def test_the_odour_index_of_an_hour_by_hand() -> None:
    made = odour_index(context(kind="voc"))
    columns: dict[str, Column] = {
        "H2S": 0.01,
        "NH3": 0,
        "CH3SH": 0,
        "styrene": 0,
        "toluene": 0,
        "xylene": 0,
        "benzene": 0,
    }
    (block,) = made.slots(slots("2026-06-01", columns, kind="voc"), 0, (POINT,))
    # 0.01 x 24.465 / (0.00041 x 34.081) = 17.5085...
    assert int(block.value[0, 0]) == 1751
    assert made.slot_outputs[0].factor == "odour_index"


def test_the_index_of_a_day_is_that_of_its_means() -> None:
    made = ofp(context(kind="voc"))
    given: dict[tuple[str, str], float | str | None] = {(name, "24h"): value for name, value in ALL.items()}
    (block,) = made.day(slots("2026-06-01", {}, kind="voc"), (POINT,), means(given, kind="voc"))
    assert int(block.value[0, 0]) == 14_350


def test_a_version_is_replaced_by_date_and_both_are_named() -> None:
    versions = (_version("one", "2020-01-01", "2026-05-31"), _version("two", "2026-06-01", None, weight="3"))
    made = IndexEvaluation(versions, load_kind("voc").factors, slot_window="1h")
    seen = slots("2026-05-31", {"benzene": 1}, kind="voc", first=22, hours=4)
    (block,) = made.slots(seen, 0, (POINT,))
    assert block.value[0].tolist() == [20, 20, 30, 30]
    assert [made.editions[place] for place in block.edition[0]] == ["one", "one", "two", "two"]
    assert made.day_outputs == ()
    assert made.day(seen, (POINT,), {}) == []


def test_a_formula_that_nobody_gave_is_said_and_not_guessed() -> None:
    version = _version("district", "2020-01-01", None, formula="异味评价体系")
    made = IndexEvaluation((version,), load_kind("voc").factors, slot_window="1h")
    (block,) = made.slots(slots("2026-06-01", {"benzene": 1}, kind="voc"), 0, (POINT,))
    tell = made.slot_outputs[0].tell
    assert tell is not None
    assert (bool(block.present[0, 0]), int(block.reason[0, 0])) == (False, UNSET)
    assert tell(block.detail[0, :1])[0].as_py() == NOT_GIVEN
    assert contributions({"benzene": Fraction(1)}, version) == {}
    assert version.formula not in FORMULAS


def test_three_firms_are_ranked_by_hand_and_equals_share_a_place() -> None:
    totals = {"firm-a": Fraction(872), "firm-b": Fraction(1435), "firm-c": Fraction(872)}
    assert rank(totals) == (
        (1, "firm-b", Fraction(1435)),
        (2, "firm-a", Fraction(872)),
        (2, "firm-c", Fraction(872)),
    )
    assert rank({}) == ()


def test_the_threshold_of_xylene_is_said_not_to_have_been_seen() -> None:
    (odour,) = [one for one in load_indices() if one.index == "odour_index"]
    (xylene,) = [one for one in odour.weights if one.factor == "xylene"]
    assert xylene.confidence is Confidence.NOT_SEEN


def test_every_weight_says_how_sure_it_is() -> None:
    assert {one.index for one in load_indices()} == {"odour_index", "OFP"}
    weights = [weight for version in load_indices() for weight in version.weights]
    assert all(weight.confidence in Confidence and weight.per_unit > 0 for weight in weights)
