"""Truth tables as data: every cell has one outcome, and what is wrong with a table is told where it stands."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from sensors.errors import ConfigError
from sensors.kinds import Kind, parse_kind
from sensors.tables import NO_ROW, TableOutcome, Truth, TruthTable
from sensors.yamlfile import parse_yaml

KIND = """\
kind: mill
name: {zh: 磨坊, en: mill}
slot: 1h
fine: 10min
classes: [wheel]
factors:
  power: {name: {zh: 功率, en: power}, unit: kW, decimals: 1, low: 0, high: 1000, units: {kW: 1, W: 1/1000}}
  flow:  {name: {zh: 流量, en: flow}, unit: L/s, decimals: 1, low: 0, high: 1000, units: {L/s: 1, m³/h: 5/18}}
windows: [{name: 1h}, {name: 24h}]
evaluations: [combination]
setting:
  power_on: {type: number, unit: kW, nullable: true}
  use: {type: choice, choices: [wheat, rye]}
tables:
"""
TABLE = """\
  - id: idle
    name: {zh: 空转, en: idle}
    source: made for a test
    conditions:
      on: {factor: power, at_least: {setting: power_on}}
      flows: {factor: flow, at_least: 0.5 L/s}
    rows:
      - {when: {on: no}, outcome: fine}
      - {when: {on: yes, flows: yes}, outcome: fine}
      - {when: {on: yes, flows: no}, outcome: suspicion, text: {zh: 空转, en: runs idle}}
      - {when: {on: yes, flows: unknown}, outcome: unknown, text: {zh: 流量未知, en: flow not known}}
