"""What the routes share: the long-lived objects, and how a page is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, cast

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse

from alerts.desk import Desk
from alerts.texts import Language
from dashboards.keeper import Keeper
from dashboards.measures import Measure, measure_of
from dashboards.office import Office
from dashboards.outline import Picture, Shape, draw
from dashboards.overview import Overview
from dashboards.render import age_text, island, page_words
from dashboards.session import Guesses
from dashboards.settings import ConsoleSettings
from dashboards.texts import Catalogue, load_catalogue
from dashboards.visitor import Palette, Theme, Visitor, remember, same_page, visitor_of
from dashboards.watch import Snapshot, Watch
from sensors.areas import Area
from sensors.factors import Factor
from sensors.kinds import Kind
from sensors.registry import Registry, Site
from streams.standards import Standards
from streams.store.contract import ResultStore


@dataclass(frozen=True, kw_only=True)
class Console:
    """Every long-lived object of the console."""

    store: ResultStore
    desk: Desk
    registry: Registry
    standards: Standards
    factors: Mapping[str, Factor]
    """Of air."""
    kinds: Mapping[str, Kind]
    """The kinds of readings that the registry has sites of."""
    settings: ConsoleSettings
    wall: Callable[[], int]
    watch: Watch
    keeper: Keeper
    templates: Environment
    shapes: tuple[Shape, ...]
    guesses: Guesses
    office: Office | None
    """Cases, silences and handovers; None for a console that shows events alone."""

    @property
    def decimals(self) -> Mapping[str, int]:
        """Digits after the point that the standard reports, by factor."""
        return {symbol: factor.decimals for symbol, factor in self.factors.items()}

    def snapshot(self) -> Snapshot:
        """Return what was last seen; before the first look nothing."""
        return self.watch.snapshot

    def site(self, site: str) -> Site | None:
        """Return a site of the registry by the id of an address; None for any other text."""
        return self.registry.get(site)

    def place(self, language: Language, site: str) -> str:
        """Return the name of a site; its id when the registry has it no more."""
        found = self.registry.get(site) or self.areas.get(site)
        return site if found is None else name_of(language, found)

    def area(self, area: str) -> Area | None:
        """Return an area of the registry by the id of an address; None for any other text."""
        return self.areas.get(area)

    @cached_property
    def areas(self) -> Mapping[str, Area]:
        """The registry's areas by id."""
        return {area.id: area for area in self.registry.areas}

    def measure(self, kind: Kind, symbol: str, digits: int) -> Measure:
        """Return what rows of a factor are about."""
        return measure_of(kind, symbol, digits, _word)

    def picture(self, overview: Overview) -> Picture:
        """Return the map of the sites of an overview."""
        return _picture(self.shapes, tuple(station.site for station in overview.stations))

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page or a part of one."""
        visitor = visitor_of(request)
        catalogue = load_catalogue(visitor.language)
        snapshot, wall = self.snapshot(), self.wall()
        state = state_of(self, snapshot, wall)
        body = self.templates.get_template(template).render(
            t=catalogue.text,
            plain=catalogue.or_plain,
            age=partial(age_text, catalogue),
            named=partial(name_of, visitor.language),
            place=partial(self.place, visitor.language),
            measure=self.measure,
            areas=self.areas,
            visitor=visitor,
            links=_links(request, visitor),
            registry=self.registry,
            factors=self.factors,
            decimals=self.decimals,
            settings=self.settings,
            snapshot=snapshot,
            state=state,
            state_island=island(state),
            words_island=island(page_words(catalogue)),
            wall=wall,
            now=snapshot.now(wall, self.settings.speed),
            guarded=bool(self.settings.token),
            office=self.office,
            **values,
        )
        response = HTMLResponse(body, status_code=status)
        response.headers["content-language"] = visitor.language
        remember(request, response, visitor)
        return response


def _word(language: Language, name: str) -> str:
    return load_catalogue(language).or_plain(f"measure.{name}", name)


@lru_cache(maxsize=4)
def _picture(shapes: tuple[Shape, ...], sites: tuple[Site, ...]) -> Picture:
    """Draw once for each set of sites: marks that give way to each other cost time."""
    return draw(shapes, sites)


def console_of(request: Request) -> Console:
    """Return the console that a request belongs to."""
    return cast("Console", request.app.state.console)


def name_of(language: Language, thing: Any) -> str:
    """Return the name of a site, a region, a rule or a shape in a language; the other one when it has none."""
    zh, en = (thing.region_zh, thing.region_en) if isinstance(thing, Registry) else (thing.name_zh, thing.name_en)
    first, second = (zh, en) if language is Language.ZH else (en, zh)
    return str(first or second)


def catalogue_of(request: Request) -> Catalogue:
    """Return the words for a request."""
    return load_catalogue(visitor_of(request).language)


def _links(request: Request, visitor: Visitor) -> Mapping[str, str]:
    """Return the addresses of this page under other choices."""
    return {
        "lang": same_page(request, lang="en" if visitor.language is Language.ZH else "zh"),
        "theme": same_page(request, theme="light" if visitor.theme is Theme.DARK else "dark"),
        "palette": same_page(request, palette="standard" if visitor.palette is Palette.SAFE else "safe"),
    }


def state_of(console: Console, snapshot: Snapshot, wall: int) -> dict[str, Any]:
    """Return what a page must know to stay true without being loaded again."""
    clock = snapshot.clock
    return {
        "at": clock.at_ms if clock else None,
        "noted": clock.wall_ms if clock else None,
        "wall": wall,
        "speed": console.settings.speed,
        "overview": snapshot.overview_version,
        "alerts": snapshot.alerts_version,
        "store": snapshot.store_ok(wall),
        "store_read": snapshot.store.read_ms,
        "desk": snapshot.desk.ok,
        "desk_read": snapshot.desk.read_ms,
        "silent": snapshot.silent_ms(wall) > console.settings.silent_after_ms,
        "open": snapshot.alerts.waiting,
        "newest": list(snapshot.alerts.newest),
        "urgent": list(snapshot.alerts.urgent),
    }
