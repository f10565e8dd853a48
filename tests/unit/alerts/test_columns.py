from __future__ import annotations

import pyarrow as pa
import pytest

from alerts.columns import columns_of
from sensors.errors import BadFrame
from streams.results import RESULT_SCHEMA
from tests.unit.alerts.building import T0, batch, columns, row


def test_missing_values_are_told_apart_from_zero() -> None:
    found = columns(row(value=0), row(value=None, hour=1))
    assert found.has_value.tolist() == [True, False]
    assert found.value.tolist() == [0, 0]
    assert found.start[0] == T0


def test_names_that_do_not_occur_select_no_row() -> None:
    found = columns(row())
    assert not found.of("O3", "1h").any()
    assert found.of("PM2.5", "1h").all()
    assert found.reason_code("silent") not in found.reason
    assert found.edition_code("none") not in found.edition


def test_a_null_where_none_may_be_is_a_bad_frame() -> None:
    good = batch(row())
    arrays = [good.column(field.name) for field in RESULT_SCHEMA]
    arrays[RESULT_SCHEMA.get_field_index("revision")] = pa.array([None], pa.int32())
    with pytest.raises(BadFrame, match="revision"):
        columns_of(pa.RecordBatch.from_arrays(arrays, schema=RESULT_SCHEMA), "", "air")


def test_an_empty_batch_has_empty_columns() -> None:
    assert len(columns().start) == 0


def test_a_dictionary_that_names_a_factor_twice_selects_the_rows_of_both_names() -> None:
    """As several outputs of one factor may be written: the second name is the same factor."""
    rows = batch(row(factor="NO2"), row(factor="O3"))
    twice = pa.DictionaryArray.from_arrays(pa.array([2, 1], pa.int8()), pa.array(["NO2", "O3", "NO2"], pa.utf8()))
    found = columns_of(
        rows.set_column(rows.schema.get_field_index("factor"), rows.schema.field("factor"), twice), "pack", "air"
    )
    assert found.factors == ("NO2", "O3")
    assert found.of("NO2", "1h").tolist() == [True, False]
    assert found.of("O3", "1h").tolist() == [False, True]
