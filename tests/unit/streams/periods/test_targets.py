from __future__ import annotations

import json
from fractions import Fraction
from importlib.resources import as_file, files
from pathlib import Path

import jsonschema
import pytest
import yaml

from sensors.errors import ConfigError
from sensors.yamlfile import parse_yaml
from streams.periods.targets import (
    Direction,
    Nature,
    Standing,
    Target,
    Targets,
    judge_target,
    load_targets,
    parse_targets,
    targets_schema,
)

DATA = files("streams").joinpath("data")
GOLDEN = sorted((Path(__file__).parents[3] / "golden" / "targets").glob("*/targets.yaml"))


@pytest.fixture(scope="module")
def delivered() -> Targets:
    with as_file(DATA.joinpath("targets_zhejiang.yaml")) as path:
        return load_targets(path)


def target(line: str) -> Target:
    text = (
        "documents: [{id: plan, title: a plan}]\ntargets:\n"
        f"  - {{id: t, region: 某区, indicator: {{zh: 甲, en: a}}, nature: none, document: plan, {line}}}\n"
    )
    return parse_targets(parse_yaml(text, "targets.yaml")).rows[0]


def standing(line: str, value: float | None, **more: Fraction) -> Standing:
    number = None if value is None else Fraction(str(value))
    return judge_target(target(line), number, **more).standing  # type: ignore[arg-type]  # only `before` is passed


def test_all_rows_of_the_documents_load(delivered: Targets) -> None:
    assert len(delivered.rows) == 48
    assert len({row.id for row in delivered.rows}) == 48
    assert {row.region for row in delivered.rows} == {"上虞区", "绍兴市", "浙江省"}
    assert delivered.documents is not None
    assert {row.document for row in delivered.rows} == set(delivered.documents)


def test_the_documents_bind_expect_or_say_neither(delivered: Targets) -> None:
    natures = {row.nature for row in delivered.rows}
    assert natures == {Nature.BINDING, Nature.EXPECTED, Nature.NONE}


def test_what_was_assigned_and_never_given_a_number_is_neither_met_nor_missed(delivered: Targets) -> None:
    assigned = [row for row in delivered.rows if row.assigned]
    assert len(assigned) == 15
    for row in assigned:
        for value in (None, Fraction(0), Fraction(1000)):
            assert judge_target(row, value).standing is Standing.UNSET


def test_a_target_looser_than_its_base_is_a_regression(delivered: Targets) -> None:
    found = {row.id for row in delivered.rows if row.regression}
    # 29 after 28; 90 after 90.7; 95 after 95.1
    assert found == {"shaoxing-pm25", "shaoxing-good-days", "shangyu-good-days"}


def test_the_base_is_the_newest_single_year_and_not_a_mean_of_five(delivered: Targets) -> None:
    rows = {row.id: row for row in delivered.rows}
    assert rows["shangyu-pm25"].base == 26
    assert rows["shaoxing-pm25"].base == 28
    assert rows["zhejiang-emergencies"].base == 60  # no single year
    assert rows["shangyu-o3"].base is None


def test_published_values_that_disagree_are_all_answered_with_their_definition(delivered: Targets) -> None:
    rows = {row.id: row for row in delivered.rows}
    found = rows["zhejiang-sections"].figures(2020)
    assert [(f.value, f.definition) for f in found] == [
        (Fraction("93.9"), "296 sections of province level"),
        (Fraction("94.6"), "another set of sections"),
    ]
    pm25 = rows["shangyu-pm25"].figures(2020)
    assert [(f.value, f.derived, f.document) for f in pm25] == [
        (Fraction(26), False, "上虞十四五"),
        (Fraction("26.3"), True, "两山方案"),
    ]
    assert rows["shaoxing-pm25"].figures(2015)[0].value == 56


def test_281_of_296_sections_fail_95_percent_and_282_pass(delivered: Targets) -> None:
    row = next(row for row in delivered.rows if row.id == "zhejiang-sections")
    assert judge_target(row, Fraction(281 * 100, 296)).standing is Standing.MISSED
    assert judge_target(row, Fraction(282 * 100, 296)).standing is Standing.MET


@pytest.mark.parametrize(
    ("direction", "below", "equal", "above"),
    [
        ("<=", Standing.MET, Standing.MET, Standing.MISSED),
        ("<", Standing.MET, Standing.MISSED, Standing.MISSED),
        (">=", Standing.MISSED, Standing.MET, Standing.MET),
        (">", Standing.MISSED, Standing.MISSED, Standing.MET),
        ("=", Standing.MISSED, Standing.MET, Standing.MISSED),
    ],
)
def test_numbers_are_compared_as_the_plan_writes(
    direction: str, below: Standing, equal: Standing, above: Standing
) -> None:
    line = f'unit: mg/L, direction: "{direction}", value: 2'
    assert [standing(line, value) for value in (1.99, 2, 2.01, None)] == [below, equal, above, Standing.NO_VALUE]


