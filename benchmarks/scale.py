"""What a site costs as there are more: CPU a million readings and bytes of state, from 100 to 100 000 sites."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Final

from benchmarks.core import CoreCost, run_core
from benchmarks.cost import machine
from benchmarks.packets import MINUTES, site_names
from streams.air.index import FACTORS

PACKETS: Final = 6_000_000
"""So many at least in a run, so that every number of sites is measured over equal work."""
LEAST_HOURS: Final = 2
ROUND: Final = 15_000
"""Packets between two ticks, as nearly as whole minutes allow."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--sites", type=int, nargs="+", default=[100, 1_000, 10_000, 100_000])
    parser.add_argument("--packets", type=int, default=PACKETS, help="in a run, at least")


def hours_for(sites: int, packets: int) -> int:
    """Return for how many hours so many sites send so many packets."""
    return max(LEAST_HOURS, -(-packets // (sites * MINUTES)))


def minutes_for(sites: int) -> int:
    """Return how many minutes go between two ticks."""
    return next(m for m in (60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1) if m == 1 or m * sites <= ROUND)


def one(sites: int, packets: int) -> CoreCost:
    """Judge so many packets of so many sites."""
    return run_core(site_names(sites), hours_for(sites, packets), minutes_for(sites))


def run(given: argparse.Namespace) -> int:
    """Measure each number of sites in a process of its own and print a table; return the exit code."""
    print(f"# Cost by number of sites, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")
    print(
        f"Machine: {machine()}. The judge alone, in one process: decode, fold, judge, encode; six factors a minute.\n"
    )
    print("| sites | hours | minutes a tick | packets | CPU s | CPU s a million readings | state, kB a site |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for sites in given.sites:
        # A process of its own for each: what one left behind must not be counted with the next.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            cost = pool.submit(one, sites, given.packets).result()
        spent, readings = sum(cost.spent.values()), cost.packets * len(FACTORS)
        print(
            f"| {sites:,} | {hours_for(sites, given.packets)} | {minutes_for(sites)} | {cost.packets:,} | {spent:.1f} "
            f"| {spent / readings * 1e6:.3f} | {cost.held / sites / 1e3:.0f} |",
            flush=True,
        )
    return 0
