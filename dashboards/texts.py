"""The words of the pages, Chinese and English, from one catalogue each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from alerts.cases.deadlines import Tier
from alerts.cases.evidence import EvidenceKind, Lack
from alerts.cases.record import Need, Role, StepKind
from alerts.cases.responses import Purpose, ResponseAct, ResponseKind, ResponseState
from alerts.cases.states import CaseAct, CaseReason, CaseState, Verdict
from alerts.cases.texts import case_word
from alerts.texts import Language
from sensors.errors import UnknownName

_TOPICS: Final = ("", "desk.")
"""The files of a language: the pages', and those of the desk."""
_CASE_WORDS: Final[Mapping[str, Iterable[Any]]] = {
    "case_state": CaseState, "case_act": CaseAct, "case_reason": CaseReason, "case_step": StepKind, "case_role": Role,
    "case_need": Need, "verdict": Verdict, "tier": Tier, "evidence": EvidenceKind, "lack": Lack,
    "response_kind": ResponseKind, "response_state": ResponseState, "response_act": ResponseAct,
    "response_purpose": Purpose,
}  # fmt: skip
"""Stems whose words are those that messages say, too: `alerts.cases.texts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Texts of one language by dotted key."""

    language: Language
    texts: Mapping[str, str]

    def text(self, key: str, **values: object) -> str:
        """Return a text with its ``{places}`` filled; the result is plain text, not markup.

        Raises
        ------
        UnknownName
            When the catalogue has no such key.
        """
        if key not in self.texts:
            raise UnknownName(f"the {self.language} catalogue", key)
        return self.texts[key].format(**values)

    def under(self, stem: str) -> dict[str, str]:
        """Return the texts below a key, by what is left of theirs."""
        return {key[len(stem) + 1 :]: text for key, text in self.texts.items() if key.startswith(f"{stem}.")}

    def or_plain(self, key: str, plain: str) -> str:
        """Return a text, or ``plain`` where the catalogue has none: for codes that others may add to."""
        return self.texts.get(key, plain)


@cache
def load_catalogue(language: Language) -> Catalogue:
    """Read the packaged catalogue of a language."""
    folder, texts = files("dashboards").joinpath("texts"), dict[str, str]()
    for topic in _TOPICS:
        texts |= flat(yaml.safe_load(folder.joinpath(f"{topic}{language}.yaml").read_text(encoding="utf-8")))
    for stem, kind in _CASE_WORDS.items():
        texts |= {f"{stem}.{key}": case_word(key, language) for key in kind}
    return Catalogue(language=language, texts=texts)


def flat(nested: Mapping[str, Any], stem: str = "") -> dict[str, str]:
    """Return a nested mapping of texts by dotted key."""
    found: dict[str, str] = {}
    for name, value in nested.items():
        key = f"{stem}{name}"
        found |= flat(value, f"{key}.") if isinstance(value, Mapping) else {key: str(value)}
    return found
