"""The packaged limits: the figures of the texts, and the dates, ages, seasons and places between rows."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest

from sensors.clock import day_number
from sensors.errors import UnknownName
from sensors.windows import Confidence
from streams.discharge.limitfile import Period, Temperature
from streams.discharge.limits import PACK_FILES, Limit, load_limits


def _day(text: str) -> int:
    return day_number(dt.date.fromisoformat(text))


def _found(standard: str, column: str, factor: str, table: str, day: str) -> list[Limit]:
    return [
        limit
        for limit in load_limits().of(standard).limits
        if (limit.column, limit.factor, limit.table) == (column, factor, table) and limit.holds_on(_day(day))
    ]


@pytest.mark.parametrize(
    ("standard", "column", "factor", "table", "high"),
    [
        ("GB 18918-2002", "1A", "COD", "1", "50"),
        ("GB 18918-2002", "1B", "TN", "1", "20"),
        ("GB 18918-2002", "3", "BOD5", "1", "60"),
        ("GB 18918-2002", "1A", "COD", "4", "75"),
        ("GB 18918-2002", "2", "COD", "4", "130"),
        ("GB 18918-2002", "1B", "TN", "4", "25"),
        ("GB 18918-2002", "1A", "Hg", "2", "0.001"),
        ("GB 18918-2002", "1A", "Ni", "3", "0.05"),
        ("GB 4287-2012", "direct", "COD", "2", "80"),
        ("GB 4287-2012", "indirect_park", "COD", "2", "500"),
        ("GB 4287-2012", "indirect_other", "COD", "2", "200"),
        ("GB 4287-2012", "indirect_park", "BOD5", "2", "150"),
        ("GB 4287-2012", "special_indirect", "COD", "3", "80"),
        ("GB 4287-2012", "direct", "Sb", "2", "0.1"),
        ("GB 8978-1996", "grade2", "petroleum", "4", "10"),
        ("GB 8978-1996", "grade1", "Be", "1", "0.005"),
    ],
)
def test_a_limit_has_the_figure_of_its_text(standard: str, column: str, factor: str, table: str, high: str) -> None:
    (limit,) = _found(standard, column, factor, table, "2026-06-01")
    assert (limit.high, limit.low, limit.unit) == (Fraction(high), None, "mg/L")


def test_every_limit_names_its_source_unit_and_how_sure_it_is() -> None:
    limits = [limit for found in load_limits().sets.values() for limit in found.limits]
    assert len(load_limits().sets) == len(PACK_FILES)
    assert all(limit.source and limit.unit and limit.confidence in Confidence for limit in limits)


def test_table_4_holds_from_march_2026_and_is_written_for_single_samples() -> None:
    assert _found("GB 18918-2002", "1A", "COD", "4", "2026-02-28") == []
    (limit,) = _found("GB 18918-2002", "1A", "COD", "4", "2026-03-01")
    assert limit.period is Period.INSTANTANEOUS


def test_ph_of_plants_moves_from_the_daily_row_to_the_instantaneous_table() -> None:
    assert len(_found("GB 18918-2002", "1A", "pH", "1", "2026-02-28")) == 1
    assert _found("GB 18918-2002", "1A", "pH", "1", "2026-03-01") == []
    (limit,) = _found("GB 18918-2002", "1A", "pH", "4", "2026-03-01")
    assert (limit.low, limit.high) == (Fraction(6), Fraction(9))


@pytest.mark.parametrize(
    ("built", "day", "high"),
    [
        ("2005-12-31", "2027-12-31", "1"),
        ("2006-01-01", "2027-12-31", "0.5"),
        ("2005-12-31", "2028-01-01", "0.5"),
        ("2006-01-01", "2028-01-01", "0.5"),
    ],
)
def test_tp_goes_by_the_age_of_the_plant_until_2028(built: str, day: str, high: str) -> None:
    found = _found("GB 18918-2002", "1A", "TP", "1", day)
    assert [limit.high for limit in found if limit.takes(dt.date.fromisoformat(built))] == [Fraction(high)]


def test_a_plant_without_a_date_meets_no_row_that_asks_for_one() -> None:
    assert not any(limit.takes(None) for limit in _found("GB 18918-2002", "1A", "TP", "1", "2026-01-01"))
    assert load_limits().of("GB 18918-2002").asks_built("1A", _day("2026-01-01"))
    assert load_limits().of("GB 8978-1996").asks_built("grade1", _day("2026-01-01"))
    # Since 2015 table 2 binds mills of any age.
    assert load_limits().of("GB 4287-2012").asks_built("direct", _day("2014-12-31"))
    assert not load_limits().of("GB 4287-2012").asks_built("direct", _day("2015-01-01"))


@pytest.mark.parametrize(
    ("day", "existing", "new"),
    [
        ("2025-10-31", "2", "1.5"),
        ("2025-11-01", "4", "3"),
        ("2026-03-31", "4", "3"),
        ("2026-04-01", "2", "1.5"),
    ],
)
def test_the_winter_row_of_zhejiang_goes_by_date(day: str, existing: str, new: str) -> None:
    for table, high in (("1", existing), ("2", new)):
        (limit,) = _found("DB33/2169-2018", "limit", "NH3-N", table, day)
        assert limit.high == Fraction(high)


def test_nh3_n_of_plants_has_one_row_on_each_side_of_12_degrees() -> None:
    rows = _found("GB 18918-2002", "1A", "NH3-N", "1", "2026-06-01")
    assert {row.temperature: row.high for row in rows} == {Temperature.OVER_12: 5, Temperature.TO_12: 8}


def test_antimony_and_the_eased_indirect_limits_of_dyeing_begin_with_the_amendment() -> None:
    assert _found("GB 4287-2012", "direct", "Sb", "2", "2015-03-26") == []
    assert [one.high for one in _found("GB 4287-2012", "indirect_park", "COD", "2", "2015-03-26")] == [200]
    assert [one.high for one in _found("GB 4287-2012", "indirect_park", "COD", "2", "2015-03-27")] == [500]


def test_discharge_into_a_municipal_plant_meets_the_direct_limits() -> None:
    assert load_limits().of("GB 4287-2012").column("indirect_municipal") == "direct"


def test_not_detectable_is_a_state_of_its_own_and_no_zero() -> None:
    (limit,) = _found("GB 4287-2012", "direct", "anilines", "2", "2026-01-01")
    assert limit.not_detectable
    assert (limit.low, limit.high) == (None, None)


def test_nmhc_in_the_plant_has_a_mean_of_an_hour_and_a_single_value_normal_and_special() -> None:
    limits = [one for one in load_limits().of("GB 37822-2019").limits if one.takes(dt.date(2021, 1, 1))]
    figures = {(one.column, one.period): one.high for one in limits}
    assert figures == {
        ("normal", Period.HOUR_MEAN): 10,
        ("special", Period.HOUR_MEAN): 6,
        ("normal", Period.ANY_VALUE): 30,
        ("special", Period.ANY_VALUE): 20,
    }
    assert {one.place for one in limits} == {("plant_open",)}


def test_plants_that_stood_before_gb_37822_had_a_year_more() -> None:
    old = [one for one in load_limits().of("GB 37822-2019").limits if one.takes(dt.date(2019, 6, 30))]
    assert {one.start_day for one in old} == {_day("2020-07-01")}


@pytest.mark.parametrize(("built", "h2s"), [("1994-05-31", "0.10"), ("1994-06-01", "0.06")])
def test_odour_at_the_boundary_goes_by_the_day_of_approval(built: str, h2s: str) -> None:
    found = _found("GB 14554-93", "grade2", "H2S", "1", "2026-01-01")
    assert [one.high for one in found if one.takes(dt.date.fromisoformat(built))] == [Fraction(h2s)]


@pytest.mark.parametrize(("built", "nmhc"), [("1996-12-31", "5"), ("1997-01-01", "4")])
def test_nmhc_at_the_boundary_goes_by_the_age_of_the_source(built: str, nmhc: str) -> None:
    found = [one for one in load_limits().of("GB 16297-1996").limits if one.factor == "NMHC"]
    assert [one.high for one in found if one.takes(dt.date.fromisoformat(built))] == [Fraction(nmhc)]


def test_a_column_may_stay_unnamed_only_where_there_is_one() -> None:
    assert load_limits().of("DB33/2169-2018").column("") == "limit"
    with pytest.raises(UnknownName):
        load_limits().of("GB 18918-2002").column("")
    with pytest.raises(UnknownName):
        load_limits().of("GB 18918-2002").column("1C")
    with pytest.raises(UnknownName):
        load_limits().of("GB 1")


def test_the_pack_is_named_by_its_content() -> None:
    assert len(load_limits().pack) == 16
    assert {found.standard for found in load_limits().of_kind("voc")} == {
        "GB 37822-2019", "GB 16297-1996", "GB 14554-93"
    }  # fmt: skip
