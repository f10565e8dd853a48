from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.deadletters import Refusal
from sensors.decimals import Reading, fixed_point
from sensors.factors import load_factors
from sensors.files import read_table
from sensors.intake import Delivery, Taken, TextBlock, take
from sensors.layouts import CSV
from sensors.registry import parse_registry
from sensors.yamlfile import parse_yaml

FACTORS = load_factors("air")
DELIVERY = Delivery(source="test", received_ms=1_700_000_000_000)
REGISTRY = parse_registry(
    parse_yaml(
        "region: {zh: 区, en: region}\nsynthetic: false\nsites:\n"
        "  - {id: A, name: {zh: 站, en: s}, class: urban, lon: 116, lat: 39, county: c, zone: 2, period: hour,"
        " origin: document, source: made for a test, from: 2016-01-01}\n",
        "r.yaml",
    )
)
CELLS = st.sampled_from(["1", "35.5", "", "NA", "-999", "NaN", "text", "1e400", "9999999"]) | st.text(max_size=4)
TIMES = st.sampled_from(["2016-12-20 08:00", "2016-12-20 09:00", "1970-01-01 08:00", "2099-01-01 00:00", "", "no time"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "time": TIMES,
            "site": st.sampled_from(["A", "A", "A", "Z", ""]),
            "PM2.5": CELLS,
            "CO": CELLS,
            "CO.flag": st.sampled_from(["N", "C", "", "?"]),
            "Sb": CELLS,
            "correction": st.sampled_from(["", "1", "x"]),
        }
    ),
    max_size=12,
)

LAW = settings(deadline=None)  # how long a case takes says nothing about it


def taken(rows: list[dict[str, str]], number: int = 0) -> Taken:
    names = ["time", "site", "PM2.5", "CO", "CO.flag", "Sb", "correction"]
    table = pa.table({name: pa.array([row[name] for row in rows], pa.utf8()) for name in names})
    block = TextBlock(file="f", columns=table, lines=np.arange(len(rows)) + 2, number=number)
    return take(block, CSV, registry=REGISTRY, factors=FACTORS, delivery=DELIVERY)


@LAW
@given(ROWS, st.integers(0, 12))
def test_cutting_a_table_changes_neither_its_rows_nor_its_letters(rows: list[dict[str, str]], cut: int) -> None:
    whole, first, second = taken(rows), taken(rows[:cut]), taken(rows[cut:], 1)
    assert whole.rows.to_pylist() == first.rows.to_pylist() + second.rows.to_pylist()
    reasons = sorted((letter.reason, letter.raw) for letter in (*first.letters, *second.letters))
    assert sorted((letter.reason, letter.raw) for letter in whole.letters) == reasons


@LAW
@given(ROWS)
def test_every_row_is_taken_or_has_a_letter(rows: list[dict[str, str]]) -> None:
    found = taken(rows)
    refused = [
        letter for letter in found.letters
        if letter.reason in {Refusal.IMPOSSIBLE_TIME, Refusal.UNKNOWN_SITE} and not letter.factor
    ]  # fmt: skip
    assert found.rows.num_rows + len(refused) == len(rows)
    found.rows.validate(full=True)


@LAW
@given(ROWS, st.data())
def test_a_bad_row_among_the_others_changes_none_of_them(rows: list[dict[str, str]], data: st.DataObject) -> None:
    bad = {"time": "", "site": "Z", "PM2.5": "NaN", "CO": "-999", "CO.flag": "", "Sb": "", "correction": ""}
    place = data.draw(st.integers(0, len(rows)))
    assert taken([*rows[:place], bad, *rows[place:]]).rows.to_pylist() == taken(rows).rows.to_pylist()


def _would_be_a_tie(exact: Fraction, factor: Any) -> bool:
    """Return whether the nearest stored number lies half-way at the reported digit: a second rounding would err."""
    return bool((round(exact * 10**factor.digits) / Fraction(10**factor.extra)) % 1 == Fraction(1, 2))


@LAW
@given(
    st.integers(0, 10**7), st.integers(0, 9), st.sampled_from(list(FACTORS.values())),
    st.sampled_from([Fraction(1), Fraction(1, 1000), Fraction(1000)]),
)  # fmt: skip
def test_decimal_text_is_read_without_the_least_error(whole: int, places: int, factor: object, scale: Fraction) -> None:
    text = f"{whole // 10**places}.{whole % 10**places:0{places}d}" if places else str(whole)
    exact = Fraction(whole, 10**places) * scale
    value, state = fixed_point(text, factor, scale)  # type: ignore[arg-type]
    if state is Reading.VALUE:
        stored, step = Fraction(value, 10**factor.digits), Fraction(1, 10**factor.digits)  # type: ignore[attr-defined]
        assert abs(stored - exact) <= step / 2 or _would_be_a_tie(exact, factor)
        assert abs(stored - exact) < step
    else:
        assert state is Reading.IMPOSSIBLE
        assert not factor.low <= exact <= factor.high  # type: ignore[attr-defined]


@LAW
@given(st.text(max_size=12))
def test_any_text_is_a_value_in_bounds_or_refused(text: str) -> None:
    factor = FACTORS["CO"]
    value, state = fixed_point(text, factor, Fraction(1))
    assert state is Reading.VALUE or value == 0
    assert factor.low <= Fraction(value, 10**factor.digits) <= factor.high


@LAW
@given(st.binary(max_size=300), st.integers(1, 5))
def test_any_bytes_are_rows_and_letters_and_no_line_is_lost(data: bytes, block_rows: int) -> None:
    with TemporaryDirectory() as home:
        path = Path(home) / "f.csv"
        path.write_bytes(b"time,site,CO\n" + data)
        blocks = list(read_table(path, DELIVERY, block_rows))
    lines = [int(line) for block in blocks for line in block.lines]
    refused = [int(letter.where.split(":")[1]) for block in blocks for letter in block.letters]
    given_lines = data.splitlines()
    assert sorted(lines + refused) == sorted(set(lines + refused))
    assert set(lines + refused) <= set(range(2, len(given_lines) + 2))
    assert all(len(block.lines) == len(block.columns) <= block_rows for block in blocks)
    plain = {number for number, line in enumerate(given_lines, 2) if line.isascii() and line.decode().strip()}
    assert plain <= set(lines + refused)
