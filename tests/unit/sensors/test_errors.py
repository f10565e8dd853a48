from __future__ import annotations

import inspect

import pytest

from sensors import errors
from sensors.errors import ConfigError, JianhuError, Problems, UnknownName


def test_a_config_error_says_file_line_key_problem_and_what_to_do() -> None:
    error = ConfigError(file="a.yaml", line=3, key="sites.0.id", problem="no id", mend="give one")
    assert str(error) == "a.yaml:3: sites.0.id: no id; give one"
    assert (error.file, error.line, error.key, error.problem, error.mend) == (
        "a.yaml", 3, "sites.0.id", "no id", "give one",
    )  # fmt: skip


def test_a_config_error_may_mean_the_whole_file() -> None:
    assert (
        str(ConfigError(file="a.yaml", line=None, key="", problem="empty", mend="fill it")) == "a.yaml: empty; fill it"
    )


def test_an_unknown_name_carries_table_and_name() -> None:
    error = UnknownName("the registry", "SYN-9")
    assert (str(error), error.table, error.name) == ("the registry has no 'SYN-9'", "the registry", "SYN-9")


def test_every_error_hangs_on_the_tree_and_stands_in_its_picture() -> None:
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert len(found) >= 7
    assert all(issubclass(kind, JianhuError) for kind in found)
    assert all(kind.__name__ in str(errors.__doc__) for kind in found)


def wrong(line: int | None) -> ConfigError:
    return ConfigError(file="a.yaml", line=line, key="k", problem="wrong", mend="mend it")


def test_problems_are_raised_as_the_first_in_the_file_with_the_others() -> None:
    problems = Problems()
    outer = wrong(5)
    outer.further = (wrong(2),)
    for error in (wrong(9), outer):
        with problems.kept():
            raise error
    with pytest.raises(ConfigError) as caught:
        problems.raise_first()
    assert [error.line for error in (caught.value, *caught.value.further)] == [2, 5, 9]


def test_no_problem_is_no_error_and_other_errors_pass() -> None:
    problems = Problems()
    with pytest.raises(UnknownName), problems.kept():
        raise UnknownName("a table", "x")
    problems.raise_first()
