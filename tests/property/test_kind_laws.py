"""The laws for a kind of every form and window: order does not matter, nor the run, and the batch says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from importlib.resources import files

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.frames import Frame, decode, encode_frame, encode_tick
from sensors.kinds import Kind
from sensors.registry import Site
from sensors.windows import WindowSpec
from streams.results import ResultHead, encode_results
from tests.air_cases import T0, contents, final, run
from tests.independent_kind import Found, Reference
from tests.kind_cases import MILL, Packet, cut, kind_judge, kind_of, kind_site, random_packets

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""A log is long: a smaller one that fails as well is not worth the wait."""
HOURS = 24
"""All of it within a day of the first tick, so that nothing is refused as too early."""
END = T0 + 54 * HOUR_MS
ALIKE = 1
"""Stored units by which floats may differ that were added in another order."""


def _text(name: str) -> str:
    return MILL if name == "mill" else files("sensors").joinpath(f"data/kinds/{name}.yaml").read_text(encoding="utf-8")


def _sites(kind: Kind) -> tuple[Site, ...]:
    coarse = kind.fine_ms if kind.slot_ms // kind.fine_ms < 6 else 3 * kind.fine_ms
    return (
        kind_site(kind, "A", kind.fine_ms),
        kind_site(kind, "B", coarse),
        kind_site(kind, "C", kind.slot_ms),
        kind_site(kind, "D", kind.fine_ms),  # never sends
    )


@settings(max_examples=4, deadline=None, phases=PHASES)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000), other=st.integers(0, 10_000))
def test_order_cuts_and_repeats_do_not_change_the_final_table(seed: int, order: int, other: int) -> None:
    kind = kind_of(MILL)
    packets = random_packets(kind, _sites(kind)[:3], seed, HOURS)
    first = contents(run(kind_judge(kind, _sites(kind)), cut(kind, packets, order, END)))
    second = contents(run(kind_judge(kind, _sites(kind)), cut(kind, packets, other, END)))
    assert first == second
    assert {key[0] for key in first} == {"A", "B", "C", "D"}


@settings(max_examples=1, deadline=None, phases=PHASES)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000))
def test_the_same_log_gives_the_same_bytes(seed: int, order: int) -> None:
    kind = kind_of(MILL)
    log = cut(kind, random_packets(kind, _sites(kind)[:3], seed, HOURS), order, END)
    again = [decode(encode_frame(i) if isinstance(i, Frame) else encode_tick(i.at)) for i in log]
    head = ResultHead(kind="mill", pack="p")
    first = [encode_results(head, rows) for rows in run(kind_judge(kind, _sites(kind)), log)]
    assert first == [encode_results(head, rows) for rows in run(kind_judge(kind, _sites(kind)), again)]
    assert first


@pytest.mark.parametrize("name", ["mill", "water", "outfall", "meteo", "noise", "ecoflow", "operation", "voc"])
@settings(max_examples=2, deadline=None, phases=PHASES)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000))
def test_the_stream_says_what_the_rules_say_of_the_whole(name: str, seed: int, order: int) -> None:
    text = _text(name)
    kind, end = kind_of(text), END
    sites = _sites(kind)[:3] if kind.fine_ms >= 10 * MINUTE_MS else _sites(kind)[1:3]  # minutes take their time
    packets = random_packets(kind, sites, seed, HOURS)
    found = final(run(kind_judge(kind, sites), cut(kind, packets, order, end)))
    floating = {f for f, row in kind.factors.items() if row.form in {"hydrogen_ion", "vector", "energy"}}
    compared = 0
    for site in sites:
        mine = {
            (p.start, p.period_ms, f): (v, p.flags.get(f, "N"))
            for p in packets
            if p.site == site.id
            for f, v in p.values.items()
        }
        expected = _all(kind, Reference(text, mine, site.period_ms), end)
        said = {
            (key[1], key[2], key[3]): (row["value"], row["valid"])
            for key, row in found.items()
            if key[0] == site.id and key[1] != "packets"
        }
        for key, ours in said.items():
            assert key in expected, key
            compared += 1
            assert _equal(ours, expected[key], kind, floating, key), (key, ours, expected[key])
        missing = [key for key in expected if key not in said and expected[key][0] is not None]
        assert not missing
    assert compared > 100


def _equal(said: Found, expected: Found, kind: Kind, floating: set[str], key: tuple[str, str, int]) -> bool:
    if said == expected:
        return True
    if said[0] is None or expected[0] is None or key[0] not in floating or said[1] != expected[1]:
        return False
    step = kind.factors[key[0]].step
    turn = 360 * 10 ** kind.factors[key[0]].digits
    away = abs(said[0] - expected[0])
    return bool(min(away, abs(turn - away)) <= max(ALIKE, step))


