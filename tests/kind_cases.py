"""Kinds that stand nowhere in the code, logs of their readings, and what a judge makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.frames import Frame, FrameHead, Origin, Tick, frame_schema
from sensors.kinds import Kind, parse_kind
from sensors.registry import Absence, Site
from sensors.yamlfile import parse_yaml
from streams.judging.judge import KindJudge
from streams.judging.plan import Evaluation
from streams.judging.state import JudgeSettings
from streams.standards import load_standards
from tests.air_cases import T0

MILL = """
kind: mill
name: {zh: 磨坊, en: mill}
slot: 1h
fine: 10min
own_days: true
classes: [wheel]
factors:
  flow:  {name: {zh: 流量, en: flow}, unit: L/s, decimals: 1, low: 0, high: 10000, units: {L/s: 1}}
  COD:   {name: {zh: 需氧量, en: COD}, unit: mg/L, decimals: 1, low: 0, high: 10000, form: flow_weighted, by: flow,
          units: {mg/L: 1}}
  pH:    {name: {zh: 酸碱, en: pH}, unit: "1", decimals: 2, low: 0, high: 14, form: hydrogen_ion, units: {"1": 1}}
  speed: {name: {zh: 风速, en: wind speed}, unit: m/s, decimals: 1, low: 0, high: 100, units: {m/s: 1}}
  dir:   {name: {zh: 风向, en: wind direction}, unit: deg, decimals: 0, low: 0, high: 360, form: vector, by: speed,
          units: {deg: 1}}
  meter: {name: {zh: 累计, en: meter}, unit: m³, decimals: 1, low: 0, high: 100000000, form: counter, extra: 0,
          units: {m³: 1}}
  rain:  {name: {zh: 雨, en: rain}, unit: mm, decimals: 1, low: 0, high: 500, form: sum, units: {mm: 1}}
  gust:  {name: {zh: 阵风, en: gust}, unit: m/s, decimals: 1, low: 0, high: 100, form: max, units: {m/s: 1}}
  noise: {name: {zh: 声, en: noise}, unit: dB(A), decimals: 1, low: 0, high: 160, form: energy, units: {dB(A): 1}}
  gate:  {name: {zh: 闸, en: gate}, unit: "%", decimals: 0, low: 0, high: 100, form: state, extra: 0, units: {"%": 1}}
  temp:  {name: {zh: 温度, en: temperature}, unit: °C, decimals: 1, low: -50, high: 60, units: {°C: 1}}
windows:
  - {name: 30min, factors: [flow, COD, pH, temp]}
  - {name: 1h, step: none, needs: [{share: 0.5, source: test, confidence: not_seen}]}
  - {name: 1h_max, factors: [pH, temp], step: none}
  - {name: 1h_min, factors: [pH, temp], step: none}
  - {name: 4h, factors: [flow, COD, temp, rain], step: none, needs: [{at_least: 2, source: test, confidence: not_seen}]}
  - {name: 24h, needs: [{at_least: 16, source: test, confidence: not_seen}]}
  - {name: 24h_max, factors: [temp], step: none}
  - {name: 24h_min, factors: [pH], step: none}
  - {name: 24h_sum, factors: [rain], step: none}
  - {name: 24h_count, factors: [flow], step: none}
quality:
  - {test: spike, factors: [temp], numbers: {height: 30 °C}, source: test}
  - {test: rate_of_change, factors: [pH], numbers: {per_slot: 3 1}, source: test}
"""
"""A kind with every form and every span of the first stage."""


def kind_of(text: str) -> Kind:
    """Return the kind that a file's text says."""
    return parse_kind(parse_yaml(text, "kind.yaml"))


