"""Who shares a case: the departments that the routes of its event name, and both sides of a handover section."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.cases.record import Role
from alerts.cases.taking import Sharing
from alerts.people import People
from alerts.routing import route
from alerts.subjects import Subject


def sharing_of(people: People) -> Sharing:
    """Return how the people of a system share cases; they acknowledge each for itself (联合处置)."""

    def sharing(about: Subject, at: int) -> Iterator[tuple[str, Role]]:
        for bank in people.handovers.get(about.event.key.site, ()):
            yield f"area:{bank.area}", Role.SIDE
        for department in route(about, people, at).departments:
            yield f"department:{department}", Role.JOINT

    return sharing
