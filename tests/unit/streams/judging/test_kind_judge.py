"""One judge for every kind: windows of every span, own days, accounting, quality, clocks, and a kind from its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.deadletters import Refusal
from sensors.flags import Mark
from sensors.frames import Frame, Tick
from sensors.kinds import load_kind
from sensors.registry import Site, load_registry
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import INCOMPLETE, OK
from streams.judging.registered import JudgingContext, judge_of
from streams.judging.state import JudgeSettings
from tests.air_cases import CONTEXT, T0, contents, final, run
from tests.kind_cases import MILL, Packet, kind_judge, kind_of, kind_site, packet_frame

KIND = kind_of(MILL)
TEN = 10 * MINUTE_MS
GRACE = 5 * MINUTE_MS
FINE = kind_site(KIND, "A", TEN)
HOURLY = kind_site(KIND, "A", HOUR_MS)
Table = Mapping[tuple[Any, ...], Mapping[str, Any]]


def packet(start: int, period_ms: int = TEN, flag: str = "N", **values: float) -> Packet:
    stored = {f: round(v * 10 ** KIND.factors[f].digits) for f, v in values.items()}
    return Packet(site="A", start=start, period_ms=period_ms, values=stored, flags=dict.fromkeys(values, flag))


def judged(*items: Packet | Tick, site: Site = FINE, kind: Any = KIND, **settings: Any) -> Table:
    log: list[Frame | Tick] = [Tick(T0)]
    log += [packet_frame(kind, [i]) if isinstance(i, Packet) else i for i in items]
    return final(run(kind_judge(kind, [site], **settings), log))


def said(table: Table, factor: str, window: str, start: int = T0) -> Mapping[str, Any]:
    (found,) = (row for key, row in table.items() if key[:4] == ("A", factor, window, start))
    return found


def closed(hour: int) -> Tick:
    return Tick(T0 + hour * HOUR_MS + GRACE)


def test_a_window_shorter_than_the_slot_is_said_when_it_is_over_and_of_what_came_alone() -> None:
    early = judged(packet(T0, temp=5), Tick(T0 + 3 * TEN + 29_999))
    assert not early
    table = judged(packet(T0, temp=5), packet(T0 + TEN, temp=7), Tick(T0 + 3 * TEN + 30_000))
    row = said(table, "temp", "30min")
    assert (row["value"], row["valid"], row["expected"], row["flags"]) == (6_000, 2, 3, Mark.COMPUTED)
    assert {key[1] for key in table} == {"temp"}


def test_a_short_window_is_said_again_when_a_late_reading_changes_it_and_not_when_it_repeats() -> None:
    first, late = packet(T0, temp=5), packet(T0 + TEN, temp=8)
    table = judged(first, closed(1), late, closed(2), late, first, closed(3))
    row = said(table, "temp", "30min")
    assert (row["value"], row["revision"]) == (6_500, 2)
    assert said(table, "temp", "1h")["revision"] == 2


def test_a_running_window_reaches_back_over_its_slots() -> None:
    packets = [packet(T0 + h * HOUR_MS, HOUR_MS, temp=t) for h, t in enumerate([1, 2, 3, 10, 20])]
    table = judged(*packets, closed(5), site=HOURLY)
    assert said(table, "temp", "4h", T0)["reason"] == "incomplete"  # one of two
    assert said(table, "temp", "4h", T0 + HOUR_MS)["value"] == 1_500
    assert said(table, "temp", "4h", T0 + 4 * HOUR_MS)["value"] == 8_750  # (2 + 3 + 10 + 20) / 4


def whole_day(**values: float) -> list[Packet]:
    return [packet(T0 + h * HOUR_MS, HOUR_MS, "N", **values) for h in range(24)]


def test_an_own_day_is_judged_in_the_place_of_ours_and_ours_is_the_check() -> None:
    ours = whole_day(flow=100)
    close = judged(*ours, packet(T0, DAY_MS, flow=109), closed(24), site=HOURLY)
    row = said(close, "flow", "24h")
    assert (row["value"], row["valid"], row["expected"], row["flags"]) == (109_000, 1, 1, 0)
    far = said(judged(*ours, packet(T0, DAY_MS, flow=111), closed(24), site=HOURLY), "flow", "24h")
    assert (far["value"], far["flags"]) == (111_000, Mark.SUSPECT | Mark.DIFFERS)
    wide = said(judged(*ours, packet(T0, DAY_MS, flow=111), closed(24), site=HOURLY, day_tolerance=1), "flow", "24h")
    assert wide["flags"] == 0


def test_an_own_day_that_comes_the_next_morning_is_the_second_revision() -> None:
    log: list[Packet | Tick] = [*whole_day(flow=100), closed(24), packet(T0, DAY_MS, flow=120), closed(30)]
    row = said(judged(*log, site=HOURLY), "flow", "24h")
    assert (row["value"], row["revision"]) == (120_000, 2)


def test_an_own_day_with_a_flag_takes_ours_away() -> None:
    row = said(judged(*whole_day(flow=1), packet(T0, DAY_MS, "D", flow=1), closed(24), site=HOURLY), "flow", "24h")
    assert (row["value"], row["reason"], row["flags"] & Mark.FAULT) == (None, "invalid", Mark.FAULT)


def test_a_kind_without_own_days_takes_none() -> None:
    made = kind_judge(replace(KIND, own_days=False), [HOURLY])
    made.tick(T0)
    (refused,) = made.fold(packet_frame(KIND, [packet(T0, DAY_MS, flow=1)]))
    assert refused.reason is Refusal.UNKNOWN_PERIOD


def test_what_a_counter_added_is_said_across_slots_gaps_and_resets() -> None:
    readings = {0: 100.0, 10: 103, 60: 110, 190: 130, 240: 4}  # minute → count; it begins again before minute 240
    packets = [packet(T0 + m * MINUTE_MS, meter=v) for m, v in readings.items()]
    kind = replace(KIND, windows=tuple(replace(w, needs=()) for w in KIND.windows))
    table = judged(*packets, closed(24), kind=kind)
    found = [said(table, "meter", "1h", T0 + h * HOUR_MS)["value"] for h in range(5)]
    assert found == [30, 70, None, 200, 40]
    assert said(table, "meter", "24h")["value"] == 340


def test_the_first_reading_of_a_counter_alone_adds_nothing_that_is_known() -> None:
    row = said(judged(packet(T0, HOUR_MS, meter=7), closed(1), site=HOURLY), "meter", "1h")
    assert (row["value"], row["reason"]) == (None, "incomplete")


def test_an_hour_without_flow_has_no_concentration_and_says_why() -> None:
    table = judged(*whole_day(flow=0), closed(24), site=HOURLY)
    packets = [packet(T0 + i * TEN, flow=0, COD=5) for i in range(6)]
    assert said(judged(*packets, closed(1)), "COD", "1h")["reason"] == "no_flow"
    assert said(table, "COD", "24h")["value"] is None


def test_extremes_are_of_the_finest_readings() -> None:
    packets = [packet(T0 + i * TEN, temp=t) for i, t in enumerate([-3, 9, 4, 4, 4, 4])]
    table = judged(*packets, closed(1))
    assert [said(table, "temp", w)["value"] for w in ("1h_min", "1h_max")] == [-3_000, 9_000]


def test_a_test_of_quality_marks_suspect_and_takes_no_value_away() -> None:
    temps = [10, 10, 50, 10, 10]  # 40 above the mean of its neighbours
    log: list[Packet | Tick] = [packet(T0 + h * HOUR_MS, HOUR_MS, temp=t) for h, t in enumerate(temps)]
    before = said(judged(*log[:3], closed(3), site=HOURLY), "temp", "1h", T0 + 2 * HOUR_MS)
    assert (before["value"], before["flags"]) == (50_000, 0)
    table = judged(*log[:3], closed(3), *log[3:], closed(5), site=HOURLY)
    row = said(table, "temp", "1h", T0 + 2 * HOUR_MS)
    assert (row["value"], row["flags"], row["revision"]) == (50_000, Mark.SUSPECT, 2)
    assert said(table, "temp", "4h", T0 + 3 * HOUR_MS)["flags"] == Mark.SUSPECT
    assert said(table, "temp", "4h", T0 + 3 * HOUR_MS)["value"] == 20_000


def test_packets_are_accounted_for_with_what_is_missing_late_or_invalid() -> None:
    on_time = [packet(T0, temp=1), packet(T0 + TEN, TEN, "C", temp=1), packet(T0 + 2 * TEN, TEN, "D", temp=1)]
    late = packet_frame(KIND, [packet(T0 + 3 * TEN, temp=1)], received_ms=T0 + HOUR_MS + GRACE + MINUTE_MS)
    log: list[Frame | Tick] = [Tick(T0), *(packet_frame(KIND, [p]) for p in on_time), late, closed(1)]
    row = said(final(run(kind_judge(KIND, [FINE]), log)), "packets", "1h")
    assert (row["value"], row["valid"], row["expected"]) == (4, 2, 6)
    assert row["detail"] == "late 1; missing 2; calibrating 1; invalid 1"


def test_a_silent_hour_has_no_number_of_packets() -> None:
    row = said(judged(closed(1)), "packets", "1h")
    assert (row["value"], row["reason"], row["detail"]) == (None, "silent", "missing 6")


def test_a_silent_site_delays_no_other_and_a_future_time_closes_nothing() -> None:
    sites = [FINE, kind_site(KIND, "B", TEN)]
    log: list[Frame | Tick] = [Tick(T0), packet_frame(KIND, [packet(T0 + i * TEN, temp=1) for i in range(6)])]
    log.append(packet_frame(KIND, [packet(T0 + 20 * HOUR_MS, temp=1)]))
    made = kind_judge(KIND, sites)
    assert not [row for row in final(run(made, log)) if row[2] == "1h"]
    table = final(run(made, [closed(1)]))
    assert said(table, "temp", "1h")["value"] == 1_000
    assert not [key for key in table if key[2] == "1h" and key[3] > T0]


def test_a_site_whose_period_changes_is_judged_by_that_of_the_day() -> None:
    change = T0 + DAY_MS
    sites = [replace(FINE, end=change), replace(HOURLY, start=change)]
    log: list[Frame | Tick] = [Tick(T0)]
    log += [packet_frame(KIND, [packet(T0 + i * TEN, flow=6) for i in range(6)])]
    log += [packet_frame(KIND, [packet(T0 + 2 * HOUR_MS, HOUR_MS, flow=6)]), closed(24)]
    log += [packet_frame(KIND, [packet(change, HOUR_MS, flow=8)]), Tick(change + HOUR_MS + GRACE)]
    table = final(run(kind_judge(KIND, sites), log))
    assert [said(table, "packets", "1h", t)["expected"] for t in (T0, T0 + 2 * HOUR_MS, change)] == [6, 1, 1]
    assert said(table, "flow", "1h", change)["value"] == 8_000


def test_a_site_that_sends_days_only_owes_no_hours() -> None:
    daily = kind_site(KIND, "A", DAY_MS)
    table = judged(packet(T0, DAY_MS, flow=3), closed(24), site=daily)
    assert said(table, "flow", "24h")["value"] == 3_000
    assert {key[2] for key in table} <= {"24h", "24h_max", "24h_min", "24h_sum", "24h_count"}


class Doubled:
    """An evaluation that says twice the temperature, in the kind's place where it says the hour itself."""

    name = "doubled"
    editions = ("first", "")
    slot_outputs = (
        Output(factor="temp", window="1h", digits=3),
        Output(factor="warm", window="1h", digits=0, primaries=("hot", "cold")),
    )
    day_outputs = (Output(factor="warm", window="24h", digits=0), Output(factor="never", window="24h", digits=0))
    reach = (0, 1)
    before = 1
    day_before = 2

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        assert begin == 1
        assert len(sites) == slots.value.shape[0]
        part, place = slots.from_place(begin), slots.at("temp")
        there, inputs = part.present[:, place], part.inputs[:, place]
        reason = np.where(there, OK, INCOMPLETE)
        twice = Block.of(value=2 * part.value[:, place], present=there, reason=reason, inputs=inputs, edition=0)
        warm = Block.of(value=part.value[:, place] > 0, present=there, reason=reason, inputs=inputs, primary=2)
        return [twice, warm]

    def day(self, slots: Slots, sites: tuple[Site, ...], means: Mapping[tuple[str, str], Block]) -> list[Block]:
        assert slots.number.size == 24 + self.day_before
        assert len(sites) == slots.value.shape[0]
        return [replace(means["temp", "24h"], level=np.full((len(sites), 1), 3, np.int8))]


