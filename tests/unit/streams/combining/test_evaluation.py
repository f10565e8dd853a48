"""The evaluation ``combination``: conditions in three values, result rows, and what is missing raises nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.errors import BadRecord, UnknownName
from sensors.factors import Factor
from sensors.kinds import Kind, parse_kind
from sensors.registry import Site
from sensors.tables import NO_ROW, Truth
from sensors.yamlfile import parse_yaml
from streams.combining.details import read_told
from streams.combining.evaluation import CombinationEvaluation
from streams.combining.truths import condition_truths
from streams.discharge.judgement import Level
from streams.judging.plan import Block, Slots
from streams.judging.reasons import MISSING_ITEM, NOT_IN_PLAN, OK, SILENT, UNSET
from streams.judging.registered import MAKERS
from tests.kind_cases import kind_site
from tests.unit.sensors.test_tables import KIND, TABLE

N, Y, U = (int(truth) for truth in Truth)
MISSING = None


def kind(table: str = TABLE, text: str = KIND) -> Kind:
    return parse_kind(parse_yaml(text + table, "mill.yaml"))


def site(name: str = "A", of: Kind | None = None, **more: Any) -> Site:
    setting = more.pop("setting", {"power_on": 5.0})
    return kind_site(of or kind(), name, 600_000, setting=setting, **more)


def slots(of: Kind, *sites: Mapping[str, Sequence[float | None]]) -> Slots:
    """Return hours from midnight on: factor → values in canonical units, None is missing."""
    factors = tuple(of.factors)
    hours = max(len(column) for one in sites for column in one.values())
    value = np.zeros((len(sites), len(factors), hours), np.int64)
    present = np.zeros(value.shape, np.bool_)
    for row, one in enumerate(sites):
        for name, column in one.items():
            place = factors.index(name)
            for hour, given in enumerate(column):
                present[row, place, hour] = given is not None
                value[row, place, hour] = round((given or 0.0) * 10 ** of.factors[name].digits)
    number: NDArray[np.int64] = np.arange(hours, dtype=np.int64) - 8
    return Slots(
        value=value, present=present, valid=present.astype(np.int16) * 60, expected=np.full(value.shape, 60, np.int16),
        reason=np.where(present, OK, SILENT).astype(np.uint8), marks=np.zeros(value.shape, np.int32),
        inputs=np.where(present, (value + 7).astype(np.uint64), np.uint64(0)),
        planned=np.ones(value.shape, np.bool_), low=value, high=value, number=number, day=(number + 8) // 24,
        start=number * 3_600_000, slot_ms=3_600_000, factors=factors, steps=(1,) * len(factors),
    )  # fmt: skip


def said(
    of: Kind, *columns: Mapping[str, Sequence[float | None]], sites: tuple[Site, ...] | None = None, begin: int = 0
) -> Block:
    evaluation = CombinationEvaluation(of)
    (block,) = evaluation.slots(slots(of, *columns), begin, sites or tuple(site(f"S{n}") for n in range(len(columns))))
    return block


def truths(condition: str, values: Sequence[float | None], **setting: Any) -> list[int]:
    of = kind(TABLE.replace("at_least: 0.5 L/s", condition))
    found = condition_truths(
        of.tables[0].conditions[1], slots(of, {"flow": values}), [site(setting=setting)], of.factors
    )
    return [int(one) for one in found[0]]


def test_the_evaluation_is_known_by_its_name_and_needs_tables() -> None:
    assert MAKERS["combination"] == "streams.combining.evaluation"
    plain = kind(text=KIND.replace("tables:\n", "").replace("evaluations: [combination]\n", ""), table="")
    with pytest.raises(UnknownName, match="tables"):
        CombinationEvaluation(plain)


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("at_least: 2 L/s", [1.99, 2, 2.01, None], [N, Y, Y, U]),
        ("above: 2 L/s", [1.99, 2, 2.01, None], [N, N, Y, U]),
        ("at_most: 2 L/s", [1.99, 2, 2.01, None], [Y, Y, N, U]),
        ("below: 2 L/s", [1.99, 2, 2.01, None], [Y, N, N, U]),
        ("between: [2 L/s, 3 L/s]", [1.99, 2, 3, 3.01, None], [N, Y, Y, N, U]),
        ("on: 3 L/s, off: 2 L/s", [1.99, 2, 2.01, 2.99, 3, None], [N, N, U, U, Y, U]),
        ("on: 2 L/s, off: 2 L/s", [1.99, 2], [N, Y]),
        ("at_least: 1/3 L/s", [0.333, 0.334], [N, Y]),
        ("at_least: 2 L/s, within: 3", [0, 0, 0, 2, 0, 0, 0], [U, U, N, Y, Y, Y, N]),
        ("at_least: 2 L/s, within: 3", [2, None, None, None], [Y, Y, Y, U]),
        ("at_least: 2 L/s, throughout: 2", [2, 2, None, 2, 0, None], [U, Y, U, U, N, N]),
    ],
)
def test_a_condition_is_yes_no_or_unknown(condition: str, values: Sequence[float | None], expected: list[int]) -> None:
    assert truths(condition, values) == expected


def test_a_threshold_comes_from_the_setting_of_each_site_and_one_not_set_is_unknown() -> None:
    of = kind()
    sites = (
        site("A"),
        site("B", setting={"power_on": 9.5}),
        site("C", setting={}),
        site("D", setting={"power_on": None}),
    )
    columns = slots(of, *[{"power": [6.0, 9.5]}] * 4)
    found = condition_truths(of.tables[0].conditions[0], columns, sites, of.factors)
    assert found.tolist() == [[Y, Y], [N, Y], [U, U], [U, U]]


def test_an_entry_of_the_setting_is_a_condition_too() -> None:
    of = kind(TABLE.replace("factor: power, at_least: {setting: power_on}", "setting: use, one_of: [rye]"))
    sites = (site("A", setting={"use": "rye"}), site("B", setting={"use": "wheat"}), site("C", setting={}))
    found = condition_truths(of.tables[0].conditions[0], slots(of, *[{"flow": [1.0]}] * 3), sites, of.factors)
    assert found[:, 0].tolist() == [Y, N, U]


def test_a_row_says_value_level_and_which_conditions() -> None:
    of = kind()
    block = said(of, {"power": [9, 9, 1], "flow": [0, 3, 0]})
    assert block.value[0].tolist() == [1, 0, 0]
    assert block.level[0].tolist() == [Level.HINT, Level.WITHIN, Level.WITHIN]
    assert (block.valid[0].tolist(), block.expected[0].tolist()) == ([2, 2, 2], [2, 2, 2])
    tell = CombinationEvaluation(of).slot_outputs[0].tell
    assert tell is not None
    assert tell(block.detail[0]).to_pylist() == [
        "row=3;on=yes;flows=no",
        "row=2;on=yes;flows=yes",
        "row=1;on=no;flows=no",
    ]


def test_a_detail_is_read_back_as_it_was_said() -> None:
    read = read_told("row=3;on=yes;flows=no")
    assert (read.row, dict(read.truths)) == (2, {"on": Truth.YES, "flows": Truth.NO})
    assert read_told("on=unknown;flows=yes").row == NO_ROW
    for wrong in ("", "on", "row=x;on=yes", "on=maybe", "[]"):
        with pytest.raises(BadRecord):
            read_told(wrong)


def test_a_sensor_that_failed_is_no_suspicion() -> None:
    block = said(kind(), {"power": [9, MISSING, MISSING, 1], "flow": [MISSING, 0, MISSING, MISSING]})
    assert block.level[0].tolist() == [Level.NOT_JUDGED, Level.NOT_JUDGED, Level.NOT_JUDGED, Level.WITHIN]
    assert block.present[0].tolist() == [False, False, False, True]  # the last is decided without the flow
    assert block.reason[0].tolist() == [MISSING_ITEM, MISSING_ITEM, SILENT, OK]


def test_what_is_not_known_says_why() -> None:
    of = kind()
    sites = (site("A", setting={}), site("B", measures=("power",)))
    block = said(of, {"power": [9], "flow": [0]}, {"power": [9]}, sites=sites)
    assert block.reason[:, 0].tolist() == [UNSET, NOT_IN_PLAN]
    assert not block.present.any()


def test_sites_that_a_table_is_not_for_are_not_in_plan() -> None:
    of = kind(TABLE.replace("source:", "where: {use: [rye]}\n    source:"))
    sites = (site("A", setting={"use": "wheat", "power_on": 5.0}), site("B", setting={"use": "rye", "power_on": 5.0}))
    block = said(of, *[{"power": [9], "flow": [0]}] * 2, sites=sites)
    assert block.reason[:, 0].tolist() == [NOT_IN_PLAN, OK]
    assert block.level[:, 0].tolist() == [Level.NOT_JUDGED, Level.HINT]
    tell = CombinationEvaluation(of).slot_outputs[0].tell
    assert tell is not None
    assert tell(block.detail[:, 0])[0].as_py() == ""


def test_a_day_counts_the_hours_in_which_something_was_found() -> None:
    of = kind()
    columns = slots(of, {"power": [9] * 3 + [None] * 21, "flow": [0, 0, 3] + [0] * 21}, {"flow": [0] * 24})
    (block,) = CombinationEvaluation(of).day(columns, (site("A"), site("B")), {})
    assert block.value[:, 0].tolist() == [2, 0]
    assert (block.valid[0, 0], block.expected[0, 0]) == (3, 24)
    assert block.level[:, 0].tolist() == [Level.HINT, Level.NOT_JUDGED]
    assert block.present[:, 0].tolist() == [True, False]


def test_a_table_that_looks_back_asks_for_context_and_hashes_it() -> None:
    of = kind(TABLE.replace("at_least: 0.5 L/s", "at_least: 0.5 L/s, within: 3"))
    evaluation = CombinationEvaluation(of)
    assert (evaluation.before, evaluation.day_before, evaluation.reach) == (2, 2, (2,))
    one = said(of, {"power": [9] * 4, "flow": [3, 0, 0, 0]}, begin=2)
    other = said(of, {"power": [9] * 4, "flow": [0, 0, 0, 0]}, begin=2)
    assert one.level[0].tolist() == [Level.WITHIN, Level.HINT]
    assert other.level[0].tolist() == [Level.HINT, Level.HINT]
    assert one.inputs[0, 0] != other.inputs[0, 0]


def test_doubt_about_an_input_goes_with_the_row_and_of_others_does_not() -> None:
    of = kind()
    columns = slots(of, {"power": [9.0], "flow": [0.0]})
    columns.marks[0, 1, 0] = 1
    (block,) = CombinationEvaluation(of).slots(columns, 0, (site(),))
    assert block.marks[0, 0] == 1


def test_factors_are_held_at_their_stored_digits() -> None:
    factor: Factor = kind().factors["flow"]
    assert factor.digits == 3
