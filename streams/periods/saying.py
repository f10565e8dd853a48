"""Saying: which windows of the second stage changed since they were last said, as rows of results.

What was said of a window is a hash of its content and its revision, 12 bytes, in arrays [members, places] by factor,
window, edition and year (or day, of windows shorter than a day).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from streams.judging.hashing import Hash, joined
from streams.judging.plan import NO_NUMBER
from streams.judging.reasons import REASONS
from streams.results import RESULT_SCHEMA

_REASONS: Final = pa.array([reason.value for reason in REASONS], pa.utf8())


class Topic(NamedTuple):
    """What rows speak of."""

    factor: str
    window: str
    edition: str
    block: int
    """Year, or day number for windows shorter than a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Things found about one topic, one per row: arrays [n], or one number for all."""

    topic: Topic
    slots: int
    """Places of the topic's block."""
    member: NDArray[np.intp]
    place: ArrayLike
    start: ArrayLike
    """ms."""
    value: ArrayLike
    present: ArrayLike
    digits: int
    valid: ArrayLike
    expected: ArrayLike
    reason: ArrayLike
    inputs: ArrayLike
    marks: ArrayLike = 0
    iaqi: ArrayLike = NO_NUMBER
    level: ArrayLike = NO_NUMBER
    detail: Sequence[str] | str = ""
    primary: Sequence[str] | str = ""


_TYPES: Final = {
    "value": np.int64, "present": np.bool_, "valid": np.int64, "expected": np.int64, "reason": np.uint8,
    "marks": np.int32, "iaqi": np.int16, "level": np.int8, "inputs": np.uint64,
}  # fmt: skip
_NUMBERS: Final = (*_TYPES, "place", "start")


@dataclass(slots=True)
class Spoken:
    """What was said of one topic."""

    content: NDArray[np.uint64]
    revision: NDArray[np.int32]


@dataclass(slots=True)
class _Said:
    """The rows that are to be said at one tick, column by column."""

    topics: list[Topic] = field(default_factory=list)
    digits: list[int] = field(default_factory=list)
    columns: list[dict[str, NDArray[np.generic]]] = field(default_factory=list)


class Speaker:
    """Keeps what was said of the members of one list, and collects what is new.

    Parameters
    ----------
    names
        Ids of the members: sites and areas.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = pa.array(names, pa.utf8())
        self._spoken: dict[Topic, Spoken] = {}
        self._said = _Said()

    @property
    def nbytes(self) -> int:
        """Bytes of what is remembered."""
        return sum(s.content.nbytes + s.revision.nbytes for s in self._spoken.values())

    def forget(self, window: str, before: int) -> None:
        """Drop what was said of a window in blocks before one."""
        for topic in [topic for topic in self._spoken if topic.window == window and topic.block < before]:
            del self._spoken[topic]

    def say(self, chunk: Chunk) -> None:
        """Take up those rows whose content differs from what was last said of them.

        A member and place stand at most once in a chunk.
        """
        count = chunk.member.size
        if count == 0:
            return
        numbers: dict[str, NDArray[np.generic]] = {
            name: np.broadcast_to(np.asarray(getattr(chunk, name)).astype(_TYPES.get(name, np.int64)), count)
            for name in _NUMBERS
        }
        numbers["value"] = np.where(numbers["present"], numbers["value"], 0)
        texts = {name: _texts(getattr(chunk, name), count) for name in ("detail", "primary")}
        new = joined(*(numbers[name] for name in _TYPES), *(_text_hash(column) for column in texts.values()))
        new |= np.uint64(1)
        spoken = self._of(chunk.topic, chunk.slots)
        at = (chunk.member, numbers["place"])
        differ = np.nonzero(spoken.content[at] != new)[0]
        if differ.size == 0:
            return
        at = (at[0][differ], at[1][differ])
        spoken.revision[at] += 1
        spoken.content[at] = new[differ]
        said = {name: column[differ] for name, column in (numbers | texts).items()}
        self._said.topics.append(chunk.topic)
        self._said.digits.append(chunk.digits)
        self._said.columns.append(said | {"member": at[0].astype(np.int32), "revision": spoken.revision[at]})

    def rows(self, at: int) -> pa.RecordBatch | None:
        """Return what was taken up since the last call as result rows stamped with a tick; None when nothing was."""
        said, self._said = self._said, _Said()
        if not said.columns:
            return None
        sizes = [part["member"].size for part in said.columns]
        together = {name: np.concatenate([part[name] for part in said.columns]) for name in said.columns[0]}
        made = {
            "site": pa.DictionaryArray.from_arrays(pa.array(together["member"]), self._names),
            "factor": _named([topic.factor for topic in said.topics], sizes),
            "window": _named([topic.window for topic in said.topics], sizes),
            "start": pa.array(together["start"]).cast(pa.timestamp("ms", "UTC")),
            "edition": _named([topic.edition for topic in said.topics], sizes),
            "value": pa.array(together["value"], mask=~together["present"]),
            "digits": pa.array(np.repeat(np.array(said.digits, np.int8), sizes)),
            "valid": pa.array(together["valid"]).cast(pa.int16()),
            "expected": pa.array(together["expected"]).cast(pa.int16()),
            "reason": pa.DictionaryArray.from_arrays(pa.array(together["reason"].astype(np.int8)), _REASONS),
            "detail": pa.array(together["detail"], pa.utf8()),
            "flags": pa.array(together["marks"]),
            "iaqi": pa.array(together["iaqi"], mask=together["iaqi"] == NO_NUMBER),
            "level": pa.array(together["level"], mask=together["level"] == NO_NUMBER),
            "primary": pa.array(together["primary"], pa.utf8()),
            "revision": pa.array(together["revision"]),
            "inputs": pa.array(together["inputs"]),
            "at": pa.array(np.full(sum(sizes), at, np.int64)).cast(pa.timestamp("ms", "UTC")),
        }
        return pa.RecordBatch.from_arrays([made[f.name] for f in RESULT_SCHEMA], schema=RESULT_SCHEMA)

    def _of(self, topic: Topic, slots: int) -> Spoken:
        spoken = self._spoken.get(topic)
        if spoken is None:
            shape = (len(self._names), slots)
            spoken = self._spoken[topic] = Spoken(np.zeros(shape, np.uint64), np.zeros(shape, np.int32))
        return spoken


def _texts(given: Sequence[str] | str, count: int) -> NDArray[np.object_]:
    texts = np.empty(count, np.object_)
    texts[:] = given
    return texts


def _text_hash(texts: NDArray[np.object_]) -> Hash:
    """Return a hash of each text, 0 for the empty one."""
    known = {text: text_hash(text) for text in set(texts.tolist())}
    return np.array([known[text] for text in texts], np.uint64)


def text_hash(text: str) -> int:
    """Return 64 bits of a text, the same on every machine; 0 for the empty one."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) if text else 0


def _named(names: Sequence[str], sizes: Sequence[int]) -> pa.DictionaryArray:
    place = {name: number for number, name in enumerate(dict.fromkeys(names))}
    codes = np.repeat(np.array([place[name] for name in names], np.int8), sizes)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(place), pa.utf8()))
