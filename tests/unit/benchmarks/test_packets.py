from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.packets import (
    MINUTES,
    START_MS,
    STEP,
    messages_of,
    packets,
    registry_text,
    rows_of,
    site_names,
    true_means,
)
from sensors.clock import HOUR_MS, MINUTE_MS, beijing
from sensors.factors import load_factors
from sensors.frames import flag_column, frame_schema
from sensors.registry import parse_registry
from sensors.yamlfile import parse_yaml
from streams.air.index import FACTORS

SITES = site_names(7)


@pytest.mark.parametrize("cut", [1, 59, 60, 61, 119])
def test_any_cut_of_time_gives_the_same_packets(cut: int) -> None:
    whole, first, second = packets(SITES, 0, 120), packets(SITES, 0, cut), packets(SITES, cut, 120 - cut)
    for name in ("start", "values", "said"):
        joined = np.concatenate([getattr(first, name), getattr(second, name)])
        assert (getattr(whole, name) == joined).all(), name


def test_every_site_sends_one_packet_a_minute_at_a_time_of_its_own() -> None:
    made = packets(SITES, 0, MINUTES)
    times = {(s, int(t)) for s, t in zip(np.tile(np.arange(7), MINUTES), made.start, strict=True)}
    assert len(times) == 7 * MINUTES
    assert made.start[0] == START_MS
    assert made.start[-1] == START_MS + 59 * MINUTE_MS


def test_the_first_packet_begins_a_day_in_beijing() -> None:
    assert (beijing(START_MS).hour, beijing(START_MS).minute) == (0, 0)


def test_values_are_possible_ones() -> None:
    made = packets(site_names(200), 0, MINUTES)
    table = load_factors("air")
    for f, factor in enumerate(FACTORS):
        values = made.values[:, f]
        assert values.min() >= table[factor].low * 10 ** table[factor].digits
        assert values.max() <= table[factor].high * 10 ** table[factor].digits
        assert np.unique(values).size > 500


def test_some_hours_lack_too_many_minutes_and_most_do_not() -> None:
    means = [value for mean in true_means(site_names(100), 3).values() for value in mean]
    missing = sum(value is None for value in means)
    assert 0 < missing < len(means) / 20


def test_rows_are_a_frame_with_a_flag_beside_every_value() -> None:
    rows = rows_of(packets(SITES, 30, 3))
    assert rows.schema.equals(frame_schema(FACTORS))
    rows.validate(full=True)
    assert rows.column("site").to_pylist() == [*SITES] * 3
    for factor in FACTORS:
        flags = rows.column(flag_column(factor)).to_pylist()
        values = rows.column(factor).to_pylist()
        assert all((flag == ord("N")) == (value is not None) for flag, value in zip(flags, values, strict=True))


def test_messages_say_what_rows_say() -> None:
    made = packets(SITES, 0, 5)
    rows = rows_of(made).to_pylist()
    messages = list(messages_of(made))
    assert len(messages) == len(rows)
    for row, (site, start, text) in zip(rows, messages, strict=True):
        told = json.loads(text)
        assert (told.pop("site"), told.pop("start")) == (row["site"], int(row["start"].timestamp() * 1000))
        assert (site, start) == (row["site"], int(row["start"].timestamp() * 1000))
        assert told == {factor: row[factor] for factor in FACTORS if row[factor] is not None}


def test_the_truth_is_the_mean_in_fractions_half_to_even() -> None:
    hours: dict[tuple[str, int], list[list[int]]] = {}
    for site, start, text in messages_of(packets(SITES, 0, 2 * MINUTES)):
        told = json.loads(text)
        held = hours.setdefault((site, start // HOUR_MS * HOUR_MS), [[] for _ in FACTORS])
        for values, factor in zip(held, FACTORS, strict=True):
            values.extend([told[factor]] if factor in told else [])
    expected = {
        hour: tuple(round(Fraction(sum(v), len(v) * STEP)) if len(v) >= 45 else None for v in held)
        for hour, held in hours.items()
    }
    assert true_means(SITES, 2) == expected


def test_the_registry_is_one_that_jianhu_reads() -> None:
    registry = parse_registry(parse_yaml(registry_text(SITES), "benchmark"))
    assert tuple(site.id for site in registry.of_kind("air")) == SITES
    assert {site.period_ms for site in registry.sites} == {MINUTE_MS}
    assert registry.synthetic
