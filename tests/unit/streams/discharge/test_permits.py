"""Permits: what a file says, and what stays unset."""

from __future__ import annotations

import datetime as dt
import json
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

from sensors.clock import day_number, ms_of
from sensors.errors import ConfigError
from sensors.kinds import load_kind
from sensors.registry import parse_registry
from sensors.yamlfile import parse_yaml
from streams.discharge.limitfile import Period
from streams.discharge.limits import load_limits
from streams.discharge.permitfile import State, permit_schema
from streams.discharge.permits import OWN, Permits, load_permits, parse_permits

TEXT = """
sites:
  - site: SYN-DYE-1
    applies:
      - {standard: GB 4287-2012, column: indirect_municipal, from: 2020-01-01, to: 2026-02-28, source: permit}
      - {standard: GB 4287-2012, column: special_direct, from: 2026-03-01, source: permit}
    limits:
      - {factor: COD, period: daily_mean, high: 60, unit: mg/L, from: 2020-01-01, source: permit}
      - {factor: pH, period: instantaneous, low: 6.5, high: 8.5, unit: "1", from: 2020-01-01, source: permit}
    quotas:
      - {factor: COD, year: 2026, tonnes: 12.5, source: permit}
      - {factor: TN, year: 2026, tonnes: null, source: assigned from above}
    marks:
      - {state: stopped, from: 2026-01-02T08:00:00+08:00, to: 2026-01-02T20:00:00+08:00, author: 甲,
         sent: 2026-01-02T07:30:00+08:00, evidence: photo 1}
    calibrations:
      - {factor: COD, passed: 2026-05-02, author: 乙}
      - {factor: COD, passed: 2026-04-01, author: 乙}
    samples:
      - {factor: COD, day: 2026-05-03, values: [40, 42.5, 38, 41], unit: mg/L, author: 乙}
areas:
  - area: FIRM-1
    quotas: [{factor: COD, year: 2026, tonnes: 20, source: permit}]
    cuts: [{factor: COD, base_year: 2020, base_tonnes: 30, year: 2025, percent: null, source: assigned from above}]
decisions:
  - {standard: GB 18918-2002, table: "4", hour_is: finding, from: 2026-06-01, author: 丙, why: notice 12}
"""


def _permits() -> Permits:
    return parse_permits(parse_yaml(TEXT, "permits.yaml"), load_limits())


def _day(text: str) -> int:
    return day_number(dt.date.fromisoformat(text))


def test_a_standard_binds_over_its_own_span_with_its_column_resolved() -> None:
    first, second = _permits().site("SYN-DYE-1").applies
    assert (first.column, first.trade) == ("direct", "other")
    assert first.holds_on(_day("2026-02-28"))
    assert not first.holds_on(_day("2026-03-01"))
    assert second.holds_on(_day("2026-03-01"))
    assert second.column == "special_direct"


def test_a_permit_has_limits_of_its_own() -> None:
    cod, ph = _permits().site("SYN-DYE-1").limits
    assert (cod.standard, cod.high, cod.low, cod.period) == (OWN, Fraction(60), None, Period.DAILY_MEAN)
    assert (ph.low, ph.high) == (Fraction("6.5"), Fraction("8.5"))


def test_a_quota_is_kept_in_grams_and_one_not_yet_set_is_no_zero() -> None:
    holder = _permits().site("SYN-DYE-1")
    cod, tn = holder.quota("COD", 2026), holder.quota("TN", 2026)
    assert cod is not None
    assert cod.grams == 12_500_000
    assert tn is not None
    assert tn.grams is None
    assert holder.quota("COD", 2027) is None


def test_an_area_has_quotas_and_cuts_of_its_own() -> None:
    firm = _permits().area("FIRM-1")
    quota = firm.quota("COD", 2026)
    assert quota is not None
    assert quota.grams == 20_000_000
    assert firm.cuts[0].share is None
    assert firm.cuts[0].base_grams == 30_000_000


