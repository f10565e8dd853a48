"""Who counts in an area: its dated set of sites.

County, city and province are told by assessment stations alone (评价点位); in smaller areas, and of other
kinds than air, every site counts (rulings, "Air"). The registry's entries are dated, so a set is.
"""

from __future__ import annotations

from typing import Final

from sensors.registry import Site

ASSESSED: Final = frozenset({"county", "city", "province"})
"""Types of areas whose statistics of air are made of assessment stations."""
ASSESSED_KINDS: Final = frozenset({"air"})


def counts_in(site: Site, area_type: str) -> bool:
    """Return whether a site of an area counts in that area's statistics."""
    return site.kind not in ASSESSED_KINDS or area_type not in ASSESSED or site.assessment
