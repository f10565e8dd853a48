"""The same work in Quix Streams, as its users write it; runs in an environment of its own.

``python quix_app.py PLAN``: the plan is a JSON file that `benchmarks.sides` writes. Hours are kept in
Quix's default state (RocksDB with a changelog topic); sums are integers, so that means are exact.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quixstreams import Application

HOUR_MS = 3_600_000
State = list[int]
"""Six sums, then six counts."""


def adder(factors: list[str]) -> Callable[[State, dict[str, Any]], State]:
    """Return the reducer: a packet's values go into the sums and counts of its hour."""
    places = list(enumerate(factors))
    width = len(factors)

    def add(state: State, packet: dict[str, Any]) -> State:
        for place, factor in places:
            value = packet.get(factor)
            if value is not None:
                state[place] += value
                state[place + width] += 1
        return state

    return add


def closer(plan: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what makes the result of a closed hour: six means, half to even, and the index."""
    width, step, needed = len(plan["factors"]), plan["step"], plan["needed"]
    tables, rest_over, lowest = plan["iaqi"], plan["rest_over"], plan["index_min"]

    def mean(total: int, count: int) -> int | None:
        if count < needed:
            return None
        quotient, rest = divmod(total, count * step)
        twice = 2 * rest - count * step
        return int(quotient + (twice > 0 or (twice == 0 and quotient & 1)))

    def index(means: list[int | None]) -> int | None:
        parts = [t[min(m, len(t) - 1)] if m is not None else -1 for t, m in zip(tables, means, strict=True)]
        found = [part for part in parts if part >= 0]
        if not found:
            return None
        worst = max(lowest, *found)
        whole = len(found) == width or rest_over is None or worst > rest_over
        return worst if whole else None

    def close(window: dict[str, Any]) -> dict[str, Any]:
        state = window["value"]
        means = [mean(state[place], state[place + width]) for place in range(width)]
        return {"start": window["start"], "means": means, "aqi": index(means)}

    return close


def main(path: str) -> None:
    """Run until told to stop."""
    plan = json.loads(Path(path).read_text(encoding="utf-8"))
    app = Application(
        broker_address=plan["bootstrap"],
        consumer_group=plan["group"],
        auto_offset_reset="earliest",
        state_dir=plan["state"],
        use_changelog_topics=plan["changelog"],
    )
    add, close = adder(plan["factors"]), closer(plan)
    readings = app.topic(plan["readings"], value_deserializer="json", key_deserializer="str")
    results = app.topic(plan["results"], value_serializer="json", key_serializer="str")
    stream = app.dataframe(readings)
    stream = stream.tumbling_window(HOUR_MS).reduce(add, lambda packet: add([0] * 2 * len(plan["factors"]), packet))
    stream.final().apply(close).to_topic(results)
    app.run()


if __name__ == "__main__":
    main(sys.argv[1])
