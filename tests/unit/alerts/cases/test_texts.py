"""Everything that people read of cases is there in both languages."""

from __future__ import annotations

from enum import StrEnum

import pytest

from alerts.cases.deadlines import Tier
from alerts.cases.evidence import EvidenceKind, Lack
from alerts.cases.incidents import Opening
from alerts.cases.inspections import Origin, Outcome, TaskReason, TaskState
from alerts.cases.life import ActIncomplete
from alerts.cases.record import Need, Role, StepKind
from alerts.cases.responses import Purpose, ResponseAct, ResponseKind, ResponseReason, ResponseState
from alerts.cases.states import (
    CaseAct,
    CaseReason,
    CaseState,
    NextCaseState,
    Verdict,
    WrongCaseAct,
)
from alerts.cases.texts import CATALOGUE, CaseWord, response_title, why_refused
from alerts.texts import Language

ALL = (
    CaseWord, CaseState, CaseAct, Verdict, CaseReason, StepKind, Tier, Role, Need, Lack, EvidenceKind, Opening, Purpose,
    ResponseKind, ResponseState, ResponseAct, ResponseReason, Origin, TaskState, Outcome, TaskReason,
)  # fmt: skip


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", ALL)
def test_every_member_has_a_text(language: Language, kind: type[StrEnum]) -> None:
    assert [str(one) for one in kind if not CATALOGUE[language].get((kind, str(one)))] == []


def test_both_languages_have_the_same_keys_and_no_chinese_stands_in_english() -> None:
    zh, en = (CATALOGUE[language] for language in (Language.ZH, Language.EN))
    assert set(zh) == set(en)
    assert [text for text in en.values() if not text.isascii()] == []


def test_a_refusal_is_told_in_words() -> None:
    not_yet = NextCaseState(state=CaseState.RAISED, reason=CaseReason.NOT_ACKNOWLEDGED, allowed=False)
    refused = WrongCaseAct("c", CaseAct.WRITE_OFF, not_yet)
    assert why_refused(refused) == "不能销号：尚未签收"
    assert why_refused(refused, Language.EN) == "cannot write off: nobody has acknowledged it yet"
    lacking = ActIncomplete(CaseAct.RECTIFY, Lack.EVIDENCE)
    assert why_refused(lacking) == "不能反馈整改，缺少：佐证"
    assert why_refused(lacking, Language.EN) == "cannot rectify, this is missing: evidence"


def test_a_drill_is_marked_in_its_title() -> None:
    assert response_title(ResponseKind.EMERGENCY, Purpose.DRILL, "Ⅱ级") == "【演练】突发环境事件应急 · Ⅱ级"
    assert response_title(ResponseKind.WARNING, Purpose.REAL, "red", Language.EN) == "warning response · red"
