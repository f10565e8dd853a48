"""Which limits are held against a value: by permit, date, age, season, temperature, place, method."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sensors.registry import Site
from streams.discharge.applied import AppliedLimit, LimitBook, Verdict, Warmth, When, Why, limits_for
from tests.discharge_cases import HOUR_MS, book, day, site

PLANT = """
sites:
  - site: SYN-OUT-1
    applies:
      - {{standard: GB 18918-2002, column: 1A, built: {built}, from: 2010-01-01, source: permit}}
      - {{standard: DB33/2169-2018, built: {built}, from: 2019-01-01, source: permit}}
"""


def _plant(built: str = "2004-05-01") -> LimitBook:
    return book(PLANT.format(built=built))


def _limits(
    held: LimitBook, factor: str, window: str, date: str, *, at: Site | None = None, warmth: Warmth = Warmth.UNKNOWN
) -> list[AppliedLimit]:
    return list(limits_for(held, at or site(), factor, window, When(day=day(date), warmth=warmth)))


def _said(found: list[AppliedLimit]) -> list[tuple[str, str, Fraction | None, Verdict]]:
    return [(one.limit.standard, one.limit.table, one.high, one.verdict) for one in found]


def test_a_day_of_a_plant_meets_the_national_and_the_zhejiang_daily_means_as_findings() -> None:
    assert _said(_limits(_plant(), "COD", "24h", "2026-06-01")) == [
        ("GB 18918-2002", "1", Fraction(50), Verdict.FINDING),
        ("DB33/2169-2018", "1", Fraction(40), Verdict.FINDING),
    ]


def test_an_hour_meets_only_the_instantaneous_table_and_only_as_a_hint() -> None:
    assert _limits(_plant(), "COD", "1h", "2026-02-28") == []
    (found,) = _limits(_plant(), "COD", "1h", "2026-03-01")
    assert (found.limit.table, found.high, found.verdict, found.why) == ("4", Fraction(75), Verdict.HINT, Why.AUTOMATIC)


def test_a_named_person_may_decide_that_an_hour_is_a_finding_from_a_day_on() -> None:
    decided = book(
        PLANT.format(built="2004-05-01")
        + "decisions:\n  - {standard: GB 18918-2002, table: '4', hour_is: finding, from: 2026-06-01,\n"
        + "     author: 丙, why: notice 12}\n"
    )
    (before,) = _limits(decided, "COD", "1h", "2026-05-31")
    (after,) = _limits(decided, "COD", "1h", "2026-06-01")
    assert before.verdict is Verdict.HINT
    assert (after.verdict, after.why, after.author) == (Verdict.FINDING, Why.DECIDED, "丙")


@pytest.mark.parametrize(
    ("date", "high"),
    [("2025-10-31", "2"), ("2025-11-01", "4"), ("2026-03-31", "4"), ("2026-04-01", "2")],
)
def test_the_winter_row_holds_by_date_whatever_the_water_temperature(date: str, high: str) -> None:
    for warmth in Warmth:
        found = [one for one in _limits(_plant(), "NH3-N", "24h", date, warmth=warmth) if one.limit.standard[0] == "D"]
        assert [one.high for one in found] == [Fraction(high)]


@pytest.mark.parametrize(("warmth", "high"), [(Warmth.WARM, 5), (Warmth.COLD, 8)])
def test_ammonia_of_the_national_standard_goes_by_water_temperature(warmth: Warmth, high: int) -> None:
    found = [one for one in _limits(_plant(), "NH3-N", "24h", "2026-06-01", warmth=warmth) if one.limit.table == "1"]
    assert [one.high for one in found if one.limit.standard == "GB 18918-2002"] == [high]


def test_without_a_water_temperature_both_rows_are_shown_and_neither_is_judged() -> None:
    found = _limits(_plant(), "NH3-N", "1h", "2026-06-01")
    assert [(one.high, one.verdict, one.why) for one in found] == [
        (Fraction(10), Verdict.SHOWN, Why.NO_TEMPERATURE),
        (Fraction(15), Verdict.SHOWN, Why.NO_TEMPERATURE),
    ]


@pytest.mark.parametrize(
    ("built", "date", "daily"),
    [
        ("2005-12-31", "2027-12-31", "1"),
        ("2006-01-01", "2027-12-31", "0.5"),
        ("2005-12-31", "2028-01-01", "0.5"),
    ],
)
def test_phosphorus_goes_by_the_age_of_the_plant(built: str, date: str, daily: str) -> None:
    found = [one for one in _limits(_plant(built), "TP", "24h", date) if one.limit.standard == "GB 18918-2002"]
    assert [one.high for one in found] == [Fraction(daily)]


def test_a_new_plant_meets_table_2_of_zhejiang() -> None:
    found = _limits(_plant("2019-01-01"), "COD", "24h", "2026-06-01")
    assert [one.high for one in found if one.limit.standard.startswith("DB33")] == [30]


def test_nothing_set_is_no_limit() -> None:
    assert _limits(book(), "COD", "24h", "2026-06-01") == []


def test_a_firms_entry_binds_its_sites_and_a_sites_own_goes_before_it() -> None:
    text = """
