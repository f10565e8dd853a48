"""The SQL that Flink gets says what the standard says; SQLite counts in whole numbers in the same way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from fractions import Fraction

import pytest

from benchmarks.flink_app import iaqi_sql, index_sql, mean_sql, statements
from benchmarks.packets import START_MS
from benchmarks.sides import _rules
from sensors.clock import HOUR_MS, day_of_hour
from streams.air.index import real_time_table
from streams.standards import load_standards

PLAN = {
    **_rules(),
    "bootstrap": "127.0.0.1:1",
    "group": "g",
    "readings": "in",
    "results": "out",
    "jar": "/x.jar",
    "parallelism": 1,
}


def answer(sql: str, rows: list[tuple[int | None, ...]], columns: int = 1) -> list[tuple[int | None, ...]]:
    names = ", ".join(f"m{place}" for place in range(columns))
    with closing(sqlite3.connect(":memory:")) as held:
        held.create_function("GREATEST", -1, max)
        held.execute(f"CREATE TABLE t ({names})")
        held.executemany(f"INSERT INTO t VALUES ({', '.join('?' * columns)})", rows)  # noqa: S608 - our own question marks
        return held.execute(f"SELECT {sql} FROM t").fetchall()  # noqa: S608 - the SQL under test


@pytest.mark.parametrize("place", range(6))
def test_the_iaqi_of_every_concentration_is_that_of_the_table(place: int) -> None:
    table = real_time_table(load_standards().index_edition(day_of_hour(START_MS // HOUR_MS)))
    found = answer(iaqi_sql("m0", PLAN["points"][place]), [(unit,) for unit in range(table.lookup.shape[1])])
    assert [row[0] for row in found] == table.lookup[place].tolist()


def test_an_item_that_is_missing_has_no_iaqi() -> None:
    assert answer(iaqi_sql("m0", PLAN["points"][0]), [(None,)]) == [(-1,)]


@pytest.mark.parametrize(
    ("values", "needed", "expected"),
    [
        ([100, 200], 2, 2),  # 1.5 goes to the even 2
        ([200, 300], 2, 2),  # 2.5 too
        ([201, 300], 2, 3),
        ([100], 2, None),
        ([None, 100, 100], 2, 1),
    ],
)
def test_a_mean_is_rounded_half_to_even_and_missing_below_completeness(
    values: list[int | None], needed: int, expected: int | None
) -> None:
    rounded = round(Fraction(sum(v or 0 for v in values), sum(v is not None for v in values) * 100))
    assert expected in (None, rounded)
    assert answer(mean_sql("m0", 100, needed), [(v,) for v in values]) == [(expected,)]


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ((36, 10, 10, 10, 5, 10), 52),  # PM2.5 36 on the 24 h breakpoints of 2026
        ((None, 10, 10, 10, 5, 10), None),  # one missing, the rest not over 100
        ((None, 121, 10, 10, 5, 10), 101),
        ((None,) * 6, None),
    ],
)
def test_the_index_is_that_of_the_edition(means: tuple[int | None, ...], expected: int | None) -> None:
    assert answer(index_sql(PLAN), [means], columns=6) == [(expected,)]


def test_the_job_reads_one_topic_and_writes_the_other() -> None:
    source, sink, hours, closed, insert = statements(PLAN)
    assert "'topic' = 'in'" in source
    assert "'topic' = 'out'" in sink
    assert "FROM TABLE(TUMBLE(TABLE readings" in hours
    assert "FROM TABLE(TUMBLE(TABLE hours" in closed
    assert insert.startswith("INSERT INTO results")