def test_marks_calibrations_and_samples_are_read() -> None:
    holder = _permits().site("SYN-DYE-1")
    (mark,) = holder.marks
    assert (mark.state, mark.author, mark.evidence) == (State.STOPPED, "甲", "photo 1")
    assert mark.start == ms_of(dt.datetime(2026, 1, 2, 0, tzinfo=dt.UTC))
    assert mark.end - mark.start == 12 * 3_600_000
    assert holder.calibrations == {"COD": (_day("2026-04-01"), _day("2026-05-02"))}
    assert holder.samples[0].values == tuple(map(Fraction, ("40", "42.5", "38", "41")))


def test_a_decision_has_an_author_and_a_span() -> None:
    (decision,) = _permits().decisions
    assert (decision.author, decision.why) == ("丙", "notice 12")
    assert not decision.holds_on(_day("2026-05-31"))
    assert decision.holds_on(_day("2026-06-01"))


def test_of_an_unknown_site_nothing_is_set() -> None:
    holder = _permits().site("OTHER")
    assert (holder.applies, holder.limits, holder.quotas) == ((), (), ())
    assert _permits().area("OTHER").quota("COD", 2026) is None


def test_a_sites_own_entry_comes_before_those_of_its_areas() -> None:
    assert [holder.id for holder in _permits().holders("SYN-DYE-1", ("PARK", "FIRM-1"))] == ["SYN-DYE-1", "FIRM-1"]


def test_an_empty_region_has_permits_that_say_nothing() -> None:
    assert Permits().site("A").applies == ()


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "permits.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert load_permits(path) == _permits()
    with pytest.raises(ConfigError):
        load_permits(tmp_path / "nowhere.yaml")


def test_the_written_schema_is_that_of_the_code_and_takes_the_file() -> None:
    written = json.loads((Path(__file__).parents[4] / "streams/data/permits.schema.json").read_text(encoding="utf-8"))
    assert written == permit_schema()
    jsonschema.validate(parse_yaml(TEXT, "permits.yaml").value, written)


REGISTRY = """
region: {zh: 某地, en: Somewhere}
synthetic: true
areas:
  - {id: FIRM-1, type: firm, name: {zh: 一厂（模拟）, en: firm}, origin: synthetic, source: a test}
sites:
  - {id: SYN-DYE-1, kind: outfall, class: firm, name: {zh: 排口（模拟）, en: outlet}, lon: 120, lat: 30, county: 某区,
     areas: [FIRM-1], period: 10min, origin: synthetic, source: a test, from: 2020-01-01, setting: {use: firm}}
"""


def _checked(text: str) -> Permits:
    registry = parse_registry(parse_yaml(REGISTRY, "registry.yaml"))
    kinds = {"outfall": load_kind("outfall")}
    return parse_permits(parse_yaml(text, "permits.yaml"), load_limits(), registry, kinds)


def test_what_a_file_names_stands_in_the_registry_and_its_kinds() -> None:
    assert _checked(TEXT) == _permits()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("SYN-DYE-1", "SYN-DYE-9"), "permits.yaml:3: sites.0.site: no site 'SYN-DYE-9'; name a site of registry.yaml"),
        (("area: FIRM-1", "area: FIRM-9"), "areas.0.area: no area 'FIRM-9'; name an area of registry.yaml"),
        (("factor: COD, period", "factor: CDO, period"), "sites.0.limits.0.factor: kind outfall has no factor 'CDO'"),
        (("high: 60, unit: mg/L", "high: 60, unit: ppm"), "sites.0.limits.0.unit: COD is not measured in ppm"),
        (("factor: TN, year", "factor: NT, year"), "sites.0.quotas.1.factor: nothing measures 'NT'"),
        (("quotas: [{factor: COD", "quotas: [{factor: X"), "areas.0.quotas.0.factor: nothing measures 'X'"),
        (("factor: COD, passed: 2026-05-02", "factor: c, passed: 2026-05-02"), "calibrations.0.factor: nothing"),
    ],
)
def test_a_name_that_nothing_has_is_refused_with_its_place(change: tuple[str, str], told: str) -> None:
    assert change[0] in TEXT
    with pytest.raises(ConfigError) as caught:
        _checked(TEXT.replace(change[0], change[1], 1))
    assert told in str(caught.value)
