"""Templates of messages: which words a notice is told in, by kind and language, as data that people may change.

Jinja2 in its sandbox. What a template may name is known (`FIELDS`, `EVENT_FIELDS`), so that a misspelt field is
found when the configuration is read and not when somebody waits for a message. Values are data: a name that looks
like a template is told as it is, and in HTML it is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.notify.channels import SUBJECT_LENGTH, plain
from sensors.errors import JianhuError, Problems

if TYPE_CHECKING:
    from sensors.yamlfile import Document

SECTION: Final = "templates"
LANGUAGES: Final = ("zh", "en")
KINDS: Final = (
    "raised", "cleared", "withdrawn", "confirmed", "worsened", "repeat", "digest", "escalation", "case_step",
    "response_step", "test",
)  # fmt: skip
DEFAULT: Final = "default"
"""The template of every kind that has none of its own."""
LONGEST: Final = 20_000
EVENT_FIELDS: Final = frozenset({
    "areas", "because", "clause", "days_over", "end", "fact", "factor", "id", "limit", "link", "multiple",
    "priority", "rule", "site", "site_name", "start", "state", "streak", "title", "value",
})  # fmt: skip
"""What is known of each of ``events``, and of ``first``; all are texts, empty where there is nothing to say."""
FIELDS: Final = frozenset({
    "author", "case", "count", "department", "events", "first", "kind", "kind_name", "link", "mark", "more", "note",
    "priority", "priority_name", "receipt_url", "recipient", "recipient_name", "step", "synthetic", "tier",
})  # fmt: skip
"""What every template may name."""
_LOOP: Final = frozenset({"first", "index", "index0", "last", "length"})


class BadTemplate(JianhuError):
    """A template that cannot be filled in: what it names is not known, or it is none.

    Parameters
    ----------
    line
        Line in the template, from 1.
    problem
        What is wrong with it.
    """

    def __init__(self, line: int, problem: str) -> None:
        self.line, self.problem = line, problem
        super().__init__(f"line {line}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One template in one language."""

    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A message in words."""

    subject: str
    """One printable line."""
    text: str
    html: str
    """Empty where the template has none."""


class WordsEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One template as it is written; what it leaves out is as delivered."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None


class Templates:
    """All templates, by kind and language.

    Parameters
    ----------
    words
        Kind → language → template; `DEFAULT` in every language is among them.
    """

    def __init__(self, words: Mapping[str, Mapping[str, Words]]) -> None:
        self._words = words
        self._plain, self._markup = _environment(markup=False), _environment(markup=True)
        self._made: dict[tuple[str, bool], Template] = {}

    def words(self, kind: str, language: str) -> Words:
        """Return the template of a kind of message, else the one for all kinds."""
        return self._words.get(kind, {}).get(language) or self._words[DEFAULT][language]

    def render(self, kind: str, language: str, fields: Mapping[str, Any]) -> Rendered:
        """Return a message in words.

        Parameters
        ----------
        kind
            One of `KINDS`.
        language
            One of `LANGUAGES`.
        fields
            Values of `FIELDS`; one that is missing is an error, an empty one is not.

        Raises
        ------
        BadTemplate
            When it cannot be filled in.
        """
        words = self.words(kind, language)
        try:
            subject = self._template(words.subject, markup=False).render(fields)
            text = self._template(words.text, markup=False).render(fields)
            html = self._template(words.html, markup=True).render(fields) if words.html else ""
        except (TemplateError, TypeError, ValueError, ArithmeticError) as cause:
            raise BadTemplate(getattr(cause, "lineno", None) or 1, plain(str(cause))) from cause
        return Rendered(subject=plain(subject, SUBJECT_LENGTH), text=_cut(text.strip()), html=html[:LONGEST])

    def _template(self, text: str, *, markup: bool) -> Template:
        key = (text, markup)
        if key not in self._made:
            self._made[key] = (self._markup if markup else self._plain).from_string(text)
        return self._made[key]


def parse_templates(delivered: Document, document: Document | None, problems: Problems) -> Templates:
    """Return the delivered templates, with those of a notices file in their place.

    Parameters
    ----------
    delivered
        The packaged file: kind → language → subject, text, html.
    document
        The whole notices file, whose ``templates`` have the same form; None for none.
    problems
        Is told each template that names what is not known, with its line.
    """
    base = _read(delivered, (), problems)
    own = {} if document is None else _read(document, (SECTION,), problems)
    words: dict[str, dict[str, Words]] = {}
    for kind in (DEFAULT, *KINDS):
        for language in LANGUAGES:
            layers = [source[place] for source in (base, own) for place in [(kind, language)] if place in source]
            if layers:
                fallback = words.get(DEFAULT, {}).get(language)
                words.setdefault(kind, {})[language] = _layered(layers, fallback)
    return Templates(words)


def check_template(text: str, *, markup: bool = False) -> None:
    """Check that a template names only what is known.

    Raises
    ------
    BadTemplate
        When it does not, or is no template.
    """
    try:
        environment = _environment(markup=markup)
        tree = environment.parse(text)
        environment.from_string(text)  # finds unknown filters and tests
    except TemplateSyntaxError as cause:
        raise BadTemplate(cause.lineno, f"no template: {plain(cause.message or '')}") from cause
    for line, problem in _unknown(tree):
        raise BadTemplate(line, problem)


def _read(document: Document, above: tuple[str, ...], problems: Problems) -> dict[tuple[str, str], WordsEntry]:
    """Return what a file says, by kind and language."""
    section = document.value
    for step in above:
        section = section.get(step) if isinstance(section, dict) else None
    found: dict[tuple[str, str], WordsEntry] = {}
    if section is None:
        return found
    with problems.kept():
        if not isinstance(section, dict):
            raise document.error(above, "no kinds of messages", f"write one of {', '.join((DEFAULT, *KINDS))} under it")
        for kind, languages in section.items():
            with problems.kept():
                found |= _kind(document, (*above, kind), languages, problems)
    return found


def _kind(
    document: Document, path: tuple[str, ...], languages: Any, problems: Problems
) -> dict[tuple[str, str], WordsEntry]:
    kind, known = path[-1], (DEFAULT, *KINDS)
    if kind not in known:
        raise document.error(path, "no kind of message", f"write one of {', '.join(known)}")
    if not isinstance(languages, dict) or set(languages) - set(LANGUAGES):
        raise document.error(path, "not by language", f"write {' and '.join(LANGUAGES)} under it")
    found: dict[tuple[str, str], WordsEntry] = {}
    for language in languages:
        with problems.kept():
            entry = document.read_part((*path, language), WordsEntry, "give subject, text or html as texts")
            for part in ("subject", "text", "html"):
                with problems.kept():
                    _check(document, (*path, language, part), getattr(entry, part))
            found[kind, language] = entry
    return found


def _check(document: Document, path: tuple[str, ...], text: str | None) -> None:
    if text is None:
        return
    try:
        check_template(text, markup=path[-1] == "html")
    except BadTemplate as cause:
        error = document.error(path, cause.problem, "name a field that is known, or correct the template")
        if error.line is not None and "\n" in text.strip():  # a block: its first line is below the key
            error = type(error)(
                file=error.file, line=error.line + cause.line, key=error.key, problem=error.problem, mend=error.mend
            )
        raise error from cause


def _layered(layers: Sequence[WordsEntry], fallback: Words | None) -> Words:
    made = {} if fallback is None else {"subject": fallback.subject, "text": fallback.text, "html": fallback.html}
    for layer in layers:
        made |= {name: said for name in ("subject", "text", "html") if (said := getattr(layer, name)) is not None}
    return Words(subject=made.get("subject", ""), text=made.get("text", ""), html=made.get("html", ""))


def _environment(*, markup: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        autoescape=markup, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )


def _unknown(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Yield line and problem of each name that stands for nothing."""
    made = {name.name for name in tree.find_all(nodes.Name) if name.ctx in {"store", "param"}} | {"loop"}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in FIELDS | made:
            yield name.lineno, f"unknown field {name.name!r}; known are {', '.join(sorted(FIELDS))}"
    for part in tree.find_all(nodes.Getattr):
        allowed = _LOOP if isinstance(part.node, nodes.Name) and part.node.name == "loop" else EVENT_FIELDS
        if part.attr not in allowed:
            yield part.lineno, f"unknown field {part.attr!r}; known are {', '.join(sorted(allowed))}"
    for entry in tree.find_all(nodes.Getitem):
        named = entry.arg.value if isinstance(entry.arg, nodes.Const) else ""
        if isinstance(named, str) and named not in EVENT_FIELDS:
            yield entry.lineno, f"unknown field {named!r}; known are {', '.join(sorted(EVENT_FIELDS))}"
    for other in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        yield other.lineno, "another file in a template"
    for call in tree.find_all(nodes.Call):
        yield call.lineno, "a call: a template only names fields"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