"""
N, Y, U = Truth
BY_POWER = "factor: power, at_least: {setting: power_on}"
NOT_KNOWN = "flows: unknown}, outcome: unknown"


def kind(table: str = TABLE) -> Kind:
    return parse_kind(parse_yaml(KIND + table, "mill.yaml"))


def table(text: str = TABLE) -> TruthTable:
    return kind(text).tables[0]


@pytest.mark.parametrize(
    ("on", "flows", "outcome", "row"),
    [
        (N, N, "fine", 0), (N, Y, "fine", 0), (N, U, "fine", 0),
        (Y, N, "suspicion", 2), (Y, Y, "fine", 1), (Y, U, "unknown", 3),
        (U, N, "unknown", NO_ROW), (U, Y, "fine", NO_ROW), (U, U, "unknown", NO_ROW),
    ],
)  # fmt: skip
def test_each_cell_has_the_outcome_that_all_its_completions_share(
    on: Truth, flows: Truth, outcome: str, row: int
) -> None:
    assert table().decide({"on": on, "flows": flows}) == (TableOutcome(outcome), row)


def test_a_condition_that_is_not_given_is_unknown() -> None:
    assert table().decide({}) == (TableOutcome.UNKNOWN, NO_ROW)
    assert table().decide({"on": N})[0] is TableOutcome.FINE


def test_a_cell_and_its_conditions_are_the_same_thing() -> None:
    found = table()
    for truths in product(Truth, repeat=2):
        assert found.truths(found.cell(truths)) == truths
    assert len(found.outcomes) == len(found.deciding) == 9


def test_thresholds_are_kept_in_the_canonical_unit_or_by_the_name_of_the_setting() -> None:
    on, flows = table(TABLE.replace("0.5 L/s", "18 m³/h")).conditions
    assert (on.yes.low, flows.yes.low) == ("power_on", Fraction(5))
    assert (on.settings, flows.settings) == (("power_on",), ())


@pytest.mark.parametrize(
    ("good", "bad", "key", "told"),
    [
        ("when: {on: no}, outcome", "when: {}, outcome", "rows.2", "on yes, flows no is said by row 1"),
        ("{on: yes, flows: no}", "{on: yes}", "rows.2", "on yes, flows yes is said by row 2 already"),
        ("{on: yes, flows: yes}", "{on: yes, flows: no}", "rows.2", "on yes, flows no is said by row 2 already"),
        ("      - {when: {on: yes, flows: yes}, outcome: fine}\n", "", "rows", "no row says what on yes"),
        (NOT_KNOWN, "flows: unknown}, outcome: fine", "rows.3.outcome", "where something is unknown"),
        (NOT_KNOWN, "flows: unknown}, outcome: suspicion", "rows.3.outcome", "proves nothing"),
        ("{on: no}, outcome: fine", "{on: no}, outcome: unknown", "rows.0.outcome", "where everything is known"),
        ("{on: yes, flows: unknown}", "{on: no, flows: unknown}", "rows.3", "is met by no cell"),
        ("{on: yes, flows: unknown}", "{in: yes, flows: unknown}", "rows.3.when.in", "no condition 'in'"),
        ("flows: unknown}, outcome", "flows: perhaps}, outcome", "rows.3.when", "Invalid enum value"),
        ("factor: flow,", "factor: flux,", "conditions.flows.factor", "no factor 'flux'"),
        ("0.5 L/s", "0.5", "conditions.flows.at_least", "without a unit of flow"),
        ("0.5 L/s", "0.5 kW", "conditions.flows.at_least", "without a unit of flow"),
        ("0.5 L/s", "half L/s", "conditions.flows.at_least", "is no number"),
        ("at_least: 0.5 L/s", "above: 0 L/s, below: 3 L/s", "conditions.flows", "above and below"),
        ("at_least: 0.5 L/s", "on: 3 L/s", "conditions.flows", "on alone"),
        ("at_least: 0.5 L/s", "on: 3 L/s, off: 4 L/s", "conditions.flows.off", "4 is above 3"),
        ("at_least: 0.5 L/s", "between: [2 L/s, 1 L/s]", "conditions.flows.between", "2 is above 1"),
        (", at_least: 0.5 L/s", "", "conditions.flows", "no comparison"),
        ("at_least: 0.5 L/s", "at_least: 0.5 L/s, within: 2, throughout: 2", "conditions.flows.throughout", "at once"),
        ("at_least: 0.5 L/s", "at_least: 0.5 L/s, within: 900", "conditions", "<= 72"),
        ("{setting: power_on}", "{setting: power_of}", "conditions.on.at_least.setting", "no number 'power_of'"),
        ("{setting: power_on}", "{setting: use}", "conditions.on.at_least.setting", "no number 'use'"),
        (BY_POWER, "setting: use, one_of: [oats]", "conditions.on.one_of", "never 'oats'"),
        (BY_POWER, "setting: power_on, one_of: [rye]", "conditions.on.one_of", "no choice"),
        (BY_POWER, "setting: use", "conditions.on", "a setting with something else"),
        (BY_POWER, "setting: use, one_of: [farm], within: 3", "conditions.on", "a setting with something else"),
        ("id: idle", "id: flow", "id", "flow is a factor of this kind"),
        ("name: {zh: 空转", "where: {use: [oats]}\n    name: {zh: 空转", "where.use", "never 'oats'"),
        ("source: made for a test", "sauce: made for a test", "sauce", "unknown key"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_file_line_and_key(good: str, bad: str, key: str, told: str) -> None:
    assert good in TABLE
    with pytest.raises(ConfigError, match=r"mill.yaml:\d+: ") as caught:
        kind(TABLE.replace(good, bad, 1))
    assert caught.value.key == f"tables.0.{key}"
    assert told in str(caught.value)


def test_a_threshold_of_the_setting_must_be_in_the_factors_unit() -> None:
    text = KIND.replace("unit: kW, nullable", "unit: W, nullable") + TABLE
    with pytest.raises(ConfigError, match="power_on is in W, power is not"):
        parse_kind(parse_yaml(text, "mill.yaml"))


def test_two_tables_with_one_id_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"tables.1.id: idle is given twice"):
        kind(TABLE + TABLE)


def test_tables_that_nothing_reads_are_refused_and_so_is_the_evaluation_without_them() -> None:
    with pytest.raises(ConfigError, match="tables that nothing reads"):
        parse_kind(parse_yaml(KIND.replace("evaluations: [combination]\n", "") + TABLE, "mill.yaml"))
    with pytest.raises(ConfigError, match="combination without tables"):
        parse_kind(parse_yaml(KIND.replace("tables:\n", ""), "mill.yaml"))


def test_of_several_wrong_tables_each_is_told() -> None:
    text = TABLE.replace("factor: flow,", "factor: flux,")
    with pytest.raises(ConfigError) as caught:
        kind(text + text.replace("id: idle", "id: other"))
    assert [one.key for one in caught.value.further] == ["tables.1.conditions.flows.factor"]
