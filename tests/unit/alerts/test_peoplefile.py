"""The people file: what it says, and what is wrong with it by file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.people import NOBODY, Branch, Role, Side, Tier
from alerts.peoplefile import load_people
from alerts.rotas import Change
from sensors.errors import ConfigError
from sensors.registry import load_registry
from tests.unit.alerts.building import site
from tests.unit.alerts.notices.building import region
from tests.unit.alerts.people_cases import PEOPLE, changed, people

SHANGYU = Path(__file__).parents[3] / "simulators/data/shangyu"


def test_a_people_file_gives_departments_persons_rotas_and_duties() -> None:
    found = people()
    assert found.departments["fire"].branch is Branch.FIRE
    assert found.persons["officer"].addresses == {"file": "o", "mail": "o@x"}
    assert (found.persons["mayor"].tier, found.persons["mayor"].language) == (Tier.CITY, "en")
    assert found.rotas["duty"].change is Change.SHIFT
    assert [duty.role for duty in found.duties][:2] == [Role.GRID_WORKER, Role.GRID_WORKER]
    assert found.fallback is not None
    assert found.fallback.persons == ("officer",)


def test_a_handover_section_has_named_upstream_and_downstream_areas() -> None:
    upstream, downstream = people().handovers["W"]
    assert (upstream.side, upstream.area, upstream.areas, upstream.name_en) == (
        Side.UPSTREAM, "over-there", ("over-there",), "over there",
    )  # fmt: skip
    assert (downstream.side, downstream.areas) == (Side.DOWNSTREAM, ("sy", "sx", "zj"))


def test_a_subscription_without_persons_is_for_everybody_of_the_department() -> None:
    (subscription,) = people().subscriptions
    assert subscription.persons == ("fireman",)


def test_a_system_without_a_people_file_has_nobody() -> None:
    assert (NOBODY.persons, NOBODY.fallback) == ({}, None)


@pytest.mark.parametrize(
    ("before", "after", "key", "problem"),
    [
        ("areas: [firm-1]", "areas: [firm-9]", "duties.3.areas.0", "no area 'firm-9'"),
        ("{site: W,", "{site: V,", "handovers.0.site", "no site 'V'"),
        ("persons: [chief]", "persons: [chef]", "duties.4.persons.0", "no person 'chef'"),
        ("kinds: [water]", "kinds: [tea]", "duties.4.kinds.0", "no kind of readings 'tea'"),
        ("areas: [sy], rota: duty", "areas: [sy], rota: dutty", "duties.8.rota", "no rota 'dutty'"),
        ("order: [duty-1, duty-2]", "order: []", "rotas.0.order", "rota duty has no persons"),
        ("order: [duty-1, duty-2]", "order: [duty-1, duty-9]", "rotas.0.order.1", "no person 'duty-9'"),
        ('to: "20:00"}', 'to: "20:30"}', "rotas.0.shifts.1", "shifts 08:00-20:30 and 20:00-08:00 overlap"),
        ("addresses: {file: grid-a}", "addresses: {}", "persons.0.addresses", "grid-a has no address"),
        ("department: works, tier", "department: work, tier", "persons.4.department", "no department 'work'"),
        ("shift: 1,", "shift: 3,", "rotas.0.swaps.0.shift", "rota duty has no shift 3"),
        ("to: 2026-12-25", "to: 2026-12-23", "rotas.0.leave.0.to", "2026-12-23 lies before 2026-12-24"),
        ("cover: duty-2", "cover: duty-9", "rotas.0.leave.0.cover", "no person 'duty-9'"),
        ("areas: [t-a], persons: [grid-a]", "areas: [t-a]", "duties.0", "nobody holds this"),
        ("fallback: {persons: [officer]}", "fallback: {}", "fallback", "nobody holds this"),
        ("{department: fire, kinds", "{department: fir, kinds", "subscriptions.0.department", "no department 'fir'"),
        ("- {id: grid-b, name: {zh: 乙", "- {id: grid-a, name: {zh: 乙", "persons.1.id", "grid-a is given already"),
        ("tier: city,", "tier: town,", "persons.8.tier", "Invalid enum value 'town', found 'town'"),
        ("branch: fire,", "brunch: fire,", "departments.3.brunch", "unknown key"),
        ("priorities: [1, 2]", "priorities: [0]", "subscriptions.0.priorities.0", "Expected `int` >= 1, found 0"),
        ("synthetic: false", "synthetic: true", "synthetic", "made-up people in a real region"),
    ],
)
def test_a_wrong_entry_is_told_with_file_line_and_key(before: str, after: str, key: str, problem: str) -> None:
    text = changed(before, after)
    with pytest.raises(ConfigError) as caught:
        people(text)
    error = next(one for one in (caught.value, *caught.value.further) if one.key == key)
    line = next(number for number, told in enumerate(text.splitlines(), start=1) if after in told)
    assert (error.file, error.problem) == ("people.yaml", problem)
    assert error.line == line


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = changed("areas: [t-a]", "areas: [t-x]").replace("areas: [t-b]", "areas: [t-y]")
    with pytest.raises(ConfigError) as caught:
        people(text)
    assert [one.key for one in (caught.value, *caught.value.further)] == ["duties.0.areas.0", "duties.1.areas.0"]


def test_made_up_people_are_marked_in_their_names() -> None:
    text = changed("synthetic: false", "synthetic: true")
    with pytest.raises(ConfigError, match="the name of a made-up person is not marked"):
        people(text, region(synthetic=True))


def test_the_same_section_has_its_sides_once() -> None:
    twice = "  - {site: W, upstream: sy, downstream: over-there}\n"
    with pytest.raises(ConfigError, match="the sides of W are given already"):
        people(PEOPLE.replace("duties:\n", twice + "duties:\n"))


def test_a_file_without_its_registry_is_held_against_itself_alone() -> None:
    wrong = region(sites=(site("A"),), areas=())
    with pytest.raises(ConfigError):
        people(PEOPLE, wrong)
    assert people().persons


def test_the_delivered_people_of_the_simulated_region_are_all_marked_and_reached_on_this_machine_alone() -> None:
    found = load_people(SHANGYU / "people.yaml", load_registry(SHANGYU / "registry.yaml"))
    assert all(person.name_zh.endswith("（模拟）") for person in found.persons.values())
    assert {channel for person in found.persons.values() for channel in person.addresses} == {"file"}
    assert {one.branch for one in found.departments.values()} >= set(Branch) - {Branch.OTHER}
