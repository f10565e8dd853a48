"""An outfall from packets to rows: the judge of the kind with the evaluations that its file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa

from sensors.frames import Frame, FrameHead, Tick, frame_schema
from sensors.kinds import load_kind
from sensors.registry import Site
from streams.discharge.judgement import Level, read_detail
from streams.judging.judge import KindJudge
from streams.judging.registered import judge_of
from streams.judging.state import JudgeSettings
from tests.air_cases import contents, final, run
from tests.discharge_cases import HOUR_MS, context, day, site, stored

KIND = load_kind("outfall")
TEN_MS = 600_000
BEGIN = day("2026-06-01") * 24 * HOUR_MS - 8 * HOUR_MS
PERMITS = """
sites:
  - site: A
    applies: [{standard: GB 4287-2012, column: direct, from: 2020-01-01, source: permit}]
  - site: R
    limits: [{factor: COD, period: instantaneous, high: 50, unit: mg/L, from: 2020-01-01, source: park rule}]
"""
OUTLET, RAIN = site("A", use="firm"), site("R", use="rain")


def _frame(rows: Sequence[tuple[str, int, Mapping[str, float | str]]]) -> Frame:
    """Return ten-minute packets: site, place of the ten minutes from the day's start, values."""
    packets: list[dict[str, Any]] = []
    for name, place, values in rows:
        start = BEGIN + place * TEN_MS
        packet: dict[str, Any] = {"site": name, "start": start, "received": start + TEN_MS, "correction": 0}
        for factor, value in values.items():
            packet |= {factor: stored(KIND, factor, value), f"{factor}.flag": ord("N")}
        packets.append(packet)
    head = FrameHead(kind="outfall", period_ms=TEN_MS, source="test", sequence=0)
    return Frame(head=head, rows=pa.RecordBatch.from_pylist(packets, schema=frame_schema(tuple(KIND.factors))))


def _judge(*sites: Site) -> KindJudge:
    made = context(PERMITS)
    quiet = replace(made, kind=replace(KIND, quality=()))  # the same value all day is no fault in a test
    return judge_of(sites or (OUTLET, RAIN), quiet, partition=0, partitions=1, settings=JudgeSettings())


def _values(place: int) -> dict[str, float | str]:
    """Return a firm's ten minutes: 10 L/s at 60 mg/L, in the last hour 30 L/s at 150 mg/L."""
    last = place >= 138
    return {"flow": 30 if last else 10, "COD": 150 if last else 60, "pH": "7.5", "NH3-N": 5}


LOG = [("A", place, _values(place)) for place in range(144)] + [
    ("R", place, {"flow": 2 if place >= 132 else 0, "rain": 0, "COD": 20}) for place in range(144)
]
END = Tick(at=BEGIN + 25 * HOUR_MS)


def _table() -> dict[tuple[Any, ...], dict[str, Any]]:
    return final(run(_judge(), [Tick(at=BEGIN), _frame(LOG), END]))


def _row(table: dict[tuple[Any, ...], dict[str, Any]], factor: str, window: str, hour: int = 0, name: str = "A") -> Any:
    return table[name, factor, window, BEGIN + hour * HOUR_MS, ""]


def test_a_firm_that_passes_its_day_and_hints_in_an_hour_comes_out_so() -> None:
    table = _table()
    # 23 h of 36 m³ at 60 mg/L and one of 108 m³ at 150 mg/L: 65.88 kg in 936 m³ are 70.38 mg/L.
    assert _row(table, "COD.load", "24h")["value"] == 65_880
    assert _row(table, "flow.volume", "24h")["value"] == 936_000
    assert _row(table, "COD.load", "1h", 23)["value"] == 16_200
    mean = _row(table, "COD", "24h")
    assert round(mean["value"] / 10 ** mean["digits"], 1) == 70.4
    day_row, hour_row = _row(table, "COD.limit", "24h"), _row(table, "COD.limit", "1h", 23)
    assert (day_row["level"], hour_row["level"]) == (Level.WARNING_80, Level.HINT)
    assert read_detail(hour_row["detail"]).multiple == "0.88"  # 150 / 80 - 1 = 0.875, half to even
    assert _row(table, "pH.limit", "24h_max")["level"] == Level.WITHIN
    assert ("A", "pH.limit", "24h", BEGIN, "") not in table


def test_a_rain_water_outlet_that_flows_on_a_dry_day_comes_out_so() -> None:
    table = _table()
    assert _row(table, "dry_weather", "1h", 22, "R")["level"] == Level.FINDING
    assert _row(table, "dry_weather", "1h", 22, "R")["detail"] == "dry_flow"
    assert _row(table, "dry_weather", "1h", 21, "R")["level"] == Level.WITHIN
    assert _row(table, "dry_weather", "24h", 0, "R")["value"] == 2


def test_order_cuts_and_repeats_do_not_matter() -> None:
    whole = contents(run(_judge(), [Tick(at=BEGIN), _frame(LOG), END]))
    mixed = sorted(LOG, key=lambda row: (row[1] * 47 % 144, row[0]))
    parts = [_frame(mixed[at : at + 37]) for at in range(0, len(mixed), 37)]
    late: list[Frame | Tick] = [Tick(at=BEGIN), *parts[:4], Tick(at=BEGIN + 20 * HOUR_MS), *parts[2:], END]
    assert contents(run(_judge(), late)) == whole


def test_the_same_log_gives_the_same_bytes() -> None:
    def said() -> list[bytes]:
        batches = run(_judge(), [Tick(at=BEGIN), _frame(LOG), END])
        return [msgspec.msgpack.encode(batch.to_pylist()) for batch in batches]

    assert said() == said()


def test_a_correction_of_one_value_is_said_again_with_all_that_rests_on_it() -> None:
    judge = _judge(OUTLET)
    first = final(run(judge, [Tick(at=BEGIN), _frame([row for row in LOG if row[0] == "A"]), END]))
    packet = _frame([("A", 0, {"COD": 600})])
    place = packet.rows.schema.get_field_index("correction")
    newer = pa.array([1], packet.rows.schema.field(place).type)
    corrected = packet.rows.set_column(place, packet.rows.schema.field(place), newer)
    said = run(judge, [Frame(head=packet.head, rows=corrected), Tick(at=BEGIN + 26 * HOUR_MS)])
    again = {(row["factor"], row["window"]): row for batch in said for row in batch.to_pylist() if row["revision"] == 2}
    assert {("COD.limit", "1h"), ("COD.limit", "24h"), ("COD.load", "1h"), ("COD.load", "24h")} <= set(again)
    # One of six ten-minute values of the first hour was 600 for 60: 6 m³ x 540 mg/L more.
    assert again["COD.load", "24h"]["value"] - first["A", "COD.load", "24h", BEGIN, ""]["value"] == 3_240
    assert ("flow.volume", "24h") not in again
