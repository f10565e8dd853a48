"""A9: season profiles are data; the same exceedance in each season meets the rules of that season."""

from __future__ import annotations

from datetime import date

import pytest

from alerts.rules import Rules, load_rules, parse_rules
from alerts.seasons import Season
from alerts.verdicts import Verdict
from sensors.clock import HOUR_MS
from sensors.errors import ConfigError
from sensors.yamlfile import parse_yaml
from streams.standards import day_number
from tests.unit.alerts.building import columns, day_ms, judge, row

TEXT = """
kind: air
backfill_after_hours: 6
seasons:
  winter: {name: {zh: 冬, en: w}, spans: [{from: 11-01, to: 02-29}], source: s, confidence: not_seen}
  summer: {name: {zh: 夏, en: s}, spans: [{from: 06-01, to: 11-30}], source: s, confidence: not_seen}
rules:
  - {id: w, kind: threshold, season: winter, factor: PM2.5, window: 1h, value: 75, unit: µg/m³, author: 张, why: 试}
  - {id: s, kind: threshold, season: summer, factor: PM2.5, window: 1h, value: 50, unit: µg/m³, author: 张, why: 试}
"""


def parsed(text: str = TEXT) -> Rules:
    return parse_rules(parse_yaml(text, "rules.yaml"))


def over(day: date, value: int = 80) -> set[str]:
    """Return the rules under which a value of an hour of a day is over."""
    given = row(value=value, start=day_ms(day), edition="")
    return {part.key.rule for part in judge(parsed()).judge(columns(given)) if part.verdicts[0] == Verdict.OVER}


@pytest.mark.parametrize(
    ("day", "rules"),
    [
        (date(2026, 1, 15), {"w"}),
        (date(2024, 2, 29), {"w"}),
        (date(2026, 3, 1), set()),
        (date(2026, 5, 31), set()),
        (date(2026, 6, 1), {"s"}),
        (date(2026, 10, 31), {"s"}),
        (date(2026, 11, 1), {"s", "w"}),
        (date(2026, 11, 30), {"s", "w"}),
        (date(2026, 12, 1), {"w"}),
    ],
)
def test_the_same_exceedance_on_dates_in_each_season_meets_the_right_rules(day: date, rules: set[str]) -> None:
    assert over(day) == rules
    assert {rule.id for rule in parsed().at(day_ms(day))} == rules


def test_a_season_ends_at_the_beijing_midnight() -> None:
    (season,) = (one for one in parsed().seasons if one.id == "summer")
    last = day_ms(date(2026, 11, 30))
    summer = next(rule for rule in parsed().rules if rule.id == "s")
    assert season.holds(day_number(date(2026, 11, 30)))
    assert summer.holds_at(last + 24 * HOUR_MS - 1)
    assert not summer.holds_at(last + 24 * HOUR_MS)


def test_when_a_season_ends_what_is_over_is_fine_for_its_rule_so_that_its_event_is_cleared() -> None:
    given = row(value=80, start=day_ms(date(2026, 12, 1)))
    found = {part.key.rule: part.verdicts.tolist() for part in judge(parsed()).judge(columns(given))}
    assert found == {"w": [Verdict.OVER], "s": [Verdict.OK]}


def test_the_delivered_seasons_name_pollutant_and_trades_and_autumn_carries_both() -> None:
    seasons = load_rules().seasons
    assert {one.id: one.factors for one in seasons} == {"autumn-winter": ("PM2.5",), "summer-autumn": ("O3",)}
    trades = {one.id: set(one.trades) for one in seasons}
    assert trades == {
        "autumn-winter": {"建材", "建筑工地", "堆场", "秸秆"},
        "summer-autumn": {"化工", "涂装", "印染"},
    }
    holding = {
        month: {one.id for one in seasons if one.holds(day_number(date(2026, month, 15)))} for month in range(1, 13)
    }
    assert all(holding[month] == {"autumn-winter", "summer-autumn"} for month in (9, 10, 11))
    assert all(holding[month] == {"autumn-winter"} for month in (12, 1, 2))
    assert all(holding[month] == {"summer-autumn"} for month in (6, 7, 8))
    assert all(not holding[month] for month in (3, 4, 5))
    assert {one.confidence for one in seasons} == {"not_seen"}


def test_a_season_may_have_several_spans() -> None:
    season = Season(id="x", name_zh="", name_en="", spans=(((1, 1), (1, 2)), ((12, 30), (12, 31))))
    assert [day for day in range(365) if season.holds(day)] == [0, 1, 363, 364]


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("season: winter", "season: wintr", 8, "rules.0.season"),
        ("to: 02-29", "to: 02-30", 5, "seasons.winter.spans.0.to"),
        ("to: 11-30", "to: 11-3", 6, "seasons.summer.spans.0.to"),
        ("source: s, confidence: not_seen}\n  summer", "confidence: not_seen}\n  summer", 5, "seasons.winter.source"),
    ],
)
def test_a_wrong_season_is_refused_with_line_and_key(old: str, new: str, line: int, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(TEXT.replace(old, new))
    assert (refused.value.line, refused.value.key) == (line, key)
