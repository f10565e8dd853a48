"""Priorities that grow with an event: with how far it is over, how long, and how often it comes again."""

from __future__ import annotations

from typing import Final

from alerts.against import has_used, used_of
from alerts.episodes import Episode, multiple_of
from alerts.rules import Grade, Kind, Rule

OFTEN: Final = 3
"""From the third event of a series within the rule's time on (重发复发) each is one more pressing."""
_URGENT: Final = 1


def priority_of(rule: Rule, episode: Episode, recurrence: int = 1) -> int:
    """Return the priority of an episode, 1 (urgent) to 4: the most pressing of the rule's and of its grades reached.

    Parameters
    ----------
    rule
        The rule; its own priority is that of the beginning.
    episode
        The episode as it is known now: revised data take a grade back.
    recurrence
        Which of the events of its series within the rule's time it is.
    """
    reached = [grade.priority for grade in rule.grades if _has_reached(grade, rule, episode)]
    often = 1 if rule.recurs_within_ms and recurrence >= OFTEN else 0
    return max(_URGENT, min([rule.priority, *reached]) - often)


def _has_reached(grade: Grade, rule: Rule, episode: Episode) -> bool:
    if episode.over < grade.periods:
        return False
    if grade.multiple is not None:
        multiple = multiple_of(episode.peak)
        if multiple is None or multiple < grade.multiple:
            return False
    if grade.share is None:
        return True
    return rule.kind is Kind.QUOTA and has_used(*used_of(episode.peak.detail), grade.share)
