"""A people file for the tests' region, and how to change it."""

from __future__ import annotations

import textwrap

from alerts.people import People
from alerts.peoplefile import parse_people
from sensors.registry import Registry
from sensors.yamlfile import parse_yaml
from tests.unit.alerts.notices.building import region

PEOPLE = textwrap.dedent("""\
    synthetic: false
    departments:
      - {id: eco, branch: ecology, name: {zh: 分局, en: bureau}}
      - {id: town, branch: government, name: {zh: 街道, en: town}}
      - {id: works, branch: firm, name: {zh: 厂, en: works}}
      - {id: fire, branch: fire, name: {zh: 消防, en: fire brigade}}
      - {id: next-door, branch: ecology, name: {zh: 邻县分局, en: bureau next door}}
    persons:
      - {id: grid-a, name: {zh: 甲, en: grid A}, department: town, tier: township, addresses: {file: grid-a}}
      - {id: grid-b, name: {zh: 乙, en: grid B}, department: town, tier: township, addresses: {file: grid-b}}
      - {id: park-man, name: {zh: 园, en: park man}, department: town, tier: park, addresses: {file: park-man}}
      - {id: chief, name: {zh: 河长, en: chief}, department: town, tier: township, addresses: {file: chief}}
      - {id: firm-man, name: {zh: 厂长, en: firm man}, department: works, tier: park, addresses: {file: firm-man}}
      - {id: officer, name: {zh: 科长, en: officer}, department: eco, tier: district, addresses: {file: o, mail: o@x}}
      - {id: duty-1, name: {zh: 值一, en: duty 1}, department: eco, tier: district, addresses: {file: duty-1}}
      - {id: duty-2, name: {zh: 值二, en: duty 2}, department: eco, tier: district, addresses: {file: duty-2}}
      - {id: mayor, name: {zh: 市, en: mayor}, department: eco, tier: city, language: en, addresses: {file: mayor}}
      - {id: fireman, name: {zh: 火, en: fireman}, department: fire, tier: district, addresses: {file: fireman}}
      - {id: neighbour, name: {zh: 邻, en: neighbour}, department: next-door, tier: district, addresses: {file: n}}
    rotas:
      - id: duty
        from: 2026-01-01
        change: shift
        order: [duty-1, duty-2]
        shifts: [{from: "08:00", to: "20:00"}, {from: "20:00", to: "08:00"}]
        swaps: [{day: 2026-12-20, shift: 1, person: duty-2, author: x, why: y}]
        leave: [{person: duty-1, from: 2026-12-24, to: 2026-12-25, cover: duty-2, author: x, why: y}]
    neighbours:
      - {id: over-there, name: {zh: 邻县, en: over there}}
    handovers:
      - {site: W, upstream: over-there, downstream: sy}
    duties:
      - {role: grid_worker, areas: [t-a], persons: [grid-a]}
      - {role: grid_worker, areas: [t-b], persons: [grid-b]}
      - {role: grid_worker, areas: [park], persons: [park-man]}
      - {role: firm, areas: [firm-1], persons: [firm-man]}
      - {role: river_chief, areas: [river], kinds: [water], persons: [chief]}
      - {role: bureau, areas: [sy], persons: [officer]}
      - {role: bureau, areas: [over-there], persons: [neighbour]}
      - {role: bureau, areas: [sx], persons: [mayor]}
      - {role: duty, areas: [sy], rota: duty}
    subscriptions:
      - {department: fire, kinds: [air], areas: [park], priorities: [1, 2]}
    fallback: {persons: [officer]}
    """)


def people(text: str = PEOPLE, registry: Registry | None = None) -> People:
    return parse_people(parse_yaml(text, "people.yaml"), registry or region())


def changed(before: str, after: str) -> str:
    """Return the file with one passage changed."""
    assert PEOPLE.count(before) == 1, before
    return PEOPLE.replace(before, after)
