"""What browsers get as files: nothing from elsewhere, nothing inline, colours of the standard, licences beside."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

import dashboards
from dashboards.render import STATIC
from streams.standards import load_standards

FOLDER = Path(dashboards.__file__).parent
OWN = sorted([*STATIC.glob("*.js"), *STATIC.glob("*.css")])
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
CSS = (STATIC / "console.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def block(selector: str) -> dict[str, str]:
    """Return the custom properties of a rule."""
    body = CSS[CSS.index(selector + " {") :].split("{", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", body))


LIGHT, SAFE, DARK = block(":root"), block(':root[data-palette="safe"]'), block(':root[data-theme="dark"]')


@pytest.mark.parametrize("path", [*OWN, *TEMPLATES], ids=lambda path: path.name)
def test_no_file_of_ours_names_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]{2,}", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_page_has_inline_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on|\|\s*safe", text)
    assert all('type="application/json"' in tag or "src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_no_script_of_ours_reads_data_as_markup(path: Path) -> None:
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function",
        path.read_text(encoding="utf-8"),
    )


@pytest.mark.parametrize(("folder", "script"), [("htmx", "htmx.min.js"), ("echarts", "echarts.common.min.js")])
def test_what_others_wrote_stands_with_its_licence(folder: str, script: str) -> None:
    place = STATIC / "vendor" / folder
    assert (place / script).stat().st_size > 10_000
    assert "licen" in (place / "LICENSE").read_text(encoding="utf-8").lower() or folder == "htmx"


def test_the_colours_of_the_levels_are_those_of_the_standard() -> None:
    for edition in load_standards().index_editions:
        for level in edition.levels:
            assert LIGHT[f"l{level.level}"] == level.rgb.lower()


@pytest.mark.parametrize("palette", [LIGHT, LIGHT | SAFE, LIGHT | DARK], ids=["standard", "safe", "dark"])
@pytest.mark.parametrize("level", range(1, 7))
def test_every_number_can_be_read_on_its_level(palette: dict[str, str], level: int) -> None:
    least = 3.9 if palette[f"l{level}"] == "#ff0000" else 4.5  # white on the standard's red: 4.0, and it is bold
    assert contrast(palette[f"l{level}"], palette[f"o{level}"]) >= least


def test_the_safe_palette_darkens_with_the_level() -> None:
    lights = [luminance(SAFE[f"l{level}"]) for level in range(1, 7)]
    assert lights == sorted(lights, reverse=True)
    assert all(brighter / darker > 1.15 for brighter, darker in itertools.pairwise(lights))


@pytest.mark.parametrize("palette", [LIGHT, LIGHT | DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [("ink", "card"), ("ink", "paper"), ("soft", "card"), ("soft", "paper"), ("soft", "faint"), ("red", "card"),
     ("red", "red-soft"), ("ink", "red-soft"), ("warn-ink", "warn"), ("on-accent", "accent")],
)  # fmt: skip
def test_text_can_be_read_on_its_ground(palette: dict[str, str], text: str, ground: str) -> None:
    assert contrast(palette[text], palette[ground]) >= 4.5


def test_the_dark_theme_is_the_same_by_choice_and_by_the_machine() -> None:
    assert block(':root[data-theme="auto"]') == DARK


def test_motion_stops_for_those_who_ask() -> None:
    assert "@media (prefers-reduced-motion: reduce)" in CSS


def test_focus_is_visible() -> None:
    assert ":focus-visible { outline: 2px" in CSS
