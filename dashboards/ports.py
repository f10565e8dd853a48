"""What the console asks of the result store: its reading side alone."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa


class StreamClock(Protocol):
    """How far the slowest partition is, and when that was written."""

    @property
    def at(self) -> int:
        """Time of the data, milliseconds UTC."""

    @property
    def wall(self) -> int:
        """Wall clock when it was written, milliseconds UTC."""


class ResultReader(Protocol):
    """The reading side of ``streams.store.ResultStore``; every method may raise ``StoreError``."""

    def site_rows(self, site: str, start_ms: int, end_ms: int) -> pa.Table:
        """Return the rows of every factor and window of a site."""

    def slice(self, window: str, start_ms: int) -> pa.Table:
        """Return the rows of all sites and factors of one window start."""

    def latest(self, window: str) -> int | None:
        """Return the newest start that has rows."""

    def clock(self) -> StreamClock | None:
        """Return the stream's clock; None before the first tick."""