def test_an_evaluation_speaks_beside_the_kind_and_in_its_place() -> None:
    log: list[Frame | Tick] = [Tick(T0), *(packet_frame(KIND, [p]) for p in whole_day(temp=4)), closed(24)]
    table = final(run(kind_judge(KIND, [HOURLY], [Doubled()]), log))
    first = said(table, "temp", "1h")
    assert (first["value"], first["edition"]) == (8_000, "first")
    assert (said(table, "warm", "1h")["primary"], said(table, "warm", "1h")["edition"]) == ("cold", "")
    assert (said(table, "warm", "24h")["value"], said(table, "warm", "24h")["level"]) == (4_000, 3)
    assert said(table, "temp", "24h")["value"] == 4_000
    assert not [key for key in table if key[1] == "never"]


@pytest.mark.parametrize("name", ["NOx", "benzene"])
def test_what_else_air_measures_does_not_touch_the_index(name: str) -> None:
    """Of the same packets, once with one more factor, index and windows of the six say the same."""
    air = CONTEXT.kind
    more = {**air.factors, name: replace(air.factors["SO2"], symbol=name, code="")}
    wider = replace(CONTEXT, kind=replace(air, factors=more))
    site = replace(kind_site(air, "A", HOUR_MS), zone=2)
    packets = [
        Packet(site="A", start=T0 + h * HOUR_MS, period_ms=HOUR_MS, flags={},
               values=dict.fromkeys(more, 3000 + 100 * h))
        for h in range(24)
    ]  # fmt: skip
    found = []
    for context in (CONTEXT, wider):
        made = judge_of([site], context, partition=0, partitions=1, settings=JudgeSettings())
        log: list[Frame | Tick] = [Tick(T0), *(packet_frame(context.kind, [p]) for p in packets), closed(24)]
        found.append({k: v for k, v in contents(run(made, log)).items() if k[1] not in {name, "packets"}})
    assert found[0] == found[1]
    assert found[0]


