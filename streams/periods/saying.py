"""Saying: which windows of the second stage changed since they were last said, as rows of results.

What was said of a window is a hash of its content and its revision, 12 bytes, in arrays [members, places] by factor,
window, edition and year (or day, of windows shorter than a day).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
_TEXTS: Final = ("detail", "primary")


@dataclass(slots=True)
class Spoken:
    """What was said of one topic."""

    content: NDArray[np.uint64]
    revision: NDArray[np.int32]


class _Heard(NamedTuple):
    """A chunk as columns."""

    chunk: Chunk
    columns: dict[str, NDArray[np.generic]]


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
        self._heard: list[_Heard] = []

    @property
    def nbytes(self) -> int:
        """Bytes of what is remembered."""
        return sum(s.content.nbytes + s.revision.nbytes for s in self._spoken.values())

    def forget(self, window: str, before: int) -> None:
        """Drop what was said of a window in blocks before one."""
        for topic in [topic for topic in self._spoken if topic.window == window and topic.block < before]:
            del self._spoken[topic]

    def say(self, chunk: Chunk) -> None:
        """Take up what was found; `rows` says what of it is new.

        Between two calls of `rows` a member and place of a topic stand at most once.
        """
        count = chunk.member.size
        if count == 0:
            return
        columns: dict[str, NDArray[np.generic]] = {
            name: _column(getattr(chunk, name), count, _TYPES.get(name, np.int64)) for name in _NUMBERS
        }
        columns |= {name: _texts(getattr(chunk, name), count) for name in _TEXTS}
        columns["digits"] = np.full(count, chunk.digits, np.int8)
        columns["member"] = chunk.member.astype(np.int32)
        self._heard.append(_Heard(chunk, columns))

    def rows(self, at: int) -> pa.RecordBatch | None:
        """Return those rows taken up since the last call whose content differs from what was last said of them.

        They are stamped with the tick ``at``; None when nothing differs.
        """
        heard, self._heard = self._heard, []
        if not heard:
            return None
        sizes = np.array([part.chunk.member.size for part in heard])
        found = {name: np.concatenate([part.columns[name] for part in heard]) for name in heard[0].columns}
        found["value"] = np.where(found["present"], found["value"], 0)
        content = joined(*(found[name] for name in _TYPES), *(_text_hash(found[name]) for name in _TEXTS))
        picked, revision = self._noted(heard, sizes, found["place"].astype(np.intp), content | np.uint64(1))
        if picked.size == 0:
            return None
        topics = np.repeat(np.arange(len(heard)), sizes)[picked].tolist()
        of = [heard[number].chunk.topic for number in topics]
        return self._batch({name: column[picked] for name, column in found.items()}, of, revision, at)

    def _noted(
        self, heard: Sequence[_Heard], sizes: NDArray[np.int64], place: NDArray[np.intp], content: Hash
    ) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Return the rows whose content is new, with their revisions, and note them as said."""
        picked, revisions = [np.zeros(0, np.intp)], [np.zeros(0, np.int32)]
        ends = np.cumsum(sizes)
        for part, end, size in zip(heard, ends.tolist(), sizes.tolist(), strict=True):
            mine = slice(end - size, end)
            spoken = self._of(part.chunk.topic, part.chunk.slots)
            at = (part.chunk.member, place[mine])
            differ = np.nonzero(spoken.content[at] != content[mine])[0]
            if differ.size:
                at = (at[0][differ], at[1][differ])
                spoken.content[at] = content[mine][differ]
                spoken.revision[at] += 1
                picked.append(differ + mine.start)
                revisions.append(spoken.revision[at])
        return np.concatenate(picked), np.concatenate(revisions)

    def _batch(
        self, said: dict[str, NDArray[np.generic]], of: Sequence[Topic], revision: NDArray[np.int32], at: int
    ) -> pa.RecordBatch:
        made = {
            "site": pa.DictionaryArray.from_arrays(pa.array(said["member"]), self._names),
            "factor": _named([topic.factor for topic in of]),
            "window": _named([topic.window for topic in of]),
            "start": pa.array(said["start"]).cast(pa.timestamp("ms", "UTC")),
            "edition": _named([topic.edition for topic in of]),
            "value": pa.array(said["value"], mask=~said["present"].astype(np.bool_)),
            "digits": pa.array(said["digits"]),
            "valid": pa.array(said["valid"]).cast(pa.int16()),
            "expected": pa.array(said["expected"]).cast(pa.int16()),
            "reason": pa.DictionaryArray.from_arrays(pa.array(said["reason"].astype(np.int8)), _REASONS),
            "detail": pa.array(said["detail"], pa.utf8()),
            "flags": pa.array(said["marks"]),
            "iaqi": pa.array(said["iaqi"], mask=said["iaqi"] == NO_NUMBER),
            "level": pa.array(said["level"], mask=said["level"] == NO_NUMBER),
            "primary": pa.array(said["primary"], pa.utf8()),
            "revision": pa.array(revision),
            "inputs": pa.array(said["inputs"]),
            "at": pa.array(np.full(revision.size, at, np.int64)).cast(pa.timestamp("ms", "UTC")),
        }
        return pa.RecordBatch.from_arrays([made[f.name] for f in RESULT_SCHEMA], schema=RESULT_SCHEMA)

    def _of(self, topic: Topic, slots: int) -> Spoken:
        spoken = self._spoken.get(topic)
        if spoken is None:
            shape = (len(self._names), slots)
            spoken = self._spoken[topic] = Spoken(np.zeros(shape, np.uint64), np.zeros(shape, np.int32))
        return spoken


def _column(given: ArrayLike, count: int, kind: type[np.generic]) -> NDArray[np.generic]:
    column = np.asarray(given)
    return np.full(count, column, kind) if column.ndim == 0 else column.astype(kind)


def _texts(given: Sequence[str] | str, count: int) -> NDArray[np.object_]:
    texts = np.empty(count, np.object_)
    texts[:] = given
    return texts


def _text_hash(texts: NDArray[np.generic]) -> Hash:
    """Return a hash of each text, 0 for the empty one."""
    listed = texts.tolist()
    known = {text: text_hash(text) for text in set(listed)}
    return np.array([known[text] for text in listed], np.uint64)


def text_hash(text: str) -> int:
    """Return 64 bits of a text, the same on every machine; 0 for the empty one."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) if text else 0


def _named(names: Sequence[str]) -> pa.DictionaryArray:
    place = {name: number for number, name in enumerate(dict.fromkeys(names))}
    codes = np.array([place[name] for name in names], np.int8)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(place), pa.utf8()))
