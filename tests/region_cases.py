"""The simulated region for tests: its registry, its packets as arrays, and the air of it alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import BEIJING, DAY_MS, ms_of
from sensors.factors import load_factors
from sensors.registry import Registry, Site, load_registry
from sensors.yamlfile import read_yaml
from simulators.region import Region

DATA = Path(__file__).parents[1] / "simulators/data/shangyu"
REGISTRY = DATA / "registry.yaml"
NOVEMBER = ms_of(datetime(2026, 11, 21, 16, tzinfo=BEIJING))
JULY = ms_of(datetime(2026, 7, 21, 9, tzinfo=BEIJING))
JUNE = ms_of(datetime(2026, 6, 29, 19, tzinfo=BEIJING))
CYCLE = 10 * DAY_MS


@cache
def shangyu() -> Registry:
    return load_registry(REGISTRY)


@cache
def region() -> Region:
    return Region(registry=shangyu())


@cache
def packets(kind: str, end: int, length: int = CYCLE) -> pa.RecordBatch:
    return region().packets(kind, end - length, end)


def write_air_only(path: Path) -> Path:
    """Write the region's air stations alone as a registry and return where."""
    value = read_yaml(REGISTRY).value
    sites = [site for site in value["sites"] if site.get("kind", "air") == "air"]
    path.write_text(json.dumps(value | {"sites": sites, "flows": []}, ensure_ascii=False), encoding="utf-8")
    return path


def sites_of(kind: str) -> tuple[Site, ...]:
    return shangyu().of_kind(kind)


def texts(batch: pa.RecordBatch) -> NDArray[np.str_]:
    column = batch.column("site")
    return np.asarray(np.array(column.dictionary.to_pylist())[column.indices.to_numpy()])


def times(batch: pa.RecordBatch, column: str = "start") -> NDArray[np.int64]:
    return np.asarray(batch.column(column).cast(pa.int64()).to_numpy())


def flags(batch: pa.RecordBatch, factor: str) -> NDArray[np.uint8]:
    return np.asarray(batch.column(f"{factor}.flag").fill_null(0).to_numpy())


def values(batch: pa.RecordBatch, factor: str, kind: str) -> NDArray[np.float64]:
    """Return values in the canonical unit; NaN where there is none."""
    stored = batch.column(factor).cast(pa.float64()).fill_null(float("nan")).to_numpy()
    return np.asarray(stored / 10.0 ** load_factors(kind)[factor].digits)


def at(batch: pa.RecordBatch, sites: Sequence[str], start: int, end: int) -> NDArray[np.bool_]:
    """Return which rows are first sent by sites for intervals that begin in [start, end)."""
    begun = times(batch)
    first = np.asarray(batch.column("correction").to_numpy() == 0)
    return np.asarray((begun >= start) & (begun < end) & np.isin(texts(batch), list(sites)) & first)
