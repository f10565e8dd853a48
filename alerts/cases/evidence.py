"""What an act brings, and what it may lack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NAME_LENGTH: Final = 200
NOTE_LENGTH: Final = 4000
PARTY_LENGTH: Final = 120
EVIDENCE_MOST: Final = 50
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_FILE: Final = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")


class Lack(StrEnum):
    """What an act does not bring, or brings wrongly."""

    NAME = "name"
    NOTE = "note"
    EVIDENCE = "evidence"
    BAD_EVIDENCE = "bad_evidence"
    """A file without a plain name and a SHA-256 of 64 hexadecimal digits, or too many entries."""
    VERDICT = "verdict"
    PARTY = "party"
    """A handover says to whom; who acknowledges for a party names one of the case's."""
    DEPARTMENT = "department"
    """A handover to a department that the people file does not know would be told to nobody."""
    LEVEL = "level"
    """A level that the policy knows."""
    AREA = "area"
    DUE = "due"
    """A new deadline lies before the act."""


class EvidenceKind(StrEnum):
    """What a piece of evidence refers to."""

    EVENT = "event"
    FILE = "file"
    """By name and SHA-256; the file itself is kept elsewhere."""
    CASE = "case"
    LINK = "link"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece of evidence: a reference, never the thing itself."""

    kind: EvidenceKind
    value: str
    """Id, file name, address or words."""
    sha256: str = ""
    """Of a file: 64 hexadecimal digits."""

    def told(self) -> dict[str, str]:
        """Return it as the history keeps it."""
        return {"kind": str(self.kind), "value": self.value} | ({"sha256": self.sha256} if self.sha256 else {})

    @property
    def sound(self) -> bool:
        """Whether it says what it must."""
        if self.kind is EvidenceKind.FILE:
            plain = _FILE.fullmatch(self.value) is not None and self.value not in {".", ".."}
            return plain and _SHA256.fullmatch(self.sha256) is not None
        return 0 < len(self.value.strip()) <= NOTE_LENGTH and not self.sha256
