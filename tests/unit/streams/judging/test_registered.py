from __future__ import annotations

from dataclasses import replace

import pytest

from sensors.errors import UnknownName
from sensors.kinds import kind_names, load_kind
from streams.judging.registered import MAKERS, JudgingContext, evaluations_of
from tests.air_cases import CONTEXT


@pytest.mark.parametrize("name", kind_names())
def test_every_delivered_kind_names_evaluations_that_exist(name: str) -> None:
    kind = load_kind(name)
    made = evaluations_of(kind, JudgingContext(kind=kind, standards=CONTEXT.standards))
    assert tuple(e.name for e in made) == kind.evaluations
    for evaluation in made:
        assert evaluation.editions[-1] == ""
        assert len(evaluation.reach) == len(evaluation.slot_outputs)
        assert max(evaluation.reach, default=0) <= evaluation.before


def test_every_registered_evaluation_is_named_by_a_delivered_kind() -> None:
    assert set(MAKERS) == {name for kind in kind_names() for name in load_kind(kind).evaluations}


def test_a_strange_evaluation_is_refused_with_the_names_of_those_there_are() -> None:
    kind = replace(CONTEXT.kind, evaluations=("happiness",))
    with pytest.raises(UnknownName, match=r"air_index, .*has no 'happiness'"):
        evaluations_of(kind, CONTEXT)
