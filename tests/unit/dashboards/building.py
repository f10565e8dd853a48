"""What tests of the console are made of: a small region, its results, a desk, and a store that can go away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
from fastapi import FastAPI

from alerts.cases.keeper import CaseKeeper
from alerts.cases.policyfile import load_case_policy
from alerts.columns import columns_of
from alerts.desk import Desk
from alerts.journal import Journal, open_journal
from alerts.keeper import Keeper
from alerts.people import NOBODY, People
from alerts.rules import load_rules
from alerts.steward import Steward
from alerts.subjects import subject_of
from alerts.verdicts import Judge
from dashboards.app import create_console
from dashboards.office import Office, office_of
from dashboards.settings import ConsoleSettings
from sensors.areas import Area
from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.errors import StoreError
from sensors.registry import Absence, Registry, Site, StationClass
from sensors.registryfile import AreaType
from streams.results import AQI, RESULT_SCHEMA, ResultHead, Window
from streams.standards import load_standards
from streams.store.memory import MemoryStore

_RULES = cache(load_rules)
_POLICY = cache(load_case_policy)
T0 = 1_795_190_400_000
"""2026-11-20 16:00 UTC: a Beijing midnight, that of 2026-11-21."""
HEAD = ResultHead(kind="air", pack="pack")
ORIGIN = "http://127.0.0.1:8420"
SAME = {"origin": ORIGIN}
NASTY = "<script>alert(1)</script>\"'&\u2028"


def site(name: str = "A", **other: Any) -> Site:
    made: dict[str, Any] = {
        "id": name, "kind": "air", "name_zh": f"{name}站", "name_en": f"{name} station",
        "station_class": StationClass.URBAN, "lon": 120.9, "lat": 30.0, "county": "县", "township": "镇", "zone": 2,
        "period_ms": 60_000, "synthetic": True, "source": "test", "start": 0, "end": None, "not_in_plan": (),
        "assessment": True,
    }  # fmt: skip
    return Site(**(made | other))


def absence(factor: str, start: int = 0, end: int | None = None) -> Absence:
    return Absence(factor=factor, start=start, end=end, author="a", why="w")


def registry(*sites: Site, synthetic: bool = True, areas: tuple[Area, ...] = ()) -> Registry:
    return Registry(
        region_zh="试区",
        region_en="Test region",
        synthetic=synthetic,
        sites=sites or (site("A"), site("B")),
        areas=areas,
    )


def area(name: str, type_: str = "county", parent: str | None = None) -> Area:
    return Area(
        id=name, type=AreaType(type_), name_zh=f"{name}区", name_en=f"{name} area", parent=parent, synthetic=True,
        source="test",
    )  # fmt: skip


def section(name: str = "W", **other: Any) -> Site:
    """Return a section of a river with a target of class III."""
    made: dict[str, Any] = {"kind": "water", "station_class": "river_section", "zone": 0, "period_ms": 4 * HOUR_MS}
    return site(name, **(made | {"setting": {"water": "river", "target": "III"}} | other))


def plain(site_id: str, factor: str, value: int | None, window: str, start: int, **other: Any) -> dict[str, Any]:
    """Return a row of any kind of readings; ``value`` fixed point with 2 digits."""
    made = row(factor, value, site=site_id, window=window, start=start, edition="")
    return made | {"value": value, "digits": 2, "at": start + HOUR_MS} | other


def row(factor: str = "PM2.5", value: int | None = 10, hour: int = 0, **other: Any) -> dict[str, Any]:
    """Return a result row; ``value`` in whole canonical units, ``hour`` counted from `T0`."""
    digits = 0 if factor == AQI else 3 if factor == "CO" else 2
    start = other.pop("start", T0 + hour * HOUR_MS)
    made: dict[str, Any] = {
        "site": "A", "factor": factor, "window": "1h", "start": start, "edition": "HJ633-2026",
        "value": None if value is None else value * 10**digits, "digits": digits, "valid": 60, "expected": 60,
        "reason": "" if value is not None else "incomplete", "detail": "", "flags": 0, "iaqi": None,
        "level": None, "primary": "", "revision": 1, "inputs": 7, "at": start + HOUR_MS + MINUTE_MS,
    }  # fmt: skip
    if factor == AQI and value is not None:
        made["level"] = 1 + sum(value > bound for bound in (50, 100, 150, 200, 300))
    return made | other


def hour_of(name: str, hour: int, aqi: int = 40, **values: int) -> list[dict[str, Any]]:
    """Return a site's hour with all six factors, named without the point: ``PM25=80``."""
    found = {"PM2.5": 20, "PM10": 40, "SO2": 6, "NO2": 30, "CO": 1, "O3": 80}
    found |= {key.replace("PM25", "PM2.5"): value for key, value in values.items()}
    return [row(factor, value, hour, site=name) for factor, value in found.items()] + [row(AQI, aqi, hour, site=name)]


