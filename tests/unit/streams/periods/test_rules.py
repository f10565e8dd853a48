from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction
from importlib.resources import files

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from sensors.errors import ConfigError
from sensors.kinds import Confidence
from sensors.windows import Needs, Span
from streams.periods.plan import Period
from streams.periods.rules import complete, complete_over, load_rules, parse_rules
from streams.periods.spans import DaySpan, clusters, running
from tests.period_cases import day_no

RULES = load_rules()


def needs(*, at_least: int | None = None, share: str | None = None, rule: str = "") -> Needs:
    return Needs(
        start_day=None,
        at_least=at_least,
        share=None if share is None else Fraction(share),
        rule=rule,
        source="test",
        confidence=Confidence.CONFIRMED,
    )


def period(first: str, last: str, through: str = "") -> Period:
    return Period(
        window="x", span=Span.YEAR, first_day=day_no(first), last_day=day_no(last), through_day=day_no(through or last)
    )


def is_complete(asked: Needs | None, of: Period, invalid: list[str]) -> bool:
    present = np.ones((1, of.due), np.bool_)
    present[0, [day_no(day) - of.first_day for day in invalid]] = False
    alone = bool(complete(present, asked, of, RULES)[0])
    assert alone == bool(beside_others(present, asked, of)[0, 1])
    return alone


def beside_others(present: NDArray[np.bool_], asked: Needs | None, of: Period) -> NDArray[np.bool_]:
    """Return the same as one of three periods of which the others begin earlier and end later."""
    wide = [replace(of, first_day=of.first_day - 40), of, replace(of, last_day=of.last_day + 40)]
    first, last = wide[0].first_day, of.through_day
    days = np.concatenate([np.ones((1, 40), np.bool_), present], axis=1)
    (cluster,) = clusters([DaySpan(first, last), DaySpan(of.first_day, last), DaySpan(of.first_day, last)])
    order = [(wide[place], asked) for place in cluster.which.tolist()]
    return complete_over(running(days, np.int32), cluster, order, RULES)


def days(month: str, count: int) -> list[str]:
    return [f"{month}-{n:02}" for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("first", "last", "may_miss"),
    [
        ("2024-01-01", "2024-01-31", 4),  # 27 of 31
        ("2024-04-01", "2024-04-30", 3),  # 27 of 30
        ("2024-02-01", "2024-02-29", 4),  # 25 of 29
        ("2023-02-01", "2023-02-28", 3),  # 25 of 28
    ],
)
def test_a_month_needs_27_days_and_february_25(first: str, last: str, may_miss: int) -> None:
    month = first[:7]
    assert is_complete(needs(rule="month_days"), period(first, last), days(month, may_miss))
    assert not is_complete(needs(rule="month_days"), period(first, last), days(month, may_miss + 1))


def spread(year: str, per_month: dict[str, int]) -> list[str]:
    return [day for month, count in per_month.items() for day in days(f"{year}-{month}", count)]


def test_a_year_needs_324_days() -> None:
    # 365 - 41: 3 in nine months, 4 in three and a further 2 allowed in none
    allowed = {"01": 4, "03": 4, "05": 4, "07": 4, "08": 4, "10": 4, "12": 4, "02": 3, "04": 3, "06": 3, "09": 3}
    whole = period("2023-01-01", "2023-12-31")
    assert sum(allowed.values()) == 40
    assert is_complete(needs(rule="year_days"), whole, spread("2023", {**allowed, "11": 1}))
    assert not is_complete(needs(rule="year_days"), whole, spread("2023", {**allowed, "11": 2}))


def test_a_year_needs_every_months_minimum_too() -> None:
    whole = period("2023-01-01", "2023-12-31")
    assert is_complete(needs(rule="year_days"), whole, days("2023-06", 3))
    assert not is_complete(needs(rule="year_days"), whole, days("2023-06", 4))


def test_a_leap_year_may_miss_one_day_more() -> None:
    allowed = {f"{m:02}": 3 for m in range(1, 13)} | {"01": 4, "02": 4, "03": 4, "05": 4, "07": 4, "08": 4}
    assert sum(allowed.values()) == 42
    assert is_complete(needs(rule="year_days"), period("2024-01-01", "2024-12-31"), spread("2024", allowed))


