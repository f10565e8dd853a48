from __future__ import annotations

import pytest

from alerts.texts import Language
from dashboards.measures import measure_of
from sensors.kinds import load_kind


def words(language: Language, name: str) -> str:
    return f"{language.value}:{name}"


@pytest.mark.parametrize(
    ("kind", "symbol", "unit", "decimals"),
    [("water", "TP", "mg/L", 3), ("outfall", "COD.limit", "mg/L", 1), ("outfall", "COD.load", "kg", 1),
     ("outfall", "flow.volume", "m³", 0), ("water", "TN.flux", "kg", 1), ("water", "pH", "", 2),
     ("voc", "odour_index", "", 2), ("air", "good_share", "%", 2), ("air", "PM2.5.yoy", "%", 2)],
)  # fmt: skip
def test_unit_and_digits_are_those_of_the_factor_or_of_what_is_made_of_it(
    kind: str, symbol: str, unit: str, decimals: int
) -> None:
    measure = measure_of(load_kind(kind), symbol, 4, words)
    assert (measure.symbol, measure.unit, measure.decimals) == (symbol, unit, decimals)


def test_a_sum_is_named_after_its_factor_and_other_things_by_the_catalogue() -> None:
    water = load_kind("outfall")
    assert measure_of(water, "COD.load", 3, words).name(Language.EN) == "COD en:load"
    assert measure_of(water, "COD.load", 3, words).name(Language.ZH) == "化学需氧量zh:load"
    assert measure_of(load_kind("air"), "good_share", 2, words).name(Language.ZH) == "zh:good_share"
    assert measure_of(load_kind("air"), "PM2.5.over_days", 0, words).name(Language.ZH) == "细颗粒物zh:over_days"
    assert measure_of(water, "flow.volume", 3, words).name(Language.ZH) == "zh:volume"
    assert measure_of(load_kind("air"), "rank.PM2.5", 0, words).name(Language.EN) == "en:rank fine particles"
    assert measure_of(load_kind("air"), "good_share.yoy", 2, words).name(Language.EN) == "en:good_share en:yoy"


def test_a_factor_that_nobody_knows_is_shown_as_it_is() -> None:
    measure = measure_of(load_kind("air"), "<b>", 1, lambda _, name: name)
    assert (measure.name(Language.ZH), measure.unit, measure.decimals) == ("<b>", "", 1)