def batch(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    arrays = []
    for one in RESULT_SCHEMA:
        values = [made[one.name] for made in rows]
        plain = pa.types.is_dictionary(one.type)
        arrays.append(
            pa.array(values, pa.utf8()).dictionary_encode().cast(one.type) if plain else pa.array(values, one.type)
        )
    return pa.RecordBatch.from_arrays(arrays, schema=RESULT_SCHEMA)


def table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_batches([batch(rows)])


class Away:
    """A store or desk that answers until it is told to be away."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.away = inner, False

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise StoreError("away")
        return getattr(self.inner, name)


class Client:
    """A browser without scripts: keeps cookies, follows nothing."""

    def __init__(self, app: FastAPI, base_url: str, *, faults: bool) -> None:
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=faults), base_url=base_url, timeout=30
        )

    @property
    def cookies(self) -> httpx.Cookies:
        return self._http.cookies

    def get(self, path: str, **other: Any) -> httpx.Response:
        return self._runner.run(self._http.get(path, **other))

    def post(self, path: str, **other: Any) -> httpx.Response:
        return self._runner.run(self._http.post(path, **other))

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()


@dataclass(slots=True, kw_only=True)
class House:
    """A console with all that it stands on; its wall clock is moved by hand."""

    registry: Registry
    store: Away
    desk: Away
    journal: Journal
    settings: ConsoleSettings
    keeper: Keeper
    office: Office
    wall: int = T0 + 2 * HOUR_MS + 5 * MINUTE_MS
    app: FastAPI = field(init=False)
    clients: list[Client] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = self.open_console()

    def open_console(self) -> FastAPI:
        """Return a new console over the same store and desk: what a restart makes."""
        return create_console(
            self.store,
            self.desk,  # type: ignore[arg-type]
            self.registry,
            load_standards(),
            self.settings,
            wall=lambda: self.wall,
            office=self.office,
        )

    def say(self, *rows: dict[str, Any], kind: str = "air") -> None:
        """Let the stream say results: into the store and to the alerts."""
        said = batch(rows)
        self.store.inner.write(said, ResultHead(kind=kind, pack="pack"))
        with self.journal.writing() as turn:
            self.keeper.take(columns_of(said, "pack", kind), turn)
            self.keeper.save(turn)

    def settle(self) -> None:
        """Let the steward keep the cases."""
        rules = _RULES()
        keeper = CaseKeeper(self.office.policy, lambda event: subject_of(event, rules, self.registry, event.start))
        steward = Steward(self.journal, [keeper], lambda: self.wall)
        while steward.once():
            pass

    def tick(self, at: int | None = None, kind: str = "air") -> None:
        self.store.inner.note_tick(kind, 0, self.wall if at is None else at, self.wall)

    def look(self) -> None:
        self.app.state.console.watch.look()

    def client(self, base_url: str = ORIGIN, *, faults: bool = True) -> Client:
        """Return a client without the background task: tests look by hand."""
        self.look()
        made = Client(self.app, base_url, faults=faults)
        self.clients.append(made)
        return made

    @property
    def watch(self) -> Any:
        return self.app.state.console.watch


@contextmanager
def house(
    folder: Path,
    *sites: Site,
    synthetic: bool = True,
    areas: tuple[Area, ...] = (),
    people: People = NOBODY,
    **settings: Any,
) -> Iterator[House]:
    """Yield a console over a memory store and a SQLite desk."""
    held = registry(*sites, synthetic=synthetic, areas=areas)
    rules = _RULES()
    wall = [T0]
    journal = open_journal(f"sqlite:///{folder}/alerts.db", lambda: wall[0])
    made = House(
        registry=held,
        store=Away(MemoryStore()),
        desk=Away(Desk(journal)),
        journal=journal,
        settings=ConsoleSettings(**settings),
        keeper=Keeper(Judge(rules, held, load_standards()), rules),
        office=office_of(journal, held, _POLICY(), people=people),
    )
    try:
        yield made
    finally:
        for client in made.clients:
            client.close()
        made.app.state.console.keeper.close()
        journal.close()


def over_limit(name: str = "A", hour: int = 1) -> list[dict[str, Any]]:
    """Return an hour in which NO2 is over its 1 h limit of 200 µg/m³."""
    return hour_of(name, hour, aqi=101, NO2=230)


def with_window(rows: Sequence[dict[str, Any]], window: Window) -> list[dict[str, Any]]:
    return [made | {"window": str(window)} for made in rows]


def moved(one: Site, **other: Any) -> Site:
    return replace(one, **other)