def test_the_year_to_date_needs_the_same_share_of_the_days_that_are_over() -> None:
    # to the end of March: ceil(90 × 324 / 365) = 80
    so_far = period("2023-01-01", "2023-12-31", "2023-03-31")
    assert is_complete(needs(rule="year_days"), so_far, [*days("2023-01", 4), *days("2023-02", 3), *days("2023-03", 3)])
    assert not is_complete(
        needs(rule="year_days"), so_far, [*days("2023-01", 4), *days("2023-02", 3), *days("2023-03", 4)]
    )


def test_a_month_that_is_not_over_takes_no_value_from_the_year_to_date() -> None:
    so_far = period("2023-01-01", "2023-12-31", "2023-04-02")
    assert is_complete(needs(rule="year_days"), so_far, ["2023-04-01"])


def test_a_running_year_needs_the_minimum_of_the_months_that_lie_wholly_in_it() -> None:
    running = period("2023-06-16", "2024-06-15")
    assert is_complete(needs(rule="year_days"), running, [f"2023-06-{n}" for n in range(16, 26)])
    assert not is_complete(needs(rule="year_days"), running, days("2023-07", 5))


def test_counts_and_shares_of_a_kind_scale_with_the_days_that_are_over() -> None:
    month = period("2023-04-01", "2023-04-30", "2023-04-10")
    assert is_complete(needs(at_least=15), month, days("2023-04", 5))  # ceil(10 × 15 / 30) = 5
    assert not is_complete(needs(at_least=15), month, days("2023-04", 6))
    assert is_complete(needs(share="0.75"), month, days("2023-04", 2))  # ceil(7.5) = 8
    assert not is_complete(needs(share="0.75"), month, days("2023-04", 3))


def test_without_a_rule_one_day_is_enough_and_none_is_not() -> None:
    two = period("2023-04-01", "2023-04-30", "2023-04-02")
    assert is_complete(None, two, days("2023-04", 1))
    assert not is_complete(None, two, days("2023-04", 2))
    assert not is_complete(needs(share="0.01"), two, days("2023-04", 2))


def test_an_unknown_rule_is_an_error_that_names_those_known() -> None:
    with pytest.raises(ConfigError, match="month_days"):
        complete(np.ones((1, 31), np.bool_), needs(rule="week_days"), period("2024-01-01", "2024-01-31"), RULES)


def test_counts_are_those_of_the_periods_last_day() -> None:
    assert RULES.counts_at(day_no("2025-12-31")).name == "days-2012"
    assert RULES.counts_at(day_no("2026-12-31")).name == "days-2026"
    assert RULES.counts_at(day_no("2001-01-01")).name == "days-2012"


def test_the_composite_index_has_the_weights_and_limits_of_both_forms() -> None:
    old, new = RULES.air_year.composite
    assert set(old.weights.values()) == {1}
    assert old.limits == {"PM2.5": 35, "PM10": 70, "SO2": 60, "NO2": 40, "CO": 4, "O3": 160}
    assert new.weights == {"PM2.5": 3, "O3": 2, "NO2": 2, "SO2": 1, "PM10": 1, "CO": 1}
    assert new.limits == {"PM2.5": 30, "PM10": 60, "SO2": 60, "NO2": 40, "CO": 4, "O3": 160}


def test_the_2026_form_runs_out_with_its_limits_and_the_old_one_is_said_on_beside_it() -> None:
    old, new = RULES.air_year.composite
    ends = [
        (form, RULES.air_year.runs_out(form, day_no(day)))
        for form in (old, new)
        for day in ("2030-12-31", "2031-01-01")
    ]
    assert ends == [(old, False), (old, False), (new, False), (new, True)]
    assert not RULES.air_year.runs_out(new, day_no("2025-12-31"))


@pytest.mark.parametrize(
    ("path", "to", "key"),
    [
        (("completeness", 0), dt.date(2026, 2, 27), "completeness"),
        (("completeness", 0), None, "completeness"),
        (("completeness", 1), dt.date(2030, 12, 31), "completeness"),
        (("air_year", "composite", 0), dt.date(2026, 3, 1), r"air_year\.composite"),
    ],
)
def test_editions_with_a_gap_or_an_overlap_are_a_config_error(
    path: tuple[str | int, ...], to: dt.date | None, key: str
) -> None:
    file = yaml.safe_load(files("streams").joinpath("data", "periods.yaml").read_text(encoding="utf-8"))
    place = file
    for step in path:
        place = place[step]
    place["to"] = to
    with pytest.raises(ConfigError, match=key):
        parse_rules(file)


def test_a_wrong_file_of_rules_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"periods\.yaml"):
        parse_rules({"completeness": []})
