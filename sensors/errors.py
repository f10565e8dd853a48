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
    """

    def __init__(self, *, file: str, line: int | None, key: str, problem: str, mend: str) -> None:
        self.file, self.line, self.key, self.problem, self.mend = file, line, key, problem, mend
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {key + ': ' if key else ''}{problem}; {mend}")


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
