from __future__ import annotations

import argparse

from benchmarks.packets import packets, registry_text, rows_of, site_names
from benchmarks.year import KIND, MORE, YearRun, kind_text, lines, wide
from sensors.frames import flag_column, frame_schema
from sensors.kinds import parse_kind
from sensors.yamlfile import parse_yaml
from streams.air.index import FACTORS


def test_the_kind_of_the_benchmark_is_air_with_four_more_factors() -> None:
    kind = parse_kind(parse_yaml(kind_text(), "city.yaml"))
    assert kind.name == KIND
    assert tuple(kind.factors) == (*FACTORS, *MORE)
    assert kind.evaluations == ("air_index",)
    day = next(window for window in kind.windows if window.name == "24h")
    assert set(MORE) <= set(day.factors)
    assert "O3" not in day.factors


def test_rows_get_the_further_factors_with_the_values_of_those_they_resemble() -> None:
    rows = wide(rows_of(packets(site_names(3), 0, 2)))
    assert rows.schema.equals(frame_schema((*FACTORS, *MORE)))
    for name, like in MORE.items():
        assert rows.column(name).equals(rows.column(like))
        assert rows.column(flag_column(name)).equals(rows.column(flag_column(like)))


def test_the_year_is_told_by_rule_of_three_with_the_days_it_comes_from() -> None:
    run = YearRun(packets=1_000, fill_s=1, span_s=24, whole_s=30, worker_cpu_s=40, broker_cpu_s=2)
    told = list(lines(run, argparse.Namespace(sites=500, days=10, workers=2)))
    assert " ".join(told[-1].split()) == "a year at this pace 14.6 min (by rule of three from 10 days)"


def test_the_registry_of_the_benchmark_can_be_told_another_kind() -> None:
    assert registry_text(site_names(2)).count("class: urban") == 2
