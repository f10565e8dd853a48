"""The names in InfluxDB: measurements, tags and fields, for the store, the boards and the console.

A point is one result that stands. Its time is the start of the interval (running windows: of the
newest hour). It carries every field below but three: ``value`` and ``fixed`` where there is no
value, ``iaqi`` and ``level`` where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from streams.results import AQI


class Measurement(StrEnum):
    """What a point is about."""

    WINDOW = "window"
    """A concentration over a window."""
    INDEX = "index"
    """An air quality index; its factor is ``AQI``."""
    CLOCK = "clock"
    """How far a partition has come; tag ``partition``, fields ``at`` and ``wall``, always at time 0."""


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
    """The same, exact: an integer, ``fixed / 10**digits``."""
    DIGITS = "digits"
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
    INPUTS = "inputs"
    """Hash of what went in."""
    AT = "at"
    """The tick that made this revision, in ms."""
    PACK = "pack"
    """Hash of the standards pack that judged."""


class ClockName(StrEnum):
    """Names of the measurement ``clock``."""

    PARTITION = "partition"
    AT = "at"
    WALL = "wall"


FIELD_OF_COLUMN: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "value": Field.FIXED,
        "digits": Field.DIGITS,
        "valid": Field.VALID_COUNT,
        "expected": Field.EXPECTED,
        "reason": Field.REASON,
        "detail": Field.DETAIL,
        "flags": Field.FLAGS,
        "iaqi": Field.IAQI,
        "level": Field.LEVEL,
        "primary": Field.PRIMARY,
        "revision": Field.REVISION,
        "inputs": Field.INPUTS,
        "at": Field.AT,
    }
)
"""Which field holds a column of `streams.results.RESULT_SCHEMA`."""
TAG_OF_COLUMN: Final[Mapping[str, Tag]] = MappingProxyType(
    {"site": Tag.SITE, "factor": Tag.FACTOR, "window": Tag.PERIOD, "edition": Tag.EDITION}
)
"""Which tag holds a column of `streams.results.RESULT_SCHEMA`."""
RESULT_MEASUREMENTS: Final = (Measurement.WINDOW, Measurement.INDEX)


def measurement_of(factor: str) -> Measurement:
    """Return the measurement that holds a factor's results."""
    return Measurement.INDEX if factor == AQI else Measurement.WINDOW
