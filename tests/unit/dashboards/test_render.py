from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.states import State
from alerts.texts import Language
from dashboards.render import (
    SPARK_HEIGHT,
    STATIC,
    age_text,
    alert_word,
    asset,
    clock_label,
    ending_label,
    island,
    spark,
    symbol,
)
from dashboards.texts import load_catalogue
from sensors.clock import DAY_MS, HOUR_MS
from tests.unit.dashboards.building import NASTY, T0


@pytest.mark.parametrize(
    ("factor", "markup"),
    [
        ("PM2.5", "PM<sub>2.5</sub>"),
        ("O3", "O<sub>3</sub>"),
        ("CO", "CO"),
        ("AQI", "AQI"),
        ("", ""),
        ("<b>2", "&lt;b&gt;<sub>2</sub>"),
        ("12", "12"),
    ],
)
def test_a_symbol_has_low_figures_and_is_escaped(factor: str, markup: str) -> None:
    assert str(symbol(factor)) == markup


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_data_in_a_page_cannot_end_its_element_and_reads_back_equal(data: object) -> None:
    text = str(island(data))
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == data


def test_the_worst_name_is_only_text_in_an_island() -> None:
    assert "<script" not in island({"name": NASTY})


@pytest.mark.parametrize(
    ("ms", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (119_999, "119 秒", "119 s"),
        (120_000, "2 分钟", "2 min"),
        (7_199_999, "119 分钟", "119 min"),
        (7_200_000, "2 小时", "2 h"),
        (48 * HOUR_MS, "2 天", "2 d"),
    ],
)
def test_an_age_is_told_in_the_unit_that_says_enough(ms: int, zh: str, en: str) -> None:
    assert age_text(load_catalogue(Language.ZH), ms) == zh
    assert age_text(load_catalogue(Language.EN), ms) == en


def test_hours_are_labelled_by_their_end_and_days_by_their_date() -> None:
    assert ending_label(T0, HOUR_MS) == "2026-11-21 01:00"
    assert ending_label(T0 - HOUR_MS, HOUR_MS) == "2026-11-21 00:00"
    assert ending_label(T0, DAY_MS) == "2026-11-21"
    assert clock_label(T0) == "2026-11-21 00:00:00"


def test_a_small_trend_has_gaps_and_shows_a_lonely_value() -> None:
    drawn = spark([10, 20, None, 30, None, None])
    assert drawn["path"].count("M") == 2
    assert drawn["path"].endswith("h2")
    assert drawn["end"] is None


@pytest.mark.parametrize("values", [[], [None, None], [0], [500, 500], [None, 3]])
def test_a_small_trend_stays_inside_its_frame(values: list[int | None]) -> None:
    drawn = spark(values)
    assert drawn["end"] is None or 0 <= drawn["end"] <= SPARK_HEIGHT


def test_a_static_file_is_named_by_its_content() -> None:
    assert asset("console.css").startswith("/static/console.css?v=")
    assert (STATIC / "console.css").is_file()


def test_a_state_of_the_journal_has_a_word() -> None:
    assert alert_word(State.RAISED, Language.ZH) == "待签收"
    assert alert_word("taken_notice", Language.EN) == "somebody took notice"
    assert alert_word("machine", Language.ZH) == "系统"
