from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from string import Formatter

import pytest

import dashboards
from alerts.cases.deadlines import Tier
from alerts.cases.evidence import EvidenceKind, Lack
from alerts.cases.record import Need, Role, StepKind
from alerts.cases.responses import Purpose, ResponseAct, ResponseKind, ResponseState
from alerts.cases.states import CaseAct, CaseReason, CaseState, Verdict
from alerts.handover.book import HandoverReason
from alerts.handover.content import Proof
from alerts.notices.silences import SilenceFault, SilenceState
from alerts.rules import Kind
from alerts.states import State
from alerts.texts import Language
from dashboards.caselist import Shelf
from dashboards.events import Tab
from dashboards.media import LAYERS
from dashboards.sitepages import judged_key
from dashboards.station import View
from dashboards.texts import flat, load_catalogue
from sensors.errors import UnknownName
from sensors.flags import Mark
from sensors.kinds import kind_names, load_kind
from sensors.registryfile import AreaType
from streams.discharge.permitfile import State as PlantState
from streams.periods.targets import Standing
from streams.results import Reason, Window

FOLDER = Path(dashboards.__file__).parent
ZH, EN = (load_catalogue(language) for language in (Language.ZH, Language.EN))
KINDS = [load_kind(name) for name in kind_names()]


def named_choice(choice: str) -> bool:
    """Methods of instruments, classes and zones are written as they are in every language."""
    return choice.islower() and not choice[0].isdigit() and choice != "electrochemical"


CODES: dict[str, Iterable[object]] = {
    "class": sorted({name for kind in KINDS for name in kind.classes}),
    "area_type": list(AreaType),
    "layer": list(LAYERS),
    "setting": sorted({name for kind in KINDS for name in kind.facts}),
    "choice": sorted(
        {choice for kind in KINDS for fact in kind.facts.values() for choice in fact.choices if named_choice(choice)}
    ),
    "judged": ["none", *(judged_key(level) for level in range(5))],
    "target": [*Standing, "regression"],
    "line": ["target", "minimum"],
    "window": list(Window),
    "reason": [reason for reason in Reason if reason],
    "reason_long": [reason for reason in Reason if reason],
    "mark": [mark.name for mark in Mark],
    "mark_short": [mark.name for mark in Mark],
    "level": [*"123456", "na", "offline"],
    "level_short": list("123456"),
    "case_state": list(CaseState),
    "case_act": list(CaseAct),
    "case_do": list(CaseAct),
    "case_shelf": list(Shelf),
    "case_reason": list(CaseReason),
    "case_step": list(StepKind),
    "case_role": list(Role),
    "case_need": list(Need),
    "verdict": list(Verdict),
    "tier": list(Tier),
    "evidence": list(EvidenceKind),
    "lack": list(Lack),
    "response_kind": list(ResponseKind),
    "response_state": list(ResponseState),
    "response_act": list(ResponseAct),
    "response_purpose": list(Purpose),
    "silence_state": list(SilenceState),
    "silence_fault": list(SilenceFault),
    "plant_state": list(PlantState),
}
MADE = {
    *(f"alerts.{tab}" for tab in Tab),
    *(f"alerts.none_{tab}" for tab in Tab),
    *(f"station.view_{view}" for view in View),
    *(f"event.next_{state}" for state in (*State, "backfilled")),
    *(f"time.{unit}" for unit in ("seconds", "minutes", "hours", "days")),
    *(f"station.{key}" for key in ("last_48", "last_7d", "last_30d", "last_year")),
    *(key for key in ZH.texts if key.startswith("measure.")),
    *(f"desk.group_{group}" for group in ("urgent", "raised", "overdue", "in_hand")),
    *(f"handover.refused_{reason}" for reason in HandoverReason),
    *(f"handover.{proof}" for proof in Proof),
    *(f"response.{part}" for part in ("measures", "contacts", "plan")),
    *(f"receipt.{state}" for state in ("asked", "taken", "unknown", "failed")),
}
"""Keys that templates put together."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def sources() -> Iterable[str]:
    for path in (*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.html")):
        yield path.read_text(encoding="utf-8")


def named() -> set[str]:
    return {key for text in sources() for key in re.findall(r"['\"]([a-z_]+\.[a-zA-Z0-9_]+)['\"](?! ~)", text)}


def test_both_languages_say_the_same_things() -> None:
    assert set(ZH.texts) == set(EN.texts)


@pytest.mark.parametrize("key", sorted(ZH.texts))
def test_a_text_is_there_and_has_the_same_places_in_both_languages(key: str) -> None:
    assert ZH.texts[key].strip()
    assert EN.texts[key].strip()
    assert places(ZH.texts[key]) == places(EN.texts[key])


@pytest.mark.parametrize(("stem", "codes"), CODES.items())
def test_every_code_has_a_word(stem: str, codes: list[str]) -> None:
    assert set(ZH.under(stem)) == {str(code) for code in codes}


def test_every_kind_of_alert_is_known_to_the_pages() -> None:
    assert {str(kind) for kind in Kind} == {
        "limit", "threshold", "level", "class", "finding", "quota", "minimum", "zone", "no_data", "change", "rate",
        "projection", "exhaustion", "standing", "late", "data_quality",
    }  # fmt: skip


def test_every_key_that_a_page_names_is_in_the_catalogue() -> None:
    stems = {key.split(".")[0] for key in ZH.texts}
    asked = {key for key in named() if key.split(".")[0] in stems and not key.endswith((".py", ".html", ".js", ".svg"))}
    assert asked - set(ZH.texts) == set()


def test_no_text_is_left_over() -> None:
    used = named() | MADE | {f"{stem}.{code}" for stem, codes in CODES.items() for code in codes}
    assert set(ZH.texts) - used == set()


def test_english_has_no_chinese_but_the_name_of_the_other_language() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert {key for key, text in EN.texts.items() if chinese.search(text)} == {"nav.other_language"}


def test_no_text_shouts() -> None:
    assert not [key for language in (ZH, EN) for key, text in language.texts.items() if "!" in text or "！" in text]


def test_an_unknown_key_is_an_error_and_never_an_empty_page() -> None:
    with pytest.raises(UnknownName, match=r"no\.such"):
        ZH.text("no.such")
    assert ZH.or_plain("no.such", "plain") == "plain"


def test_places_are_filled() -> None:
    assert EN.text("overview.over", n=2) == "2 over the limit"


def test_nested_texts_are_found_by_dotted_keys() -> None:
    assert flat({"a": {"b": "x", "1": 2}, "c": "y"}) == {"a.b": "x", "a.1": "2", "c": "y"}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.EN, "VOCs: not joined across kinds; NO2 stands for NOx"),
        (Language.ZH, "VOCs：未跨类合并；以 NO2 代 NOx"),
    ],
)
def test_double_control_says_what_it_leaves_out(language: Language, words: str) -> None:
    assert words in load_catalogue(language).text("measure.double_control")
