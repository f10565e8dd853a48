"""Inhibition: events that are not told because another one that goes on says more; as Alertmanager 0.25.

An event that matches both sides of a rule is not inhibited by others that do, nor by itself. Labels named by
``equal`` must be equal; one that neither has counts as equal. What is urgent is never inhibited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from alerts.notices.matchers import match
from alerts.notices.policy import Inhibition
from alerts.subjects import URGENT

SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An event that goes on and inhibits others by one rule."""

    inhibition: str
    key: str
    """Values of the rule's equal labels."""
    event: str
    two_sided: bool
    """Whether it matches the rule's target too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibited:
    """By which rule and event something is inhibited."""

    inhibition: str
    event: str


Sources = Callable[[str, str], Sequence[Source]]
"""Gives the sources of a rule by the values of its equal labels."""


def sources_of(inhibitions: Iterable[Inhibition], event: str, labels: Mapping[str, str]) -> tuple[Source, ...]:
    """Return by which rules an event that goes on inhibits others."""
    return tuple(
        Source(inhibition=one.id, key=_key(one, labels), event=event, two_sided=match(one.target, labels))
        for one in inhibitions
        if match(one.source, labels)
    )


def inhibited(inhibitions: Iterable[Inhibition], labels: Mapping[str, str], sources: Sources) -> Inhibited | None:
    """Return what inhibits an event of these labels, by the policy's order; None when nothing does."""
    if labels.get("priority") == str(URGENT):
        return None
    for one in inhibitions:
        if not match(one.target, labels):
            continue
        both = match(one.source, labels)
        for source in sources(one.id, _key(one, labels)):
            if not (both and source.two_sided):
                return Inhibited(inhibition=one.id, event=source.event)
    return None


def book_of(sources: Iterable[Source]) -> Sources:
    """Return sources as `inhibited` asks for them."""
    held: dict[tuple[str, str], list[Source]] = {}
    for source in sources:
        held.setdefault((source.inhibition, source.key), []).append(source)
    return lambda inhibition, key: held.get((inhibition, key), ())


def _key(inhibition: Inhibition, labels: Mapping[str, str]) -> str:
    return SEPARATOR.join(labels.get(name, "") for name in inhibition.equal)