def test_the_gap_is_value_minus_target() -> None:
    judged = judge_target(target('unit: µg/m³, direction: "<=", value: 25'), Fraction("26.5"))
    assert (judged.gap, judged.regression) == (Fraction(3, 2), False)


def test_not_lower_means_not_below_the_base() -> None:
    line = 'unit: "1", direction: not_lower, bases: [{value: 5, year: 2020}]'
    assert [standing(line, value) for value in (4, 5, 6)] == [Standing.MISSED, Standing.MET, Standing.MET]
    assert standing('unit: "1", direction: not_lower', 5) is Standing.UNSET


def test_stable_is_a_word_unless_it_has_a_tolerance() -> None:
    assert standing('unit: "1", direction: stable, bases: [{value: 5, year: 2020}]', 5) is Standing.JUDGED
    line = 'unit: "1", direction: stable, tolerance: 1, bases: [{value: 5, year: 2020}]'
    assert [standing(line, value) for value in (3.9, 4, 6, 6.1)] == [
        Standing.MISSED, Standing.MET, Standing.MET, Standing.MISSED,
    ]  # fmt: skip


def test_steadily_rising_is_above_the_year_before() -> None:
    line = 'unit: "1", direction: rising'
    assert standing(line, 5, before=Fraction(4)) is Standing.MET
    assert standing(line, 5, before=Fraction(5)) is Standing.MISSED
    assert standing(line, 5) is Standing.UNSET


def test_eliminated_is_none_and_basically_eliminated_asks_a_person_of_a_few() -> None:
    assert [standing("unit: d, direction: eliminated", v) for v in (0, 1)] == [Standing.MET, Standing.MISSED]
    assert [standing("unit: d, direction: basically_eliminated", v) for v in (0, 1)] == [Standing.MET, Standing.JUDGED]


def test_done_or_not_done() -> None:
    assert [standing('unit: "1", direction: yes', v) for v in (1, 0)] == [Standing.MET, Standing.MISSED]


def test_all_parts_of_a_target_of_three_must_be_reached() -> None:
    row = target('unit: "1", direction: ">=", values: [3, 10, 100], bases: [{values: [0, 1, 1], year: 2020}]')
    parts = [(Fraction(3), Fraction(10), Fraction(100)), (Fraction(3), Fraction(9), Fraction(100)), ()]
    assert [judge_target(row, None, parts=p).standing for p in parts] == [
        Standing.MET, Standing.MISSED, Standing.NO_VALUE,
    ]  # fmt: skip
    assert list(row.bases[0].values) == [Fraction(0), Fraction(1), Fraction(1)]


def test_a_target_may_differ_by_region() -> None:
    row = target('unit: "%", direction: ">=", by_region: {新昌县: 30, "*": 50}')
    assert judge_target(row, Fraction(40), region="新昌县").standing is Standing.MET
    assert judge_target(row, Fraction(40), region="上虞区").standing is Standing.MISSED


def test_the_first_area_that_has_a_target_gives_it() -> None:
    text = "documents: [{id: plan, title: a plan}]\ntargets:\n" + "".join(
        f"  - {{id: {name.lower()}, region: 甲, area: {name}, indicator: {{zh: 甲, en: a}}, measure: x, unit: d, "
        'nature: none, direction: "<", value: 1, document: plan}\n'
        for name in "AB"
    )
    found = parse_targets(parse_yaml(text, "t.yaml"), areas=["A", "B"])
    assert [row.id for row in found.of(("T", "B", "A"), "x")] == ["b"]
    assert found.of(("T",), "x") == ()
    assert found.of(("A",), "y") == ()
    with pytest.raises(ConfigError, match="no area 'A'"):
        parse_targets(parse_yaml(text, "t.yaml"), areas=["B"])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.parent.name)
def test_a_wrong_file_is_told_with_line_key_and_mend(path: Path) -> None:
    expected = (path.parent / "error.txt").read_text(encoding="utf-8").strip()
    with pytest.raises(ConfigError) as caught:
        load_targets(path)
    assert str(caught.value).replace(str(path), "targets.yaml") == expected


def test_there_are_wrong_files() -> None:
    assert len(GOLDEN) >= 8


def test_the_schema_is_written_down_and_takes_what_is_delivered() -> None:
    written = json.loads(DATA.joinpath("targets.schema.json").read_text(encoding="utf-8"))
    assert written == targets_schema()
    jsonschema.validate(yaml.safe_load(DATA.joinpath("targets_zhejiang.yaml").read_text(encoding="utf-8")), written)


def test_every_direction_of_the_plans_is_known() -> None:
    assert len(Direction) == 11
