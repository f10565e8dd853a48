"""Templates and what they may call: words, numbers, times, small pictures; everything is escaped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from alerts.against import TARGETS
from alerts.events import Event
from alerts.periods import Cadence
from alerts.rules import Kind
from alerts.states import StepReason
from alerts.texts import (
    CLASSES,
    Key,
    Language,
    Priority,
    Word,
    because,
    bound_shown,
    peak_shown,
    shown,
    title,
    window_name,
    word,
)
from alerts.verdicts import Point
from dashboards.events import bound_text
from dashboards.media import LAYERS, Spot
from dashboards.rows import Row, marks_of, written
from dashboards.texts import Catalogue
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS, beijing, hour_ending
from streams.discharge.judgement import read_detail

_FOLDER: Final = Path(str(files("dashboards")))
STATIC: Final = _FOLDER / "static"
SPARK_WIDTH: Final = 96
SPARK_HEIGHT: Final = 22
_SPARK_TOP: Final = 150
"""The small trends share this scale at least, so that a calm day looks calm."""
_SHORTEST_STUB: Final = 2
_AGAINST: Final = {
    Kind.THRESHOLD: "alerts.threshold",
    Kind.MINIMUM: "alerts.minimum",
    Kind.CLASS: "alerts.not_worse",
    Kind.QUOTA: "alerts.quota",
}
"""What stands before the bound of an alert in a list, where it is no limit."""


@cache
def environment() -> Environment:
    """Return the templates with every automatic escape on and no name that may be missing."""
    env = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["symbol"] = symbol
    env.filters["clock"] = clock_label
    env.filters["short_time"] = short_time
    env.globals.update(asset=asset, spark=spark, written=written, hour_ending=hour_ending, ending_label=ending_label)
    env.globals.update(
        marks=marks_of,
        alert_title=title,
        alert_because=because,
        alert_word=alert_word,
        alert_shown=shown,
        bound_text=bound_text,
        day_label=day_label,
        slot_label=slot_label,
        class_symbol=class_symbol,
        roman=roman,
        limit_text=limit_text,
        quota_text=quota_text,
        layers=LAYERS,
        alert_peak=peak_shown,
        bound_shown=bound_shown,
        point_shown=point_shown,
        priority=Priority,
        row_label=row_label,
        against=_AGAINST,
        window_name=window_name,
    )
    return env


@cache
def asset(name: str) -> str:
    """Return the address of a static file; it changes with the content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def symbol(factor: str) -> Markup:
    """Return a factor's symbol with its figures set low."""
    head = factor.rstrip("0123456789.")
    if not head or head == factor:
        return escape(factor)
    return Markup("{}<sub>{}</sub>").format(head, factor[len(head) :])


