"""Reasons as codes: what arrays hold where the results say a `Reason`."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.results import Reason

States = NDArray[np.uint8]
"""Reasons as codes: positions in `REASONS`."""

REASONS: Final = tuple(Reason)
"""A reason's code is its position here."""


def code(reason: Reason) -> int:
    """Return the code of a reason; `REASONS` turns it back."""
    return REASONS.index(reason)


OK: Final = code(Reason.OK)
SILENT: Final = code(Reason.SILENT)
CALIBRATING: Final = code(Reason.CALIBRATING)
INVALID: Final = code(Reason.INVALID)
INCOMPLETE: Final = code(Reason.INCOMPLETE)
NOT_IN_PLAN: Final = code(Reason.NOT_IN_PLAN)
OVER_TABLE: Final = code(Reason.OVER_TABLE)
MISSING_ITEM: Final = code(Reason.MISSING_ITEM)
NO_ITEM: Final = code(Reason.NO_ITEM)
NO_FLOW: Final = code(Reason.NO_FLOW)
CALM: Final = code(Reason.CALM)
NO_TEMPERATURE: Final = code(Reason.NO_TEMPERATURE)
UNSET: Final = code(Reason.UNSET)
TOO_FEW_SITES: Final = code(Reason.TOO_FEW_SITES)
NOT_JUDGED: Final = code(Reason.NOT_JUDGED)
