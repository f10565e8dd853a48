from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from streams.air.index import FACTORS, pack_states, tell_states
from streams.judging.plan import NO_NUMBER, Block, Output
from streams.judging.reasons import code
from streams.judging.saying import Speech, Spot, content, say, stacked
from streams.judging.state import Said
from streams.results import RESULT_SCHEMA, Reason, Window
from tests.air_cases import T0

SITES, TIMES = 2, 3
EVERY = np.ones((TIMES, 2, SITES), np.bool_)
SPEECH = Speech(names=pa.array(["A", "B", "C"]), editions=("old", "new", ""), at=T0)
OUTPUTS = (
    Output(factor="SO2", window=Window.HOUR, digits=2),
    Output(factor="AQI", window=Window.HOUR, digits=0, tell=tell_states, primaries=FACTORS),
)


def block(value: int = 800, **changed: Any) -> Block:
    shape = (SITES, TIMES)
    made = Block(
        value=np.full(shape, value, np.int64),
        present=np.ones(shape, np.bool_),
        valid=np.ones(shape, np.int16),
        expected=np.ones(shape, np.int16),
        reason=np.zeros(shape, np.uint8),
        detail=np.zeros(shape, np.int64),
        marks=np.zeros(shape, np.uint16),
        iaqi=np.full(shape, NO_NUMBER, np.int16),
        level=np.full(shape, NO_NUMBER, np.int8),
        primary=np.zeros(shape, np.uint64),
        inputs=np.ones(shape, np.uint64),
        edition=np.zeros(shape, np.int8),
        due=np.ones(shape, np.bool_),
    )
    return replace(made, **{name: np.broadcast_to(cells, shape) for name, cells in changed.items()})


def spot() -> Spot:
    """Return the second and third of three sites, three hours in a ring of four."""
    return Spot(
        outputs=OUTPUTS,
        said=Said.nothing(4, 2, 3),
        sites=np.array([1, 2]),
        places=np.array([2, 3, 0]),
        starts=T0 + np.arange(3) * 3_600_000,
    )


def test_everything_is_said_once_and_then_nothing() -> None:
    where = spot()
    first = say(SPEECH, where, [block(), block(50)], EVERY)
    assert first.schema == RESULT_SCHEMA
    assert first.num_rows == 12
    assert set(first.column("revision").to_pylist()) == {1}
    assert say(SPEECH, where, [block(), block(50)], EVERY).num_rows == 0


def test_every_name_stands_once_in_its_dictionary() -> None:
    """Outputs share factors and windows; a reader may look a name up and take its first place."""
    rows = say(SPEECH, replace(spot(), outputs=(OUTPUTS[0], OUTPUTS[0])), [block(), block(50)], EVERY)
    for name in ("factor", "window", "edition", "reason"):
        names = rows.column(name).dictionary.to_pylist()
        assert len(names) == len(set(names)), name
    assert set(rows.column("factor").to_pylist()) == {OUTPUTS[0].factor}


def test_what_changed_is_said_again_with_the_next_revision() -> None:
    where = spot()
    say(SPEECH, where, [block(), block(50)], EVERY)
    value = block().value.copy()
    value[1, 2] = 900
    found = say(SPEECH, where, [replace(block(), value=value), block(50)], EVERY)
    assert found.num_rows == 1
    row = found.to_pylist()[0]
    assert (row["site"], row["factor"], row["window"], row["value"]) == ("C", "SO2", "1h", 900)
    assert (row["revision"], row["edition"]) == (2, "old")
    assert row["start"].timestamp() * 1000 == T0 + 2 * 3_600_000


def test_what_is_not_due_is_not_said_and_not_noted() -> None:
    where = spot()
    due = EVERY.copy()
    due[..., 0] = False
    assert set(say(SPEECH, where, [block(), block()], due).column("site").to_pylist()) == {"C"}
    later = say(SPEECH, where, [block(), block()], EVERY)
    assert set(later.column("site").to_pylist()) == {"B"}
    assert set(later.column("revision").to_pylist()) == {1}


def test_a_value_that_was_taken_away_is_said_without_a_number() -> None:
    where = spot()
    say(SPEECH, where, [block(), block()], EVERY)
    gone = block(value=0, present=False, reason=np.uint8(code(Reason.CALIBRATING)))
    found = say(SPEECH, where, [gone, gone], EVERY).to_pylist()
    assert {(r["value"], r["reason"], r["revision"]) for r in found} == {(None, "calibrating", 2)}


def test_numbers_that_are_not_there_are_null_and_those_that_are_zero_are_zero() -> None:
    given = block(value=0, iaqi=np.int16(0), level=np.int8(1))
    rows = say(SPEECH, spot(), [block(), given], EVERY).to_pylist()
    assert {(r["factor"], r["value"], r["iaqi"], r["level"]) for r in rows} == {
        ("SO2", 800, None, None),
        ("AQI", 0, 0, 1),
    }


def test_digits_marks_primaries_and_missing_items_are_written_out() -> None:
    states = np.array([[0], [0], [code(Reason.SILENT)], [code(Reason.CALIBRATING)], [0], [0]], np.uint8)
    index = block(
        50, marks=np.uint16(513), primary=np.uint64(0b100001), detail=pack_states(states)[0], edition=np.int8(1)
    )
    found = say(SPEECH, spot(), [block(), index], EVERY).to_pylist()
    row = next(r for r in found if r["factor"] == "AQI")
    assert (row["digits"], row["flags"], row["primary"]) == (0, 513, "PM2.5;O3")
    assert (row["detail"], row["edition"]) == ("SO2: silent; NO2: calibrating", "new")
    assert {r["detail"] for r in found if r["factor"] == "SO2"} == {""}


def test_the_tick_stands_on_every_row() -> None:
    found = say(replace(SPEECH, at=T0 + 5), spot(), [block(), block()], EVERY)
    assert {int(t.timestamp() * 1000) for t in found.column("at").to_pylist()} == {T0 + 5}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("value", 801), ("present", False), ("valid", 2), ("expected", 2), ("reason", 1), ("detail", 1), ("marks", 1),
        ("iaqi", 1), ("level", 1), ("primary", 1), ("inputs", 2), ("edition", 1),
    ],
)  # fmt: skip
def test_every_column_but_whether_it_is_due_is_content(name: str, value: int) -> None:
    plain = content(stacked([block()]))
    kind = getattr(block(), name).dtype
    assert (content(stacked([block(**{name: kind.type(value)})])) != plain).all()
    assert (content(stacked([block(due=False)])) == plain).all()


def test_content_is_never_the_sign_of_nothing_said() -> None:
    empty = block(value=0, present=False, valid=np.int16(0), expected=np.int16(0), inputs=np.uint64(0))
    assert (content(stacked([empty])) != 0).all()


def test_no_rows_have_the_columns_all_the_same() -> None:
    found = say(SPEECH, spot(), [block(), block()], np.zeros_like(EVERY))
    assert found.num_rows == 0
    assert found.schema == RESULT_SCHEMA


def test_item_states_are_packed_in_the_order_of_the_factors() -> None:
    states = np.arange(6, dtype=np.uint8)[:, None]
    assert pack_states(states).tolist() == [0b00101_00100_00011_00010_00001_00000]
    assert len(FACTORS) == 6