def test_a_kind_that_stands_nowhere_in_the_code_is_judged_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "mill.yaml").write_text(MILL, encoding="utf-8")
    (tmp_path / "registry.yaml").write_text(
        """
region: {zh: 试验区, en: test region}
synthetic: true
sites:
  - {id: SYN-A, kind: mill, name: {zh: 甲, en: first}, class: wheel, lon: 120, lat: 30, county: 甲县, period: 10min,
     origin: synthetic, source: test, from: 2020-01-01}
""",
        encoding="utf-8",
    )
    registry = load_registry(tmp_path / "registry.yaml")
    kind = load_kind("mill", tmp_path / "kinds")
    context = JudgingContext(kind=kind, standards=CONTEXT.standards, registry=registry)
    made = judge_of(registry.of_kind("mill"), context, partition=0, partitions=1, settings=JudgeSettings())
    packets = [replace(packet(T0 + i * TEN, flow=2, COD=30), site="SYN-A") for i in range(144)]
    table = final(run(made, [Tick(T0), packet_frame(kind, packets), closed(24)]))
    day = next(row for key, row in table.items() if key[:4] == ("SYN-A", "COD", "24h", T0))
    assert (day["value"], day["valid"], day["expected"], day["reason"]) == (30_000, 24, 24, "")


