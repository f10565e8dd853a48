"""Every error that jianhu raises on purpose.

::

    JianhuError
    ├── ConfigError          a file that people wrote is wrong: file, line, key, what to do
    ├── BadRecord            bytes or rows that cannot be read: they go to the dead letters
    │   └── BadFrame         a message on a topic is neither a frame nor a tick
    ├── UnknownName          a registry, table or standard was asked for a name it does not hold
    └── EdgeError            a broker, store or file system refused; carries its cause
        └── StoreError       a store did not take a write or answer a query
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class JianhuError(Exception):
    """Root of the tree."""


class ConfigError(JianhuError):
    """A configuration file is wrong, and the system does not start with it.

    Parameters
    ----------
    file
        The file as the person named it.
    line
        Line of the offending key, from 1; None when the whole file is meant.
    key
        Dotted path of the offending key; empty when the whole file is meant.
    problem
        What is wrong, with the value found.
    mend
        What to do about it.

    Attributes
    ----------
    further
        Other errors of the same file that were found with it.
    """

    def __init__(self, *, file: str, line: int | None, key: str, problem: str, mend: str) -> None:
        self.file, self.line, self.key, self.problem, self.mend = file, line, key, problem, mend
        self.further: tuple[ConfigError, ...] = ()
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {key + ': ' if key else ''}{problem}; {mend}")


class Problems:
    """What is wrong with one file: everything is looked at, and the first is raised with the others in `further`."""

    def __init__(self) -> None:
        self.found: list[ConfigError] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the `ConfigError` that ends this block."""
        try:
            yield
        except ConfigError as error:
            self.found += [error, *error.further]
            error.further = ()

    def raise_first(self) -> None:
        """Raise the first in the order of lines, if any was found.

        Raises
        ------
        ConfigError
            With the others in `ConfigError.further`.
        """
        if self.found:
            first, *others = sorted(self.found, key=lambda error: error.line or 0)
            first.further = tuple(others)
            raise first


class BadRecord(JianhuError):
    """Input that cannot be read; it is kept as a dead letter with this reason."""


class BadFrame(BadRecord):
    """A message that is neither a frame nor a tick of a known schema version."""


class UnknownName(JianhuError):
    """A table was asked for a name that it does not hold."""

    def __init__(self, table: str, name: str) -> None:
        self.table, self.name = table, name
        super().__init__(f"{table} has no {name!r}")


class EdgeError(JianhuError):
    """Something outside refused; the cause is chained."""


class StoreError(EdgeError):
    """A store did not take a write or answer a query; the write may be tried again."""
