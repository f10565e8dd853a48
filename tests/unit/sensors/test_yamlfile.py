from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from sensors import yamlfile
from sensors.errors import ConfigError, Problems
from sensors.yamlfile import parse_yaml, read_yaml

TEXT = """\
# a comment
region:
  zh: 上虞区
  en: Shangyu
sites:
  - id: A
    limits: {PM2.5: 75, NO: 1}
  - id: B
    from: 2020-01-01
    at: 12:30
    code: 010
    open: no
    real: true
    none: ~
    low: -1.5
"""


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    size: Annotated[int, msgspec.Meta(ge=1)]


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    parts: list[Inner]
    name: str = ""


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "x.yaml")
    return caught.value


def test_words_are_read_by_yaml_1_2_so_that_no_site_code_or_date_changes_its_type() -> None:
    assert parse_yaml(TEXT, "x.yaml").value["sites"] == [
        {"id": "A", "limits": {"PM2.5": 75, "NO": 1}},
        {
            "id": "B", "from": "2020-01-01", "at": "12:30", "code": "010", "open": "no",
            "real": True, "none": None, "low": -1.5,
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("keypath", "line"),
    [
        ("region", 2),
        ("region.zh", 3),
        (("sites", 0, "limits", "PM2.5"), 7),
        ("sites.0.limits.PM2.5", 7),
        ("sites.1", 8),
        (("sites", 1, "from"), 9),
        (("sites", 1, "not there"), 8),
        ("nowhere.at.all", 2),
        ("", 2),
    ],
)
def test_every_key_path_has_its_line_and_a_missing_one_that_of_the_key_above(
    keypath: str | tuple[str | int, ...], line: int
) -> None:
    assert parse_yaml(TEXT, "x.yaml").line_of(keypath) == line


def test_an_error_points_at_file_line_and_key() -> None:
    error = parse_yaml(TEXT, "x.yaml").error(("sites", 1, "low"), "-1.5 is below 0", "give 0 or more")
    assert str(error) == "x.yaml:15: sites.1.low: -1.5 is below 0; give 0 or more"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a: given twice, first in line 1"),
        ("a:\n  b: 1\n  b: 1\n", 3, "a.b: given twice, first in line 2"),
        ("a: [1, 2\nb: 2\n", 2, "no YAML"),
        ("a: &x [1]\nb: *x\n", 2, "an alias"),
        ("1: a\n", 1, "1: a key that is no text"),
        ("? [a, b]\n: c\n", 1, "a key that is no text"),
        ("a: !!python/object:os.system {}\n", None, "no YAML"),
        ("a: 1\n---\nb: 2\n", 2, "no YAML"),
        ("a: \x07\n", None, "no YAML"),
        ("[" * 3000, None, "no YAML"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(text: str, line: int | None, words: str) -> None:
    error = refused(text)
    assert words in str(error)
    assert error.line == line or line is None


def test_an_empty_text_is_an_empty_document() -> None:
    document = parse_yaml("# nothing\n", "x.yaml")
    assert document.value is None
    assert document.line_of("a") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parts: [{size: 1}]\nnmae: x\n", "x.yaml:2: nmae: unknown key; remove it, or correct its spelling"),
        ("parts:\n  - size: 1\n  - size: 2\n    weight: 3\n", "x.yaml:4: parts.1.weight: unknown key"),
        ("parts:\n  - {}\n", "x.yaml:2: parts.0.size: missing; add this key"),
        ("name: x\n", "x.yaml:1: parts: missing"),
        ("parts:\n  - size: 0\n", "x.yaml:2: parts.0.size: Expected `int` >= 1, found 0; give a value"),
        ("parts:\n  - size: many\n", "x.yaml:2: parts.0.size: Expected `int`, got `str`"),
        ("", "x.yaml: Expected `object`, got `null`"),
    ],
)
def test_a_typed_reading_names_the_offending_key(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "x.yaml").read_as(Outer)
    assert str(caught.value).startswith(words)


def test_a_typed_reading_returns_the_record() -> None:
    assert parse_yaml("parts: [{size: 2}]\n", "x.yaml").read_as(Outer) == Outer(parts=[Inner(size=2)])


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffa: 1\n".encode())
    assert read_yaml(path).value == {"a": 1}


def test_a_file_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: No such file or directory"):
        read_yaml(tmp_path / "gone.yaml")


def test_bytes_that_are_no_utf_8_are_an_error_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xcd\xf2\n")
    with pytest.raises(ConfigError, match=r"a\.yaml:2: bytes that are no UTF-8"):
        read_yaml(path)


def test_each_entry_of_a_list_is_read_for_itself() -> None:
    text = "name: a\nparts:\n  - {size: 1}\n  - {size: 0}\n  - {size: 2}\n  - {length: 3}\n"
    problems = Problems()
    record, places = parse_yaml(text, "a.yaml").read_parts(Outer, {"parts": Inner}, "mend it", problems)
    assert (record.parts, places) == ([Inner(1), Inner(2)], {"parts": (0, 2)})
    assert [(error.line, error.key) for error in problems.found] == [(4, "parts.1.size"), (6, "parts.3.length")]


def test_what_is_wrong_with_the_whole_is_raised_with_what_is_wrong_with_its_entries() -> None:
    text = "names: a\nparts: [{size: 0}]\n"
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "a.yaml").read_parts(Outer, {"parts": Inner}, "mend it", Problems())
    assert [error.key for error in (caught.value, *caught.value.further)] == ["names", "parts.0.size"]


@pytest.mark.parametrize("text", ["", "3", "parts: 3", "parts:"])
def test_a_document_without_the_list_is_told_as_the_whole(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_yaml(text, "a.yaml").read_parts(Outer, {"parts": Inner}, "mend it", Problems())


def test_an_entry_of_a_mapping_is_told_with_its_own_key() -> None:
    class Named(msgspec.Struct):
        parts: dict[str, Inner]

    problems = Problems()
    text = "parts:\n  PM2.5: {size: 1}\n  NO: {size: none}\n"
    record, places = parse_yaml(text, "a.yaml").read_parts(Named, {"parts": Inner}, "mend it", problems)
    assert (set(record.parts), places) == ({"PM2.5"}, {"parts": ("PM2.5",)})
    assert [(error.line, error.key) for error in problems.found] == [(3, "parts.NO.size")]


ROOT = Path(__file__).parents[3]
FILES = sorted(
    path
    for folder in ("sensors", "streams", "alerts", "simulators", "tests/golden")
    for path in (ROOT / folder).rglob("*.yaml")
)


def told(text: str) -> object:
    try:
        document = parse_yaml(text, "a.yaml")
    except ConfigError as error:
        return str(error)
    return repr(document.value), dict(document.lines)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_quick_way_and_the_slow_one_read_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = path.read_text(encoding="utf-8")
    quick = told(text)
    monkeypatch.setattr(yamlfile, "_quick_loader", lambda _: None)
    assert told(text) == quick


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 5000 + "]" * 5000, "- " * 100_000, "{a: " * 100_000])
def test_what_nests_without_end_is_an_error_and_not_the_end_of_the_program(text: str) -> None:
    with pytest.raises(ConfigError, match="no YAML"):
        parse_yaml(text, "a.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: !!python/none x\n",
        "a: !mine 1\n",
        "a: 1\na: 2\n",
        "a: [1\n",
        "a: 1\n---\nb: 2\n",
        "a: \x07",
    ],
)
def test_what_is_wrong_is_told_in_the_same_words_both_ways(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = told(text)
    assert isinstance(quick, str)
    monkeypatch.setattr(yamlfile, "_quick_loader", lambda _: None)
    assert told(text) == quick
