"""Owners: a registered site that resolves to nobody is itself an alarm; looked for each hour and at a start."""

from __future__ import annotations

from alerts.journal import Turn
from alerts.people import NOBODY, People
from alerts.routing import is_owned
from alerts.standing import clear_standing, raise_standing, standing_sites
from alerts.standings import Standing
from alerts.subjects import subject_of_site
from sensors.registry import Registry


def without_owner(people: People, registry: Registry, now: int) -> tuple[str, ...]:
    """Return the sites in force that nobody owns at any tier; none where there is no people file."""
    if people == NOBODY:
        return ()
    return tuple(
        site.id for site in registry.at(now) if not is_owned(subject_of_site(site.id, "", 3, registry, now), people)
    )


def look_for_owners(turn: Turn, people: People, registry: Registry, now: int) -> None:
    """Raise an event for each site that nobody owns, and end those of sites that somebody does."""
    lost = set(without_owner(people, registry, now))
    for site in sorted(standing_sites(turn, Standing.NO_OWNER) - lost):
        clear_standing(turn, Standing.NO_OWNER, site, now)
    for site in sorted(lost - standing_sites(turn, Standing.NO_OWNER)):
        raise_standing(turn, Standing.NO_OWNER, site, site, now)
