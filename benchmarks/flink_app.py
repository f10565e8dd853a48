"""The same work in Flink SQL, as its users write it; PyFlink starts it in an environment of its own.

``python flink_app.py PLAN``: the plan is a JSON file that `benchmarks.sides` writes. One process with Flink's mini
cluster, JSON in and out by the Kafka connector, a tumbling hour in SQL, state in memory without checkpoints: the
cheapest form that Flink offers. Sums are integers, so that means are exact.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any


def mean_sql(factor: str, step: int, needed: int) -> str:
    """Return SQL for a factor's mean in units of the standard's last digit, half to even; NULL below completeness."""
    total, count = f"SUM(CAST(`{factor}` AS BIGINT))", f"COUNT(`{factor}`)"
    divisor = f"({count} * {step})"
    rest = f"(2 * MOD({total}, {divisor}) - {divisor})"
    quotient = f"(({total} - MOD({total}, {divisor})) / {divisor})"
    up = f"CASE WHEN {rest} > 0 OR ({rest} = 0 AND MOD({quotient}, 2) = 1) THEN 1 ELSE 0 END"
    return f"CASE WHEN {count} >= {needed} THEN {quotient} + {up} END"


def iaqi_sql(column: str, points: list[list[int]]) -> str:
    """Return SQL for the IAQI of a mean: a rounded-up line between breakpoints [concentration, index], 500 above."""
    cases = []
    for (low, from_), (high, to) in pairwise(points):
        width = high - low
        line = f"{from_} + (({to - from_} * ({column} - {low}) + {width - 1}) / {width})"
        cases.append(f"WHEN {column} <= {high} THEN {line}")
    return f"CASE WHEN {column} IS NULL THEN -1 {' '.join(cases)} ELSE {points[-1][1]} END"


def statements(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the SQL of the whole job: source, sink and the query between them."""
    factors = plan["factors"]
    columns = ", ".join(f"`{factor}` INT" for factor in factors)
    shared = f"'connector' = 'kafka', 'properties.bootstrap.servers' = '{plan['bootstrap']}'"
    keyed = (
        "'key.format' = 'raw', 'key.fields' = 'site', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY'"
    )
    yield (
        f"CREATE TABLE readings (site STRING, {columns}, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', "
        f"WATERMARK FOR ts AS ts) WITH ({shared}, {keyed}, 'topic' = '{plan['readings']}', "
        f"'properties.group.id' = '{plan['group']}', 'scan.startup.mode' = 'earliest-offset')"
    )
    yield (
        f"CREATE TABLE results (site STRING, `start` BIGINT, means ARRAY<BIGINT>, aqi BIGINT) WITH ({shared}, {keyed}, "
        f"'topic' = '{plan['results']}')"
    )
    places = range(len(factors))
    means = ", ".join(f"{mean_sql(factors[p], plan['step'], plan['needed'])} AS m{p}" for p in places)
    hour = "TABLE(TUMBLE(TABLE {}, DESCRIPTOR({}), INTERVAL '1' HOUR)) GROUP BY site, window_start, window_end"
    yield (
        f"CREATE TEMPORARY VIEW hours AS SELECT site, window_time AS hour_time, {means} "
        f"FROM {hour.format('readings', 'ts')}, window_time"
    )
    # A second window over the one row of each hour keeps the planner from writing every mean out at each of its uses.
    whole = ", ".join(f"MAX(m{p}) AS m{p}" for p in places)
    yield (
        "CREATE TEMPORARY VIEW closed AS SELECT site, 1000 * UNIX_TIMESTAMP(CAST(window_start AS STRING)) AS `start`, "
        f"{whole} FROM {hour.format('hours', 'hour_time')}"
    )
    every = ", ".join(f"m{p}" for p in places)
    yield f"INSERT INTO results SELECT site, `start`, ARRAY[{every}], {index_sql(plan)} FROM closed"


def index_sql(plan: dict[str, Any]) -> str:
    """Return SQL for the index of the means m0, m1, …: the greatest IAQI, NULL where the edition gives none."""
    parts = [iaqi_sql(f"m{place}", points) for place, points in enumerate(plan["points"])]
    worst = f"GREATEST({', '.join(parts)}, {plan['index_min']})"
    some = " OR ".join(f"m{place} IS NOT NULL" for place in range(len(parts)))
    all_ = " AND ".join(f"m{place} IS NOT NULL" for place in range(len(parts)))
    given = "TRUE" if plan["rest_over"] is None else f"(({all_}) OR {worst} > {plan['rest_over']})"
    return f"CASE WHEN ({some}) AND {given} THEN {worst} END"


def main(path: str) -> None:
    """Run until told to stop."""
    from pyflink.table import EnvironmentSettings, TableEnvironment  # noqa: PLC0415 - only in its own environment

    plan = json.loads(Path(path).read_text(encoding="utf-8"))
    tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, value in {
        "pipeline.jars": f"file://{plan['jar']}",
        "parallelism.default": str(plan["parallelism"]),
        "table.local-time-zone": "UTC",
        "table.exec.source.idle-timeout": "0 ms",
    }.items():
        tables.get_config().set(name, value)
    for statement in statements(plan):
        done = tables.execute_sql(statement)
    done.wait()


if __name__ == "__main__":
    main(sys.argv[1])
