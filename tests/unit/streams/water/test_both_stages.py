"""A month of three sections on a river through both stages, as packets come in and rows go out."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sensors.clock import HOUR_MS
from sensors.flags import Mark
from sensors.kinds import load_kind
from streams.judging.registered import JudgingContext, evaluations_of
from streams.periods.routing import route
from streams.standards import load_standards
from tests.kind_cases import Packet, kind_judge, kind_site, packet_frame
from tests.period_cases import after, area, day_ms, day_no, judge, registry

KIND = load_kind("water")
FIRST, LAST = day_no("2024-06-01"), day_no("2024-06-30")
SLOT = 4 * HOUR_MS
GOOD = {"pH": 75_000, "DO": 80_000, "CODMn": 30_000, "NH3-N": 30_000, "TP": 6_000, "TN": 20_000, "flow": 1_000_000}
RIVER = {"water": "river", "target": "III", "control": ["city"]}
SITES = (
    kind_site(KIND, "upper", SLOT, setting=RIVER, areas=("river",)),
    kind_site(KIND, "middle", SLOT, setting=RIVER, areas=("river",)),
    kind_site(KIND, "silent", SLOT, setting=RIVER, areas=("river",)),
)


def packets(day: int) -> list[Packet]:
    """Six packets of two sections; on 10 June the middle one is over class III for a slot, on 11 June for the day."""
    found = []
    for slot in range(6):
        for name in ("upper", "middle"):
            bad = name == "middle" and (day == FIRST + 10 or (day == FIRST + 9 and slot == 3))
            values = GOOD | ({"TP": 50_000} if bad else {})
            start = day_ms(day) + slot * SLOT
            found.append(Packet(site=name, start=start, period_ms=SLOT, values=values, flags={}))
    return found


@pytest.fixture(scope="module")
def said() -> dict[tuple[str, str, str, int], dict[str, Any]]:
    """Everything that both stages said, by site, factor, window and start; the newest revision of each."""
    context = JudgingContext(kind=KIND, standards=load_standards())
    first = kind_judge(KIND, SITES, evaluations_of(KIND, context))
    made = registry(SITES, [area("river", "river")])
    second = judge(made, KIND)
    first.tick(day_ms(FIRST))
    second.tick(day_ms(FIRST), 0)
    rows: list[dict[str, Any]] = []
    for day in range(FIRST, LAST + 1):
        assert first.fold(packet_frame(KIND, packets(day))) == ()
        batch = first.tick(after(day))
        assert batch is not None
        rows += batch.to_pylist()
        for _, part in route(batch, KIND, made, 1):
            second.fold(part)
        if day in {FIRST + 11, LAST}:  # each tick says month, quarter and year again
            areas = second.tick(after(day), 0)
            rows += [] if areas is None else areas.to_pylist()
    return {(row["site"], row["factor"], row["window"], _ms(row["start"])): row for row in rows}


def _ms(moment: Any) -> int:
    return int(pa.scalar(moment, pa.timestamp("ms", "UTC")).cast(pa.int64()).as_py())


def test_each_slot_has_its_live_class_and_one_over_the_target_is_to_be_measured_again(said: Any) -> None:
    start = day_ms(FIRST + 9) + 3 * SLOT
    row = said["middle", "class", "4h", start]
    assert (row["value"], row["level"], row["primary"], row["detail"]) == (6, 6, "TP", "TP 1.50")
    assert (row["edition"], row["valid"], row["expected"]) == ("GB3838-2002-platform", 5, 21)
    assert said["middle", "over_target", "4h", start]["value"] == 1
    assert said["upper", "class", "4h", start]["value"] == 2
    assert said["upper", "over_target", "4h", start]["value"] == 0


def test_each_day_has_the_class_of_its_means_and_its_mass(said: Any) -> None:
    # (5 x 0.06 + 0.5) / 6 = 0.133: class III.
    assert said["middle", "class", "24h", day_ms(FIRST + 9)]["value"] == 3
    assert said["middle", "class", "24h", day_ms(FIRST + 10)]["value"] == 6
    assert said["upper", "class", "24h", day_ms(FIRST + 10)]["edition"] == "GB3838-2002-evaluation"
    assert said["upper", "TN.flux", "24h", day_ms(FIRST)]["value"] == 17_280_000


def test_the_month_stands_beside_the_days(said: Any) -> None:
    row = said["middle", "class", "month", day_ms(FIRST)]
    # 28 days of 0.06, one of 0.1333, one of 0.5: mean 0.0771, class II; two days failed on the way.
    assert (row["value"], row["edition"], row["flags"] & Mark.OPEN) == (2, "GB3838-2002-evaluation", 0)
    assert said["upper", "TN.flux", "month", day_ms(FIRST)]["value"] == 30 * 17_280_000
    assert said["middle", "class", "year", day_ms(day_no("2024-01-01"))]["flags"] & Mark.OPEN
    assert said["middle", "stability", "month", day_ms(FIRST)]["reason"] == "incomplete"


def test_the_area_lists_who_is_silent_below_its_whole_line(said: Any) -> None:
    row = said["river", "share_good", "month", day_ms(FIRST)]
    assert (row["value"], row["digits"], row["detail"]) == (6667, 2, "2 of 3; without a class: silent")
    assert (row["valid"], row["expected"]) == (2, 3)
    day = said["river", "share_good", "24h", day_ms(FIRST + 10)]
    assert (day["value"], day["detail"]) == (3333, "1 of 3; without a class: silent")
    assert said["river", "share_worse_V", "24h", day_ms(FIRST + 10)]["detail"].startswith("1 of 3")
    # Fewer than 75 % of its sections have data.
    assert said["river", "rating", "month", day_ms(FIRST)]["reason"] == "too_few_sites"
