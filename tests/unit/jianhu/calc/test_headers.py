from __future__ import annotations

from fractions import Fraction

import pytest

from jianhu.calc.headers import factor_columns, refuse_taken
from sensors.errors import ConfigError
from sensors.factors import load_factors

FACTORS = load_factors("water")
PLATFORM = (
    "省份", "流域", "断面名称", "监测时间", "水质类别", "水温", "pH", "溶解氧", "电导率", "浊度",
    "高锰酸盐指数", "氨氮", "总磷", "总氮",
)  # fmt: skip
UNITS = (
    "水温(℃)", "pH(无量纲)", "溶解氧(mg/L)", "电导率(μS/cm)", "浊度(NTU)", "高锰酸盐指数(mg/L)", "氨氮(mg/L)",
    "总磷(mg/L)", "总氮(mg/L)", "叶绿素α(mg/L)", "藻密度(cells/L)",
)  # fmt: skip
ITEMS = ["wtemp", "pH", "DO", "EC", "NTU", "CODMn", "NH3-N", "TP", "TN"]


def found(*names: str, needed: tuple[str, ...] = ()) -> dict[str, tuple[str, Fraction]]:
    columns = factor_columns(names, FACTORS, "in.csv", needed=needed)
    return {symbol: (column.word, column.scale) for symbol, column in columns.items()}


def test_the_columns_of_the_national_platform_are_known() -> None:
    assert list(found(*PLATFORM)) == ITEMS
    assert list(found(*UNITS)) == [*ITEMS, "Chla", "algae"]
    assert {scale for _, (_, scale) in zip(ITEMS, found(*UNITS).values(), strict=False)} == {Fraction(1)}
    assert found(*UNITS)["Chla"] == ("叶绿素α", Fraction(1000))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("NH3-N", "NH3-N"), ("NH3N", "NH3-N"), ("nh3_n", "NH3-N"), ("ammonia nitrogen", "NH3-N"), ("w21003", "NH3-N"),
     ("dissolved oxygen (mg/L)", "DO"), ("CODMn", "CODMn"), ("ph", "pH"), ("pH值", "pH"), ("总磷(以P计)", "TP"),
     ("总磷(以P计)(mg/L)", "TP"), ("氨氮（NH3-N）", "NH3-N"), ("铬(六价)", "Cr6"), ("chl_a", "Chla")],
)  # fmt: skip
def test_an_item_is_known_by_many_words(name: str, symbol: str) -> None:
    assert list(found(name)) == [symbol]


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("氨氮(µg/L)", "1/1000"),
        ("氨氮(μg/L)", "1/1000"),
        ("氨氮 (ug/l)", "1/1000"),
        ("透明度(cm)", "1/100"),
        ("氨氮[MG/L]", "1"),
    ],
)
def test_a_unit_in_brackets_is_read_however_it_is_spelled(name: str, scale: str) -> None:
    ((_, found_scale),) = found(name).values()
    assert found_scale == Fraction(scale)


def test_an_unknown_unit_a_doubled_and_a_missing_column_are_named() -> None:
    with pytest.raises(ConfigError, match="ppm"):
        found("氨氮(ppm)")
    with pytest.raises(ConfigError, match="氨氮 and NH3-N"):
        found("氨氮", "NH3-N")
    with pytest.raises(ConfigError, match="总磷"):
        found("氨氮", needed=("NH3-N", "TP"))


def test_other_columns_are_no_factors() -> None:
    assert found("断面名称", "水质类别", "备注", "CODx") == {}


def test_a_result_column_that_is_there_already_is_refused() -> None:
    refuse_taken(["a"], ["class"], "in.csv")
    with pytest.raises(ConfigError, match="class"):
        refuse_taken(["class"], ["class"], "in.csv")
