"""The names in InfluxDB: measurements, tags and fields, for the store, the boards and the console.

A point is one result that stands. Its time is the start of the interval (running windows: of the
newest hour). It carries every field below except those that have nothing to say: ``value`` and
``fixed`` without a value, ``iaqi``, ``level``. Boards read single fields; the store reads ``record``
alone, which says everything and spares a pivot over all fields (measured: five times faster).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from streams.results import AQI, CONTENT_COLUMNS


class Measurement(StrEnum):
    """What a point is about."""

    WINDOW = "window"
    """A concentration over a window."""
    INDEX = "index"
    """An air quality index; its factor is ``AQI``."""
    CLOCK = "clock"
    """How far a partition has come; tags ``kind`` and ``partition``, fields ``at`` and ``wall``, always at time 0."""


class Tag(StrEnum):
    """What names a series; with the time it is the key of a result."""

    SITE = "site"
    KIND = "kind"
    FACTOR = "factor"
    PERIOD = "period"
    """The window, for example ``1h`` or ``MDA8``; ``window`` is a function of Flux."""
    EDITION = "edition"


class Field(StrEnum):
    """What a point says."""

    VALUE = "value"
    """In the canonical unit; a float for people and charts."""
    FIXED = "fixed"
    """The same, exact: an integer with the factor's decimals and two more (`sensors.factors`)."""
    VALID = "valid"
    """1 when there is a value, else 0."""
    VALID_COUNT = "valid_count"
    """Minutes of an hour, hours of a mean, 8 h means of an MDA8."""
    EXPECTED = "expected"
    REASON = "reason"
    """Why there is no value; empty when all is well."""
    DETAIL = "detail"
    FLAGS = "flags"
    """The union of `sensors.flags.Mark`."""
    IAQI = "iaqi"
    LEVEL = "level"
    PRIMARY = "primary"
    REVISION = "revision"
    RECORD = "record"
    """The whole result: the cells of `RECORD_CELLS` between tabs, in the form of `streams.store.lines`."""


class ClockName(StrEnum):
    """Names of the measurement ``clock``."""

    PARTITION = "partition"
    AT = "at"
    WALL = "wall"


FIELD_OF_COLUMN: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "value": Field.FIXED,
        "valid": Field.VALID_COUNT,
        "expected": Field.EXPECTED,
        "reason": Field.REASON,
        "detail": Field.DETAIL,
        "flags": Field.FLAGS,
        "iaqi": Field.IAQI,
        "level": Field.LEVEL,
        "primary": Field.PRIMARY,
        "revision": Field.REVISION,
    }
)
"""Which field holds a column of `streams.results.RESULT_SCHEMA`; the others are in the record only."""
RECORD_CELLS: Final = ("revision", "at", *CONTENT_COLUMNS, "pack")
"""What the field ``record`` holds, in order; nothing is an empty cell."""
TAG_OF_COLUMN: Final[Mapping[str, Tag]] = MappingProxyType(
    {"site": Tag.SITE, "factor": Tag.FACTOR, "window": Tag.PERIOD, "edition": Tag.EDITION}
)
"""Which tag holds a column of `streams.results.RESULT_SCHEMA`."""
RESULT_MEASUREMENTS: Final = (Measurement.WINDOW, Measurement.INDEX)


def measurement_of(factor: str) -> Measurement:
    """Return the measurement that holds a factor's results."""
    return Measurement.INDEX if factor == AQI else Measurement.WINDOW
