"""What every test may use."""

from __future__ import annotations

from tests.services import chromium, influx, kafka, own_influx, own_kafka, postgres

__all__ = ["chromium", "influx", "kafka", "own_influx", "own_kafka", "postgres"]
