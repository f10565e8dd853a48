"""Slots and sites of water for tests: readings by factor, one text per slot."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import cast

import numpy as np

from sensors.kinds import Kind, load_kind
from sensors.registry import Site
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import SILENT

SLOT_MS = 4 * 3_600_000


def kind() -> Kind:
    return load_kind("water")


def section(name: str = "a", **setting: object) -> Site:
    """A site of which only the setting counts."""
    return cast("Site", SimpleNamespace(id=name, setting={"water": "river", "target": "III", **setting}))


def slots(*sites: dict[str, str], day: int = 20_000, count: int = 6) -> Slots:
    """Readings of each site: factor → texts of its slots divided by blanks, ``-`` for none; one text holds for all."""
    factors = kind().factors
    names = tuple(factors)
    shape = (len(sites), len(names), count)
    value, present = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    for at, readings in enumerate(sites):
        for name, text in readings.items():
            texts = text.split() * (1 if " " in text else count)
            for slot, cell in enumerate(texts):
                if cell != "-":
                    value[at, names.index(name), slot] = int(Fraction(cell) * 10 ** factors[name].digits)
                    present[at, names.index(name), slot] = True
    number = np.arange(count, dtype=np.int64)
    return Slots(
        value=value,
        present=present,
        valid=present.astype(np.int16),
        expected=np.ones(shape, np.int16),
        reason=np.where(present, 0, SILENT).astype(np.uint8),
        marks=np.zeros(shape, np.int32),
        inputs=present.astype(np.uint64) * (value.astype(np.uint64) + np.uint64(7)),
        planned=np.ones(shape, np.bool_),
        low=value,
        high=value,
        number=number,
        day=day + number // 6,
        start=number * SLOT_MS,
        slot_ms=SLOT_MS,
        factors=names,
        steps=tuple(factor.step for factor in factors.values()),
    )


def day_means(given: Slots) -> dict[tuple[str, str], Block]:
    """The arithmetic day means of slots, as the judge would hand them on; pH must not move within the day."""
    found = {}
    for at, name in enumerate(given.factors):
        there = given.present[:, at]
        count = there.sum(axis=1)
        mean = np.where(count > 0, given.value[:, at].sum(axis=1) // np.maximum(count, 1), 0)
        found[name, "24h"] = Block.of(
            value=mean[:, None],
            present=(count > 0)[:, None],
            reason=np.where(count > 0, 0, SILENT)[:, None],
            inputs=given.inputs[:, at].sum(axis=1, dtype=np.uint64)[:, None],
        )
    return found


def detail(output: Output, block: Block) -> list[list[str]]:
    """Return the detail texts of a block, [sites][times]."""
    assert output.tell is not None
    flat = output.tell(block.detail.ravel()).to_pylist()
    width = block.detail.shape[1]
    return [flat[row * width : (row + 1) * width] for row in range(block.detail.shape[0])]


def named(output: Output, bits: int) -> list[str]:
    """Return the names of a block's primary bits."""
    return [name for at, name in enumerate(output.primaries) if bits >> at & 1]
