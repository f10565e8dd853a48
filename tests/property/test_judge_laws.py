"""The two laws: the final table does not know the order, and the same log gives the same bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.frames import Frame, Tick, decode, encode_frame, encode_tick
from streams.results import ResultHead, encode_results
from tests.air_cases import T0, Row, contents, frame, judge, random_rows, run, site

QUARTER = 15 * MINUTE_MS
SITES = (site("A"), site("B", period_ms=QUARTER), site("C", absent=("SO2",)), site("D"))
"""D never sends."""
HOURS = 24
"""All of it within a day of the first tick, so that nothing is refused as too early."""
END = T0 + 50 * HOUR_MS


def _cut(rows: list[Row], seed: int) -> list[Frame | Tick]:
    """Return rows as a log in a random order, cut anyhow, with repeats, and ticks that rise between them."""
    chance = np.random.default_rng(seed)
    order = list(chance.permutation(len(rows)))
    order += [int(i) for i in chance.choice(len(rows), size=len(rows) // 10)]
    log: list[Frame | Tick] = [Tick(T0)]
    ticks = sorted(chance.integers(T0, END, size=12))
    while order:
        size = int(chance.integers(1, 40))
        part, order = [rows[i] for i in order[:size]], order[size:]
        for period in {r.site == "B" for r in part}:
            mine = [r for r in part if (r.site == "B") == period]
            log.append(frame(mine, period_ms=QUARTER if period else HOUR_MS))
        if ticks and chance.random() < 0.3:
            log.append(Tick(int(ticks.pop(0))))
    return [*log, *(Tick(int(t)) for t in ticks), Tick(END)]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000), other=st.integers(0, 10_000))
def test_order_cuts_and_repeats_do_not_change_the_final_table(seed: int, order: int, other: int) -> None:
    rows = random_rows(seed, SITES[:3], HOURS)
    first = contents(run(judge(SITES), _cut(rows, order)))
    second = contents(run(judge(SITES), _cut(rows, other)))
    assert first == second
    assert {key[0] for key in first} == {"A", "B", "C", "D"}


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000))
def test_the_same_log_gives_the_same_bytes(seed: int, order: int) -> None:
    log = _cut(random_rows(seed, SITES[:3], HOURS), order)
    again = [decode(encode_frame(i) if isinstance(i, Frame) else encode_tick(i.at)) for i in log]
    head = ResultHead(kind="air", pack="p")
    first = [encode_results(head, rows) for rows in run(judge(SITES), log)]
    second = [encode_results(head, rows) for rows in run(judge(SITES), again)]
    assert first == second
    assert first


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000), start=st.integers(10, 30))
def test_a_fold_that_begins_late_says_of_later_windows_what_the_whole_fold_says(seed: int, start: int) -> None:
    count = 75
    rows = random_rows(seed, SITES[:1], count)
    log: list[Frame | Tick] = [Tick(T0)]
    for hour in range(count):
        mine = [r for r in rows if T0 + hour * HOUR_MS <= r.start < T0 + (hour + 1) * HOUR_MS]
        log += [frame(mine)] if mine else []
        log.append(Tick(T0 + (hour + 1) * HOUR_MS))
    late = judge(SITES[:1])
    late.begin_late()
    begin = next(i for i, item in enumerate(log) if isinstance(item, Tick) and item.at >= T0 + start * HOUR_MS)
    whole, part = run(judge(SITES[:1]), log), run(late, log[begin:])
    from_hour = T0 // HOUR_MS + start + 25

    def of_interest(batches: list[pa.RecordBatch]) -> dict[object, object]:
        reach = {"8h": 7, "8h_platform": 7, "24h_running": 23}
        return {
            key: (content, revision)
            for (key, content), revision in zip(contents(batches).items(), _revisions(batches), strict=True)
            if key[3] // HOUR_MS - reach.get(key[2], 0) >= from_hour
        }

    assert of_interest(part) == of_interest(whole)
    assert of_interest(part)


def _revisions(batches: list[pa.RecordBatch]) -> list[int]:
    from tests.air_cases import final  # noqa: PLC0415 - only here

    return [record["revision"] for record in final(batches).values()]
