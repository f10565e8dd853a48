"""Questions to InfluxDB in Flux. Whatever comes from outside enters through `flux_string` or `flux_time`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from streams.store.contract import EARLIEST_MS, LATEST_MS
from streams.store.lines import encode_name
from streams.store.schema import RESULT_MEASUREMENTS, Field, Measurement, Tag

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PIVOT: Final = '|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> group()'
_RESULTS: Final = " or ".join(f'r._measurement == "{name}"' for name in RESULT_MEASUREMENTS)


def flux_string(text: str) -> str:
    """Return a string literal of Flux that can be nothing but this text in the form in which tags hold it.

    Encoded names hold no control character and no backslash; what is left that means something inside
    a literal is the quotation mark and ``${``.
    """
    return '"' + encode_name(text).replace('"', '\\"').replace("$", "\\x24") + '"'


def flux_time(ms: int) -> str:
    """Return a time literal of Flux, held within what InfluxDB can tell."""
    moment = _EPOCH + timedelta(milliseconds=min(max(ms, EARLIEST_MS), LATEST_MS + 1))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def results_query(bucket: str, start_ms: int, end_ms: int, wanted: Mapping[Tag, Iterable[str]]) -> str:
    """Return the question for the results with start_ms ≤ start < end_ms whose tags are among those wanted."""
    filters = [
        f"|> filter(fn: (r) => {' or '.join(f'r.{tag} == {flux_string(name)}' for name in names)})"
        for tag, names in wanted.items()
    ]
    source = _source(bucket, start_ms, end_ms)
    records = f'|> filter(fn: (r) => ({_RESULTS}) and r._field == "{Field.RECORD}")'
    return " ".join([source, records, *filters, "|> group()"])


def latest_query(bucket: str, window: str) -> str:
    """Return the question for the newest start of a window: one row with ``_time``, or none."""
    return (
        f"{_source(bucket, EARLIEST_MS, LATEST_MS + 1)} |> filter(fn: (r) => {_RESULTS}) "
        f'|> filter(fn: (r) => r.{Tag.PERIOD} == {flux_string(window)} and r._field == "{Field.VALID}") '
        '|> last() |> group() |> keep(columns: ["_time"]) |> sort(columns: ["_time"], desc: true) |> limit(n: 1)'
    )


def clock_query(bucket: str) -> str:
    """Return the question for the ticks noted of all partitions."""
    return f'{_source(bucket, 0, 1)} |> filter(fn: (r) => r._measurement == "{Measurement.CLOCK}") {_PIVOT}'


def _source(bucket: str, start_ms: int, end_ms: int) -> str:
    # A bucket's name is no tag: it is quoted as it is, from the settings.
    name = bucket.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\x24")
    return f'from(bucket: "{name}") |> range(start: {flux_time(start_ms)}, stop: {flux_time(end_ms)})'
