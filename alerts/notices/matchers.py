"""Matchers on labels, as Alertmanager 0.25 writes and reads them: ``=``, ``!=``, ``=~``, ``!~``.

A label that is not there counts as empty. Expressions are anchored at both ends. They are written by people in text
fields, so those that could take a matcher's time for ever are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from alerts.subjects import LABELLED
from sensors.errors import JianhuError

LABELS: Final = frozenset({
    "event", "rule", "rule_kind", "site", "factor", "network", "class", "priority", "state", "window", "synthetic",
    "drill", "line", *(area.value for area in LABELLED),
})  # fmt: skip
"""What subjects are labelled with; `alerts.subjects.subject_of`, and the line by the policy."""
_LENGTH: Final = 400
_REPEATS: Final = 3
_FORM: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\[\\"n])*)"', re.DOTALL)
_ESCAPED: Final = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Operator(StrEnum):
    """How a label is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


class BadMatcher(JianhuError):
    """A text that is no matcher, or an expression that is refused."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

    name: str
    operator: Operator
    value: str
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.operator in {Operator.REGEX, Operator.NOT_REGEX}:
            object.__setattr__(self, "_pattern", _compiled(self.value))

    def __str__(self) -> str:
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.operator.value}"{quoted}"'

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Return whether labels fit it."""
        found = labels.get(self.name, "")
        if self._pattern is not None:
            return (self._pattern.fullmatch(found) is not None) is (self.operator is Operator.REGEX)
        return (found == self.value) is (self.operator is Operator.EQUAL)


def match(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Return whether labels fit all matchers; no matcher fits everything."""
    return all(matcher.holds(labels) for matcher in matchers)


def parse_matcher(text: str) -> Matcher:
    """Return the matcher that a text says, for example ``site="A"`` or ``rule=~"no-data.*"``.

    Raises
    ------
    BadMatcher
        When it is none, or its expression is wrong or refused.
    """
    found = _FORM.fullmatch(text) if len(text) <= _LENGTH else None
    if found is None:
        raise BadMatcher(f'{text[:80]!r} is no matcher: write a label, one of = != =~ !~ and a value, like site="A"')
    name, operator, value = found.groups()
    if value.startswith('"') or value.endswith('"'):
        quoted = _QUOTED.fullmatch(value)
        if quoted is None:
            raise BadMatcher(f"{text[:80]!r}: the quotation marks do not fit")
        value = re.sub(r"\\[\\\"n]", lambda one: _ESCAPED[one[0]], quoted[1])
    made = Matcher(name, Operator(operator), value)
    if len(str(made)) > _LENGTH:  # it is kept in quotation marks, and is read again at each look
        raise BadMatcher(f"{text[:80]!r}: too long: at most {_LENGTH} characters with its quotation marks")
    return made


def check_labels(matchers: Sequence[Matcher]) -> None:
    """Check that matchers name labels that subjects have.

    Raises
    ------
    BadMatcher
        When one does not.
    """
    for matcher in matchers:
        if matcher.name not in LABELS:
            raise BadMatcher(f"no label {matcher.name!r}: name one of {', '.join(sorted(LABELS))}")


def _compiled(text: str) -> re.Pattern[str]:
    if _is_slow(text):
        raise BadMatcher(
            f"the expression {text[:80]!r} is refused: at most {_REPEATS} of * + {{}}, none after a bracket, "
            "no references and no looking around"
        )
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as cause:
        raise BadMatcher(f"the expression {text[:80]!r} is wrong: {cause}") from cause


def _is_slow(text: str) -> bool:
    """Return whether an expression has a form whose time can grow without bounds."""
    plain = re.sub(r"\\[^0-9]", "_", text)
    outside = re.sub(r"\[\^?\]?[^\]]*\]", "_", plain)
    repeats = len(re.findall(r"[*+{]", outside))
    return repeats > _REPEATS or re.search(r"\)[*+{]|\\[0-9]|\(\?(?!:|i\))", outside) is not None
