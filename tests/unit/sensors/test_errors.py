from __future__ import annotations

import inspect

from sensors import errors
from sensors.errors import ConfigError, JianhuError, UnknownName


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
