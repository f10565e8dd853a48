"""HJ 356: which load stands in for a day that is not effective."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from sensors.windows import Confidence
from streams.discharge.effective import DayLoad, LoadHistory, Method, day_load, load_effective_rule
from streams.discharge.permits import Sample

RULE = load_effective_rule()


def _history(
    grams: dict[int, int],
    *,
    calibrations: Sequence[int] = (),
    samples: dict[int, Sample] | None = None,
    abnormal: Sequence[int] = (),
    litres: dict[int, int] | None = None,
) -> LoadHistory:
    return LoadHistory(
        grams=grams,
        litres=litres or {},
        calibrations=calibrations,
        samples=samples or {},
        abnormal=frozenset(abnormal),
    )


def _sample(day: int, *values: str, unit: str = "mg/L") -> Sample:
    return Sample(factor="COD", day=day, values=tuple(map(Fraction, values)), unit=unit, author="乙", evidence="")


def test_an_effective_day_counts_as_it_was_measured() -> None:
    assert day_load(100, _history({100: 5}), RULE) == DayLoad(grams=5, method=Method.MEASURED)


def test_the_largest_of_the_thirty_effective_days_before_the_calibration_stands_in() -> None:
    # Day 59 is the 31st before: its 999 g do not count; day 95 lies after the calibration.
    grams = {day: day for day in range(60, 90)} | {59: 999, 95: 500}
    found = day_load(100, _history(grams, calibrations=[50, 90]), RULE)
    assert found == DayLoad(grams=89, method=Method.LARGEST)


def test_days_that_were_not_effective_are_passed_over_in_the_thirty() -> None:
    grams = {day: day for day in range(0, 90, 2)}  # every other day
    grams[30] = 700  # the 30th effective day before day 90
    grams[28] = 800  # the 31st
    assert day_load(100, _history(grams, calibrations=[90]), RULE).grams == 700


def test_a_calibration_after_the_day_has_not_been_passed_yet() -> None:
    assert day_load(100, _history({80: 7}, calibrations=[101]), RULE) == DayLoad(grams=None, method=Method.NONE)
    assert day_load(100, _history({80: 7}, calibrations=[100]), RULE).grams == 7


def test_without_a_passed_calibration_the_gap_stays() -> None:
    assert day_load(100, _history({99: 7}), RULE) == DayLoad(grams=None, method=Method.NONE)


def test_outside_normal_operation_manual_samples_go_first() -> None:
    # (40 + 42 + 38 + 44) / 4 = 41 mg/L x 1 000 000 L = 41 kg.
    sample = {100: _sample(100, "40", "42", "38", "44")}
    history = _history({80: 7}, calibrations=[90], samples=sample, abnormal=[100], litres={100: 1_000_000})
    assert day_load(100, history, RULE) == DayLoad(grams=41_000, method=Method.MANUAL)


@pytest.mark.parametrize(
    ("values", "unit", "litres"),
    [(("40", "42", "38"), "mg/L", 1000), (("1", "1", "1", "1"), "g/L", 1000), (("1", "1", "1", "1"), "mg/L", None)],
)
def test_too_few_samples_another_unit_or_no_volume_fall_back_on_the_largest_load(
    values: tuple[str, ...], unit: str, litres: int | None
) -> None:
    history = _history(
        {80: 7},
        calibrations=[90],
        samples={100: _sample(100, *values, unit=unit)},
        abnormal=[100],
        litres={} if litres is None else {100: litres},
    )
    assert day_load(100, history, RULE) == DayLoad(grams=7, method=Method.LARGEST)


def test_in_normal_operation_samples_do_not_replace_the_rule() -> None:
    history = _history({80: 7}, calibrations=[90], samples={100: _sample(100, "1", "1", "1", "1")}, litres={100: 1000})
    assert day_load(100, history, RULE).method is Method.LARGEST


def test_three_quarters_of_what_is_due_make_a_day_effective() -> None:
    assert RULE.enough(18, 24)
    assert not RULE.enough(17, 24)
    assert not RULE.enough(0, 0)
    assert RULE.confidence is Confidence.NOT_SEEN