def kind_site(kind: Kind, name: str, period_ms: int, *, start: int = 0, end: int | None = None, **more: Any) -> Site:
    """Return a registry entry of a site of a kind."""
    absent = more.pop("absent", ())
    return Site(
        id=name, kind=kind.name, name_zh=name, name_en=name, station_class=kind.classes[0], lon=120.0, lat=30.0,
        county="", township="", zone=0, period_ms=period_ms, synthetic=True, source="test", start=start, end=end,
        not_in_plan=tuple(Absence(factor=f, start=0, end=None, author="test", why="test") for f in absent),
        assessment=True, **more,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One reading of some factors: stored units, and flags as letters."""

    site: str
    start: int
    period_ms: int
    values: Mapping[str, int]
    flags: Mapping[str, str]
    """N where none is given."""


def packet_frame(kind: Kind, packets: Sequence[Packet], received_ms: int = 0) -> Frame:
    """Return packets of one period as a frame, received when they ended unless told otherwise."""
    names = sorted({p.site for p in packets})
    ends = [received_ms or p.start + p.period_ms for p in packets]
    columns: list[Any] = [
        pa.DictionaryArray.from_arrays(
            pa.array([names.index(p.site) for p in packets], pa.int32()), pa.array(names, pa.utf8())
        ),
        pa.array([p.start for p in packets], pa.int64()).cast(pa.timestamp("ms", "UTC")),
        pa.array(ends, pa.int64()).cast(pa.timestamp("ms", "UTC")),
        pa.array([0] * len(packets), pa.int16()),
        pa.nulls(len(packets), pa.map_(pa.utf8(), pa.utf8())),
    ]
    for factor in kind.factors:
        given = [factor in p.values for p in packets]
        columns.append(pa.array([p.values.get(factor) for p in packets], pa.int32()))
        flags = [ord(p.flags.get(factor, "N")) if there else None for p, there in zip(packets, given, strict=True)]
        columns.append(pa.array(flags, pa.uint8()))
    (period,) = {p.period_ms for p in packets}
    head = FrameHead(kind=kind.name, period_ms=period, source="test", sequence=0, origin=Origin.DEVICE)
    return Frame(head=head, rows=pa.RecordBatch.from_arrays(columns, schema=frame_schema(kind.factors)))


def kind_judge(kind: Kind, sites: Iterable[Site], evaluations: Sequence[Evaluation] = (), **settings: Any) -> KindJudge:
    """Return a judge of one partition that holds all sites."""
    return KindJudge(
        sites, partition=0, partitions=1, kind=kind, evaluations=evaluations, standards=load_standards(),
        settings=JudgeSettings(**settings),
    )  # fmt: skip


def random_packets(kind: Kind, sites: Sequence[Site], seed: int, hours: int) -> list[Packet]:
    """Return plausible packets with gaps, flags and resets; of some slots the source's own, and an own day."""
    chance = np.random.default_rng(seed)
    packets: list[Packet] = []
    for site in sites:
        times = [
            (start, site.period_ms)
            for start in range(T0, T0 + hours * HOUR_MS, site.period_ms)
            if chance.random() > 0.12
        ]
        if site.period_ms < kind.slot_ms:
            slots = range(T0, T0 + hours * HOUR_MS, kind.slot_ms)
            times += [(start, kind.slot_ms) for start in slots if chance.random() < 0.05]
        if kind.own_days and chance.random() < 0.5:
            times.append((T0, DAY_MS))
        packets += [_packet(kind, site.id, start, period, chance) for start, period in times]
    return packets


def _packet(kind: Kind, site: str, start: int, period_ms: int, chance: np.random.Generator) -> Packet:
    values: dict[str, int] = {}
    for name, factor in kind.factors.items():
        if chance.random() < 0.08:
            continue
        scale = 10**factor.digits
        low, high = max(int(factor.low), -20) * scale, min(int(factor.high), 50) * scale
        values[name] = int(chance.integers(low, high + 1))
        if factor.form == "counter":
            values[name] = (start - T0) // MINUTE_MS % 700 + int(chance.integers(0, 5))  # begins again now and then
        if factor.form == "mean" and chance.random() < 0.1:
            values[name] = 0
    flags = {name: str(chance.choice(["N", "N", "N", "N", "N", "N", "D", "C"])) for name in values}
    return Packet(site=site, start=start, period_ms=period_ms, values=values, flags=flags)


def cut(kind: Kind, packets: Sequence[Packet], seed: int, end: int) -> list[Frame | Tick]:
    """Return packets as a log in a random order, cut anyhow, with repeats, and ticks that rise between them."""
    chance = np.random.default_rng(seed)
    order = list(chance.permutation(len(packets)))
    order += [int(i) for i in chance.choice(len(packets), size=len(packets) // 10)]
    log: list[Frame | Tick] = [Tick(T0)]
    ticks = sorted(chance.integers(T0, end, size=12))
    while order:
        size = int(chance.integers(1, 60))
        part, order = [packets[i] for i in order[:size]], order[size:]
        for period in sorted({p.period_ms for p in part}):
            log += [packet_frame(kind, [p for p in part if p.period_ms == period])]
        if ticks and chance.random() < 0.3:
            log.append(Tick(int(ticks.pop(0))))
    return [*log, *(Tick(int(t)) for t in ticks), Tick(end)]
