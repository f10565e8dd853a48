from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alerts.episodes import find_episodes
from alerts.events import Change, Event, Fact, Moment, match
from alerts.rules import Kind
from alerts.series import counting_of
from alerts.states import Deed, State, StepReason
from alerts.texts import CATALOGUE, Language, Priority, Word, because, level_name, shown, title, word
from alerts.verdicts import Cause, SeriesKey
from sensors.flags import Mark
from streams.standards import load_standards
from tests.unit.alerts.building import columns, judge, only, row


def raised(rule_id: str, *rows: dict[str, Any]) -> Event:
    rules = only(rule_id)
    (part,) = judge(rules).judge(columns(*rows))
    points = [part.point(index) for index in range(len(part.rows))]
    episodes = find_episodes(points, None, counting_of(rules.rules[0]))
    moment = Moment(key=part.key, rule=rules.rules[0], tick=points[0].at, backfill_after_ms=rules.backfill_after_ms)
    (changed,) = match(episodes, (), moment)
    return changed.event


@pytest.mark.parametrize("language", Language)
def test_every_word_is_there_in_every_language(language: Language) -> None:
    for kind in (Word, Kind, State, Fact, Change, Deed, StepReason, Cause, Priority):
        for key in kind:
            assert word(key, language).strip(), key


def test_languages_fill_in_the_same_things() -> None:
    chinese, english = CATALOGUE[Language.ZH], CATALOGUE[Language.EN]
    assert list(chinese) == list(english)
    for key, text in chinese.items():
        names = {part.split("}")[0] for part in text.split("{")[1:]}
        assert names == {part.split("}")[0] for part in english[key].split("{")[1:]}, key


def test_levels_are_named_as_the_standards_name_them() -> None:
    for edition in load_standards().index_editions:
        for level in edition.levels:
            assert level.name_zh in level_name(level.level)
            assert level.name_en in level_name(level.level, Language.EN)


def test_only_a_limit_of_a_standard_is_called_an_exceedance() -> None:
    assert title(raised("limit-1h", row("O3", value=300))) == "O3 1小时超标"
    threshold = raised("pm25-1h", row(value=80))
    assert title(threshold) == "PM2.5 1小时超管控值"
    assert "超标" not in title(threshold) + because(threshold.peak, threshold.kind, "PM2.5")
    assert "超标" not in title(raised("aqi-light", row("AQI", value=120, level=3)))


def test_titles_name_levels_and_silence() -> None:
    assert title(raised("aqi-heavy", row("AQI", value=250, level=5))) == "1小时AQI达到五级（重度污染）"
    silent = raised("no-data", row("AQI", value=None, reason="silent"))
    assert title(silent) == "无数据（离线）"
    assert title(silent, Language.EN) == "no data (offline)"


def test_doubt_and_age_stand_in_the_title() -> None:
    doubtful = raised("limit-1h", row("O3", value=300, flags=int(Mark.SUSPECT)))
    assert title(replace(doubtful, backfilled=True)) == "O3 1小时超标 · 待核实 · 补录"
    over_range = raised("limit-1h", row("SO2", value=None, flags=int(Mark.OVER_RANGE), reason="invalid"))
    assert title(over_range) == "SO2 1小时超量程 · 待核实"


def test_a_limit_is_cited_with_standard_table_clause_and_edition() -> None:
    event = raised("limit-1h", row("CO", value=12, valid=58))
    told = because(event.peak, event.kind, "CO")
    assert told == (
        "1小时，12.0 mg/m³，限值 10.0 mg/m³（GB 3095-2026 表1，4.2, 4.4；GB3095-2026-1），超标 0.20 倍，有效 58/60"
    )


def test_a_threshold_is_told_with_its_author() -> None:
    event = raised("pm25-1h", row(value=80))
    assert "设定：默认配置" in because(event.peak, event.kind, "PM2.5")
    assert "set by 默认配置" in because(event.peak, event.kind, "PM2.5", Language.EN)


def test_silence_and_over_range_are_told_without_a_value() -> None:
    silent = raised("no-data", row("AQI", value=None, reason="silent"))
    assert because(silent.peak, silent.kind, "AQI") == "1小时，无数值，应报未报"
    over_range = raised("limit-1h", row("SO2", value=None, flags=int(Mark.OVER_RANGE), reason="invalid"))
    assert "设备超量程" in because(over_range.peak, over_range.kind, "SO2")


@pytest.mark.parametrize(
    ("value", "digits", "factor", "expected"),
    [(7550, 2, "PM2.5", "76 µg/m³"), (7450, 2, "PM2.5", "74 µg/m³"), (0, 2, "O3", "0 µg/m³"),
     (250, 3, "CO", "0.2 mg/m³"), (120, 0, "AQI", "AQI 120"), (None, 0, "AQI", "无数值")],
)  # fmt: skip
def test_numbers_are_shown_in_the_digits_of_the_standard(
    value: int | None, digits: int, factor: str, expected: str
) -> None:
    assert shown(value, digits, factor) == expected


def test_a_series_key_reads_as_rule_site_and_factor() -> None:
    assert SeriesKey("r", "s", "f")._asdict() == {"rule": "r", "site": "s", "factor": "f"}
