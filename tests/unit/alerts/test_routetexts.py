"""Who would be told and why, in words."""

from __future__ import annotations

import datetime as dt

import pytest

from alerts.people import Role, Side, Tier
from alerts.rotas import Ground
from alerts.routetexts import RouteReport, route_name, route_report
from alerts.texts import Language
from sensors.clock import BEIJING, ms_of
from sensors.errors import UnknownName
from tests.unit.alerts.notices.building import region
from tests.unit.alerts.people_cases import changed, people

NOON = ms_of(dt.datetime(2026, 12, 13, 12, tzinfo=BEIJING))


def report(site: str, at_ms: int = NOON, **other: object) -> RouteReport:
    return route_report(site, people(), region(), at_ms, **other)  # type: ignore[arg-type]


def test_each_person_stands_on_a_line_with_office_tier_and_reason() -> None:
    assert report("A", language=Language.EN).lines == (
        "grid A (town, township): grid worker, in charge of t-a",
        "duty 1 (bureau, district): on duty, in charge of sy, duty in turn",
    )
    assert report("A").lines[0] == "甲 (街道, 乡镇街道)：网格员, 负责区域 t-a"


def test_a_swap_names_whose_turn_it_was() -> None:
    swapped = ms_of(dt.datetime(2026, 12, 20, 9, tzinfo=BEIJING))
    line = report("A", swapped, language=Language.EN).lines[1]
    assert line == "duty 2 (bureau, district): on duty, in charge of sy, duty swapped ← duty 1"


def test_the_other_side_of_a_handover_section_is_named() -> None:
    lines = report("W", language=Language.EN).lines
    assert "neighbour (bureau next door, district): bureau, in charge of over there, upstream" in lines


def test_what_is_missing_is_said() -> None:
    text = changed("  - {role: bureau, areas: [over-there], persons: [neighbour]}\n", "")
    found = route_report("W", people(text), region(), NOON)
    assert found.lines[-1] == "交接断面的 邻县 一侧没有人"
    climbed = report("A", tier=Tier.PROVINCE, language=Language.EN)
    assert climbed.lines[-1] == "nobody at the level province: the next one is told"


def test_priority_and_kind_can_be_asked_for() -> None:
    asked = report("P1", priority=2, network="air", language=Language.EN)
    assert any(line.startswith("fireman") for line in asked.lines)
    assert not any(line.startswith("fireman") for line in report("P1", language=Language.EN).lines)


def test_an_area_can_be_asked_for() -> None:
    assert report("firm-1").name == "firm-1"
    assert report("firm-1").lines


def test_a_site_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(UnknownName, match="nowhere"):
        report("nowhere")


@pytest.mark.parametrize("one", [*Role, *Tier, *Side, *Ground])
def test_everything_has_a_name_in_both_languages(one: Role | Tier | Side | Ground) -> None:
    assert route_name(one, Language.ZH)
    assert route_name(one, Language.ZH) != route_name(one, Language.EN)
