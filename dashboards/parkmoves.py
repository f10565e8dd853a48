"""Evidence of an event at a park: which of its outlets and rivers moved first, by the rows of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

from alerts.events import Event
from sensors.clock import HOUR_MS
from sensors.kinds import Kind
from sensors.registry import Registry, Site
from sensors.windows import Span
from streams.discharge.limiting import SUFFIX
from streams.discharge.moves import MoveSettings, Order, Role, Track, first_moves, linked_points
from streams.store.contract import ResultStore

BEFORE_MS: Final = 24 * HOUR_MS
"""A look begins so long before the event's data, because what came down the river may have left an outlet then."""
AFTER_MS: Final = 12 * HOUR_MS
SHARED: Final = "NH3-N"
"""What all of a park's points measure, where the event is about something that they do not."""


def park_of(registry: Registry, site: str, at_ms: int) -> str | None:
    """Return the park of which a site is a linked point; None where there is none."""
    parks = (area.id for area in registry.areas if area.type == "park")
    return next((park for park in parks if site in dict(linked_points(registry, park, at_ms))), None)


def moves_of(
    store: ResultStore, registry: Registry, kind_of: Callable[[str], Kind], event: Event
) -> tuple[str, str, Order] | None:
    """Return park, factor and the order in which its points moved around an event; None at other sites.

    Raises
    ------
    StoreError
        When the store does not answer.
    """
    park = park_of(registry, event.key.site, event.start)
    if park is None:
        return None
    points = [
        (entry, role)
        for name, role in linked_points(registry, park, event.start)
        if (entry := registry.get(name, event.start)) is not None
    ]
    named = event.key.factor.removesuffix(SUFFIX)
    factor = named if all(named in kind_of(entry.kind).factors for entry, _ in points) else SHARED
    since, until = event.start - BEFORE_MS, event.start + AFTER_MS
    settings = MoveSettings()
    tracks = _tracks(store, kind_of, points, factor, (since - settings.usual_ms, until))
    return park, factor, first_moves(list(tracks), since, until, settings)


def _tracks(
    store: ResultStore,
    kind_of: Callable[[str], Kind],
    points: list[tuple[Site, Role]],
    factor: str,
    span: tuple[int, int],
) -> Iterator[Track]:
    for entry, role in points:
        kind = kind_of(entry.kind)
        found = store.series(entry.id, factor, kind.of_span(Span.SLOT)[0].name, *span)
        known = found.filter(found.column("value").is_valid())
        starts = known.column("start").cast(pa.int64()).to_numpy()
        scale = 10.0 ** known.column("digits").to_numpy().astype(np.float64)
        yield Track(
            site=entry.id, role=role, starts=starts, values=known.column("value").to_numpy() / scale,
            slot_ms=kind.slot_ms,
        )  # fmt: skip


def moves_data(found: tuple[str, str, Order]) -> dict[str, Any]:
    """Return what was found as plain data."""
    park, factor, order = found
    return {
        "park": park,
        "factor": factor,
        "first": list(order.first),
        "sure": order.sure,
        "moves": [
            {
                "site": one.site, "role": one.role.value, "moved": one.moved.value, "after": one.after, "by": one.by,
                "usual": one.usual, "peak": one.peak,
            }
            for one in order.moves
        ],
        "lags": [{"from": a, "to": b, "least_ms": least, "most_ms": most} for a, b, least, most in order.lags],
    }  # fmt: skip
