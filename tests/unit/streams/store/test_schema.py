"""The names in InfluxDB."""

from __future__ import annotations

from streams.results import CONTENT_COLUMNS, KEY_COLUMNS, RESULT_SCHEMA
from streams.store.schema import FIELD_OF_COLUMN, RECORD_CELLS, TAG_OF_COLUMN, Field, Measurement, Tag, measurement_of


def test_every_column_of_a_result_is_a_tag_the_time_or_a_cell_of_the_record() -> None:
    assert {*TAG_OF_COLUMN, "start", *RECORD_CELLS} - {"pack"} == set(RESULT_SCHEMA.names)
    assert set(KEY_COLUMNS) == {*TAG_OF_COLUMN, "start"}
    assert set(CONTENT_COLUMNS) <= set(RECORD_CELLS)


def test_the_tags_are_these_and_no_id_is_among_them() -> None:
    assert set(Tag) == {"site", "kind", "factor", "period", "edition"}


def test_every_field_but_the_float_the_state_and_the_record_is_a_column() -> None:
    assert set(Field) - set(FIELD_OF_COLUMN.values()) == {Field.VALUE, Field.VALID, Field.RECORD}


def test_indices_and_windows_are_kept_apart() -> None:
    assert measurement_of("AQI") is Measurement.INDEX
    assert measurement_of("PM2.5") is Measurement.WINDOW
