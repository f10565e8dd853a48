"""Who shares a case: the departments that the routes of its event name, and both sides of a handover section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from alerts.cases.record import Role as Part
from alerts.cases.taking import Sharing
from alerts.people import People, Role
from alerts.routing import Hit, Recipient, Why, route
from alerts.subjects import Subject

_DEPARTMENT: Final = "department:"


def meant_by(parties: Sequence[str], people: People) -> tuple[Recipient, ...]:
    """Return everybody of the departments among the parties that a step of a case means (`evidence.to`), each once.

    Sides of a section are found by the routes of the event; a department that nobody knows gives nobody.
    """
    names = dict.fromkeys(one.removeprefix(_DEPARTMENT) for one in parties if one.startswith(_DEPARTMENT))
    return tuple(
        Recipient(
            person=person, department=people.departments.get(person.department), role=Role.ASSIGNED, tier=person.tier,
            why=(Why(role=Role.ASSIGNED, hit=Hit.ALL, where=""),),
        )
        for name in names
        for person in people.persons.values()
        if person.department == name
    )  # fmt: skip


def sharing_of(people: People) -> Sharing:
    """Return how the people of a system share cases; they acknowledge each for itself (联合处置)."""

    def sharing(about: Subject, at: int) -> Iterator[tuple[str, Part]]:
        for bank in people.handovers.get(about.event.key.site, ()):
            yield f"area:{bank.area}", Part.SIDE
        for department in route(about, people, at).departments:
            yield f"department:{department}", Part.JOINT

    return sharing
