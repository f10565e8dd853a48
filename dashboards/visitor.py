"""What a visitor chose: language, theme, palette, name; from the address, then from cookies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from alerts.texts import Language

AUTHOR_COOKIE: Final = "jianhu_author"
LONGEST_AUTHOR: Final = 40
_YEAR_S: Final = 365 * 86_400
_E = TypeVar("_E", bound=StrEnum)


class Theme(StrEnum):
    """Light or dark; the first follows the machine."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Palette(StrEnum):
    """Colours of the AQI levels; the first is the standard's."""

    STANDARD = "standard"
    SAFE = "safe"
    """For colour-blind eyes: one hue that darkens with the level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The choices of one visitor."""

    language: Language
    theme: Theme
    palette: Palette
    author: str
    """Empty until somebody gave a name."""


def visitor_of(request: Request) -> Visitor:
    """Return the choices of a request; what is not known counts as not chosen."""
    return Visitor(
        language=_chosen(request, "lang", Language),
        theme=_chosen(request, "theme", Theme),
        palette=_chosen(request, "palette", Palette),
        author=clean_author(unquote(request.cookies.get(AUTHOR_COOKIE, ""))),
    )


def _chosen(request: Request, name: str, kind: type[_E]) -> _E:
    for text in (request.query_params.get(name), request.cookies.get(f"jianhu_{name}")):
        if text in tuple(kind):
            return kind(text)
    return next(iter(kind))


def remember(request: Request, response: Response, visitor: Visitor) -> None:
    """Keep in cookies what the address chose."""
    for name, value in (("lang", visitor.language), ("theme", visitor.theme), ("palette", visitor.palette)):
        if request.query_params.get(name) == value:
            response.set_cookie(f"jianhu_{name}", value, max_age=_YEAR_S, samesite="lax", httponly=True)


def remember_author(response: Response, author: str) -> None:
    """Keep a name in a cookie, percent-encoded: a header carries no user text as it came."""
    value = quote(author, safe="")
    response.set_cookie(AUTHOR_COOKIE, value, max_age=_YEAR_S, samesite="strict", httponly=True)


def clean_author(text: str) -> str:
    """Return a name without control characters and outer blanks; empty when nothing or too much is left."""
    name = "".join(letter for letter in text if letter.isprintable()).strip()
    return name if len(name) <= LONGEST_AUTHOR else ""


def same_page(request: Request, **choices: str) -> str:
    """Return the address of the same page with some parameters changed; an empty value takes one away."""
    params = {name: value for name, value in request.query_params.items() if name not in choices}
    params |= {name: value for name, value in choices.items() if value}
    return request.url.path + (f"?{urlencode(params)}" if params else "")
