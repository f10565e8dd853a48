from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from sensors.windows import Confidence, Needs
from streams.judging.completeness import Completeness
from tests.air_cases import CONTEXT

DAY = 20_600
"""In May 2026."""
HOUR = CONTEXT.kind.window("1h")
MADE = Completeness(kind=CONTEXT.kind, standards=CONTEXT.standards)
DUE = np.array([60, 24, 3])


def needs(**given: object) -> Needs:
    plain = Needs(
        start_day=None, at_least=None, share=None, rule="", source="test", confidence=Confidence.NOT_SEEN
    )  # fmt: skip
    return replace(plain, **given)  # type: ignore[arg-type]


def needed(*rules: Needs, factor: str = "SO2", day: int = DAY) -> list[int]:
    return [int(n) for n in MADE.needed(replace(HOUR, needs=rules), factor, day, DUE)]


def test_without_a_rule_one_value_is_enough() -> None:
    assert needed() == [1, 1, 1]


def test_a_share_is_rounded_up_and_at_least_one() -> None:
    assert needed(needs(share=Fraction(3, 4))) == [45, 18, 3]
    assert needed(needs(share=Fraction(1, 100))) == [1, 1, 1]


def test_a_count_is_a_count_whatever_is_due() -> None:
    assert needed(needs(at_least=20)) == [20, 20, 20]


def test_the_rule_of_the_day_holds() -> None:
    rules = (needs(at_least=10), needs(at_least=16, start_day=DAY))
    assert (needed(*rules, day=DAY - 1)[0], needed(*rules)[0]) == (10, 16)


def test_a_named_rule_is_the_dated_count_of_the_pack_and_particles_have_their_own() -> None:
    old, new = CONTEXT.standards.completeness_editions
    pack = replace(CONTEXT.standards, completeness_editions=(old, replace(new, particle_hour_minutes=50)))
    made = Completeness(kind=CONTEXT.kind, standards=pack)
    spec = replace(HOUR, needs=(needs(rule="hour_minutes"),))
    assert [int(made.needed(spec, f, DAY, DUE)[0]) for f in ("SO2", "PM10")] == [45, 50]
