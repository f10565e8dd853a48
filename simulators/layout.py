"""Which files of the delivered region belong into a configuration folder."""

from __future__ import annotations

from typing import Final

PACKAGE: Final = "simulators"
FOLDER: Final = "data/shangyu"
"""In the package."""
LAID_OUT: Final = ("registry.yaml", "permits.yaml", "targets.yaml", "people.yaml", "shangyu.geojson")
"""Files that `jianhu up` copies from there into a new configuration folder; each keeps its name."""
