from __future__ import annotations

from fractions import Fraction

import pytest

from streams.periods.comparing import (
    Trend,
    Verdict,
    allowed_bad_days,
    change_percent,
    falling,
    half_even,
    ranks,
    scores,
    trend,
)
from streams.periods.composite import Composites, composite_indices
from streams.periods.ratios import same
from streams.periods.rules import load_rules


def test_a_change_is_percent_of_the_earlier_value() -> None:
    assert change_percent(Fraction(27), Fraction(30)) == -10
    assert change_percent(Fraction(30), None) is None
    assert change_percent(None, Fraction(30)) is None
    assert change_percent(Fraction(30), Fraction(0)) is None


def test_equals_share_the_better_rank_and_the_next_follow_after_them() -> None:
    values = {"a": Fraction(3), "b": Fraction(1), "c": Fraction(3), "d": None, "e": Fraction(4)}
    assert ranks(values) == {"a": 2, "b": 1, "c": 2, "d": None, "e": 4}
    assert ranks(values, smallest_first=False) == {"a": 2, "b": 4, "c": 2, "d": None, "e": 1}
    assert ranks({}) == {}


def test_scores_weigh_each_area_by_its_own_weights() -> None:
    parts = {
        "a": {"air": Fraction(80), "water": Fraction(60)},
        "b": {"air": Fraction(80), "water": Fraction(60)},
        "c": {"air": Fraction(80)},
    }
    weights = {
        "a": {"air": Fraction(1), "water": Fraction(1)},
        "b": {"air": Fraction(3), "water": Fraction(1)},
        "c": {"air": Fraction(1), "water": Fraction(1)},
    }
    assert scores(parts, weights) == {"a": 70, "b": 75, "c": None}


def test_a_part_of_no_weight_need_not_be_there_and_no_weights_make_no_score() -> None:
    parts: dict[str, dict[str, Fraction | None]] = {
        "a": {"air": Fraction(80), "water": None},
        "b": {"air": Fraction(80)},
    }
    assert scores(parts, {"a": {"air": Fraction(2), "water": Fraction(0)}}) == {"a": 80, "b": None}


def test_growth_that_rises_and_then_stays_is_curbed_only_by_its_slope() -> None:
    rising = trend(
        {2020: Fraction(150), 2021: Fraction(155), 2022: Fraction(160)}, least_years=3, curbed_slope=Fraction(0)
    )
    assert rising == Trend(Verdict.NOT_CURBED, Fraction(5), 3)
    flat = trend(
        {2020: Fraction(160), 2021: Fraction(160), 2022: Fraction(160)}, least_years=3, curbed_slope=Fraction(0)
    )
    assert flat == Trend(Verdict.CURBED, Fraction(0), 3)


def test_years_that_are_not_complete_take_no_part_in_a_trend() -> None:
    found = trend(
        {2020: Fraction(150), 2021: None, 2022: Fraction(160), 2023: Fraction(165)},
        least_years=3,
        curbed_slope=Fraction(0),
    )
    # years 0, 2, 3: slope = Σ(x − 5/3)(y − 475/3) / Σ(x − 5/3)² = (70/3) / (14/3)
    assert found == Trend(Verdict.NOT_CURBED, Fraction(5), 3)
    assert (
        trend({2020: Fraction(150), 2021: None}, least_years=3, curbed_slope=Fraction(0)).verdict
        is Verdict.TOO_FEW_YEARS
    )


@pytest.mark.parametrize(
    ("days", "share", "strictly", "allowed"),
    [
        (365, Fraction(95, 100), False, 18),
        (366, Fraction(95, 100), False, 18),
        (365, Fraction(96, 100), True, 14),  # at least 351 good
        (366, Fraction(96, 100), True, 14),  # at least 352 good
        (100, Fraction(95, 100), False, 5),
        (100, Fraction(95, 100), True, 4),
        (0, Fraction(95, 100), False, 0),
    ],
)
def test_the_days_that_may_be_bad(days: int, share: Fraction, strictly: bool, allowed: int) -> None:  # noqa: FBT001  a case
    assert allowed_bad_days(days, share, strictly=strictly) == allowed


def test_what_falls_is_counted_and_one_unknown_is_unknown() -> None:
    assert falling([Fraction(-1), Fraction(1)]) == 1
    assert falling([Fraction(0), Fraction(0)]) == 0
    assert falling([Fraction(-1), None]) is None


def test_numbers_are_rounded_half_to_even() -> None:
    assert [half_even(Fraction(n, 2), 0) for n in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]
    assert half_even(Fraction(1, 3), 2) == 33


def composite_of(values: dict[str, Fraction], form: int) -> Composites:
    """Return the composite index of two members with the same values."""
    return composite_indices(
        {item: same(value, 2) for item, value in values.items()}, load_rules().air_year.composite[form]
    )


def test_each_form_rounds_its_concentrations_before_it_divides() -> None:
    values = dict.fromkeys(("PM10", "SO2", "NO2", "CO", "O3"), Fraction(0)) | {"PM2.5": Fraction("35.4")}
    assert composite_of(values, 0).value.tolist() == [100, 100]  # 35 / 35
    made = composite_of(values, 1)
    assert made.value.tolist() == [354, 354]  # 3 × 35.4 / 30
    assert [item for item, top in zip(made.items, made.largest[:, 0].tolist(), strict=True) if top] == ["PM2.5"]


def test_a_missing_item_leaves_no_composite_index() -> None:
    assert composite_of({"PM2.5": Fraction(35)}, 0).ok.tolist() == [False, False]
