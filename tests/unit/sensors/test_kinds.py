from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

from sensors.clock import DAY_MS, HOUR_MS
from sensors.errors import ConfigError, UnknownName
from sensors.factors import INT32, Form, load_factors
from sensors.kindparts import DAY_RULES, SLOT_RULES
from sensors.kinds import Confidence, DayRange, Kind, Span, Statistic, kind_names, kind_schema, load_kind, parse_kind
from sensors.registry import StationClass
from sensors.yamlfile import parse_yaml, read_yaml

FOLDER = Path(__file__).parents[3] / "sensors/data/kinds"
DELIVERED = ("air", "ecoflow", "meteo", "noise", "operation", "outfall", "voc", "water")
MINIMAL = """\
kind: tank
name: {zh: 罐, en: tank}
slot: 1h
fine: 10min
classes: [tank]
factors:
  a: {name: {zh: 甲, en: a}, unit: mg/L, decimals: 1, low: 0, high: 1000, units: {mg/L: 1}}
windows:
"""


def tank(*windows: str, more: str = "") -> Kind:
    return parse_kind(parse_yaml(MINIMAL + "".join(f"  - {window}\n" for window in windows) + more, "tank.yaml"))


def test_eight_kinds_are_delivered() -> None:
    assert kind_names() == DELIVERED
    assert all(load_kind(name).name == name for name in DELIVERED)


@pytest.mark.parametrize("name", DELIVERED)
def test_a_delivered_kind_keeps_to_the_schema(name: str) -> None:
    jsonschema.validate(read_yaml(FOLDER / f"{name}.yaml").value, kind_schema())


def test_the_written_schema_is_the_one_that_is_enforced() -> None:
    assert json.loads((FOLDER.parent / "kind.schema.json").read_text(encoding="utf-8")) == kind_schema()


@pytest.mark.parametrize("name", DELIVERED)
def test_every_value_of_a_kind_fits_the_stored_integer(name: str) -> None:
    for factor in load_kind(name).factors.values():
        assert max(abs(factor.low), abs(factor.high)) * 10**factor.digits < INT32
        assert factor.units[factor.unit] == 1


@pytest.mark.parametrize("name", DELIVERED)
def test_the_factors_of_a_kind_are_those_of_its_table(name: str) -> None:
    assert load_kind(name).factors == load_factors(name)
    assert list(load_kind(name).factors) == list(load_factors(name))


@pytest.mark.parametrize("name", DELIVERED)
def test_what_no_text_gave_is_not_called_confirmed(name: str) -> None:
    for window in load_kind(name).windows:
        for needs in window.needs:
            assert needs.source
            if "setting of this project" in needs.source or "not seen" in needs.source:
                assert needs.confidence is Confidence.NOT_SEEN


def test_the_classes_of_air_are_those_that_code_names() -> None:
    assert load_kind("air").classes == tuple(StationClass)


# Decimals of hour values: standards.md 4.5, 总站水字〔2020〕90号
@pytest.mark.parametrize(
    ("symbol", "hour_decimals"),
    [
        ("wtemp", 1), ("EC", 1), ("NTU", 1), ("pH", 2), ("DO", 2), ("CODMn", 2), ("COD", 2), ("NH3-N", 3), ("TP", 3),
        ("TN", 2), ("Cu", 4), ("Zn", 4), ("fluoride", 4), ("Se", 5), ("As", 5), ("Hg", 6), ("Cd", 5), ("Cr6", 4),
        ("Pb", 4), ("cyanide", 4), ("volatile_phenol", 5), ("petroleum", 3), ("LAS", 3), ("sulfide", 4),
    ],
)  # fmt: skip
def test_water_is_stored_two_digits_finer_than_its_hour_values(symbol: str, hour_decimals: int) -> None:
    factor = load_kind("water").factors[symbol]
    assert (factor.decimals, factor.digits) == (hour_decimals, hour_decimals + 2)