def age_text(catalogue: Catalogue, ms: int) -> str:
    """Return a duration in the largest whole unit that says enough."""
    for limit, unit, name in (
        (2 * MINUTE_MS, 1000, "seconds"),
        (2 * HOUR_MS, MINUTE_MS, "minutes"),
        (2 * DAY_MS, HOUR_MS, "hours"),
    ):
        if ms < limit:
            return catalogue.text(f"time.{name}", n=ms // unit)
    return catalogue.text("time.days", n=ms // DAY_MS)


def clock_label(ms: int) -> str:
    """Return an instant as Beijing time, ``2026-11-21 09:03:12``."""
    return beijing(ms).strftime("%Y-%m-%d %H:%M:%S")


def short_time(ms: int) -> str:
    """Return an instant as Beijing time without the year, ``11-21 09:03``."""
    return beijing(ms).strftime("%m-%d %H:%M")


def ending_label(start: int, step: int) -> str:
    """Return the label of an interval: the hour's end, or the day's date."""
    return hour_ending(start) if step == HOUR_MS else day_label(start)


def point_shown(point: Point, event: Event, language: Language) -> str:
    """Return the value of one judged row of an event, as its title tells the peak."""
    return peak_shown(replace(event, peak=point), language)


def slot_label(start: int, length: int) -> str:
    """Return the label of a slot: its first and last instant in Beijing time."""
    return f"{beijing(start):%Y-%m-%d %H:%M}–{beijing(start + length):%H:%M}"


def class_symbol(level: int) -> str:
    """Return a class of water quality as the national platform writes it."""
    return CLASSES[level - 1]


def roman(target: str) -> str:
    """Return a target class as the registry writes it in the letters of the standard: ``III`` → ``Ⅲ``."""
    rank = TARGETS.get(target)
    return target if rank is None else CLASSES[rank - 1]


def limit_text(row: Row) -> str:
    """Return the limit that decided a judgement, as its standard writes it; empty where none did."""
    if not row.detail.startswith(("[", "{")):
        return ""
    said = read_detail(row.detail)
    if said.decides is None:
        return ""
    limit = said.limits[said.decides]
    return "–".join(part for part in (limit.low, limit.high) if part is not None)


def quota_text(spot: Spot) -> str:
    """Return what is left of the yearly quota of COD; empty where there is none."""
    row = spot.year.get("COD.quota")
    return "" if row is None or row.value is None else written(row.value, row.digits, 1)


def row_label(point: Point) -> str:
    """Return the label of a judged row: first and last instant within a day, else date or year of its start."""
    cadence = Cadence.of(point.window)
    if cadence.months:
        return beijing(point.start).strftime("%Y-%m")
    return day_label(point.start) if cadence.length_ms >= DAY_MS else slot_label(point.start, cadence.length_ms)


def day_label(start: int) -> str:
    """Return the date of a day."""
    return beijing(start).strftime("%Y-%m-%d")


def alert_word(key: Key | str, language: Language) -> str:
    """Return the alerts' own word for one of their states, facts, steps or causes."""
    if type(key) is str:  # as the journal holds it
        key = Word.MACHINE if key == Word.MACHINE else StepReason(key)
    return word(cast("Key", key), language)


def spark(values: Sequence[int | None], top: int = _SPARK_TOP) -> dict[str, Any]:
    """Return a small trend as SVG path data, a gap where there is no value.

    A value alone between gaps becomes a short stroke, so that it can be seen.
    """
    top = max([top, *(value for value in values if value is not None)])
    step = SPARK_WIDTH / max(1, len(values) - 1)
    path, pen = [], False
    for place, value in enumerate(values):
        if value is None:
            pen = False
            continue
        x, y = place * step, SPARK_HEIGHT - 2 - value * (SPARK_HEIGHT - 4) / top
        alone = not pen and (place + 1 == len(values) or values[place + 1] is None)
        path.append(f"{'L' if pen else 'M'}{x:.1f} {y:.1f}" + (f"h{_SHORTEST_STUB}" if alone else ""))
        pen = True
    last = values[-1] if values else None
    end = None if last is None else round(SPARK_HEIGHT - 2 - last * (SPARK_HEIGHT - 4) / top, 1)
    return {"path": "".join(path), "end": end, "width": SPARK_WIDTH, "height": SPARK_HEIGHT}


def island(data: Any) -> Markup:
    """Return data as JSON that is safe inside a script element: nothing in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 - every letter that markup knows was just replaced


def page_words(catalogue: Catalogue) -> dict[str, Any]:
    """Return the words that the scripts of a page need."""
    named = ("seconds", "minutes", "hours", "days")
    return {
        **{key: catalogue.texts[f"time.{key}"] for key in named},
        "unacknowledged": catalogue.texts["banner.unacknowledged"],
        "link_lost": catalogue.texts["banner.link_lost"],
        "not_noted": catalogue.texts["banner.desk_silent"],
        "sound_on": catalogue.texts["nav.sound_on"],
        "sound_off": catalogue.texts["nav.sound_off"],
        "sound_tap": catalogue.texts["nav.sound_tap"],
        "hour_ending": catalogue.texts["time.ending_note"],
        "limit": catalogue.texts["station.limit"],
        "final": catalogue.texts["site.final"],
        "provisional": catalogue.texts["site.provisional"],
        "valid": catalogue.texts["station.valid"],
        "revision": catalogue.texts["station.revision"],
        "reasons": catalogue.under("reason_long"),
        "marks": catalogue.under("mark"),
        "marks_short": catalogue.under("mark_short"),
    }