def test_a_kind_without_day_windows_says_slots_alone() -> None:
    kind = replace(KIND, windows=(KIND.window("1h"),), own_days=False)
    table = judged(*whole_day(temp=4), closed(25), site=HOURLY, kind=kind)
    assert {key[2] for key in table} == {"1h"}
    assert said(table, "temp", "1h")["value"] == 4_000


class Zoned:
    """An evaluation that says the zone of each site's entry."""

    name = "zoned"
    editions = ("",)
    slot_outputs = (Output(factor="zone", window="1h", digits=0),)
    day_outputs = ()
    reach = (0,)
    before = 0
    day_before = 0

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        shape = slots.value[:, 0, begin:].shape
        zones = np.broadcast_to(np.array([[site.zone] for site in sites]), shape)
        return [Block.of(value=zones, present=True, reason=OK, inputs=slots.inputs[:, slots.at("temp"), begin:])]

    def day(self, slots: Slots, sites: tuple[Site, ...], means: Mapping[tuple[str, str], Block]) -> list[Block]:
        del slots, sites, means
        return []


def test_a_slot_is_said_by_the_entry_of_its_own_time_even_when_it_comes_late() -> None:
    change = T0 + 3 * HOUR_MS
    sites = [replace(HOURLY, zone=1, end=change), replace(HOURLY, zone=2, start=change)]
    packets = [packet_frame(KIND, [packet(T0 + h * HOUR_MS, HOUR_MS, temp=h)]) for h in range(6)]
    live = [item for h, p in enumerate(packets) for item in (p, closed(h + 1))]
    orders: list[list[Frame | Tick]] = [live, [closed(6), *packets, closed(7)]]
    tables = [final(run(kind_judge(KIND, sites, [Zoned()]), [Tick(T0), *log, closed(8)])) for log in orders]
    for table in tables:
        assert [said(table, "zone", "1h", T0 + h * HOUR_MS)["value"] for h in range(6)] == [1, 1, 1, 2, 2, 2]