@pytest.mark.parametrize(
    ("kind", "symbol", "form", "by"),
    [
        ("water", "pH", Form.HYDROGEN_ION, ""), ("water", "gate", Form.STATE, ""), ("water", "TP", Form.MEAN, ""),
        ("outfall", "COD", Form.FLOW_WEIGHTED, "flow"), ("outfall", "NH3-N", Form.FLOW_WEIGHTED, "flow"),
        ("outfall", "volume", Form.COUNTER, ""), ("outfall", "rain", Form.SUM, ""), ("outfall", "flow", Form.MEAN, ""),
        ("meteo", "wind_dir", Form.VECTOR, "wind_speed"), ("voc", "wind_dir", Form.VECTOR, "wind_speed"),
        ("noise", "Leq", Form.ENERGY, ""), ("noise", "Lmax", Form.MAX, ""), ("air", "O3", Form.MEAN, ""),
    ],
)  # fmt: skip
def test_each_factor_says_how_its_values_become_one(kind: str, symbol: str, form: Form, by: str) -> None:
    factor = load_kind(kind).factors[symbol]
    assert (factor.form, factor.by) == (form, by)


def test_flow_is_taken_in_the_units_of_feeds_exactly() -> None:
    units = load_kind("outfall").factors["flow"].units
    assert units["m³/h"] * 18 == 5  # 1 m³/h is 1000 L in 3600 s
    assert units["m³/d"] * 86_400 == 1000
    assert load_kind("water").factors["flow"].units["L/s"] == Fraction(1, 1000)


def test_the_slots_of_water_are_four_hours_with_hours_within() -> None:
    water = load_kind("water")
    assert (water.slot_ms, water.fine_ms) == (4 * HOUR_MS, HOUR_MS)
    assert [window.name for window in water.of_span(Span.FINE)] == ["1h"]
    assert water.of_span(Span.SLOT)[0].name == "4h"
    assert DAY_MS // water.slot_ms == 6


def test_air_names_the_rows_of_its_pack_and_repeats_no_count() -> None:
    air = load_kind("air")
    assert {window.name: window.needs[0].rule for window in air.windows if window.needs[0].rule} == {
        "1h": "hour_minutes", "24h": "day_hours", "month": "month_days", "year": "year_days",
        "year_p98": "year_days", "year_p95": "year_days", "year_p90": "year_days", "running_year": "year_days",
    }  # fmt: skip
    assert all(needs.at_least is None for window in air.windows for needs in window.needs)


def test_the_nine_items_of_water_are_usual_and_the_x_are_not() -> None:
    usual = [symbol for symbol, factor in load_kind("water").factors.items() if not factor.optional]
    assert usual == ["wtemp", "pH", "DO", "EC", "NTU", "CODMn", "NH3-N", "TP", "TN"]


def test_the_rules_that_a_kind_may_name_stand_in_the_packs() -> None:
    counts = read_yaml(FOLDER.parents[2] / "streams/data/hj663.yaml").value["editions"]
    assert all(set(SLOT_RULES) <= edition.keys() for edition in counts)
    days = read_yaml(FOLDER.parents[2] / "streams/data/periods.yaml").value
    assert all(rule in str(days) for rule in DAY_RULES)


@pytest.mark.parametrize(("window", "rule"), [("1h", "year_days"), ("24h", "hours"), ("month", "day_hours")])
def test_a_window_names_only_rules_that_count_what_it_is_made_of(window: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=f"no rule '{rule}' for {window}"):
        tank(f"{{name: {window}, needs: [{{rule: {rule}, source: a, confidence: not_seen}}]}}")


def test_long_windows_of_ozone_are_made_of_its_daily_maxima() -> None:
    long = [window for window in load_kind("air").windows if window.factors == ("O3",)]
    assert {window.of for window in long} == {"MDA8"}
    assert load_kind("air").window("month").of == "24h"
    assert load_kind("air").window("1h").of == ""


def test_percentiles_are_those_of_hj_663() -> None:
    shares = {
        factor: window.percentile
        for window in load_kind("air").windows
        if window.statistic is Statistic.PERCENTILE
        for factor in window.factors
    }
    assert shares == {
        "SO2": Fraction(98, 100), "NO2": Fraction(98, 100), "PM2.5": Fraction(95, 100), "PM10": Fraction(95, 100),
        "CO": Fraction(95, 100), "O3": Fraction(9, 10),
    }  # fmt: skip