sites:
  - site: SYN-OUT-2
    applies: [{standard: GB 4287-2012, column: special_direct, from: 2020-01-01, source: permit}]
areas:
  - area: FIRM-1
    applies: [{standard: GB 4287-2012, column: indirect_park, from: 2020-01-01, source: permit}]
    limits: [{factor: COD, period: daily_mean, high: 90, unit: mg/L, from: 2020-01-01, source: firm rule}]
"""
    held = book(text)
    one = _limits(held, "COD", "24h", "2026-06-01", at=site("SYN-OUT-1", areas=("FIRM-1",)))
    two = _limits(held, "COD", "24h", "2026-06-01", at=site("SYN-OUT-2", areas=("FIRM-1",)))
    assert [found.high for found in one] == [500, 90]
    assert [found.high for found in two] == [60, 90]


def test_a_permits_limit_in_another_unit_is_brought_to_that_of_the_factor() -> None:
    text = """
sites:
  - site: SYN-OUT-1
    limits:
      - {factor: Sb, period: daily_mean, high: 80, unit: µg/L, from: 2020-01-01, source: permit}
      - {factor: COD, period: daily_mean, high: 80, unit: stone, from: 2020-01-01, source: permit}
"""
    (found,) = _limits(book(text), "Sb", "24h", "2026-06-01")
    assert found.high == Fraction("0.08")
    (odd,) = _limits(book(text), "COD", "24h", "2026-06-01")
    assert (odd.verdict, odd.why) == (Verdict.SHOWN, Why.UNIT)


def test_ph_is_judged_on_the_lowest_and_the_highest_and_has_no_mean() -> None:
    held = book(
        "sites: [{site: SYN-OUT-1, applies: [{standard: GB 4287-2012, column: direct, from: 2020-01-01, source: p}]}]"
    )
    assert _limits(held, "pH", "24h", "2026-06-01") == []
    for window, verdict in (
        ("24h_min", Verdict.FINDING),
        ("24h_max", Verdict.FINDING),
        ("1h_min", Verdict.HINT),
        ("1h_max", Verdict.HINT),
    ):
        (found,) = _limits(held, "pH", window, "2026-06-01")
        assert (found.low, found.high, found.verdict) == (Fraction(6), Fraction(9), verdict)


def test_not_detectable_is_shown_and_never_judged() -> None:
    text = (
        "sites: [{site: SYN-OUT-1, applies: [{standard: GB 4287-2012, column: special_direct, from: 2020-01-01, "
        "source: p}], limits: [{factor: SS, period: daily_mean, high: 10, unit: mg/L, from: 2020-01-01, source: p}]}]"
    )
    held = book(text)
    (found,) = limits_for(held, site(), "anilines", "24h", When(day=day("2026-06-01")))
    assert (found.verdict, found.why, found.high) == (Verdict.SHOWN, Why.NOT_DETECTABLE, None)


def test_a_trades_own_row_goes_before_that_of_the_others() -> None:
    for trade, high in (("other", 100), ("petrochemical", 60), ("dye", 100)):
        held = book(
            f"sites: [{{site: SYN-OUT-1, applies: [{{standard: GB 8978-1996, column: grade1, trade: {trade}, "
            "built: 2000-01-01, from: 2020-01-01, source: p}]}]"
        )
        assert [one.high for one in _limits(held, "COD", "24h", "2026-06-01")] == [high]


@pytest.mark.parametrize(("built", "highs"), [("1997-12-31", []), ("1998-01-01", [100])])
def test_table_4_of_gb_8978_binds_only_units_built_from_1998(built: str, highs: list[int]) -> None:
    held = book(
        "sites: [{site: SYN-OUT-1, applies: [{standard: GB 8978-1996, column: grade1, "
        f"built: {built}, from: 2020-01-01, source: p}}]}}]"
    )
    assert [one.high for one in _limits(held, "COD", "24h", "2026-06-01")] == highs


@pytest.mark.parametrize(
    ("built", "date", "highs"),
    [
        ("2012-12-31", "2014-12-31", []),
        ("2012-12-31", "2015-01-01", [80]),
        ("2013-01-01", "2013-01-01", [80]),
        ("2013-01-01", "2015-01-01", [80]),
    ],
)
def test_table_2_of_gb_4287_binds_mills_built_before_2013_from_2015(built: str, date: str, highs: list[int]) -> None:
    held = book(
        "sites: [{site: SYN-OUT-1, applies: [{standard: GB 4287-2012, column: direct, "
        f"built: {built}, from: 2010-01-01, source: p}}]}}]"
    )
    assert [one.high for one in _limits(held, "COD", "24h", date)] == highs


@pytest.mark.parametrize(
    ("factor", "method", "verdict", "why"),
    [
        ("benzene", "GC-FID", Verdict.FINDING, Why.WRITTEN_FOR),
        ("benzene", "GC-MS", Verdict.FINDING, Why.WRITTEN_FOR),
        ("benzene", "PID", Verdict.HINT, Why.METHOD),
        ("benzene", "", Verdict.HINT, Why.METHOD),
        ("H2S", "GC-FPD", Verdict.FINDING, Why.WRITTEN_FOR),
        ("H2S", "electrochemical", Verdict.HINT, Why.METHOD),
        ("H2S", "", Verdict.HINT, Why.METHOD),
        ("NH3", "electrochemical", Verdict.HINT, Why.METHOD),
        ("styrene", "PID", Verdict.HINT, Why.METHOD),
    ],
)
def test_every_limit_of_vocs_and_odour_at_the_boundary_binds_to_its_method(
    factor: str, method: str, verdict: Verdict, why: Why
) -> None:
    held = book(
        "sites: [{site: SYN-V, applies: ["
        "{standard: GB 14554-93, column: grade2, built: 2010-01-01, from: 2020-01-01, source: s}, "
        "{standard: GB 16297-1996, built: 2010-01-01, from: 2020-01-01, source: s}]}]",
        "voc",
    )
    point = site("SYN-V", "voc", layer="boundary", method={factor: method} if method else {}, basis="carbon")
    (found,) = limits_for(held, point, factor, "1h", When(day=day("2026-06-01")))
    assert (found.verdict, found.why) == (verdict, why)


VOC = """
areas:
  - area: FIRM-1
    applies:
      - {standard: GB 37822-2019, column: special, built: 2015-01-01, from: 2020-07-01, source: choice of the bureau}
      - {standard: GB 16297-1996, built: 2015-01-01, from: 2015-01-01, source: permit}
      - {standard: GB 14554-93, column: grade2, built: 2015-01-01, from: 2015-01-01, source: permit}
