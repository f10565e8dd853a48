"""Who is told of an event, and why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from alerts.people import NOBODY, People, Role, Side, Tier
from alerts.peoplefile import load_people
from alerts.routing import Gap, Hit, Missing, Route, next_rung, route
from alerts.subjects import subject_of
from sensors.clock import BEIJING, ms_of
from sensors.registry import load_registry
from tests.unit.alerts.notices.building import event, region, rules, subject
from tests.unit.alerts.people_cases import PEOPLE, changed, people

SHANGYU = Path(__file__).parents[3] / "simulators/data/shangyu"
NOON = ms_of(dt.datetime(2026, 12, 13, 12, tzinfo=BEIJING))


def told(found: Route) -> list[str]:
    return [one.person.id for one in found.recipients]


def routed(who: People | None = None, tier: Tier | None = None, at_ms: int = NOON, **about: Any) -> Route:
    return route(subject(**about), who or people(), at_ms, tier)


def test_first_notices_go_to_the_grid_worker_and_the_officer_on_duty() -> None:
    assert told(routed()) == ["grid-a", "duty-1"]


def test_a_point_in_a_park_is_told_to_township_park_and_firm() -> None:
    found = routed(at="P1")
    assert told(found) == ["grid-a", "park-man", "firm-man", "duty-1"]
    assert [one.role for one in found.recipients] == [Role.GRID_WORKER, Role.GRID_WORKER, Role.FIRM, Role.DUTY]


def test_the_other_firm_of_the_park_is_told_nothing() -> None:
    assert "firm-man" not in told(routed(at="P3"))


def test_a_section_is_told_to_the_chief_of_its_river() -> None:
    found = routed(at="W", rule="water-v")
    assert "chief" in told(found)
    chief = next(one for one in found.recipients if one.person.id == "chief")
    assert [(why.hit, why.where) for why in chief.why] == [(Hit.AREA, "river")]


def test_both_sides_of_a_handover_section_are_told_of_the_same_alert_once_each() -> None:
    """C7: one alert reaches two tenants, once each."""
    found = routed(at="W", rule="water-v")
    assert told(found).count("neighbour") == told(found).count("grid-b") == 1
    (why,) = next(one.why for one in found.recipients if one.person.id == "neighbour")
    assert (why.side, why.bank) == (Side.UPSTREAM, "over-there")
    assert {"next-door", "town"} <= set(found.departments)


def test_a_side_of_a_handover_section_without_anybody_is_told_as_missing() -> None:
    text = changed("  - {role: bureau, areas: [over-there], persons: [neighbour]}\n", "")
    found = routed(people(text), at="W", rule="water-v")
    assert Missing(gap=Gap.SIDE, where="over-there") in found.missing


def test_a_department_is_told_of_what_it_subscribed_to() -> None:
    assert "fireman" in told(routed(at="P1", priority=2))
    assert "fireman" not in told(routed(at="P1", priority=3))
    assert "fireman" not in told(routed(at="A", priority=2))


def test_a_park_without_an_owner_falls_through_to_the_district() -> None:
    text = changed("  - {role: grid_worker, areas: [park], persons: [park-man]}\n", "")
    text = text.replace("  - {role: grid_worker, areas: [t-a], persons: [grid-a]}\n", "")
    found = routed(people(text), at="P1")
    assert told(found) == ["firm-man", "officer", "duty-1"]
    up = routed(people(text), at="P1", tier=Tier.PARK)
    assert (told(up), up.tier) == (["officer", "duty-1"], Tier.DISTRICT)
    assert up.missing == (Missing(gap=Gap.TIER, where="park"),)


@pytest.mark.parametrize(
    ("tier", "persons", "taken"),
    [
        (Tier.PARK, ["grid-a", "park-man"], Tier.TOWNSHIP),
        (Tier.TOWNSHIP, ["grid-a", "park-man"], Tier.TOWNSHIP),
        (Tier.DISTRICT, ["officer", "duty-1"], Tier.DISTRICT),
        (Tier.CITY, ["mayor"], Tier.CITY),
    ],
)
def test_an_event_climbs_from_park_to_district_to_city(tier: Tier, persons: list[str], taken: Tier) -> None:
    found = routed(at="P1", tier=tier)
    assert (told(found), found.tier) == (persons, taken)


def test_a_rung_above_which_nobody_stands_is_told_to_the_fallback() -> None:
    found = routed(tier=Tier.PROVINCE)
    assert (told(found), found.recipients[0].role, found.tier) == (["officer"], Role.FALLBACK, None)


def test_the_rungs_are_park_and_township_district_city_province() -> None:
    assert [next_rung(tier) for tier in Tier] == [Tier.DISTRICT, Tier.DISTRICT, Tier.CITY, Tier.PROVINCE, None]


def test_a_site_that_nobody_owns_is_told_to_the_fallback_and_as_missing() -> None:
    found = routed(at="nowhere")
    assert (told(found), found.recipients[0].role) == (["officer"], Role.FALLBACK)
    assert found.missing == (Missing(gap=Gap.OWNER, where="nowhere"),)
    assert not found.owned


def test_an_officer_on_duty_for_everything_owns_nothing() -> None:
    text = changed("{role: duty, areas: [sy], rota: duty}", "{role: duty, rota: duty}")
    found = routed(people(text), at="nowhere")
    assert told(found) == ["duty-1", "officer"]
    assert not found.owned


def test_a_rota_with_nobody_on_duty_is_told_as_missing() -> None:
    text = changed("from: 2026-01-01", "from: 2027-01-01")
    found = routed(people(text))
    assert Missing(gap=Gap.ROTA, where="duty") in found.missing
    assert told(found) == ["grid-a"]


def test_the_rota_is_asked_for_the_instant_of_the_notice() -> None:
    night = NOON + 12 * 3_600_000
    assert "duty-2" in told(routed(at_ms=night))


def test_somebody_who_is_reached_twice_is_told_once_with_both_reasons() -> None:
    text = changed("areas: [t-b], persons: [grid-b]", "areas: [t-a], persons: [grid-a]")
    found = routed(people(text))
    assert told(found).count("grid-a") == 1
    assert len(found.recipients[0].why) == 2


def test_without_people_nobody_is_told() -> None:
    assert routed(NOBODY).recipients == ()


def test_a_person_named_for_a_site_is_told_why() -> None:
    text = changed("areas: [t-a], persons: [grid-a]", "sites: [A], persons: [grid-a]")
    found = routed(people(text))
    assert [(why.hit, why.where) for why in found.recipients[0].why] == [(Hit.SITE, "A")]


def test_an_event_about_a_firm_is_told_to_the_firm_and_its_park() -> None:
    assert told(routed(at="firm-1")) == ["park-man", "firm-man", "duty-1"]


def test_routes_do_not_depend_on_what_the_event_has_become() -> None:
    assert told(routed()) == told(routed(last=event().last + 1))


def test_every_registered_site_resolves_to_at_least_one_person() -> None:
    """G6, in the simulated region: an owner by name, and more than the fallback."""
    registry = load_registry(SHANGYU / "registry.yaml")
    everybody = load_people(SHANGYU / "people.yaml", registry)
    for site in registry.sites:
        about = subject_of(event(at=site.id), rules(), registry, NOON)
        found = route(about, everybody, NOON)
        assert found.owned, site.id
        assert any(one.role is not Role.FALLBACK for one in found.recipients), site.id


def test_every_handover_section_of_the_simulated_region_reaches_both_sides() -> None:
    registry = load_registry(SHANGYU / "registry.yaml")
    everybody = load_people(SHANGYU / "people.yaml", registry)
    sections = [site.id for site in registry.sites if "handover" in site.setting.get("control", ())]
    assert len(sections) == 5
    for section in sections:
        about = subject_of(event(at=section), rules(), registry, NOON)
        found = route(about, everybody, NOON)
        assert {why.side for one in found.recipients for why in one.why} - {None}, section
        assert not found.missing, section


def test_the_region_of_the_tests_and_its_people_fit() -> None:
    assert people(PEOPLE, region()).duties