def test_the_seasons_of_fine_dust_and_ozone_share_october() -> None:
    seasons = {season.id: season for season in load_kind("air").seasons}
    assert set(seasons) == {"pm", "o3"}
    holds = {
        name: [any(r.contains(m, 15) for r in season.ranges) for m in range(1, 13)] for name, season in seasons.items()
    }
    assert [month for month in range(1, 13) if holds["pm"][month - 1]] == [1, 2, 3, 10, 11, 12]
    assert [month for month in range(1, 13) if holds["o3"][month - 1]] == [4, 5, 6, 7, 8, 9, 10]
    assert all(season.author and season.confidence is Confidence.NOT_SEEN for season in seasons.values())


@pytest.mark.parametrize(
    ("first", "last", "inside", "outside"),
    [
        ((4, 15), (10, 15), [(4, 15), (7, 1), (10, 15)], [(4, 14), (10, 16), (1, 1)]),
        ((11, 1), (3, 31), [(11, 1), (12, 31), (1, 1), (2, 29), (3, 31)], [(10, 31), (4, 1)]),
        ((5, 5), (5, 5), [(5, 5)], [(5, 4), (5, 6)]),
    ],
)
def test_a_range_of_days_holds_both_its_ends_and_may_run_over_the_new_year(
    first: tuple[int, int], last: tuple[int, int], inside: list[tuple[int, int]], outside: list[tuple[int, int]]
) -> None:
    days = DayRange(first=first, last=last)
    assert all(days.contains(*day) for day in inside)
    assert not any(days.contains(*day) for day in outside)


def test_dated_completeness_is_that_of_the_day() -> None:
    window = tank(
        "{name: 24h, needs: [{at_least: 18, source: a, confidence: not_seen}, "
        "{from: 2026-03-01, at_least: 20, source: b, confidence: confirmed}]}"
    ).windows[0]
    first = 20_513  # 2026-03-01
    found = [window.needs_on(day) for day in (0, first - 1, first)]
    assert [needs.at_least for needs in found if needs] == [18, 18, 20]
    assert tank("{name: 24h}").windows[0].needs_on(0) is None


def test_before_its_first_rule_a_window_asks_for_nothing() -> None:
    window = tank("{name: 24h, needs: [{from: 2026-03-01, at_least: 20, source: b, confidence: confirmed}]}").windows[0]
    assert window.needs_on(20_512) is None


def test_rules_out_of_order_are_refused() -> None:
    needs = "{name: 24h, needs: [{from: 2026-03-01, at_least: 20, source: b, confidence: confirmed}, %s]}"
    for other in (
        "{at_least: 18, source: a, confidence: not_seen}",
        "{from: 2026-03-01, share: 1, source: a, confidence: not_seen}",
    ):
        with pytest.raises(ConfigError, match="dates out of order or twice"):
            tank(needs % other)


def test_a_window_without_factors_has_all_of_the_kind() -> None:
    assert tank("{name: 1h}").windows[0].factors == ("a",)
    assert tank("{name: 1h}").windows[0].step == "factor"


def test_a_window_is_found_by_name_and_an_unknown_one_is_an_error() -> None:
    assert load_kind("air").window("24h").span is Span.DAY
    with pytest.raises(UnknownName, match="the kind air has no '4h'"):
        load_kind("air").window("4h")


def test_evaluations_are_checked_where_the_caller_knows_them() -> None:
    document = read_yaml(FOLDER / "water.yaml")
    assert parse_kind(document).evaluations == ("water_class", "trophic", "flux", "combination")
    assert parse_kind(document, ["combination", "flux", "trophic", "water_class"], ["water_period"]).name == "water"
    with pytest.raises(ConfigError, match="no evaluation 'water_period'; name one of air_year"):
        parse_kind(document, None, ["air_year"])
    with pytest.raises(ConfigError, match="no evaluation 'flux'; name one of trophic, water_class"):
        parse_kind(document, ["trophic", "water_class"])


def test_only_a_longer_window_is_made_of_days() -> None:
    with pytest.raises(ConfigError, match="24h is not made of days"):
        tank("{name: 24h, of: MDA8}")
    assert tank("{name: month, of: 24h_max}").windows[0].of == "24h_max"


def test_a_file_that_is_no_mapping_is_refused() -> None:
    for text in ("", "[]", "3"):
        with pytest.raises(ConfigError):
            parse_kind(parse_yaml(text, "tank.yaml"))