def _all(kind: Kind, truth: Reference, end: int) -> Mapping[tuple[str, str, int], Found]:
    """Return every window that the first stage may say."""
    found: dict[tuple[str, str, int], Found] = {}
    slots = range(T0, end, kind.slot_ms)
    days = range(T0, end, DAY_MS)
    for window in kind.windows:
        for factor in window.factors:
            for start, value in _window(truth, window, factor, slots, days):
                found[factor, window.name, start] = value
    return found


def _window(
    truth: Reference, window: WindowSpec, factor: str, slots: range, days: range
) -> Iterator[tuple[int, Found]]:
    statistic, name = str(window.statistic), window.name
    if window.span == "slot":
        yield from ((start, _slot(truth, name, statistic, factor, start)) for start in slots)
    elif window.span == "running":
        back = (window.length - 1) * truth.slot
        yield from ((s, truth.over(factor, name, range(s - back, s + 1, truth.slot))) for s in slots)
    elif window.span == "day":
        yield from ((start, _day(truth, name, statistic, factor, start)) for start in days)
    elif window.span == "fine":
        starts = range(slots.start, slots.stop, window.length * MINUTE_MS)
        yield from ((start, truth.within(factor, name, start)) for start in starts)


def _slot(truth: Reference, name: str, statistic: str, factor: str, start: int) -> Found:
    value, count = truth.slot_value(factor, start)
    if statistic != "form":
        value = truth.extreme(factor, start, max if statistic == "max" else min)
    return (None if value is None else _half_even(value, truth.step(name, factor))), count


def _half_even(value: int, step: int) -> int:
    return round(Fraction(value, step)) * step


def _day(truth: Reference, name: str, statistic: str, factor: str, start: int) -> Found:
    starts = range(start, start + DAY_MS, truth.slot)
    if statistic == "form":
        return truth.day(factor, name, start)
    there = [s for s in starts if truth.slot_value(factor, s)[0] is not None]
    step, count = truth.step(name, factor), len(there)
    if not there or count < truth.needed(name, len(starts)):
        return None, count
    if statistic == "count":
        return count, count
    if statistic == "sum":
        return _half_even(sum(truth.slot_value(factor, s)[0] or 0 for s in there), step), count
    choose = max if statistic == "max" else min
    return _half_even(choose(truth.extreme(factor, s, choose) or 0 for s in there), step), count


@settings(max_examples=2, deadline=None, phases=PHASES)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000))
def test_a_window_below_completeness_never_shows_a_number_and_counts_add_up(seed: int, order: int) -> None:
    kind = kind_of(MILL)
    packets = random_packets(kind, _sites(kind)[:3], seed, HOURS)
    rows = final(run(kind_judge(kind, _sites(kind)), cut(kind, packets, order, END)))
    for key, row in rows.items():
        assert (row["value"] is None) == (row["reason"] != ""), (key, row)
        if key[2] == "1h" and key[1] != "packets":
            assert row["value"] is None or 2 * row["valid"] >= row["expected"], (key, row)
    accounts = {key: row for key, row in rows.items() if key[1] == "packets"}
    assert len(accounts) == 4 * 53  # four sites, every hour that closed
    for key, row in accounts.items():
        parts = dict(part.split(" ") for part in row["detail"].split("; ") if part)
        lost = sum(int(parts.get(name, 0)) for name in ("missing", "calibrating", "invalid"))
        assert row["valid"] + lost == row["expected"], (key, row)
        assert (row["value"] or 0) == row["expected"] - int(parts.get("missing", 0)), (key, row)


def test_received_packets_are_counted_once_each() -> None:
    kind = kind_of(MILL)
    site = kind_site(kind, "A", 10 * MINUTE_MS)
    sent = [
        Packet(site="A", start=T0 + i * 10 * MINUTE_MS, period_ms=10 * MINUTE_MS, values={"flow": 5}, flags=flags)
        for i, flags in enumerate([{}, {}, {"flow": "C"}, {"flow": "D"}])
    ]
    log = cut(kind, sent * 3, 1, T0 + 2 * HOUR_MS)
    row = next(r for k, r in final(run(kind_judge(kind, [site]), log)).items() if k[1] == "packets" and k[3] == T0)
    assert (row["value"], row["valid"], row["expected"]) == (4, 2, 6)
    assert row["detail"] == "missing 2; calibrating 1; invalid 1"
