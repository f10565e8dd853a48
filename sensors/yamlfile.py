"""YAML that people write: values with the line of every key, so that an error can point at it.

Read by the rules of YAML 1.2, because 1.1 turns ``NO`` into false, ``12:30`` into 750 and a date
into a date object: only ``true`` and ``false`` are booleans, dates and times stay text. A key
given twice, an alias and a key that is no text are errors. A key path is a tuple
(``("sites", 3, "zone")``) or its dotted form (``"sites.3.zone"``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from sensors.errors import ConfigError, Problems

T = TypeVar("T")
KeyPath = str | tuple[str | int, ...]
Parts = Mapping[str, tuple[Any, ...]]

_AT = re.compile(r"(?P<problem>.*?)(?: - at `(?:key` in `)?\$(?P<path>.*)`)?", re.DOTALL)
_FIELD = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]*)`")
_DEEPEST = 60
"""Levels of lists and mappings in one another that no file of ours has."""
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


class _Loader(yaml.SafeLoader):
    """A safe loader that reads plain words as YAML 1.2 does."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  the library's own form

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Refuse an alias: its lines would be another key's, and a few of them fill the memory."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML
            raise yaml.MarkedYAMLError(problem="an alias, where the value itself is wanted", problem_mark=mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$", "-+0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML file: its value and where each key stands."""

    value: Any
    """Plain dicts, lists, texts, numbers, booleans and None."""
    name: str
    """The file as the person named it."""
    lines: Mapping[str, int]
    """Dotted key path → line, from 1."""

    def line_of(self, keypath: KeyPath) -> int | None:
        """Return the line of a key, or of the nearest key above that exists; None for an empty file."""
        path = dotted(keypath)
        while path not in self.lines and path:
            path = path.rpartition(".")[0]
        return self.lines.get(path)

    def error(self, keypath: KeyPath, problem: str, mend: str) -> ConfigError:
        """Return the error that points at a key, for the caller to raise."""
        return ConfigError(file=self.name, line=self.line_of(keypath), key=dotted(keypath), problem=problem, mend=mend)

    def read_as(self, kind: type[T], mend: str = "give a value of the kind asked for") -> T:
        """Return the whole value as a typed record (a msgspec Struct; use ``forbid_unknown_fields``).

        Parameters
        ----------
        kind
            The record's type.
        mend
            What to do about a value of a wrong type or out of bounds.

        Raises
        ------
        ConfigError
            When a key is unknown or missing, or a value has another type or is out of bounds.
        """
        return self.read_part((), kind, mend)

    def read_part(self, path: tuple[str | int, ...], kind: type[T], mend: str) -> T:
        """Return the value at a key path as a typed record, as `read_as` does for the whole.

        Raises
        ------
        ConfigError
            As `read_as`, with the whole path.
        """
        value = self.value
        for step in path:
            value = value[step]
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as cause:
            raise self._invalid(path, str(cause), mend) from cause

    def read_parts(self, kind: type[T], parts: Mapping[str, type], mend: str, problems: Problems) -> tuple[T, Parts]:
        """Return the whole value as a typed record, each entry of its lists and mappings read for itself.

        Parameters
        ----------
        kind
            The record's type.
        parts
            Key of a list or mapping → type of its entries.
        mend
            What to do about a value of a wrong type or out of bounds.
        problems
            Is told each entry that is wrong; the record is made of the others.

        Returns
        -------
        tuple
            The record, and of each key in ``parts`` the index or key that its entries have in the file.

        Raises
        ------
        ConfigError
            When the record cannot be made of the entries that are right.
        """
        whole = self.value
        places: dict[str, tuple[str | int, ...]] = {}
        for name, part in parts.items():
            entries = self.value.get(name) if isinstance(self.value, dict) else None
            if not isinstance(entries, dict | list):
                places[name] = ()
                continue
            every = entries if isinstance(entries, dict) else range(len(entries))
            good = []
            for place in every:
                with problems.kept():
                    self.read_part((name, place), part, mend)
                    good.append(place)
            places[name] = tuple(good)
            if len(good) < len(entries):
                kept = {place: entries[place] for place in good}
                whole = {**whole, name: kept if isinstance(entries, dict) else list(kept.values())}
        try:
            return Document(value=whole, name=self.name, lines=self.lines).read_as(kind, mend), places
        except ConfigError as error:
            if not problems.found or error.key not in parts:  # a list without its wrong entries may be too short
                problems.found.append(error)
            problems.raise_first()
            raise

    def _invalid(self, above: tuple[str | int, ...], text: str, mend: str) -> ConfigError:
        found = _AT.fullmatch(text)
        problem, where = (found["problem"], found["path"] or "") if found else (text, "")
        # a key of a free mapping stands as [...] in the library's message: the path ends above it
        steps = (int(index) if index else name for name, index in _STEP.findall(where.split("[...]")[0]))
        path = (*above, *steps)
        field = _FIELD.search(problem)
        if field is None:
            return self.error(path, f"{problem}{self._found(path)}", mend)
        name = field["name"]
        if "unknown" in problem:
            return self.error((*path, name), "unknown key", "remove it, or correct its spelling")
        return self.error((*path, name), "missing", "add this key")

    def _found(self, path: tuple[str | int, ...]) -> str:
        value = self.value
        for step in path:
            value = value[step]
        return "" if isinstance(value, dict | list) or value is None else f", found {value!r}"


def dotted(keypath: KeyPath) -> str:
    """Return a key path in its dotted form."""
    return keypath if isinstance(keypath, str) else ".".join(str(step) for step in keypath)


def read_yaml(path: Path) -> Document:
    """Read a YAML file.

    Raises
    ------
    ConfigError
        When it is not there, is not UTF-8, or is no YAML that `parse_yaml` takes.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as cause:
        problem = cause.strerror or type(cause).__name__
        raise ConfigError(
            file=str(path), line=None, key="", problem=problem, mend="name a file that can be read"
        ) from cause
    except UnicodeDecodeError as cause:
        line = cause.object[: cause.start].count(b"\n") + 1
        raise ConfigError(
            file=str(path), line=line, key="", problem="bytes that are no UTF-8", mend="save the file as UTF-8"
        ) from cause
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> Document:
    """Return a YAML text as a document called ``name``; an empty text has the value None.

    Raises
    ------
    ConfigError
        When it is no YAML, has a key twice, a key that is no text, an alias, or two documents.
    """
    try:
        loader = _quick_loader(text) or _Loader(text)
        try:
            node = loader.get_single_node()
            lines: dict[str, int] = {}
            value = None if node is None else _value(node, (), lines, loader, name)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        line = None if mark is None else mark.line + 1
        problem = f"no YAML: {cause.problem}"
        raise ConfigError(file=name, line=line, key="", problem=problem, mend="correct the YAML here") from cause
    except (yaml.YAMLError, ValueError, RecursionError) as cause:
        problem = f"no YAML: {cause}"
        raise ConfigError(file=name, line=None, key="", problem=problem, mend="correct the YAML") from cause
    return Document(value=value, name=name, lines=lines)


def _quick_loader(text: str) -> Any:
    """Return a loader by libyaml, seven times faster; None where only `_Loader` can say what is wrong.

    libyaml composes by recursion in C, which no Python limit holds: what nests deeply is left to `_Loader`.
    """
    if not yaml.__with_libyaml__:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST or isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
                return None
    except yaml.YAMLError:
        return None
    loader = yaml.CSafeLoader(text)
    loader.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers
    return loader


def _value(node: yaml.Node, path: tuple[str | int, ...], lines: dict[str, int], loader: Any, name: str) -> Any:
    lines.setdefault(dotted(path), node.start_mark.line + 1)
    if not isinstance(node, yaml.ScalarNode) and not node.tag.endswith((":map", ":seq")):
        raise yaml.MarkedYAMLError(problem=f"the tag {node.tag}", problem_mark=node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), lines, loader, name) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return {key: _value(item, (*path, key), lines, loader, name) for key, item in _pairs(node, path, lines, name)}
    return loader.construct_object(node, deep=True)


def _pairs(
    node: yaml.MappingNode, path: tuple[str | int, ...], lines: dict[str, int], name: str
) -> Iterable[tuple[str, yaml.Node]]:
    seen: dict[str, int] = {}
    for key, item in node.value:
        line = key.start_mark.line + 1
        here = {"file": name, "line": line, "key": dotted((*path, str(key.value)))}
        if not isinstance(key, yaml.ScalarNode) or not key.tag.endswith(":str"):
            raise ConfigError(**here, problem="a key that is no text", mend="put the key in quotation marks")
        if key.value in seen:
            raise ConfigError(**here, problem=f"given twice, first in line {seen[key.value]}", mend="remove one")
        seen[key.value] = line
        lines[dotted((*path, key.value))] = line
        yield key.value, item
