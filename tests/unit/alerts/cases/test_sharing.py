"""Who shares a case in the simulated region: departments, and both sides of its handover sections."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.cases.record import Role
from alerts.cases.sharing import meant_by, sharing_of
from alerts.people import NOBODY, People
from alerts.people import Role as Assigned
from alerts.peoplefile import load_people
from alerts.subjects import Subject, subject_of
from sensors.registry import Registry, load_registry
from tests.unit.alerts.cases.building import NOW, RULES, event

SHANGYU = Path(__file__).parents[4] / "simulators/data/shangyu"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(SHANGYU / "registry.yaml")


@pytest.fixture(scope="module")
def people(registry: Registry) -> People:
    return load_people(SHANGYU / "people.yaml", registry)


def about(registry: Registry, site: str) -> Subject:
    made = event(site, "water-target", factor="over_target")
    return subject_of(made, RULES, registry, made.start)


def test_the_five_handover_sections_have_two_sides_upstream_and_downstream(registry: Registry, people: People) -> None:
    found = {
        site: [party for party, role in sharing_of(people)(about(registry, site), NOW) if role is Role.SIDE]
        for site in ("SYN-WH01", "SYN-WH02", "SYN-WH03", "SYN-WH04", "SYN-WH05")
    }
    assert found == {
        "SYN-WH01": ["area:shengzhou", "area:shangyu"], "SYN-WH02": ["area:shangyu", "area:yuyao"],
        "SYN-WH03": ["area:shangyu", "area:yuyao"], "SYN-WH04": ["area:yuecheng", "area:shangyu"],
        "SYN-WH05": ["area:keqiao", "area:shangyu"],
    }  # fmt: skip


def test_an_event_at_a_drinking_source_is_shared_by_several_departments(registry: Registry, people: People) -> None:
    parties = [party for party, role in sharing_of(people)(about(registry, "tangpu"), NOW) if role is Role.JOINT]
    assert len(parties) == len(set(parties)) >= 2


def test_without_people_nobody_shares(registry: Registry) -> None:
    assert list(sharing_of(NOBODY)(about(registry, "SYN-WH01"), NOW)) == []


def test_a_case_handed_over_means_everybody_of_that_department(people: People) -> None:
    department = next(iter(people.departments))
    found = meant_by([f"department:{department}", "area:shangyu", "department:nobody"], people)
    assert {one.person.id for one in found} == {
        person.id for person in people.persons.values() if person.department == department
    }
    assert {(one.role, one.why[0].role) for one in found} == {(Assigned.ASSIGNED, Assigned.ASSIGNED)}
    assert meant_by([], people) == ()