"""


def _point(layer: str, method: str = "GC-FID", basis: str = "carbon") -> Site:
    return site(
        "SYN-VOC-1", kind="voc", areas=("FIRM-1",), layer=layer, method={"NMHC": method, "TVOC": "PID"}, basis=basis
    )


def _voc(factor: str, window: str, at: Site) -> list[AppliedLimit]:
    return _limits(book(VOC, kind="voc"), factor, window, "2026-06-01", at=at)


def test_in_the_plants_open_air_nmhc_meets_the_hour_and_the_single_value_of_gb_37822() -> None:
    (hour,) = _voc("NMHC", "1h", _point("plant_open"))
    (single,) = _voc("NMHC", "1h_max", _point("plant_open"))
    assert (hour.limit.standard, hour.high, hour.verdict) == ("GB 37822-2019", Fraction(6), Verdict.FINDING)
    assert (single.high, single.verdict) == (Fraction(20), Verdict.FINDING)


def test_at_the_boundary_nmhc_meets_gb_16297_and_sulfide_gb_14554() -> None:
    (nmhc,) = _voc("NMHC", "1h", _point("boundary"))
    (sulfide,) = _voc("H2S", "1h", _point("boundary"))
    assert (nmhc.limit.standard, nmhc.high) == ("GB 16297-1996", Fraction(4))
    assert (sulfide.limit.standard, sulfide.high) == ("GB 14554-93", Fraction("0.06"))


@pytest.mark.parametrize("layer", ["workshop", "warehouse"])
def test_inside_a_workshop_or_warehouse_nothing_is_set_unless_a_permit_says_so(layer: str) -> None:
    assert _voc("NMHC", "1h", _point(layer)) == []
    own = "{factor: NMHC, period: hour_mean, high: 50, unit: mg/m³, from: 2020-01-01, source: firm}"
    text = f"{VOC}    limits: [{own}]\n"
    (found,) = _limits(book(text, kind="voc"), "NMHC", "1h", "2026-06-01", at=_point(layer))
    assert (found.limit.standard, found.high) == ("permit", Fraction(50))


def test_tvoc_and_nmhc_by_pid_only_ever_hint() -> None:
    (tvoc,) = _voc("TVOC", "1h", _point("plant_open"))
    (pid,) = _voc("NMHC", "1h", _point("plant_open", method="PID"))
    assert (tvoc.high, tvoc.verdict, tvoc.why) == (Fraction(6), Verdict.HINT, Why.PROXY)
    assert (pid.verdict, pid.why) == (Verdict.HINT, Why.METHOD)


@pytest.mark.parametrize("basis", ["unknown", ""])
def test_nmhc_on_an_unknown_basis_is_shown_and_not_judged(basis: str) -> None:
    (found,) = _voc("NMHC", "1h", _point("plant_open", basis=basis))
    assert (found.verdict, found.why) == (Verdict.SHOWN, Why.BASIS)


def test_an_odour_index_never_meets_the_odour_limit() -> None:
    for window in ("1h", "1h_max", "24h"):
        assert _voc("odour_index", window, _point("boundary")) == []
    assert len(_voc("odour", "1h", _point("boundary"))) == 1


def test_noise_of_a_zone_needs_no_permit_and_one_hour_only_hints() -> None:
    held, zone = book(kind="noise"), site("SYN-N-1", kind="noise", zone="4a")
    morning, evening = 8 * HOUR_MS, 22 * HOUR_MS - 8 * HOUR_MS
    base = day("2026-06-01") * 24 * HOUR_MS - 8 * HOUR_MS
    (by_day,) = limits_for(held, zone, "Leq", "1h", When.at(base + morning))
    (by_night,) = limits_for(held, zone, "Leq", "1h", When.at(base + evening + 8 * HOUR_MS))
    assert (by_day.high, by_day.verdict, by_day.why) == (Fraction(70), Verdict.HINT, Why.SHORTER)
    assert by_night.high == 55
