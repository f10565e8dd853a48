from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.core import records
from benchmarks.load import PARTITIONS, bytes_on_disk, end_ms, markers
from benchmarks.packets import MINUTES, messages_of, packets, registry_text, site_names, true_means
from benchmarks.sides import _rules, said_in_frames, said_in_messages
from benchmarks.watching import Message, Said, check
from sensors.clock import HOUR_MS
from sensors.frames import Frame, Tick, decode, encode_tick
from sensors.partition import partition_of
from sensors.registry import parse_registry
from sensors.yamlfile import parse_yaml
from streams.judging.registered import judge_of
from streams.judging.state import JudgeSettings
from streams.results import ResultHead, encode_results
from tests.air_cases import CONTEXT

SITES, HOURS = site_names(40), 3
Quix = tuple[Callable[..., Any], Callable[..., Any]]


@pytest.fixture
def quix_parts(monkeypatch: pytest.MonkeyPatch) -> Quix:
    """The two functions of the Quix application, read without Quix Streams."""
    monkeypatch.setitem(sys.modules, "quixstreams", types.SimpleNamespace(Application=object))
    monkeypatch.delitem(sys.modules, "benchmarks.quix_app", raising=False)
    from benchmarks.quix_app import adder, closer  # noqa: PLC0415

    rules = _rules()
    return adder(rules["factors"]), closer(rules)


def _message(partition: int, key: bytes | None, value: bytes) -> Message:
    return Message(partition=partition, key=key, value=value, at=0.0)


def _jianhu() -> list[Message]:
    air = parse_registry(parse_yaml(registry_text(SITES), "b")).of_kind("air")
    judges = [
        judge_of(air, CONTEXT, partition=p, partitions=PARTITIONS, settings=JudgeSettings()) for p in range(PARTITIONS)
    ]
    found = [_message(0, None, encode_tick(1))]
    for partition, data in records(SITES, HOURS):
        item = decode(data)
        if isinstance(item, Frame):
            assert judges[partition].fold(item) == ()
        elif (said := judges[partition].tick(item.at)) is not None:
            found.append(_message(partition, None, encode_results(ResultHead(kind="air", pack=""), said)))
    return found


def _quix(parts: Quix) -> list[Message]:
    add, close = parts
    states: dict[tuple[str, int], list[int]] = {}
    for site, start, text in messages_of(packets(SITES, 0, HOURS * MINUTES)):
        hour = (site, start // HOUR_MS * HOUR_MS)
        states[hour] = json.loads(json.dumps(add(states.get(hour, [0] * 12), json.loads(text))))
    said = [
        _message(0, site.encode(), json.dumps(close({"start": start, "value": state})).encode())
        for (site, start), state in states.items()
    ]
    return [_message(0, b"marker-0", b"{}"), *said]


def test_both_sides_give_the_true_means_and_the_same_indices(quix_parts: Quix) -> None:
    truth = true_means(SITES, HOURS)
    count, ours = said_in_frames(_jianhu())
    windows, theirs = said_in_messages(_quix(quix_parts))
    check("jianhu", ours, truth)
    check("Quix Streams", theirs, truth, ours.indices)
    assert windows == len(SITES) * HOURS * 7
    assert count == len(SITES) * HOURS * 15
    assert None in theirs.indices.values()
    assert len(set(theirs.indices.values())) > 10


@pytest.mark.parametrize(
    ("total", "count", "mean"),
    [(45 * 150, 45, 2), (45 * 250, 45, 2), (45 * 251, 45, 3), (45 * 249, 45, 2), (44 * 100, 44, None), (0, 60, 0)],
)
def test_the_other_side_rounds_half_to_even_too(quix_parts: Quix, total: int, count: int, mean: int | None) -> None:
    made = quix_parts[1]({"start": 0, "value": [total] * 6 + [count] * 6})
    assert made["means"] == [mean] * 6


def test_an_hour_without_any_mean_has_no_index(quix_parts: Quix) -> None:
    assert quix_parts[1]({"start": 0, "value": [0] * 12})["aqi"] is None


def test_the_records_end_with_the_tick_that_closes_the_last_hour() -> None:
    made = list(records(SITES, 1))
    first, last = made[:PARTITIONS], made[-PARTITIONS:]
    assert all(isinstance(decode(data), Tick) for _, data in (*first, *last))
    assert {p for p, _ in last} == set(range(PARTITIONS))
    assert {decode(data).at for _, data in last} == {end_ms(1)}  # type: ignore[union-attr]
    rows = sum(item.rows.num_rows for _, data in made if isinstance(item := decode(data), Frame))
    assert rows == len(SITES) * MINUTES


def test_every_partition_has_its_marker() -> None:
    found = markers()
    assert set(found) == set(range(PARTITIONS))
    assert all(partition_of(name, PARTITIONS) == partition for partition, name in found.items())


def test_the_size_of_a_topic_is_that_of_its_segments(tmp_path: Path) -> None:
    for name, size in (("t.x-0/0.log", 5), ("t.x-1/0.log", 7), ("t.x-1/0.index", 100), ("t.x.y-0/0.log", 1000)):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    assert bytes_on_disk(tmp_path, "t.x") == 12


def test_the_rules_given_to_the_other_side_are_plain_numbers() -> None:
    rules = json.loads(json.dumps(_rules()))
    assert len(rules["iaqi"]) == len(rules["factors"]) == 6
    assert np.array(rules["iaqi"]).max() == 500
    assert Said(means={}, indices={}).means == {}
