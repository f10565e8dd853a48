from __future__ import annotations

from benchmarks.packets import site_names
from benchmarks.periods import FIRST_DAY, Cost, city, measure, rows_of
from benchmarks.year import KIND, YEAR_DAYS, kind_text
from sensors.kinds import parse_kind
from sensors.yamlfile import parse_yaml
from streams.periods.calendar import day_date
from streams.results import RESULT_SCHEMA

CITY = parse_kind(parse_yaml(kind_text(), "city.yaml"))


def test_a_city_has_ten_sites_in_a_township_and_ten_townships_in_a_county() -> None:
    registry = city(101, CITY)
    assert [site.areas for site in registry.of_kind(KIND)][-1] == ("T0010", "C001", "CITY")
    assert {area.id: area.parent for area in registry.areas}["T0010"] == "C001"


def test_rows_have_a_result_of_every_factor_of_every_site() -> None:
    rows = rows_of(site_names(3), CITY, "24h", 0, 1)
    assert rows.schema.equals(RESULT_SCHEMA)
    assert rows.num_rows == 3 * len(CITY.factors)
    windows = {row["factor"]: row["window"] for row in rows.to_pylist()}
    assert (windows["O3"], windows["PM1"]) == ("MDA8", "24h")


def test_days_are_lived_through_and_told() -> None:
    assert day_date(FIRST_DAY).isoformat() == "2026-01-01"
    cost = measure(2, 2, hours=True)
    assert cost.rows == 2 * 25 * 2 * len(CITY.factors)
    assert cost.said > 0
    assert any("by rule of three from 2 days" in line for line in cost.lines())
    assert not any("rule of three" in line for line in Cost(days=YEAR_DAYS).lines())
