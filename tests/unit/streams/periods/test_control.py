from __future__ import annotations

from fractions import Fraction

from streams.judging.reasons import INCOMPLETE, OK, SILENT
from streams.periods.control import AreaRow, Precursor, vocs_beside
from tests.period_cases import day_ms, day_no

CONTROL = AreaRow("C", "double_control", "year", day_ms(day_no("2026-01-01")), 1, 0)


def vocs(year: int, value: int | None, *, factor: str = "NMHC", area: str = "C", window: str = "year") -> AreaRow:
    return AreaRow(area, factor, window, day_ms(day_no(f"{year}-01-01")), value, 2)


def test_vocs_of_the_same_area_and_period_stand_beside_a_double_control() -> None:
    others = [vocs(2026, 900, area="D"), vocs(2026, 900, window="quarter"), vocs(2024, 900)]
    found = vocs_beside(CONTROL, [*others, vocs(2026, 90), vocs(2025, 100), vocs(2026, 50, factor="TVOC")])
    assert found == Precursor(factor="NMHC", change=Fraction(-10), reason=OK)


def test_what_is_not_measured_as_nmhc_may_be_as_tvoc() -> None:
    rows = [vocs(2026, 60, factor="TVOC"), vocs(2025, 50, factor="TVOC")]
    assert vocs_beside(CONTROL, rows) == Precursor(factor="TVOC", change=Fraction(20), reason=OK)


def test_without_a_value_or_a_year_before_there_is_a_reason_and_no_number() -> None:
    for rows in ([vocs(2026, None), vocs(2025, 100)], [vocs(2026, 90)], [vocs(2026, 90), vocs(2025, None)]):
        assert vocs_beside(CONTROL, rows) == Precursor(factor="NMHC", change=None, reason=INCOMPLETE)
    assert vocs_beside(CONTROL, [vocs(2026, 90, area="D")]) == Precursor(factor="", change=None, reason=SILENT)
